// The server's side of the control port: acknowledges BWUP once the receiving end exists, passes
// its progress on, and repeats TEST_RESULT until it is acknowledged (protocol 0.14, 3 and 6).
//
// One test a session. Gives up the result after kDeliveryTimeout.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include "base/random.hpp"
#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/mail.hpp"
#include "engine/message.hpp"
#include "wire/control.hpp"
#include "wire/drop_reason.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::engine {

class ControlServer {
 public:
  using Packet = std::variant<wire::BwupAck, wire::Progress, wire::TestResult>;

  static constexpr Duration kDeliveryTimeout = 60s;

  struct Options {
    Duration resend_interval = 100ms;
    Duration max_test_duration = 1h;
    std::uint32_t heartbeat_key = 0;
    bool trace = false;
    std::uint64_t seed = 0;
  };
  explicit ControlServer(const Options& options);

  [[nodiscard]] std::expected<void, wire::DropReason> on_request(const wire::Bwup& request,
                                                                 Mail& mail);
  [[nodiscard]] std::expected<void, wire::DropReason> on_acknowledgement(
      const wire::TestResultAck& acknowledgement, Mail& mail);
  void on_port_ready(ChannelId channel);
  void on_progress(const ReceiverProgress& progress);
  void on_finished(Instant now, const TestFinished& finished);
  void on_timer(Instant now, Mail& mail);
  // The next packet is a BwupAck. The first one begins the test, so it is not to be asked for where
  // it may not leave.
  [[nodiscard]] bool owes_acknowledgement() const {
    return owed_ > 0 && (state_ == State::kReady || state_ == State::kRunning);
  }
  [[nodiscard]] std::optional<Packet> poll(Instant now, Mail& mail);
  [[nodiscard]] std::optional<Deadline> deadline() const;
  // The channel of the session's test.
  [[nodiscard]] std::optional<ChannelId> channel() const;

 private:
  enum class State : std::uint8_t { kIdle, kPreparing, kReady, kRunning, kFinished, kDone };
  // BWUPs that wait for the receiver to be there; each is owed one acknowledgement.
  static constexpr std::uint32_t kMaxOwed = 32;

  // The client has shown that it knows our extensions.
  [[nodiscard]] bool extended_client() const { return plan_.progress_interval > Duration(0); }
  [[nodiscard]] wire::BwupAck acknowledge(Instant now, Mail& mail);
  [[nodiscard]] wire::TestResult make_result() const;
  void trace(Mail& mail, TraceKind kind, const wire::SmallText<64>& detail) const;

  Options options_;
  base::Random random_;
  State state_ = State::kIdle;
  TestPlan plan_;
  wire::SmallText<64> test_uid_;
  wire::SmallText<64> result_guid_;
  std::uint32_t owed_ = 0;
  std::optional<ReceiverProgress> progress_;
  ReceiverTotals totals_;
  Instant next_send_;
  Instant give_up_;
};

}  // namespace wyndrvr::engine
