// A client session of dialect 1 behind its handshake: tests in both directions, and its end.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>

#include "unit/engine_client_session_one_support.hpp"

namespace wyndrvr::engine {
namespace client_session_one_tests_test {

using namespace testing;

TestReported reported(PortKind direction) {
  TestReported report;
  report.channel = {direction == PortKind::kUpload ? 1U : 2U};
  report.direction = direction;
  report.receiver.packets = report.receiver.unique = report.receiver.expected = 100;
  report.receiver.bytes = report.receiver.unique_bytes = 140'000;
  report.sender.emplace().packets = 100;
  report.sender->bytes = 140'000;
  return report;
}

class ClientSessionOneRunTest : public ClientSessionOneTest {
 protected:
  // Until both tests run.
  void run_both() {
    open_ports();
    Effects all = tell(PortKind::kControl, PortProven{});
    EXPECT_EQ(count_posts<StartTest>(all), 0U);
    all = tell(PortKind::kUpload, PortProven{});
    EXPECT_EQ(count_posts<StartTest>(all), 0U) << "the download needs its port, too";
    all = tell(PortKind::kDownload, PortProven{});
    EXPECT_EQ(count_posts<StartTest>(all), 2U);
    for (const std::uint32_t channel : {1U, 2U}) {
      all = tell(PortKind::kControl, TestStarted{{channel}, kStart, 10s, true});
      EXPECT_EQ(count_reports<TestBegun>(all), 1U);
    }
  }
};

TEST_F(ClientSessionOneRunTest, BothTestsRunToTheirResults) {
  run_both();
  EXPECT_EQ(count_posts<Drain>(tell(PortKind::kControl, reported(PortKind::kUpload))), 0U);
  const Effects all = tell(PortKind::kControl, reported(PortKind::kDownload));
  EXPECT_EQ(count_posts<Drain>(all), 3U) << "both are in";
  (void)drain();
  (void)wait_until(kStart + ClientSession::kDrainTimeout);
  EXPECT_TRUE(session->finished());
  EXPECT_TRUE(session->result().valid);
  ASSERT_EQ(session->result().tests.size(), 2U);
  for (const TestOutcome& test : session->result().tests) {
    EXPECT_TRUE(test.has_result);
    EXPECT_TRUE(test.both);
    EXPECT_EQ(test.streams, 4);
    EXPECT_EQ(test.dialect, Dialect::kOne);
    EXPECT_EQ(test.packets_received, 100U);
  }
  EXPECT_NE(session->result().tests[0].direction, session->result().tests[1].direction);
}

TEST_F(ClientSessionOneRunTest, DownloadWithoutItsSendersFiguresIsNotValid) {
  run_both();
  (void)tell(PortKind::kControl, reported(PortKind::kUpload));
  TestReported alone = reported(PortKind::kDownload);
  alone.sender.reset();
  (void)tell(PortKind::kControl, alone);
  expect_problem(ProblemCode::kNoResult);
}

TEST_F(ClientSessionOneRunTest, WhatEndsATestBadlyHasTheCauseThatIsKnown) {
  run_both();
  (void)tell(PortKind::kUpload, PortTrouble{Unreachable::kProhibitedRoute});
  (void)tell(PortKind::kControl, PortTrouble{Unreachable::kHostUnreachable});
  (void)tell(PortKind::kControl, TestBroken{{1}, wire::StopReason::kSustainedLoss});
  (void)tell(PortKind::kControl, reported(PortKind::kUpload));
  TestReported alone = reported(PortKind::kDownload);
  alone.receiver = {};
  alone.sender.reset();
  (void)tell(PortKind::kControl, alone);
  (void)drain();
  (void)wait_until(kStart + ClientSession::kDrainTimeout);
  const auto& problems = session->result().problems;
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(problems[0].code, ProblemCode::kSustainedLoss);
  EXPECT_EQ(problems[0].cause, Unreachable::kProhibitedRoute);
  EXPECT_EQ(problems[1].code, ProblemCode::kNoResult);
  EXPECT_EQ(problems[1].cause, Unreachable::kHostUnreachable);
  EXPECT_EQ(problems[2].code, ProblemCode::kNoResult);
  EXPECT_FALSE(problems[2].cause) << "nothing is known of the download's port";
}

TEST_F(ClientSessionOneRunTest, TestThatTheBreakerEndedIsNotValid) {
  run_both();
  (void)tell(PortKind::kControl, TestBroken{{2}, wire::StopReason::kSustainedLoss});
  expect_problem(ProblemCode::kSustainedLoss);
  EXPECT_FALSE(session->finished()) << "its result is still to come";
}

TEST_F(ClientSessionOneRunTest, TestWhoseDataStoppedArrivingIsNotValidAndHasItsCause) {
  run_both();
  (void)tell(PortKind::kUpload, PortTrouble{Unreachable::kHostUnreachable});
  TestReported up = reported(PortKind::kUpload);
  up.receiver.elapsed = 4s;
  (void)tell(PortKind::kControl, up);
  TestReported down = reported(PortKind::kDownload);
  down.receiver.elapsed = 4s;
  down.sender->packets = 200;
  (void)tell(PortKind::kControl, down);
  PortReport sent;
  sent.sender.emplace().packets = 200;
  (void)tell(PortKind::kUpload, sent);
  (void)drain();
  (void)wait_until(kStart + ClientSession::kDrainTimeout);
  expect_problem(ProblemCode::kDataStopped);
  std::vector<Problem> stopped;
  std::ranges::copy_if(session->result().problems, std::back_inserter(stopped),
                       [](const auto& one) { return one.code == ProblemCode::kDataStopped; });
  ASSERT_EQ(stopped.size(), 2U);
  EXPECT_EQ(stopped[0].message,
            "no data arrived in the last 6.0 s of the upload test, though it was sent");
  EXPECT_EQ(stopped[0].cause, Unreachable::kHostUnreachable);
  EXPECT_FALSE(stopped[1].cause);
}

// A server may say so at any time: the client has not counted the seconds.
TEST_F(ClientSessionOneRunTest, LossThatTheServerTellsOfIsItsWord) {
  for (const bool from_peer : {false, true}) {
    run_both();
    (void)tell(PortKind::kControl, TestBroken{{2}, wire::StopReason::kSustainedLoss, from_peer});
    ASSERT_EQ(session->result().problems.size(), 1U);
    const std::string& message = session->result().problems[0].message;
    EXPECT_EQ(message.contains("the server says that more than half"), from_peer) << message;
  }
}

TEST_F(ClientSessionOneRunTest, ResultThatComesTwiceCountsOnce) {
  run_both();
  (void)tell(PortKind::kControl, reported(PortKind::kUpload));
  EXPECT_EQ(count_posts<Drain>(tell(PortKind::kControl, reported(PortKind::kUpload))), 0U);
}

// --- CLOSE from the server ---
TEST_F(ClientSessionOneRunTest, CloseOfTheServerEndsTheSession) {
  run_both();
  const Effects all = answer(close());
  EXPECT_EQ(count_posts<Drain>(all), 3U);
  expect_problem(ProblemCode::kServerFailed);
}

TEST_F(ClientSessionOneRunTest, CloseThatIsNotOursIsIgnored) {
  run_both();
  wire::Close other = close();
  ++other.session.value;
  EXPECT_TRUE(answer(other).empty());
  other = close();
  other.client_nonce[0] = std::byte{0xff};
  EXPECT_TRUE(answer(other).empty());
  EXPECT_TRUE(answer(close(), std::nullopt, kStart, kStrangerEnd).empty());
  EXPECT_TRUE(session->result().valid);
}

TEST_F(ClientSessionOneRunTest, WithAKeyACloseNeedsItsMac) {
  open_ports(some_key());
  EXPECT_TRUE(answer(close()).empty());
  EXPECT_TRUE(answer(close(), some_key(9)).empty());
  EXPECT_EQ(count_posts<Drain>(answer(close(), some_key())), 3U);
  expect_problem(ProblemCode::kServerFailed);
}

// --- cut short ---
TEST_F(ClientSessionOneRunTest, InterruptedTestsKeepWhatIsKnownSoFar) {
  run_both();
  ReceiverTotals so_far;
  so_far.packets = so_far.unique = so_far.expected = 50;
  so_far.bytes = 70'000;
  so_far.elapsed = 1s;
  (void)tell(PortKind::kDownload, ReceiverProgress{{2}, so_far}, kStart + 1s);
  session->stop(kStart + 1500ms);
  EXPECT_EQ(count_posts<Drain>(watched(effects())), 3U);
  PortReport up;
  up.sender.emplace().packets = 80;
  up.receiver.emplace().packets = 60;
  up.receiver->bytes = 84'000;
  up.receiver->elapsed = 1400ms;
  (void)tell(PortKind::kUpload, up, kStart + 1500ms);
  PortReport down;
  down.receiver = so_far;
  down.receiver->packets = 75;
  down.receiver->bytes = 105'000;
  down.receiver->elapsed = 1500ms;
  (void)tell(PortKind::kDownload, down, kStart + 1500ms);
  (void)tell(PortKind::kControl, PortReport{}, kStart + 1500ms);
  (void)wait_until(kStart + 1500ms + ClientSession::kDrainTimeout);
  expect_problem(ProblemCode::kInterrupted);
  ASSERT_EQ(session->result().tests.size(), 2U);
  const TestOutcome& upload = session->result().tests[0];
  EXPECT_FALSE(upload.has_result);
  EXPECT_EQ(upload.sender.packets, 80U);
  EXPECT_EQ(upload.receiver.value().packets, 60U);
  ASSERT_EQ(upload.intervals.size(), 1U);
  EXPECT_EQ(upload.intervals[0].bytes, 84'000U);
  const TestOutcome& download = session->result().tests[1];
  EXPECT_FALSE(download.has_result);
  EXPECT_EQ(download.receiver.value().packets, 75U);
  ASSERT_EQ(download.intervals.size(), 2U);
  EXPECT_EQ(download.intervals[1].bytes, 35'000U);
  EXPECT_EQ(download.intervals[1].end, 1500ms);
}

TEST_F(ClientSessionOneRunTest, LostOutputEndsTheRunAsInterrupted) {
  run_both();
  session->stop(kStart + 1s, StopCause::kOutputLost);
  (void)watched(effects());
  EXPECT_TRUE(asked<wire::Close>());
  (void)wait_until(kStart + 1s + ClientSession::kDrainTimeout);
  EXPECT_FALSE(session->result().valid);
  expect_problem(ProblemCode::kInterrupted);
}

// --- CLOSE to the server ---
TEST_F(ClientSessionOneRunTest, CloseIsSentThreeTimesAtTheEnd) {
  run_both();
  last_main.reset();
  (void)tell(PortKind::kControl, reported(PortKind::kUpload));
  (void)watched(tell(PortKind::kControl, reported(PortKind::kDownload)));
  EXPECT_EQ(count_reports<NoAnswer>(drain()), 0U);
  for (int i = 0; i < 3; ++i) {
    if (i > 0) (void)wait_until(kStart + i * 50ms);
    const auto sent = asked<wire::Close>();
    ASSERT_TRUE(sent) << i;
    EXPECT_EQ(sent->session, kSessionNumber);
    EXPECT_EQ(sent->reason, wire::CloseReason::kDone);
    EXPECT_EQ(last_main->to, kMain);
    last_main.reset();
  }
  EXPECT_TRUE(session->finished());
  EXPECT_FALSE(session->poll_deadline());
  (void)wait_until(kStart + 10s);
  EXPECT_FALSE(last_main);
}

TEST_F(ClientSessionOneRunTest, CloseOfAClientWithAKeyIsSigned) {
  open_ports(some_key());
  last_main.reset();
  session->stop(kStart + 1s);
  (void)watched(effects());
  ASSERT_TRUE(asked<wire::Close>());
  const auto packet = wire::parse_from_client(last_main->view());
  const auto& sent = std::get<wire::Close>(*packet);
  EXPECT_EQ(sent.reason, wire::CloseReason::kInterrupted);
  ASSERT_TRUE(sent.signature);
  const auto keys = crypto::derive_session_keys(
      some_key(), {config.nonce, grant().server_nonce, kSessionNumber.value});
  EXPECT_EQ(sent.signature->mac,
            crypto::packet_mac(keys.client_to_server, {0}, sent.signature->signed_part));
}

TEST_F(ClientSessionOneRunTest, PortsThatCannotBeOpenedAreGivenBackAtOnce) {
  make();
  (void)answer(cookie());
  (void)answer(grant());
  last_main.reset();
  session->on_ports_failed(kStart, "no more sockets");
  const Effects all = watched(effects());
  EXPECT_TRUE(asked<wire::Close>());
  expect_over(all, ProblemCode::kLocalFailure);
}

}  // namespace client_session_one_tests_test
}  // namespace wyndrvr::engine
