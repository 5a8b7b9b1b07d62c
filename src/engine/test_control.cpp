#include "engine/test_control.hpp"

#include <algorithm>
#include <utility>

#include "engine/overloaded.hpp"
#include "engine/result_figures.hpp"

namespace wyndrvr::engine {
namespace {

using wire::DropReason;

std::size_t slot_of(PortKind direction) {
  return direction == PortKind::kUpload ? 0 : 1;
}

wire::TestNumber number_of(ChannelId channel) {
  return {channel.value};
}

PortKind direction_of(wire::TestDirection direction) {
  return direction == wire::TestDirection::kUpload ? PortKind::kUpload : PortKind::kDownload;
}

wire::TestDirection wire_direction_of(PortKind direction) {
  return direction == PortKind::kUpload ? wire::TestDirection::kUpload
                                        : wire::TestDirection::kDownload;
}

}  // namespace

bool TestControl::receives(const Test& test) const {
  return (options_.side == Side::kServer) == (test.plan.direction == PortKind::kUpload);
}

TestControl::Test* TestControl::find(ChannelId channel) {
  for (auto& test : tests_) {
    if (test && test->plan.channel == channel) return &*test;
  }
  return nullptr;
}

// --- beginning ---

void TestControl::start(const TestPlan& plan, Mail& mail) {
  auto& slot = tests_[slot_of(plan.direction)];
  if (slot) return;
  slot = Test();
  slot->plan = plan;
  mail.post(mailbox_of(plan.direction), StartTest{plan});
}

TestControl::Verdict TestControl::on_start(const wire::StartTest& start, Mail& mail) {
  const PortKind direction = direction_of(start.direction);
  const ChannelId channel{start.test.value};
  if (channel.value == 0 || channel.value > ChannelId::kMax || !options_.terms.has(direction)) {
    return std::unexpected(DropReason::kWrongChannel);
  }
  auto& slot = tests_[slot_of(direction)];
  if (!slot) {
    if (find(channel) != nullptr) return std::unexpected(DropReason::kWrongChannel);
    TestPlan plan;
    plan.channel = channel;
    plan.direction = direction;
    plan.duration = std::min(start.duration, options_.terms.duration);
    slot = Test();
    slot->plan = plan;
    mail.post(mailbox_of(direction), StartTest{plan});
  } else if (slot->plan.channel != channel) {
    return std::unexpected(DropReason::kWrongChannel);
  }
  slot->ready_owed = true;
  return {};
}

void TestControl::on_port_ready(Instant now, ChannelId channel) {
  Test* test = find(channel);
  if (test == nullptr || test->state != State::kPreparing) return;
  test->state = State::kReady;
  if (options_.side == Side::kClient) request_when_all_ready(now);
}

// Those that were asked for together begin together.
void TestControl::request_when_all_ready(Instant now) {
  const auto preparing = [](const auto& test) { return test && test->state == State::kPreparing; };
  if (std::ranges::any_of(tests_, preparing)) return;
  for (auto& test : tests_) {
    if (!test || test->state != State::kReady) continue;
    test->state = State::kRequesting;
    test->next_send = now;
    test->give_up = now + kStartTimeout;
  }
}

TestControl::Verdict TestControl::on_ready(Instant now, Test& test, Mail& mail) {
  if (test.state != State::kRequesting) return std::unexpected(DropReason::kDuplicate);
  begin(now, test, mail);
  return {};
}

void TestControl::begin(Instant now, Test& test, Mail& mail) {
  test.state = State::kRunning;
  const Duration patience = receives(test) ? test.plan.duration + 2 * kResultTimeout
                                           : test.plan.duration + kResultTimeout;
  test.give_up = now + patience;
  mail.post(mailbox_of(test.plan.direction), Go{test.plan.channel, now, test.plan.duration});
  mail.post(Mailbox::kCoordinator, TestStarted{test.plan.channel, now, test.plan.duration, true});
}

// --- ending ---

TestControl::Verdict TestControl::on_command(Instant now, const wire::TestCommand& command,
                                             Mail& mail) {
  if (const auto* start = std::get_if<wire::StartTest>(&command)) {
    if (options_.side == Side::kClient) return std::unexpected(DropReason::kWrongPort);
    return on_start(*start, mail);
  }
  const auto number = std::visit([](const auto& any) { return any.test; }, command);
  Test* test = find({number.value});
  if (test == nullptr) return std::unexpected(DropReason::kNoTest);
  return std::visit(
      Overloaded{[&](const wire::TestReady&) { return on_ready(now, *test, mail); },
                 [&](const wire::StopTest& stop) { return on_stop(*test, stop.reason, mail); },
                 [&](const wire::TestStopped&) -> Verdict {
                   test->stop.reset();
                   return {};
                 },
                 [](const wire::StartTest&) -> Verdict { return {}; }},
      command);
}

TestControl::Verdict TestControl::on_stop(Test& test, wire::StopReason reason, Mail& mail) {
  if (test.state < State::kRunning) return std::unexpected(DropReason::kNoTest);
  const bool repeated = test.stopped_owed;
  test.stopped_owed = true;
  if (test.state != State::kRunning || repeated) return {};
  mail.post(mailbox_of(test.plan.direction), StopTest{test.plan.channel, reason});
  if (reason != wire::StopReason::kWanted && !std::exchange(test.broken_told, true)) {
    mail.post(Mailbox::kCoordinator, TestBroken{test.plan.channel, reason, true});
  }
  return {};
}

void TestControl::on_broken(Instant now, const TestBroken& broken, Mail& mail) {
  Test* test = find(broken.channel);
  if (test == nullptr || test->state != State::kRunning || test->stop) return;
  test->stop = broken.reason;
  test->stops_left = kMaxStops;
  test->next_stop = now;
  if (broken.reason != wire::StopReason::kWanted) mail.post(Mailbox::kCoordinator, broken);
}

void TestControl::on_receiver_finished(Instant now, const TestFinished& finished, Mail& mail) {
  Test* test = find(finished.channel);
  if (test == nullptr || test->state != State::kRunning) return;
  test->receiver = finished.totals;
  test->state = State::kDelivering;
  test->next_send = now;
  test->give_up = now + kResultTimeout;
  // The server knows all that it will know; the client waits for the sender's side.
  if (options_.side == Side::kServer) report(*test, mail);
}

void TestControl::on_sender_finished(const SenderFinished& finished) {
  Test* test = find(finished.channel);
  if (test != nullptr) test->sender = finished.totals;
}

TestControl::Verdict TestControl::on_result(const wire::ResultMessage& message, Mail& mail) {
  const auto number = std::visit([](const auto& any) { return any.test; }, message);
  Test* test = find({number.value});
  if (test == nullptr || test->state < State::kRunning) {
    return std::unexpected(DropReason::kNoTest);
  }
  if (const auto* receipt = std::get_if<wire::ResultReceived>(&message)) {
    if (!receives(*test)) return std::unexpected(DropReason::kWrongPort);
    if (test->state != State::kDelivering) return std::unexpected(DropReason::kDuplicate);
    if (receipt->sender) test->sender = totals_of(*receipt->sender);
    report(*test, mail);
    test->state = State::kDone;
    return {};
  }
  if (receives(*test)) return std::unexpected(DropReason::kWrongPort);
  const auto totals = totals_of(std::get<wire::ReceiverResult>(message));
  if (!totals) return std::unexpected(DropReason::kBadBody);
  if (!test->receiver) test->receiver = totals;
  test->receipt_owed = true;
  report(*test, mail);
  if (test->state == State::kRunning) test->state = State::kDone;
  return {};
}

void TestControl::report(Test& test, Mail& mail) {
  if (test.reported) return;
  test.reported = true;
  mail.post(Mailbox::kCoordinator,
            TestReported{test.plan.channel, test.plan.direction, *test.receiver, test.sender});
}

void TestControl::on_timer(Instant now, Mail& mail) {
  for (auto& test : tests_) {
    if (!test || !test->give_up || now < *test->give_up) continue;
    test->give_up.reset();
    if (test->state == State::kDelivering) {
      // What was received is known, only the sender's side is not.
      report(*test, mail);
    } else if (test->state == State::kRequesting) {
      mail.post(Mailbox::kCoordinator, TestFailed{ProblemCode::kNoAcknowledgement});
    } else if (test->state == State::kRunning) {
      mail.post(Mailbox::kCoordinator, TestFailed{ProblemCode::kNoResult});
    }
    test->state = State::kDone;
  }
}

// --- sending ---

std::optional<TestControl::Packet> TestControl::poll(Instant now, Mail& mail) {
  for (auto& test : tests_) {
    if (!test) continue;
    if (auto packet = poll(now, *test, mail)) return packet;
  }
  return std::nullopt;
}

std::optional<TestControl::Packet> TestControl::poll(Instant now, Test& test, Mail& mail) {
  const wire::TestNumber number = number_of(test.plan.channel);
  if (test.ready_owed && test.state >= State::kReady) {
    test.ready_owed = false;
    if (test.state == State::kReady) begin(now, test, mail);
    return wire::TestCommand{wire::TestReady{number}};
  }
  if (test.stopped_owed) {
    test.stopped_owed = false;
    return wire::TestCommand{wire::TestStopped{number}};
  }
  // The receiver needs the sender's figures, so a receipt waits for them.
  if (test.receipt_owed && test.sender) {
    test.receipt_owed = false;
    return wire::ResultMessage{wire::ResultReceived{number, figures_of(*test.sender)}};
  }
  if (test.state == State::kRequesting && now >= test.next_send) {
    test.next_send = now + options_.resend_interval;
    return wire::TestCommand{
        wire::StartTest{number, wire_direction_of(test.plan.direction), test.plan.duration}};
  }
  if (test.state == State::kDelivering && now >= test.next_send) {
    test.next_send = now + options_.resend_interval;
    return wire::ResultMessage{result_of(number, *test.receiver)};
  }
  if (test.stop && now >= test.next_stop) {
    test.next_stop = now + options_.resend_interval;
    const wire::StopReason reason = *test.stop;
    if (--test.stops_left == 0) test.stop.reset();
    return wire::TestCommand{wire::StopTest{number, reason}};
  }
  return std::nullopt;
}

std::optional<Deadline> TestControl::deadline(const Test& test) {
  std::optional<Deadline> next;
  if (test.give_up) next = Deadline{*test.give_up, DeadlineReason::kGiveUp};
  if (test.state == State::kRequesting || test.state == State::kDelivering) {
    next = earlier(next, Deadline{test.next_send, DeadlineReason::kResend});
  }
  if (test.stop) next = earlier(next, Deadline{test.next_stop, DeadlineReason::kResend});
  return next;
}

std::optional<Deadline> TestControl::deadline() const {
  std::optional<Deadline> next;
  for (const auto& test : tests_) {
    if (test) next = earlier(next, deadline(*test));
  }
  return next;
}

bool TestControl::waits_for_answer() const {
  return std::ranges::any_of(tests_, [](const auto& test) {
    return test && (test->state == State::kRequesting || test->state == State::kDelivering ||
                    test->stop.has_value());
  });
}

}  // namespace wyndrvr::engine
