// All actors of a session in the caller's loop: one for each port, or one for all three where the
// session has a single port.
//
// Messages are queued and handed over one after the other, never from within the sender's own
// step. Debug builds pass each through the message codec, so that a test in one process relies on
// nothing that a placement in another process could not give.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/growing_queue.hpp"
#include "runtime/placement.hpp"
#include "runtime/port_runner.hpp"

namespace wyndrvr::runtime {

class SinglePlacement final : public PortPlacement, public MailHandler {
 public:
  SinglePlacement(const PlacementContext& context, PlacementListener& listener);

  void launch(PortSockets sockets, const PortConfigs& configs) override;
  void post(engine::PortKind to, const engine::Message& message) override;
  void stop() override;
  void on_mail(const engine::Outgoing& mail) override;

 private:
  struct Envelope {
    engine::Mailbox from = engine::Mailbox::kCoordinator;
    engine::Mailbox to = engine::Mailbox::kCoordinator;
    engine::Message message;
  };
  // Messages under way at once in one session. More than the actors and the coordinator can have
  // in flight together is our own bug.
  static constexpr std::size_t kCapacity = 64;

  [[nodiscard]] Result<void> start(PortSockets sockets, const PortConfigs& configs);
  void enqueue(Envelope envelope);
  void hand_over();
  void hand_over(const Envelope& envelope);

  PlacementContext context_;
  PlacementListener& listener_;
  // By port; of a single port, the first alone.
  std::array<std::unique_ptr<PortRunner>, engine::kPortCount> runners_;
  bool single_port_ = false;
  base::GrowingQueue<Envelope> queue_{{.most = kCapacity, .kept = 1}};
  std::vector<std::byte> frame_;
  bool handing_over_ = false;
};

}  // namespace wyndrvr::runtime
