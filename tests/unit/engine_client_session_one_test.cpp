// A client session that speaks dialect 1, or would like to: the main port. Its tests and its end
// are in engine_client_session_one_tests_test.cpp.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "unit/engine_client_session_one_support.hpp"

namespace wyndrvr::engine {
namespace client_session_one_test {

using namespace testing;
using wire::RefuseReason;

TEST_F(ClientSessionOneTest, HandshakeLeadsToThePortsThatWereGranted) {
  make();
  EXPECT_TRUE(asked<wire::Hello>());
  (void)answer(cookie());
  const auto open = asked<wire::Open>();
  ASSERT_TRUE(open);
  EXPECT_EQ(open->cookie, cookie().value);
  EXPECT_EQ(open->wanted.streams, 4);
  const Effects all = answer(grant());
  const auto ports = find<OpenPorts>(all);
  ASSERT_TRUE(ports);
  EXPECT_EQ(ports->ports[1], (Endpoint{kMain.address, {7001}}));
  EXPECT_EQ(session->result().dialect, Dialect::kOne);
  const PortConfig port = session->port_config(PortKind::kUpload, kStart, 0s, 1);
  ASSERT_TRUE(port.path);
  EXPECT_EQ(port.path->terms, config.terms);
  EXPECT_EQ(port.path->handshake.session, kSessionNumber.value);
  EXPECT_EQ(port.server_port, Port{7001});
  EXPECT_FALSE(port.path->keys);
}

TEST_F(ClientSessionOneTest, OriginalServerIsTalkedToInItsOwnDialect) {
  config.upload = UploadRequest{.duration = 10s};
  make();
  const Effects all = main_says("7000,7001,7002,99");
  EXPECT_TRUE(find<OpenPorts>(all));
  EXPECT_EQ(session->result().dialect, Dialect::kOriginal);
  EXPECT_FALSE(session->port_config(PortKind::kControl, kStart, 0s, 1).path);
  session->on_ports_open(kStart);
  (void)tell(PortKind::kControl, PortProven{});
  EXPECT_EQ(count_posts<StartTest>(tell(PortKind::kUpload, PortProven{})), 1U);
}

TEST_F(ClientSessionOneTest, WhatTheOriginalHasNotIsRefusedWithItsReason) {
  config.not_in_original = "downloads";
  make();
  const Effects all = main_says("7000,7001,7002,99");
  EXPECT_FALSE(find<OpenPorts>(all));
  expect_over(all, ProblemCode::kNotInOriginal);
  EXPECT_NE(session->result().problems.front().message.find("downloads"), std::string::npos);
}

TEST_F(ClientSessionOneTest, NobodyFallsBackWhoMustNot) {
  for (const bool with_key : {false, true}) {
    config.dialect = with_key ? DialectChoice::kAuto : DialectChoice::kOne;
    if (with_key) config.key = some_key();
    make();
    EXPECT_TRUE(main_says("7000,7001,7002,99").empty());
    EXPECT_TRUE(main_says("REFUSED server full").empty());
    run_out();
    expect_problem(ProblemCode::kNoAnswer);
    EXPECT_EQ(connects, 0U);
    EXPECT_EQ(hellos, 20U);
  }
}

TEST_F(ClientSessionOneTest, WithAKeyOnlySignedAnswersCount) {
  config.key = some_key();
  make();
  (void)answer(cookie());
  const SendMain open = *last_main;
  ASSERT_TRUE(asked<wire::Open>()->proof);
  const auto proof = *std::get<wire::Open>(*wire::parse_from_client(open.view())).proof;
  EXPECT_EQ(proof.signature.mac,
            crypto::open_mac(crypto::derive_open_key(some_key()), proof.signature.signed_part));
  EXPECT_FALSE(find<OpenPorts>(answer(grant()))) << "without a MAC";
  EXPECT_FALSE(find<OpenPorts>(answer(grant(), some_key(9)))) << "of another key";
  EXPECT_TRUE(find<OpenPorts>(answer(grant(), some_key())));
  EXPECT_TRUE(session->port_config(PortKind::kControl, kStart, 0s, 1).path->keys);
}

TEST_F(ClientSessionOneTest, RefusalEndsTheRun) {
  make();
  (void)answer(cookie());
  const Effects all = answer(refuse(RefuseReason::kServerFull));
  EXPECT_EQ(count_reports<Refused>(all), 1U);
  expect_over(all, ProblemCode::kRefused);
}

TEST_F(ClientSessionOneTest, RefusalOfAKeyThatWasNotGivenIsTheServersWord) {
  for (const auto reason : {RefuseReason::kUnknownKey, RefuseReason::kWrongMac}) {
    make();
    (void)answer(cookie());
    (void)answer(refuse(reason));
    ASSERT_EQ(session->result().problems.size(), 1U);
    const std::string& message = session->result().problems[0].message;
    EXPECT_TRUE(message.contains("the server says that the key is wrong, but none was given"))
        << message;
  }
}

TEST_F(ClientSessionOneTest, BusyServerIsAskedAgainEveryFiveSecondsWhateverItSaid) {
  make();
  (void)answer(cookie());
  Instant now = kStart;
  Effects all = answer(refuse(RefuseReason::kBusy, 600s), std::nullopt, now);
  for (int i = 0; i < 6; ++i) {
    const auto busy = find_report<ServerBusy>(all);
    ASSERT_TRUE(busy);
    EXPECT_EQ(busy->at_latest, 600s);
    EXPECT_EQ(busy->waited, now - kStart);
    EXPECT_LE(busy->asking_again_in, 5s);
    EXPECT_GE(busy->asking_again_in, 4s);
    last_main.reset();
    (void)wait_until(now + busy->asking_again_in - 1ns);
    EXPECT_FALSE(last_main);
    now += busy->asking_again_in;
    (void)wait_until(now);
    EXPECT_TRUE(asked<wire::Open>());
    all = answer(refuse(RefuseReason::kBusy, 600s), std::nullopt, now);
  }
  // The other client has died, and its rate is free.
  now += find_report<ServerBusy>(all)->asking_again_in;
  (void)wait_until(now);
  EXPECT_TRUE(find<OpenPorts>(answer(grant(), std::nullopt, now)));
}

TEST_F(ClientSessionOneTest, BusySaidOverAndOverIsToldOnceForEachQuestion) {
  make();
  (void)answer(cookie());
  std::size_t told = 0;
  last_main.reset();
  for (int i = 0; i < 9'000; ++i) {
    told += count_reports<ServerBusy>(answer(refuse(RefuseReason::kBusy, 1ms + 1ms * (i % 2))));
    // A new cookie each time does not make it ask again either.
    wire::Cookie other = cookie();
    other.value.slot = static_cast<std::uint32_t>(i + 2);
    (void)answer(other);
  }
  EXPECT_EQ(told, 1U);
  EXPECT_FALSE(last_main) << "nothing is sent before the wait is over";
}

TEST_F(ClientSessionOneTest, NobodyWaitsForABusyServerForEver) {
  make();
  (void)answer(cookie());
  Instant now = kStart;
  while (!session->finished() && now < kStart + 2h) {
    now += 1s;
    (void)wait_until(now);
    (void)answer(refuse(RefuseReason::kBusy, 10min), std::nullopt, now);
  }
  EXPECT_LE(now, kStart + ClientSession::kBusyPatience + 10s);
  EXPECT_GE(now, kStart + ClientSession::kBusyPatience - 10s);
  expect_problem(ProblemCode::kRefused);
}

TEST_F(ClientSessionOneTest, WithoutAnyAnswerItEndsAfterTwentySendings) {
  make();
  const Effects last = run_out();
  EXPECT_EQ(hellos + connects, 20U);
  EXPECT_GT(connects, 5U) << "for servers that know nothing else";
  EXPECT_LE(ended_at, kStart + 10s);
  EXPECT_EQ(count_reports<NoAnswer>(last), 1U);
  expect_over(last, ProblemCode::kNoAnswer);
}

TEST_F(ClientSessionOneTest, EveryCandidateIsAskedAndTheFirstThatAnswersIsTheServer) {
  const Endpoint other = endpoint("192.0.2.10", 6711);
  config.servers = {kMain, other};
  make();
  std::array<std::array<int, 2>, 2> asked_of{};  // by candidate; HELLO, CONNECT
  for (int i = 0; i < 16; ++i) {
    const bool connect = last_main->size == wire::kConnect.size();
    ++asked_of[last_main->to == other ? 1 : 0][connect ? 1 : 0];
    (void)wait_until(session->poll_deadline()->at);
  }
  for (const auto& counts : asked_of) {
    EXPECT_GT(counts[0], 1);
    EXPECT_GT(counts[1], 0);
  }
  (void)answer(cookie(), std::nullopt, kStart + 5s, other);
  EXPECT_EQ(last_main->to, other);
  EXPECT_TRUE(asked<wire::Open>());
  EXPECT_FALSE(find<OpenPorts>(answer(grant(), std::nullopt, kStart + 5s, kMain)))
      << "from the one that was not chosen";
  EXPECT_EQ(find<OpenPorts>(answer(grant(), std::nullopt, kStart + 5s, other))->server, other);
}

TEST_F(ClientSessionOneTest, GrantOfMoreThanWasAskedForIsRefused) {
  const std::array<void (*)(wire::SessionFields&), 7> excesses = {
      [](auto& fields) { *fields.duration += 1ms; },
      [](auto& fields) { fields.rate->fixed->bps *= 2; },
      [](auto& fields) { fields.rate->fixed.reset(); },  // as fast as it goes
      [](auto& fields) { ++fields.payload->value; },
      [](auto& fields) { ++*fields.streams; },
      [](auto& fields) { fields.directions = wire::Directions::kLatencyOnly; },
      [](auto& fields) { fields.reliable = true; },
  };
  for (std::size_t i = 0; i < excesses.size(); ++i) {
    make();
    (void)answer(cookie());
    wire::Grant more = grant();
    excesses[i](more.granted);
    const Effects all = answer(more);
    EXPECT_FALSE(find<OpenPorts>(all)) << i;
    expect_over(all, ProblemCode::kRefused);
  }
}

// What is asked for is compared as it was sent: whole milliseconds and bits.
TEST_F(ClientSessionOneTest, GrantOfAllThatWasSentIsNoLess) {
  struct Asked {
    Duration duration;
    double bps;
  };
  for (const Asked& asked :
       {Asked{from_seconds(1.001), 33.3 * 1e6}, Asked{1500us, 0.7}, Asked{1s + 499us, 1e6 + 0.4},
        Asked{from_seconds(4.35), 2.675 * 1e6}, Asked{100us, 1.1e9}, Asked{10s, 1e6}}) {
    config.terms.duration = asked.duration;
    config.terms.rate = BitRate{asked.bps};
    make();
    (void)answer(cookie());
    wire::Grant granted = grant();
    granted.granted.duration =
        std::max<Duration>(round<std::chrono::milliseconds>(asked.duration), 1ms);
    granted.granted.rate = wire::WantedRate{BitRate{std::max(std::round(asked.bps), 1.0)}};
    (void)answer(granted);
    EXPECT_TRUE(session->result().problems.empty()) << to_seconds(asked.duration);
  }
}

TEST_F(ClientSessionOneTest, GrantOfLessIsSaid) {
  make();
  (void)answer(cookie());
  wire::Grant less = grant();
  less.granted.duration = 2s;
  less.granted.streams = std::uint8_t{2};
  EXPECT_TRUE(find<OpenPorts>(answer(less)));
  expect_problem(ProblemCode::kReceiverShrunk, true);
  EXPECT_EQ(session->port_config(PortKind::kUpload, kStart, 0s, 1).path->terms.streams, 2);
}

TEST_F(ClientSessionOneTest, AnswersOfStrangersAndOtherRunsAreIgnored) {
  make();
  last_main.reset();
  EXPECT_TRUE(answer(cookie(), std::nullopt, kStart, kStrangerEnd).empty());
  wire::Cookie other_run = cookie();
  other_run.client_nonce[0] = std::byte{0xff};
  EXPECT_TRUE(answer(other_run).empty());
  EXPECT_TRUE(answer(grant()).empty()) << "before there is a cookie";
  EXPECT_FALSE(last_main);
}

TEST_F(ClientSessionOneTest, InterruptedHandshakeEndsAtOnceAndForGood) {
  make();
  session->stop(kStart + 10ms);
  expect_over(effects(), ProblemCode::kInterrupted);
}

}  // namespace client_session_one_test
}  // namespace wyndrvr::engine
