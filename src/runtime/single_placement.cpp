#include "runtime/single_placement.hpp"

#include <utility>

#include "base/check.hpp"
#include "ipc/message_codec.hpp"

namespace wyndrvr::runtime {

SinglePlacement::SinglePlacement(const PlacementContext& context, PlacementListener& listener)
    : context_(context), listener_(listener) {}

void SinglePlacement::launch(PortSockets sockets, const PortConfigs& configs) {
  for (const engine::PortKind kind : engine::kPortKinds) {
    const std::size_t i = engine::index_of(kind);
    WYNDRVR_CHECK(runners_[i] == nullptr);
    runners_[i] = std::make_unique<PortRunner>(
        PortRunner::Environment{context_.loop, context_.receive_buffer, *this},
        std::move(*sockets[i]), configs[i]);
    if (const auto attached = runners_[i]->attach(); !attached) {
      for (auto& runner : runners_) runner.reset();
      listener_.on_launch_failed(attached.error().message);
      return;
    }
  }
  listener_.on_launched();
  for (const auto& runner : runners_) runner->begin();
}

void SinglePlacement::stop() {
  // Perhaps from within a call of one of them.
  context_.loop.defer([this] {
    for (auto& runner : runners_) runner.reset();
    listener_.on_placement_stopped();
  });
}

void SinglePlacement::post(engine::PortKind to, const engine::Message& message) {
  enqueue({engine::Mailbox::kCoordinator, engine::mailbox_of(to), message});
}

void SinglePlacement::on_mail(engine::PortKind from, const engine::Outgoing& mail) {
  enqueue({engine::mailbox_of(from), mail.to, mail.message});
}

void SinglePlacement::enqueue(Envelope envelope) {
#ifdef WYNDRVR_DEBUG
  ipc::encode({envelope.from, envelope.message}, frame_);
  auto letter = ipc::decode(frame_);
  WYNDRVR_CHECK(letter.has_value());
  envelope.message = std::move(letter->message);
#endif
  WYNDRVR_CHECK(queue_.push(std::move(envelope)));
  if (!handing_over_) hand_over();
}

void SinglePlacement::hand_over() {
  handing_over_ = true;
  while (const auto envelope = queue_.pop()) {
    if (envelope->to == engine::Mailbox::kCoordinator) {
      listener_.on_port_message(static_cast<engine::PortKind>(envelope->from), envelope->message);
      continue;
    }
    const auto& runner = runners_[static_cast<std::size_t>(envelope->to)];
    if (runner) runner->deliver(envelope->from, envelope->message);
  }
  handing_over_ = false;
}

}  // namespace wyndrvr::runtime
