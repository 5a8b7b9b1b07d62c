#include "runtime/session_claims.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "engine/overloaded.hpp"

namespace wyndrvr::runtime {
namespace {

using Verdict = SessionClaims::Verdict;

Verdict once(bool& said) {
  return std::exchange(said, true) ? Verdict::kImpossible : Verdict::kTake;
}

// Ends that only the supervisor decides on.
bool is_supervisors(engine::SessionEnd reason) {
  using enum engine::SessionEnd;
  return reason == kShutdown || reason == kEvicted || reason == kClosed;
}

}  // namespace

Verdict SessionClaims::check(Instant now, Frame& frame) {
  const Verdict verdict = judge(now, frame);
  if (verdict == Verdict::kDrop) ++dropped_;
  return verdict;
}

Verdict SessionClaims::judge(Instant now, Frame& frame) {
  // What it said before it saw that the supervisor takes no more.
  if (over_) return Verdict::kDrop;
  return std::visit(
      engine::Overloaded{
          [&](const engine::SessionProven&) { return once(proven_); },
          [&](const engine::ResendAssignment&) { return judge_resend(now); },
          [&](const engine::ClientExtended&) {
            return options_.original ? once(extended_) : Verdict::kImpossible;
          },
          [&](const engine::TellEnded&) {
            return times_ended_++ < engine::ServerSession::kEndedRepeats ? Verdict::kTake
                                                                         : Verdict::kImpossible;
          },
          // For so long the session does not make room for others.
          [&](engine::TestUnderWay& test) {
            test.duration = std::clamp(test.duration, Duration(0), options_.max_test_duration);
            return Verdict::kTake;
          },
          [&](const engine::SessionOver&) {
            over_ = true;
            return Verdict::kTake;
          },
          [&](engine::Report& report) { return judge(report); },
          [](const auto&) { return Verdict::kImpossible; },
      },
      frame);
}

// Each becomes a datagram of the main port to the client.
Verdict SessionClaims::judge_resend(Instant now) {
  if (!options_.original || proven_) return Verdict::kImpossible;
  if (next_resend_ && now < *next_resend_) return Verdict::kDrop;
  // A worker's timer and this one's may differ by a little.
  next_resend_ = now + options_.resend_interval / 2;
  return Verdict::kTake;
}

Verdict SessionClaims::judge(engine::Report& report) {
  const auto own = [this](auto& event) { event.client = options_.client; };
  return std::visit(engine::Overloaded{
                        [&](engine::ClientConnected& event) {
                          own(event);
                          return once(connected_);
                        },
                        [&](engine::ServerLatencySample& event) {
                          own(event);
                          return Verdict::kTake;
                        },
                        [&](engine::ServerTestResult& event) {
                          own(event);
                          return event.direction == engine::PortKind::kControl
                                     ? Verdict::kImpossible
                                     : once(has_result_[engine::index_of(event.direction)]);
                        },
                        [&](engine::PortsStarted& event) {
                          own(event);
                          return once(ports_started_);
                        },
                        [&](engine::PortLost& event) {
                          own(event);
                          return once(lost_[engine::index_of(event.port)]);
                        },
                        [&](engine::TraceLine& event) {
                          own(event);
                          return options_.trace ? Verdict::kTake : Verdict::kImpossible;
                        },
                        [&](engine::ClientGone& event) {
                          own(event);
                          return judge_gone(event);
                        },
                        [](const auto&) { return Verdict::kImpossible; },
                    },
                    report);
}

Verdict SessionClaims::judge_gone(engine::ClientGone& gone) {
  gone.was_connected = connected_;
  if (is_supervisors(gone.reason) && gone.reason != told_to_end_) return Verdict::kImpossible;
  return once(gone_);
}

}  // namespace wyndrvr::runtime
