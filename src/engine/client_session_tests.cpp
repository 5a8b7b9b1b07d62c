// The tests of a client's session, of either dialect; the rest is in client_session.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "engine/client_session.hpp"
#include "engine/loss_breaker.hpp"
#include "wire/data_body.hpp"

namespace wyndrvr::engine {

bool ClientSession::wants(PortKind direction) const {
  if (speaks_one()) return setup_->terms.has(direction);
  return direction == PortKind::kUpload && config_.upload.has_value();
}

bool ClientSession::wants_test() const {
  return wants(PortKind::kUpload) || wants(PortKind::kDownload);
}

bool ClientSession::needs(PortKind port) const {
  return port == PortKind::kControl ? wants_test() : wants(port);
}

// In 0.14 control passes on what the server says of the upload.
TestRun* ClientSession::run_of(PortKind from) {
  auto& run = runs_[index_of(from == PortKind::kDownload ? from : PortKind::kUpload)];
  return run ? &*run : nullptr;
}

TestRun* ClientSession::run_of(ChannelId channel) {
  for (auto& run : runs_) {
    if (run && run->plan().channel == channel) return &*run;
  }
  return nullptr;
}

void ClientSession::start_tests(Instant now) {
  state_ = State::kStarting;
  expect_to_hear(now);
  for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
    if (wants(direction)) start_test(direction);
  }
}

TestPlan ClientSession::plan_of(PortKind direction) {
  TestPlan plan;
  plan.direction = direction;
  plan.progress_interval = config_.progress_interval;
  if (speaks_one()) {
    plan.channel = {direction == PortKind::kUpload ? 1U : 2U};
    plan.duration = setup_->terms.duration;
    return plan;
  }
  do {
    plan.channel = {static_cast<std::uint32_t>(random_.between(1, ChannelId::kMax))};
  } while (plan.channel.value == assignment_->key);
  plan.duration = config_.upload->duration;
  plan.payload_bytes = config_.upload->payload_bytes;
  plan.rate = config_.upload->rate;
  plan.ask_progress = extended_;
  return plan;
}

void ClientSession::start_test(PortKind direction) {
  const TestPlan plan = plan_of(direction);
  TestOutcome outcome;
  outcome.direction = direction;
  if (speaks_one()) {
    outcome.dialect = Dialect::kOne;
    outcome.both = wants(PortKind::kUpload) && wants(PortKind::kDownload);
    outcome.streams = setup_->terms.streams;
    outcome.payload_bytes = setup_->terms.payload_bytes;
    outcome.requested_rate = config_.terms.rate;
    if (!setup_->terms.adaptive) outcome.granted_rate = setup_->terms.rate;
    outcome.octets_bound = setup_->terms.octets.has_value();
    outcome.requested = config_.terms.duration;
    outcome.sender_known = direction == PortKind::kUpload;
  } else {
    outcome.payload_bytes = static_cast<std::uint32_t>(wire::data_packet_size(plan.payload_bytes));
    outcome.requested_rate = plan.rate;
    outcome.granted_rate = plan.rate;
    outcome.requested = plan.duration;
  }
  runs_[index_of(direction)].emplace(plan, outcome);
  effects_.emplace_back(Post{PortKind::kControl, StartTest{plan}});
}

void ClientSession::on_test_started(Instant now, const TestStarted& told) {
  TestRun* run = run_of(told.channel);
  if (run == nullptr || run->started()) return;
  // Of two that were asked for together, the other may have come to its end by now.
  if (state_ < State::kStarting || state_ > State::kAwaiting) return;
  // A worker's figures: none starts in the future, or lasts longer than was asked for.
  TestStarted started = told;
  started.start = std::clamp(told.start, started_, now);
  started.duration = std::clamp(told.duration, Duration(0), run->plan().duration);
  run->on_started(now, started);
  expect_to_hear(now);
  // Until then the last figures of the receiver, or the result itself, may still come.
  const Instant end = run->end() + kResultPatience;
  deadline_ = state_ == State::kStarting ? end : std::max(deadline_, end);
  has_deadline_ = true;
  if (state_ == State::kStarting) post_all(SetLoaded{true});
  state_ = State::kTesting;
  report(TestBegun{started.channel, run->direction(), started.duration});
  // In dialect 1 the server has said so before.
  if (!speaks_one() && started.duration < run->outcome().requested) {
    add_problem(ProblemCode::kReceiverShrunk,
                fmt::format("the server granted {:.6g} s of the {:.6g} s asked for",
                            to_seconds(started.duration), to_seconds(run->outcome().requested)));
  }
}

void ClientSession::on_result(Instant now, const wire::TestResult& result) {
  TestRun* run = run_of(PortKind::kUpload);
  if (speaks_one() || run == nullptr || !run->started()) return;
  if (state_ != State::kTesting && state_ != State::kAwaiting) return;
  run->on_result(result);
  state_ = State::kLingering;
  deadline_ = now + kLinger;
  has_deadline_ = true;
  // The server frees its ports with our first acknowledgement: nobody would answer a heartbeat.
  post_all(Quiet{});
  report(TestResultArrived{kLinger});
}

void ClientSession::on_test_reported(Instant now, const TestReported& reported) {
  TestRun* run = run_of(reported.channel);
  if (!speaks_one() || run == nullptr || !run->started() || run->has_result()) return;
  if (reported.direction != run->direction()) return;
  if (state_ != State::kTesting && state_ != State::kAwaiting) return;
  run->on_reported(reported);
  if (reported.direction == PortKind::kDownload && !reported.sender) {
    result_.valid = false;
    add_problem(ProblemCode::kNoResult, "the server never told how much it had sent",
                trouble_of({PortKind::kControl}));
  }
  const auto open = [](const auto& each) { return each && !each->has_result(); };
  if (std::ranges::none_of(runs_, open)) drain(now);
}

void ClientSession::on_test_broken(const TestBroken& broken) {
  TestRun* run = run_of(broken.channel);
  if (run == nullptr || !run->started() || broken.reason != wire::StopReason::kSustainedLoss)
    return;
  if (state_ != State::kTesting && state_ != State::kAwaiting) return;
  run->on_broken();
  result_.valid = false;
  add_problem(ProblemCode::kSustainedLoss,
              fmt::format("the {} test was ended: {}more than half of it was lost for {} s",
                          name(run->direction()), broken.from_peer ? "the server says that " : "",
                          LossBreaker::kPeriodsToTrip),
              trouble_of({run->direction()}));
}

}  // namespace wyndrvr::engine
