// What a port of a 0.14 server sends to an address that has proven nothing: octet by octet.
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "unit/engine_actor_support.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;
using wire::DropReason;

constexpr std::size_t kIpHeaders = 28;  // IPv4 and UDP

// Octets of UDP payload and of IP, and datagrams.
struct Sum {
  std::size_t octets = 0;
  std::size_t datagrams = 0;

  void add(std::size_t size) {
    octets += size;
    ++datagrams;
  }
  [[nodiscard]] std::size_t ip_octets() const { return octets + datagrams * kIpHeaders; }
};

std::string bwup() {
  return control(wire::Bwup{kChannel, 30, std::nullopt});
}
// As Python writes it, with the time of a Unix clock.
std::string deployed_heartbeat() {
  return heartbeat_0("1700001000.4565961");
}

TEST(OriginalUnproven, FirstHeartbeatOfADeployedClientGetsTheBareAnswer) {
  Rig server(Side::kServer, PortKind::kDownload);
  ASSERT_TRUE(server.receive(deployed_heartbeat()));
  const auto sent = server.transmits();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].bytes.size(), deployed_heartbeat().size() + 46) << "what 0.14 forces";
  const auto body = wire::parse_heartbeat_reply(sent[0].packet().body).value();
  EXPECT_EQ(body.client.text(), "1700001000.4565961");
  EXPECT_FALSE(body.turnaround_ns);
}

TEST(OriginalUnproven, WithoutProofHeartbeatsGetNoMoreOctetsThanTheyBring) {
  for (const char* time : {"0", "1700001000.5", "1700001000.4565961"}) {
    Rig server(Side::kServer, PortKind::kUpload);
    Sum in;
    Sum out;
    for (int i = 0; i < 200; ++i, server.now += 200ms) {
      const std::string heartbeat = heartbeat_0(time);
      static_cast<void>(server.receive(heartbeat));  // of answers that wait, no more than 64
      in.add(heartbeat.size());
      for (const Sent& sent : server.transmits()) out.add(sent.bytes.size());
      ASSERT_LE(out.octets, in.octets + PeerPath::kFirstAnswerExcess);
      ASSERT_LE(out.ip_octets(), in.ip_octets() + PeerPath::kFirstAnswerExcess);
    }
    EXPECT_GT(out.datagrams, 50U) << "but further ones are answered";
  }
}

TEST(OriginalUnproven, OurOwnClientPaysForTheExtensions) {
  Rig client(Side::kClient, PortKind::kUpload);
  Rig server(Side::kServer, PortKind::kUpload);
  const auto heartbeat = client.transmits();
  ASSERT_EQ(heartbeat.size(), 1U);
  server.now += 5ms;
  ASSERT_TRUE(server.receive(heartbeat[0].bytes));
  const auto answer = server.transmits();
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_LE(answer[0].bytes.size(), heartbeat[0].bytes.size());
  EXPECT_TRUE(wire::parse_heartbeat_reply(answer[0].packet().body)->turnaround_ns);

  ASSERT_TRUE(client.receive(answer[0].bytes));
  (void)client.transmits();
  client.now += 5s;
  // The confirmation may have been lost.
  const auto soon = client.transmits();
  ASSERT_EQ(soon.size(), 1U);
  EXPECT_GT(soon[0].bytes.size(), 100U);
  std::size_t last = 0;
  for (int i = 0; i < 64; ++i) {
    client.now += 5s;
    for (const Sent& sent : client.transmits()) last = sent.bytes.size();
  }
  EXPECT_LT(last, 60U) << "in the end it is as ever";
}

TEST(OriginalUnproven, AnswersThatAreNotPaidForWaitForTheProof) {
  Rig server(Side::kServer, PortKind::kUpload);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(server.receive(deployed_heartbeat()));
  auto sent = server.transmits();
  EXPECT_LT(sent.size(), 15U);
  ASSERT_TRUE(server.receive(heartbeat_2(sent.front())));
  for (Sent& late : server.transmits()) sent.push_back(std::move(late));
  EXPECT_EQ(sent.size(), 20U);
  EXPECT_EQ(server.dropped(), 0U);
}

TEST(OriginalUnproven, ProofLiftsTheBound) {
  Rig server(Side::kServer, PortKind::kControl);
  ASSERT_TRUE(server.receive(deployed_heartbeat()));
  ASSERT_TRUE(server.receive(heartbeat_2(server.transmits().front())));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(server.receive(deployed_heartbeat()));
    const auto sent = server.transmits();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(wire::parse_heartbeat_reply(sent[0].packet().body)->turnaround_ns);
  }
}

TEST(OriginalUnproven, BwupWithoutTheKeyBeginsNothing) {
  Rig server(Side::kServer, PortKind::kControl);
  for (int i = 0; i < 40; ++i) EXPECT_FALSE(server.receive(bwup()));
  EXPECT_EQ(server.dropped(DropReason::kStranger), 40U);
  EXPECT_FALSE(only<StartTest>(server.mail()));
  EXPECT_TRUE(server.transmits().empty());

  const Endpoint other{kClientEnd.address, {50'001}};
  ASSERT_TRUE(server.receive(deployed_heartbeat()));
  (void)server.transmits();
  EXPECT_FALSE(server.receive_from(other, bwup())) << "the key was shown from another port";
}

TEST(OriginalUnproven, BwupIsAcknowledgedWhenItIsPaidFor) {
  Rig server(Side::kServer, PortKind::kControl);
  Sum in;
  Sum out;
  const auto bring = [&](const std::string& bytes) {
    ASSERT_TRUE(server.receive(bytes));
    in.add(bytes.size());
    for (const Sent& sent : server.transmits()) out.add(sent.bytes.size());
    ASSERT_LE(out.octets, in.octets + PeerPath::kFirstAnswerExcess);
    ASSERT_LE(out.datagrams, in.datagrams);
  };
  bring(deployed_heartbeat());
  bring(bwup());
  ASSERT_TRUE(only<StartTest>(server.mail()));
  server.tell(PortReady{kChannel});
  EXPECT_TRUE(server.transmits().empty()) << "128 octets for 70";
  EXPECT_FALSE(only<TestStarted>(server.mail())) << "the test begins with its acknowledgement";
  for (int i = 0; i < 20; ++i) bring(bwup());
  EXPECT_TRUE(only<TestStarted>(server.mail()));
  EXPECT_GT(out.datagrams, 8U);
}

TEST(OriginalUnproven, ProofLetsTheAcknowledgementsGo) {
  Rig server(Side::kServer, PortKind::kControl);
  ASSERT_TRUE(server.receive(deployed_heartbeat()));
  const auto answer = server.transmits();
  ASSERT_TRUE(server.receive(bwup()));
  server.tell(PortReady{kChannel});
  ASSERT_TRUE(server.transmits().empty());
  ASSERT_TRUE(server.receive(heartbeat_2(answer.front())));
  const auto sent = server.transmits();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].packet().header.type, wire::MessageType::kControl);
  EXPECT_TRUE(only<TestStarted>(server.mail()));
}

}  // namespace
}  // namespace wyndrvr::engine
