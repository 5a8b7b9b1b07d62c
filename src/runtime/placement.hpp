// Where the three actors of a session live, and how messages reach them.
//
// The seam between the engine and the modes: everything above deals with a PortPlacement, nothing
// below the engine knows that there is a choice. SINGLE, the loop of the caller, is built; asking
// for another one is an error that says so.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "engine/message.hpp"
#include "engine/port_actor.hpp"
#include "engine/port_kind.hpp"
#include "os/receive_batch.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/placement_mode.hpp"

namespace wyndrvr::runtime {

// The coordinator's side of a placement.
class PlacementListener {
 public:
  virtual ~PlacementListener() = default;
  virtual void on_port_message(engine::PortKind from, const engine::Message& message) = 0;
};

class PortPlacement {
 public:
  virtual ~PortPlacement() = default;
  // Starts one actor on its socket. Each kind once.
  [[nodiscard]] virtual Result<void> launch(os::UdpSocket socket,
                                            const engine::PortConfig& config) = 0;
  // From the coordinator. Never lost while the actor lives; ignored for one that does not.
  virtual void post(engine::PortKind to, const engine::Message& message) = 0;
};

// What a placement is built from; it outlives the placement.
struct PlacementContext {
  EventLoop& loop;
  os::ReceiveBuffer& receive_buffer;
};

// Error: the mode is not built in this version.
[[nodiscard]] Result<std::unique_ptr<PortPlacement>> make_placement(PlacementMode mode,
                                                                    const PlacementContext& context,
                                                                    PlacementListener& listener);

}  // namespace wyndrvr::runtime
