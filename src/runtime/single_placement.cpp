#include "runtime/single_placement.hpp"

#include <span>
#include <utility>

#include "base/check.hpp"
#include "ipc/message_codec.hpp"
#include "runtime/port_socket.hpp"

namespace wyndrvr::runtime {

SinglePlacement::SinglePlacement(const PlacementContext& context, PlacementListener& listener)
    : context_(context), listener_(listener) {}

void SinglePlacement::launch(PortSockets sockets, const PortConfigs& configs) {
  if (const auto started = start(std::move(sockets), configs); !started) {
    for (auto& runner : runners_) runner.reset();
    listener_.on_launch_failed(started.error().message);
    return;
  }
  listener_.on_launched();
  for (const auto& runner : runners_) {
    if (runner) runner->begin();
  }
}

Result<void> SinglePlacement::start(PortSockets sockets, const PortConfigs& configs) {
  single_port_ = has_single_port(configs.front().path);
  const std::size_t actors = single_port_ ? 1 : configs.size();
  for (std::size_t i = 0; i < actors; ++i) {
    WYNDRVR_CHECK(runners_[i] == nullptr);
    runners_[i] = std::make_unique<PortRunner>(
        PortRunner::Environment{context_.loop, context_.receive_buffer, *this},
        std::move(sockets[i]), std::span(configs).subspan(i, configs.size() / actors));
    if (auto attached = runners_[i]->attach(); !attached) return attached;
  }
  return {};
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

void SinglePlacement::on_mail(const engine::Outgoing& mail) {
  enqueue({mail.from, mail.to, mail.message});
}

void SinglePlacement::enqueue(Envelope envelope) {
#ifdef WYNDRVR_DEBUG
  ipc::encode({envelope.from, envelope.message, envelope.to}, frame_);
  auto letter = ipc::decode(frame_);
  WYNDRVR_CHECK(letter.has_value());
  envelope = {letter->from, letter->to, std::move(letter->message)};
#endif
  WYNDRVR_CHECK(queue_.push(std::move(envelope)));
  if (!handing_over_) hand_over();
}

void SinglePlacement::hand_over() {
  handing_over_ = true;
  while (const auto envelope = queue_.pop()) hand_over(*envelope);
  handing_over_ = false;
}

void SinglePlacement::hand_over(const Envelope& envelope) {
  if (envelope.to == engine::Mailbox::kCoordinator) {
    listener_.on_port_message(static_cast<engine::PortKind>(envelope.from), envelope.message);
    return;
  }
  const auto& runner = runners_[single_port_ ? 0 : static_cast<std::size_t>(envelope.to)];
  if (runner) runner->deliver(envelope.from, envelope.to, envelope.message);
}

}  // namespace wyndrvr::runtime
