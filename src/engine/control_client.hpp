// The client's side of the control port: BWUP until it is acknowledged, then every TEST_RESULT
// acknowledged in turn (protocol 0.14 sections 3 and 6).
//
// Before it asks, it has its own sender made (StartTest, PortReady), so that the first
// FLOW_CONTROL finds someone. Gives up after kAcknowledgementTimeout and kResultTimeout.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include "base/bounded_queue.hpp"
#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/mail.hpp"
#include "engine/message.hpp"
#include "wire/control.hpp"
#include "wire/drop_reason.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::engine {

class ControlClient {
 public:
  using Packet = std::variant<wire::Bwup, wire::TestResultAck>;

  static constexpr Duration kAcknowledgementTimeout = 10s;
  static constexpr Duration kResultTimeout = 10s;  // after the test's end

  ControlClient(Duration resend_interval, bool trace)
      : resend_interval_(resend_interval), trace_(trace), acknowledgements_(kMaxAcknowledgements) {}

  void start(const TestPlan& plan, Mail& mail);
  void on_port_ready(Instant now, ChannelId channel);
  // CONTROL and TEST_RESULT on the test's channel.
  [[nodiscard]] std::expected<void, wire::DropReason> on_control(Instant now,
                                                                 const wire::ControlBody& body,
                                                                 Mail& mail);
  [[nodiscard]] std::expected<void, wire::DropReason> on_result(const wire::TestResultBody& body,
                                                                Mail& mail);
  void on_timer(Instant now, Mail& mail);
  [[nodiscard]] std::optional<Packet> poll(Instant now, Mail& mail);
  [[nodiscard]] std::optional<Deadline> deadline() const;
  [[nodiscard]] std::optional<ChannelId> channel() const;

 private:
  enum class State : std::uint8_t { kIdle, kPreparing, kRequesting, kRunning, kDone, kFailed };
  // One a datagram; repeats come every 100 ms.
  static constexpr std::size_t kMaxAcknowledgements = 16;

  void on_acknowledgement(Instant now, const wire::BwupAck& ack, Mail& mail);

  Duration resend_interval_;
  bool trace_;
  State state_ = State::kIdle;
  TestPlan plan_;
  Instant next_send_;
  Instant give_up_;
  Duration next_shown_{};  // of the test: when progress is shown again
  base::BoundedQueue<wire::SmallText<64>> acknowledgements_;
};

}  // namespace wyndrvr::engine
