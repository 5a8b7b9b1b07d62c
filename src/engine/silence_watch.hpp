// SilenceWatch: notices when nothing valid has come to a port for its idle time-out, and when
// something comes again, and tells the coordinator; also why nothing gets to the peer. Pure.
//
// What ICMP says may be anybody's, or of a passing moment. So each cause is only told, and "nobody
// listens there" counts as silence when it was said several times over some time and the peer has
// not been heard meanwhile. The port asks the peer in between (take_probe).
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/mail.hpp"
#include "engine/message.hpp"
#include "engine/unreachable.hpp"

namespace wyndrvr::engine {

class SilenceWatch {
 public:
  // "Nobody listens" is believed of a peer that has been silent for so long,
  static constexpr Duration kUnreachablePatience = 3s;
  // after so many refusals since it was heard last, the last one so long after the first.
  static constexpr unsigned kRefusalsToBelieve = 3;
  static constexpr Duration kRefusalSpan = 2s;
  // From a refusal to the next question.
  static constexpr Duration kProbeInterval = 1s;

  SilenceWatch(Instant start, Duration idle_timeout)
      : last_heard_(start), idle_timeout_(idle_timeout) {}

  void on_heard(Instant now, Mail& mail) {
    last_heard_ = now;
    told_causes_ = 0;
    refusals_ = 0;
    next_probe_.reset();
    if (!silent_) return;
    silent_ = false;
    mail.post(Mailbox::kCoordinator, PortHeard{});
  }
  void on_timer(Instant now, Mail& mail) {
    if (silent_for(now) >= idle_timeout_) tell(mail);
  }
  void on_unreachable(Instant now, Unreachable cause, Mail& mail) {
    const std::uint32_t bit = 1U << static_cast<unsigned>(cause);
    if ((told_causes_ & bit) == 0) mail.post(Mailbox::kCoordinator, PortTrouble{cause});
    told_causes_ |= bit;
    if (cause == Unreachable::kNobodyListens) on_refused(now, mail);
  }
  // Whether the peer is to be asked now whether it is there.
  [[nodiscard]] bool take_probe(Instant now) {
    if (!next_probe_ || now < *next_probe_) return false;
    next_probe_.reset();
    return true;
  }

  [[nodiscard]] Duration silent_for(Instant now) const { return now - last_heard_; }
  [[nodiscard]] std::optional<Deadline> deadline() const {
    if (silent_) return std::nullopt;
    const Deadline idle{last_heard_ + idle_timeout_, DeadlineReason::kIdle};
    if (!next_probe_) return idle;
    return earlier(idle, Deadline{*next_probe_, DeadlineReason::kResend});
  }

 private:
  void on_refused(Instant now, Mail& mail) {
    if (refusals_ == 0) first_refusal_ = now;
    ++refusals_;
    if (!next_probe_) next_probe_ = now + kProbeInterval;
    if (refusals_ < kRefusalsToBelieve || now - first_refusal_ < kRefusalSpan) return;
    if (silent_for(now) >= kUnreachablePatience) tell(mail);
  }
  void tell(Mail& mail) {
    if (silent_) return;
    silent_ = true;
    mail.post(Mailbox::kCoordinator, PortSilent{});
  }

  Instant last_heard_;
  Duration idle_timeout_;
  std::uint32_t told_causes_ = 0;  // since the peer was heard last; a bit for each
  unsigned refusals_ = 0;          // the same
  Instant first_refusal_;
  std::optional<Instant> next_probe_;
  bool silent_ = false;
};
static_assert(static_cast<unsigned>(kLastUnreachable) < 32);

}  // namespace wyndrvr::engine
