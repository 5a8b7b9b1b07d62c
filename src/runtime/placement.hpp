// Where the three actors of a session live, and how messages reach them; and where sessions live.
//
// The seam between the engine and the modes: everything above deals with a PortPlacement and a
// PlacedSession, nothing below the engine knows that there is a choice. A further mode is a further
// case in placement.cpp, and, where it carries workers, a further WorkerBody.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/acceptor.hpp"
#include "engine/config.hpp"
#include "engine/message.hpp"
#include "engine/path_setup.hpp"
#include "engine/port_actor.hpp"
#include "engine/port_kind.hpp"
#include "engine/server_session.hpp"
#include "os/confinement.hpp"
#include "os/receive_batch.hpp"
#include "os/udp_socket.hpp"
#include "runtime/cpu_plan.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/placement_mode.hpp"
#include "runtime/run.hpp"
#include "runtime/worker_loss.hpp"

namespace wyndrvr::runtime {

// --- the ports of one session ---

// The coordinator's side of a placement.
class PlacementListener {
 public:
  virtual ~PlacementListener() = default;
  virtual void on_port_message(engine::PortKind from, const engine::Message& message) = 0;
  // After `launch`, and perhaps before it returns: all three are there and begin, or none is, for
  // this reason. After a failure the placement may be destroyed by EventLoop::defer.
  virtual void on_launched() = 0;
  virtual void on_launch_failed(const std::string& why) = 0;
  // The port's loop has ended, unasked. Nothing more comes from it.
  virtual void on_port_lost(engine::PortKind port, const WorkerLoss& loss) = 0;
  // After `stop`: nothing is left of the ports. The placement may be destroyed by EventLoop::defer.
  virtual void on_placement_stopped() = 0;
};

// By port (runtime/port_socket.hpp says how many each has). Where a session has a single port, the
// first entry holds the sockets of all three, and the others are empty.
using PortSockets = std::array<std::vector<os::UdpSocket>, engine::kPortCount>;
// What the kernel granted one of the port's sockets for what has not been read, in octets.
[[nodiscard]] std::uint32_t receive_buffer_of(const PortSockets& sockets, engine::PortKind kind);
using PortConfigs = std::array<engine::PortConfig, engine::kPortCount>;

class PortPlacement {
 public:
  virtual ~PortPlacement() = default;
  // Starts the three actors on their sockets. Once; the listener is told what came of it.
  virtual void launch(PortSockets sockets, const PortConfigs& configs) = 0;
  // From the coordinator. Never lost while the actor lives; ignored for one that does not.
  virtual void post(engine::PortKind to, const engine::Message& message) = 0;
  // Ends all actors and closes their sockets; on_placement_stopped follows, perhaps at once, also
  // where the launch was not complete.
  virtual void stop() = 0;
  // Whether the ports have loops of their own, and their processes, where they have any.
  [[nodiscard]] virtual bool apart() const { return false; }
  [[nodiscard]] virtual std::vector<WorkerFact> workers() const { return {}; }
};

// What a placement is built from; it outlives the placement.
struct PlacementContext {
  EventLoop& loop;
  os::ReceiveBuffer& receive_buffer;
  CpuPlan cpus;
};

// What becomes of the mode that is wanted: a session's single port has one actor, which nothing can
// be gained from placing elsewhere.
[[nodiscard]] PlacementMode mode_for(PlacementMode wanted,
                                     const std::optional<engine::PathSetup>& path);

// `path`: that of the session's ports.
[[nodiscard]] std::unique_ptr<PortPlacement> make_placement(
    PlacementMode wanted, const std::optional<engine::PathSetup>& path,
    const PlacementContext& context, PlacementListener& listener);

// --- the sessions of a server ---

// The server's side of a session.
class SessionListener {
 public:
  virtual ~SessionListener() = default;
  virtual void on_session_launched(engine::SessionId id) = 0;
  virtual void on_session_proven(engine::SessionId id) = 0;
  virtual void on_resend_assignment(engine::SessionId id) = 0;
  virtual void on_client_extended(engine::SessionId id) = 0;
  virtual void on_tell_ended(engine::SessionId id, const engine::TellEnded& end) = 0;
  virtual void on_test_under_way(engine::SessionId id, Duration duration) = 0;
  virtual void on_session_report(const engine::Report& report) = 0;
  // The last word, where it could not be launched: nothing of it runs.
  virtual void on_session_launch_failed(engine::SessionId id, const std::string& why) = 0;
  // The last word, when its ports are released: the session may be destroyed by EventLoop::defer.
  virtual void on_session_over(engine::SessionId id) = 0;
  // The last word as well: its loop has ended, unasked, and its ports with it.
  virtual void on_session_lost(engine::SessionId id, const WorkerLoss& loss) = 0;
};

class PlacedSession {
 public:
  virtual ~PlacedSession() = default;
  // Once; the listener is told where it fails.
  virtual void launch(PortSockets sockets) = 0;
  virtual void end(engine::SessionEnd reason) = 0;
};

struct SessionPlan {
  PlacementMode ports = PlacementMode::kSingle;
  engine::SessionSetup setup;
  Instant bound;  // when its ports were: the client's time to prove itself counts from here
  std::uint64_t seed = 0;
};

[[nodiscard]] std::unique_ptr<PlacedSession> make_session(PlacementMode mode,
                                                          const PlacementContext& context,
                                                          const SessionPlan& plan,
                                                          const engine::ServerConfig& config,
                                                          SessionListener& listener);

// Pins the calling thread by --cpu, where it is given, before its loop begins. `modes`: of all that
// this loop might carry itself. Error: a CPU that cannot be had.
[[nodiscard]] Result<void> pin_main_loop(const std::vector<unsigned>& cpus,
                                         std::initializer_list<PlacementMode> modes);

// What a process that places ports in this mode must still be able to do.
[[nodiscard]] os::Confinement needs_of(PlacementMode ports);

}  // namespace wyndrvr::runtime
