#include "runtime/worker_session.hpp"

#include <utility>

#include "engine/overloaded.hpp"
#include "os/clock.hpp"

namespace wyndrvr::runtime {

WorkerSession::WorkerSession(const PlacementContext& context, StartBody start_body,
                             const SessionPlan& plan, const engine::ServerConfig& config,
                             SessionListener& listener)
    : start_body_(start_body),
      start_{.session = plan.setup,
             .bound = plan.bound,
             .protocol = config.protocol,
             .limits = config.limits,
             .tuning = context.loop.tuning(),
             .ports = plan.ports,
             .cpus = context.cpus,
             .seed = plan.seed},
      listener_(listener),
      worker_(context.loop, "session", *this),
      claims_({.client = plan.setup.client,
               .max_test_duration = config.limits.max_test_duration,
               .original = !plan.setup.path,
               .trace = config.protocol.trace,
               .resend_interval = config.protocol.adjustment_delay}) {}

void WorkerSession::launch(PortSockets sockets) {
  std::vector<os::Fd> descriptors;
  for (auto& port : sockets) {
    for (os::UdpSocket& socket : port) descriptors.push_back(socket.release());
  }
  const auto started =
      worker_.start(start_body_, to_string(start_.session.client), std::move(descriptors));
  if (!started) {
    return listener_.on_session_launch_failed(start_.session.id, started.error().message);
  }
  worker_.send(start_);
}

void WorkerSession::end(engine::SessionEnd reason) {
  claims_.on_told_to_end(reason);
  worker_.send(EndSession{reason});
}

void WorkerSession::on_worker_prepared(Worker& /*worker*/) {
  launched_ = true;
  listener_.on_session_launched(start_.session.id);
}

bool WorkerSession::on_worker_frame(Worker& worker, Frame frame) {
  const SessionClaims::Verdict verdict = claims_.check(os::monotonic_now(), frame);
  if (verdict != SessionClaims::Verdict::kTake) return verdict == SessionClaims::Verdict::kDrop;
  const engine::SessionId id = start_.session.id;
  std::visit(
      engine::Overloaded{
          [&](const engine::SessionProven&) { listener_.on_session_proven(id); },
          [&](const engine::ResendAssignment&) { listener_.on_resend_assignment(id); },
          [&](const engine::ClientExtended&) { listener_.on_client_extended(id); },
          [&](const engine::TellEnded& end) { listener_.on_tell_ended(id, end); },
          [&](const engine::TestUnderWay& test) { listener_.on_test_under_way(id, test.duration); },
          [&](const engine::SessionOver&) { worker.stop(); },
          [&](const engine::Report& report) { listener_.on_session_report(report); },
          [](const auto&) {},  // impossible
      },
      frame);
  return true;
}

void WorkerSession::on_worker_lost(Worker& /*worker*/, const WorkerLoss& loss) {
  lost_ = loss;
}

void WorkerSession::on_worker_gone(Worker& /*worker*/) {
  if (!lost_) {
    listener_.on_session_over(start_.session.id);
  } else if (!launched_) {
    listener_.on_session_launch_failed(start_.session.id, lost_->text());
  } else {
    listener_.on_session_lost(start_.session.id, *lost_);
  }
}

}  // namespace wyndrvr::runtime
