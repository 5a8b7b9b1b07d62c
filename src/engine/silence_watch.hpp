// SilenceWatch: notices when nothing valid has come to a port for its idle time-out, and when
// something comes again, and tells the coordinator. Pure.
#pragma once

#include <optional>

#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/mail.hpp"
#include "engine/message.hpp"

namespace wyndrvr::engine {

class SilenceWatch {
 public:
  // The network's word that nobody listens at the peer's end (ICMP) can be anybody's, so it is
  // believed only of a peer that has been silent for so long as well.
  static constexpr Duration kUnreachablePatience = 3s;

  SilenceWatch(Instant start, Duration idle_timeout)
      : last_heard_(start), idle_timeout_(idle_timeout) {}

  void on_heard(Instant now, Mail& mail) {
    last_heard_ = now;
    if (!silent_) return;
    silent_ = false;
    mail.post(Mailbox::kCoordinator, PortHeard{});
  }
  void on_timer(Instant now, Mail& mail) {
    if (silent_for(now) >= idle_timeout_) tell(mail);
  }
  void on_unreachable(Instant now, Mail& mail) {
    if (silent_for(now) >= kUnreachablePatience) tell(mail);
  }

  [[nodiscard]] Duration silent_for(Instant now) const { return now - last_heard_; }
  [[nodiscard]] std::optional<Deadline> deadline() const {
    if (silent_) return std::nullopt;
    return Deadline{last_heard_ + idle_timeout_, DeadlineReason::kIdle};
  }

 private:
  void tell(Mail& mail) {
    if (silent_) return;
    silent_ = true;
    mail.post(Mailbox::kCoordinator, PortSilent{});
  }

  Instant last_heard_;
  Duration idle_timeout_;
  bool silent_ = false;
};

}  // namespace wyndrvr::engine
