// The control port's part in the tests of a dialect-1 session, at either end: START until READY,
// STOP until STOPPED, RESULT until it is acknowledged (docs/PROTOCOL.md, "Control" and "Result").
//
// At most one test in each direction. The client starts them, those that it asks for together at
// the same time; whichever end receives the data delivers the result, and the acknowledgement
// brings it the sender's own figures. Pure; every wait has an end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/mail.hpp"
#include "engine/message.hpp"
#include "engine/port_kind.hpp"
#include "engine/test_terms.hpp"
#include "wire/drop_reason.hpp"
#include "wire/receiver_report.hpp"
#include "wire/test_command.hpp"

namespace wyndrvr::engine {

class TestControl {
 public:
  using Packet = std::variant<wire::TestCommand, wire::ResultMessage>;
  using Verdict = std::expected<void, wire::DropReason>;

  static constexpr Duration kStartTimeout = 10s;
  // After a test's time: for a result to come, or to be acknowledged.
  static constexpr Duration kResultTimeout = 10s;
  static constexpr unsigned kMaxStops = 10;

  struct Options {
    Side side = Side::kClient;
    TestTerms terms;  // as granted
    Duration resend_interval = 100ms;
  };

  explicit TestControl(const Options& options) : options_(options) {}

  // --- from the wire ---
  [[nodiscard]] Verdict on_command(Instant now, const wire::TestCommand& command, Mail& mail);
  [[nodiscard]] Verdict on_result(const wire::ResultMessage& message, Mail& mail);

  // --- from the coordinator (client) and the data ports ---
  void start(const TestPlan& plan, Mail& mail);
  void on_port_ready(Instant now, ChannelId channel);
  void on_receiver_finished(Instant now, const TestFinished& finished, Mail& mail);
  void on_sender_finished(const SenderFinished& finished);
  void on_broken(Instant now, const TestBroken& broken, Mail& mail);

  void on_timer(Instant now, Mail& mail);
  [[nodiscard]] std::optional<Packet> poll(Instant now, Mail& mail);
  [[nodiscard]] std::optional<Deadline> deadline() const;
  // Something was sent that the peer should have answered: the path may be gone.
  [[nodiscard]] bool waits_for_answer() const;

 private:
  enum class State : std::uint8_t {
    kPreparing,   // our data port makes its half
    kReady,       // it is there
    kRequesting,  // client: START is out
    kRunning,
    kDelivering,  // we have received the data: RESULT is out
    kDone,
  };
  struct Test {
    TestPlan plan;
    State state = State::kPreparing;
    Instant next_send;
    std::optional<Instant> give_up;
    std::optional<ReceiverTotals> receiver;
    std::optional<SenderTotals> sender;
    std::optional<wire::StopReason> stop;  // STOP is out
    unsigned stops_left = 0;
    Instant next_stop;
    // Each answers one packet that came; repeats within one turn are answered once.
    bool ready_owed = false;
    bool stopped_owed = false;
    bool receipt_owed = false;
    bool reported = false;
    bool broken_told = false;  // to the coordinator, however often STOP comes
  };

  [[nodiscard]] bool receives(const Test& test) const;
  [[nodiscard]] Test* find(ChannelId channel);
  [[nodiscard]] Verdict on_start(const wire::StartTest& start, Mail& mail);
  [[nodiscard]] Verdict on_ready(Instant now, Test& test, Mail& mail);
  [[nodiscard]] Verdict on_stop(Test& test, wire::StopReason reason, Mail& mail);
  void begin(Instant now, Test& test, Mail& mail);
  void request_when_all_ready(Instant now);
  void report(Test& test, Mail& mail);
  [[nodiscard]] std::optional<Packet> poll(Instant now, Test& test, Mail& mail);
  [[nodiscard]] static std::optional<Deadline> deadline(const Test& test);

  Options options_;
  std::array<std::optional<Test>, 2> tests_;  // upload, download
};

}  // namespace wyndrvr::engine
