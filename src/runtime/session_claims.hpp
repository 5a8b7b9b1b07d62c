// What a session's worker may claim about its session, and how often.
//
// The worker may have been taken over by an attacker, so the supervisor trusts no field that it
// knows itself: every report gets the address of this session's client, whatever the worker said.
// What a session never says, or says more often than it can happen, is impossible. Pure.
//
// Example:
//   if (claims.check(now, frame) == SessionClaims::Verdict::kImpossible) end_worker();
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "engine/acceptor.hpp"
#include "engine/port_kind.hpp"
#include "engine/report.hpp"
#include "engine/server_session.hpp"
#include "runtime/worker_frames.hpp"

namespace wyndrvr::runtime {

class SessionClaims {
 public:
  enum class Verdict : std::uint8_t {
    kTake,
    kDrop,        // too often, or too late; counted
    kImpossible,  // no session says this
  };

  struct Options {
    Endpoint client;
    Duration max_test_duration = Duration::max();
    bool original = false;  // 0.14 is spoken
    bool trace = false;
    Duration resend_interval{};  // between two assignments that are sent again
  };

  explicit SessionClaims(const Options& options) : options_(options) {}

  // Corrects the frame where the supervisor knows better.
  [[nodiscard]] Verdict check(Instant now, Frame& frame);
  // The session was told to end, for this reason; the first one counts, as in the session.
  void on_told_to_end(engine::SessionEnd reason) {
    if (!told_to_end_) told_to_end_ = reason;
  }

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  [[nodiscard]] Verdict judge(Instant now, Frame& frame);
  [[nodiscard]] Verdict judge(engine::Report& report);
  [[nodiscard]] Verdict judge_resend(Instant now);
  [[nodiscard]] Verdict judge_gone(engine::ClientGone& gone);

  Options options_;
  bool over_ = false;
  bool proven_ = false;
  bool extended_ = false;
  bool connected_ = false;
  bool gone_ = false;
  bool ports_started_ = false;
  std::uint8_t times_ended_ = 0;
  std::array<bool, engine::kPortCount> lost_{};
  std::array<bool, engine::kPortCount> has_result_{};
  std::optional<Instant> next_resend_;
  std::optional<engine::SessionEnd> told_to_end_;
  std::uint64_t dropped_ = 0;
};

}  // namespace wyndrvr::runtime
