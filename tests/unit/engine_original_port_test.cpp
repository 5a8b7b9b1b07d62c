#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/original_port.hpp"
#include "unit/engine_actor_support.hpp"

namespace wyndrvr::engine {
namespace original_port_test {

using namespace testing;
using wire::DropReason;
using wire::MessageType;

MessageType type_of(const Sent& sent) {
  return sent.packet().header.type;
}

// Brings a server's path to its proof.
void prove(Rig& server) {
  std::vector<Sent> sent;
  while (sent.empty()) {  // an answer that is not paid for waits
    ASSERT_TRUE(server.receive(heartbeat_0()));
    sent = server.transmits();
  }
  ASSERT_TRUE(server.receive(heartbeat_2(sent.front())));
}

TEST(OriginalPort, ThreeWayHeartbeatProvesBothEnds) {
  Rig client(Side::kClient, PortKind::kDownload);
  Rig server(Side::kServer, PortKind::kDownload);
  const auto heartbeat = client.transmits();
  ASSERT_EQ(heartbeat.size(), 1U);
  EXPECT_EQ(heartbeat[0].to, kServerEnd);
  EXPECT_EQ(type_of(heartbeat[0]), MessageType::kHeartbeat0);
  EXPECT_EQ(heartbeat[0].packet().header.channel.value, kKey);

  server.now += 5ms;
  ASSERT_TRUE(server.receive(heartbeat[0].bytes));
  const auto answer = server.transmits();
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_EQ(answer[0].to, kClientEnd);
  EXPECT_FALSE(only<PortProven>(server.mail()));

  client.now += 10ms;
  ASSERT_TRUE(client.receive(answer[0].bytes));
  const auto client_mail = client.mail();
  EXPECT_TRUE(only<PortProven>(client_mail)->extended);
  EXPECT_EQ(only<HeartbeatSample>(client_mail)->rtt, 10ms);
  const auto confirmation = client.transmits();
  ASSERT_EQ(confirmation.size(), 1U);

  server.now += 10ms;
  ASSERT_TRUE(server.receive(confirmation[0].bytes));
  const auto server_mail = server.mail();
  EXPECT_TRUE(only<PortProven>(server_mail));
  EXPECT_EQ(only<HeartbeatSample>(server_mail)->rtt, 10ms);
  EXPECT_TRUE(server.transmits().empty()) << "three ways, and no more";
}

TEST(OriginalPort, SequenceNumbersCountPerChannel) {
  Rig server(Side::kServer, PortKind::kControl);
  prove(server);
  ASSERT_TRUE(server.receive(heartbeat_0()));
  EXPECT_EQ(server.transmits().front().packet().header.seq.value, 1U);
  ASSERT_TRUE(server.receive(control(wire::Bwup{kChannel, 10, std::nullopt})));
  server.tell(PortReady{kChannel});
  EXPECT_EQ(server.transmits().front().packet().header.seq.value, 0U);
}

TEST(OriginalPort, UnprovenServerNeverSendsMoreThanCameIn) {
  Rig server(Side::kServer, PortKind::kUpload);
  server.tell(StartTest{some_plan()});
  server.tell(Go{kChannel, kStart, 10s});
  int in = 0;
  int out = 0;
  for (; server.now < kStart + 11s; server.now += 10ms) {
    if ((server.now - kStart) / 10ms % 40 == 0) {
      ASSERT_TRUE(server.receive(heartbeat_0()));
      ++in;
    }
    server.actor.on_timer(server.now);
    out += static_cast<int>(server.transmits().size());
    ASSERT_LE(out, in);
  }
  EXPECT_GT(server.dropped(DropReason::kBudget), 0U) << "ten reports a second were held back";
}

TEST(OriginalPort, ProofPinsTheClientsPort) {
  Rig server(Side::kServer, PortKind::kControl);
  const Endpoint other{kClientEnd.address, {50'001}};
  EXPECT_TRUE(server.receive_from(other, heartbeat_0()));
  EXPECT_EQ(server.transmits().front().to, other);
  prove(server);
  EXPECT_FALSE(server.receive_from(other, heartbeat_0()));
  EXPECT_EQ(server.dropped(DropReason::kStranger), 1U);
}

TEST(OriginalPort, ConfirmationFromAnotherPortDoesNotProve) {
  Rig server(Side::kServer, PortKind::kControl);
  ASSERT_TRUE(server.receive(heartbeat_0()));
  const std::string confirmation = heartbeat_2(server.transmits().front());
  EXPECT_FALSE(server.receive_from({kClientEnd.address, {50'001}}, confirmation));
  EXPECT_FALSE(only<PortProven>(server.mail()));
}

// A receiver whose client was not heard on this port has nobody to send reports to. It must not
// ask to run again and again because of that.
TEST(OriginalPort, ReportWithoutAPeerDoesNotKeepTheLoopAwake) {
  Rig server(Side::kServer, PortKind::kUpload);
  server.tell(StartTest{some_plan()});
  server.tell(Go{kChannel, kStart, 10s});
  EXPECT_TRUE(server.transmits().empty());
  EXPECT_GT(server.actor.poll_deadline(server.now)->at, server.now);
}

TEST(OriginalPort, ServersUploadPortRunsATestFromStartToFinish) {
  Rig server(Side::kServer, PortKind::kUpload);
  prove(server);
  (void)server.mail();
  server.tell(StartTest{some_plan()});
  EXPECT_EQ(only<PortReady>(server.mail())->channel, kChannel);
  server.tell(Go{kChannel, kStart, 10s});
  int reports = 0;
  std::optional<TestFinished> finished;
  std::uint64_t sequence = 0;
  for (; server.now < kStart + 11s && !finished; server.now += 1ms) {
    const bool still_sending = server.now < kStart + 10s;
    ASSERT_TRUE(!still_sending || server.receive(data(sequence++)));
    server.actor.on_timer(server.now);
    for (const Sent& sent : server.transmits()) {
      reports += type_of(sent) == MessageType::kFlowControl ? 1 : 0;
    }
    finished = only<TestFinished>(server.mail());
  }
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->totals.unique, 10'000U);
  EXPECT_EQ(finished->totals.lost(), 0U);
  EXPECT_NEAR(reports, 100, 2);
}

TEST(OriginalPort, ClientsUploadPortSendsFromGoToTheEnd) {
  Rig client(Side::kClient, PortKind::kUpload);
  client.tell(StartTest{some_plan()});
  EXPECT_EQ(only<PortReady>(client.mail())->channel, kChannel);
  TestPlan other = some_plan();
  other.channel = {5};
  client.tell(StartTest{other});
  EXPECT_FALSE(only<PortReady>(client.mail())) << "one test a session";
  client.tell(Go{{5}, kStart, 10s});
  ASSERT_TRUE(client.receive(heartbeat_1(client.transmits().front())));
  (void)client.transmits();
  client.tell(Go{kChannel, kStart, 10s});
  EXPECT_EQ(type_of(client.transmits().front()), MessageType::kBandwidthTest);
  client.now = kStart + 10s;
  for (const Sent& sent : client.transmits()) {
    EXPECT_NE(type_of(sent), MessageType::kBandwidthTest);
  }
}

TEST(OriginalPort, HeartbeatsLeaveBeforeData) {
  Rig client(Side::kClient, PortKind::kUpload);
  client.tell(StartTest{some_plan()});
  client.tell(Go{kChannel, kStart, 10s});
  EXPECT_EQ(type_of(client.transmits().front()), MessageType::kHeartbeat0);
}

TEST(OriginalPort, OnlyHeartbeatsAskForTheTransmitStamp) {
  Rig client(Side::kClient, PortKind::kUpload);
  EXPECT_TRUE(client.actor.poll_transmit(kStart)->stamp_token);
  client.tell(StartTest{some_plan()});
  client.tell(Go{kChannel, kStart, 10s});
  EXPECT_FALSE(client.actor.poll_transmit(kStart)->stamp_token);
}

TEST(OriginalPort, CoalescedDatagramsCountAsTheSameDatagramsOneByOne) {
  Rig together(Side::kServer, PortKind::kUpload);
  Rig one_by_one(Side::kServer, PortKind::kUpload);
  for (Rig* rig : {&together, &one_by_one}) {
    rig->tell(StartTest{some_plan()});
    rig->tell(Go{kChannel, kStart, 10s});
    (void)rig->mail();
  }
  // A duplicate, a gap, an unknown channel, and a last one that is shorter.
  std::vector<std::string> datagrams = {data(0), data(1), data(1), data(4), data(5, 0, {5})};
  datagrams.push_back(data(6).substr(0, 25));
  std::string buffer;
  for (const std::string& bytes : datagrams) {
    buffer += bytes;
    EXPECT_EQ(one_by_one.receive(bytes), bytes != datagrams[4]);
  }
  Datagram coalesced = datagram(buffer, kClientEnd, kStart);
  coalesced.segment_size = static_cast<std::uint32_t>(datagrams[0].size());
  together.actor.on_datagram(kStart, coalesced);

  for (Rig* rig : {&together, &one_by_one}) {
    rig->now = kStart + 13s;
    (void)rig->transmits();
  }
  const auto a = only<TestFinished>(together.mail());
  const auto b = only<TestFinished>(one_by_one.mail());
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*a, *b);
  EXPECT_EQ(a->totals.packets, 5U);
  EXPECT_EQ(together.actor.drops(), one_by_one.actor.drops());
}

TEST(OriginalPort, SilenceIsToldOnceAndSoIsItsEnd) {
  Rig server(Side::kServer, PortKind::kControl);
  EXPECT_EQ(server.actor.poll_deadline(kStart)->reason, DeadlineReason::kIdle);
  server.now = kStart + 30s;
  server.actor.on_timer(server.now);
  server.actor.on_timer(server.now + 1s);
  EXPECT_TRUE(only<PortSilent>(server.mail()));
  EXPECT_FALSE(server.actor.poll_deadline(server.now));
  ASSERT_TRUE(server.receive(heartbeat_0()));
  ASSERT_TRUE(server.receive(heartbeat_0()));
  EXPECT_TRUE(only<PortHeard>(server.mail()));
}

TEST(OriginalPort, DroppedDatagramsDoNotBreakTheSilence) {
  Rig server(Side::kServer, PortKind::kControl);
  for (; server.now < kStart + 30s; server.now += 1s) {
    EXPECT_FALSE(server.receive("junk"));
    EXPECT_FALSE(server.receive_from(kStrangerEnd, heartbeat_0()));
  }
  server.actor.on_timer(server.now);
  EXPECT_TRUE(only<PortSilent>(server.mail()));
}

TEST(OriginalPort, UnreachablePeerIsToldAndAtAServerNot) {
  Rig client(Side::kClient, PortKind::kControl);
  client.actor.on_peer_unreachable(kStart + 1h, Unreachable::kLocalFirewall);
  const auto told = only<PortTrouble>(client.mail());
  ASSERT_TRUE(told);
  EXPECT_EQ(told->cause, Unreachable::kLocalFirewall);
  Rig server(Side::kServer, PortKind::kControl);
  server.actor.on_peer_unreachable(kStart + 1h, Unreachable::kNobodyListens);
  EXPECT_TRUE(server.mail().empty());
}

TEST(OriginalPort, DrainAnswersWithFinalFiguresAndNothingIsSentAfterIt) {
  Rig client(Side::kClient, PortKind::kUpload);
  client.tell(StartTest{some_plan()});
  client.tell(Go{kChannel, kStart, 10s});
  std::uint64_t data_sent = 0;
  for (; client.now < kStart + 50ms; client.now += 1ms) {
    for (const Sent& sent : client.transmits()) {
      data_sent += type_of(sent) == MessageType::kBandwidthTest ? 1 : 0;
    }
  }
  client.actor.on_send_failed(TransmitKind::kData, 2);
  client.actor.on_send_failed(TransmitKind::kOther, 1);
  for (int i = 0; i < 3; ++i) client.actor.on_send_blocked(TransmitKind::kData);
  client.actor.on_send_blocked(TransmitKind::kOther);
  (void)client.mail();
  EXPECT_FALSE(client.receive("junk"));
  client.tell(Drain{});
  const auto report = only<PortReport>(client.mail());
  ASSERT_TRUE(report && report->sender);
  EXPECT_EQ(report->sender->packets, data_sent);
  EXPECT_EQ(report->sender->failed, 2U) << "of data";
  EXPECT_EQ(report->sender->blocked, 3U) << "of data";
  EXPECT_EQ(report->totals.drops[static_cast<std::size_t>(DropReason::kTooShort)], 1U);
  client.now += 1s;
  EXPECT_TRUE(client.transmits().empty());
}

TEST(OriginalPort, CountedHeartbeatsAreDoneWithTheLastAnswer) {
  PortConfig config = actor_config(Side::kClient, PortKind::kControl);
  config.heartbeat_count = 1;
  Rig client(config);
  const auto sent = client.transmits();
  EXPECT_FALSE(only<HeartbeatsDone>(client.mail()));
  ASSERT_TRUE(client.receive(heartbeat_1(sent.front())));
  EXPECT_TRUE(only<HeartbeatsDone>(client.mail()));
  client.actor.on_timer(client.now + 10s);
  EXPECT_FALSE(only<HeartbeatsDone>(client.mail()));
}

}  // namespace original_port_test
}  // namespace wyndrvr::engine
