#include "runtime/hosted_session.hpp"

#include <utility>

#include "base/random.hpp"
#include "engine/overloaded.hpp"
#include "os/clock.hpp"

namespace wyndrvr::runtime {

HostedSession::HostedSession(const Options& options, const engine::ServerConfig& config,
                             const engine::SessionSetup& setup)
    : options_(options), session_(config, setup, os::monotonic_now()) {}

HostedSession::~HostedSession() {
  if (timer_) options_.context.loop.remove(*timer_);
}

Result<void> HostedSession::launch(PortSockets sockets) {
  auto timer = options_.context.loop.add(EventLoop::kNoDescriptor, *this);
  if (!timer) return std::unexpected(timer.error());
  timer_ = *timer;
  auto placement = make_placement(options_.mode, options_.context, *this);
  if (!placement) return std::unexpected(placement.error());
  placement_ = std::move(*placement);
  const os::ClockReading clocks = os::read_clocks();
  const Duration offset = engine::WallClock(clocks.wall, clocks.monotonic).offset();
  base::Random seeds(options_.seed);
  for (const engine::PortKind kind : engine::kPortKinds) {
    const auto config = session_.port_config(kind, clocks.monotonic, offset, seeds());
    auto launched = placement_->launch(std::move(*sockets[engine::index_of(kind)]), config);
    if (!launched) return launched;
  }
  carry_out();
  return {};
}

void HostedSession::end(engine::SessionEnd reason) {
  session_.end(os::monotonic_now(), reason);
  carry_out();
}

void HostedSession::on_ready(const Readiness& /*readiness*/) {}

void HostedSession::on_wake(Instant now) {
  session_.on_timer(now);
  carry_out();
}

void HostedSession::on_port_message(engine::PortKind from, const engine::Message& message) {
  session_.on_message(os::monotonic_now(), from, message);
  carry_out();
}

void HostedSession::carry_out() {
  const engine::SessionId id = session_.setup().id;
  SessionListener& listener = options_.listener;
  while (auto effect = session_.poll_effect()) {
    std::visit(engine::Overloaded{
                   [&](const engine::Post& post) { placement_->post(post.to, post.message); },
                   [&](const engine::SessionProven&) { listener.on_session_proven(id); },
                   [&](const engine::ResendAssignment&) { listener.on_resend_assignment(id); },
                   [&](const engine::SessionOver&) { listener.on_session_over(id); },
                   [&](const engine::Report& report) { listener.on_session_report(report); },
               },
               *effect);
  }
  const auto deadline = session_.poll_deadline();
  options_.context.loop.set_deadline(*timer_,
                                     deadline ? std::optional(deadline->at) : std::nullopt);
}

}  // namespace wyndrvr::runtime
