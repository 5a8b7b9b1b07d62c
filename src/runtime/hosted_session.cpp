#include "runtime/hosted_session.hpp"

#include <utility>

#include "base/random.hpp"
#include "engine/overloaded.hpp"
#include "engine/wall_clock.hpp"
#include "os/clock.hpp"

namespace wyndrvr::runtime {

HostedSession::HostedSession(const PlacementContext& context, const SessionPlan& plan,
                             const engine::ServerConfig& config, SessionListener& listener)
    : context_(context),
      ports_(plan.ports),
      seed_(plan.seed),
      listener_(listener),
      session_(config, plan.setup, plan.bound) {}

HostedSession::~HostedSession() {
  if (timer_) context_.loop.remove(*timer_);
}

void HostedSession::launch(PortSockets sockets) {
  auto timer = context_.loop.add(EventLoop::kNoDescriptor, *this);
  if (!timer) return on_launch_failed(timer.error().message);
  timer_ = *timer;
  const os::ClockReading clocks = os::read_clocks();
  const Duration offset = engine::WallClock(clocks.wall, clocks.monotonic).offset();
  base::Random seeds(seed_);
  PortConfigs configs;
  for (const engine::PortKind kind : engine::kPortKinds) {
    configs[engine::index_of(kind)] = session_.port_config(kind, clocks.monotonic, offset, seeds());
    configs[engine::index_of(kind)].receive_buffer = receive_buffer_of(sockets, kind);
  }
  placement_ = make_placement(ports_, session_.setup().path, context_, *this);
  placement_->launch(std::move(sockets), configs);
}

void HostedSession::on_launched() {
  listener_.on_session_launched(session_.setup().id);
  if (placement_->apart()) {
    listener_.on_session_report(engine::PortsStarted{session_.setup().client});
  }
  carry_out();
}

void HostedSession::on_launch_failed(const std::string& why) {
  listener_.on_session_launch_failed(session_.setup().id, why);
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

void HostedSession::on_port_lost(engine::PortKind port, const WorkerLoss& loss) {
  // Its words are for this host's log, and are not told to the client.
  session_.on_port_lost(os::monotonic_now(), port, loss.cause, loss.text());
  carry_out();
}

void HostedSession::on_placement_stopped() {
  listener_.on_session_over(session_.setup().id);
}

void HostedSession::carry_out() {
  while (const auto effect = session_.poll_effect()) carry_out(*effect);
  const auto deadline = session_.poll_deadline();
  context_.loop.set_deadline(*timer_, deadline ? std::optional(deadline->at) : std::nullopt);
}

void HostedSession::carry_out(const engine::ServerSessionEffect& effect) {
  const engine::SessionId id = session_.setup().id;
  std::visit(
      engine::Overloaded{
          [&](const engine::Post& post) { placement_->post(post.to, post.message); },
          [&](const engine::SessionProven&) { listener_.on_session_proven(id); },
          [&](const engine::ResendAssignment&) { listener_.on_resend_assignment(id); },
          [&](const engine::ClientExtended&) { listener_.on_client_extended(id); },
          [&](const engine::TellEnded& end) { listener_.on_tell_ended(id, end); },
          [&](const engine::TestUnderWay& test) { listener_.on_test_under_way(id, test.duration); },
          [&](const engine::SessionOver&) { placement_->stop(); },
          [&](const engine::Report& report) { listener_.on_session_report(report); },
      },
      effect);
}

}  // namespace wyndrvr::runtime
