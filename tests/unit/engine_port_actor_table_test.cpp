// Which message type is accepted at which side and port, and why the others are dropped.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "unit/engine_actor_support.hpp"

namespace wyndrvr::engine {
namespace port_actor_table_test {

using namespace testing;
using wire::DropReason;
using wire::MessageType;

constexpr std::array kAllTypes = {MessageType::kHeartbeat0,    MessageType::kHeartbeat1,
                                  MessageType::kHeartbeat2,    MessageType::kFlowControl,
                                  MessageType::kBandwidthTest, MessageType::kData,
                                  MessageType::kControl,       MessageType::kTestResult};

// The protocol's table (section 2), by who receives.
bool belongs(Side side, PortKind kind, MessageType type) {
  switch (type) {
    case MessageType::kHeartbeat0:
    case MessageType::kHeartbeat2:
      return side == Side::kServer;
    case MessageType::kHeartbeat1:
      return side == Side::kClient;
    case MessageType::kFlowControl:
      return side == Side::kClient && kind == PortKind::kUpload;
    case MessageType::kBandwidthTest:
      return side == Side::kServer && kind == PortKind::kUpload;
    case MessageType::kControl:
    case MessageType::kTestResult:
      return kind == PortKind::kControl;
    case MessageType::kData:
      return false;
  }
  return false;
}

wire::BwupAck acknowledgement() {
  return {kChannel, 10, wire::IdText::from("u-1").value()};
}

// An actor in the middle of a test; a server's path is proven.
std::unique_ptr<Rig> in_a_test(Side side, PortKind kind) {
  auto rig = std::make_unique<Rig>(side, kind);
  if (side == Side::kServer) {
    EXPECT_TRUE(rig->receive(heartbeat_0()));
    EXPECT_TRUE(rig->receive(heartbeat_2(rig->transmits().front())));
  }
  if (kind == PortKind::kUpload) {
    rig->tell(StartTest{some_plan()});
    rig->tell(Go{kChannel, kStart, 10s});
  } else if (kind == PortKind::kControl && side == Side::kClient) {
    rig->tell(StartTest{some_plan()});
    rig->tell(PortReady{kChannel});
    EXPECT_TRUE(rig->receive(control(acknowledgement())));
  } else if (kind == PortKind::kControl) {
    EXPECT_TRUE(rig->receive(control(wire::Bwup{kChannel, 10, 1000})));
    rig->tell(PortReady{kChannel});
    (void)rig->transmits();
  }
  (void)rig->mail();
  return rig;
}

// A packet of that type that the peer could send now. The actor may have to be moved on for it.
std::string packet_for(Rig& rig, Side side, MessageType type) {
  switch (type) {
    case MessageType::kHeartbeat0:
      return heartbeat_0();
    case MessageType::kHeartbeat1:
      if (side == Side::kServer) break;
      return heartbeat_1(rig.transmits().front());
    case MessageType::kHeartbeat2:
      if (side == Side::kClient) break;
      EXPECT_TRUE(rig.receive(heartbeat_0()));
      return heartbeat_2(rig.transmits().front());
    case MessageType::kFlowControl:
      return flow_control(0);
    case MessageType::kBandwidthTest:
      return data(0);
    case MessageType::kControl:
      if (side == Side::kServer) return control(wire::Bwup{kChannel, 10, std::nullopt});
      return control(wire::Progress{.channel = kChannel});
    case MessageType::kTestResult: {
      wire::TestResult result{.channel = kChannel, .duration_s = 10};
      if (side == Side::kClient) return test_result(result);
      rig.tell(TestFinished{kChannel, {}});
      for (const Sent& sent : rig.transmits()) {
        const auto body = wire::parse_test_result(sent.packet().body);
        if (!body) continue;
        return test_result(wire::TestResultAck{std::get<wire::TestResult>(*body).guid});
      }
      return test_result(wire::TestResultAck{});  // not a control port
    }
    case MessageType::kData:
      break;
  }
  return packet({type, kChannel, {0}, 0}, "{}");
}

TEST(PortActorTable, EachTypeIsAcceptedWhereItBelongsAndNowhereElse) {
  for (const Side side : {Side::kClient, Side::kServer}) {
    for (const PortKind kind : kPortKinds) {
      for (const MessageType type : kAllTypes) {
        SCOPED_TRACE(::testing::Message() << (side == Side::kClient ? "client " : "server ")
                                          << name(kind) << ", type " << static_cast<int>(type));
        const auto rig = in_a_test(side, kind);
        const std::string bytes = packet_for(*rig, side, type);
        const bool accepted = rig->receive(bytes);
        EXPECT_EQ(accepted, belongs(side, kind, type));
        EXPECT_EQ(rig->dropped(DropReason::kWrongPort), accepted ? 0U : 1U);
      }
    }
  }
}

TEST(PortActorTable, WithoutATestItsTrafficIsDropped) {
  Rig server_upload(Side::kServer, PortKind::kUpload);
  EXPECT_FALSE(server_upload.receive(data(0)));
  EXPECT_EQ(server_upload.dropped(DropReason::kNoTest), 1U);
  Rig client_upload(Side::kClient, PortKind::kUpload);
  EXPECT_FALSE(client_upload.receive(flow_control(0)));
  EXPECT_EQ(client_upload.dropped(DropReason::kNoTest), 1U);
  Rig client_control(Side::kClient, PortKind::kControl);
  EXPECT_FALSE(client_control.receive(control(acknowledgement())));
  EXPECT_EQ(client_control.dropped(DropReason::kWrongChannel), 1U);
  Rig server_control(Side::kServer, PortKind::kControl);
  EXPECT_TRUE(server_control.receive(heartbeat_0())) << "before, it would be a stranger's";
  EXPECT_FALSE(server_control.receive(test_result(wire::TestResultAck{})));
  EXPECT_EQ(server_control.dropped(DropReason::kWrongChannel), 1U);
}

TEST(PortActorTable, WrongChannelIsDroppedForEveryType) {
  for (const Side side : {Side::kClient, Side::kServer}) {
    for (const PortKind kind : kPortKinds) {
      for (const MessageType type : kAllTypes) {
        if (!belongs(side, kind, type)) continue;
        const auto rig = in_a_test(side, kind);
        std::string bytes = packet_for(*rig, side, type);
        bytes[3] = static_cast<char>(bytes[3] ^ 1);
        EXPECT_FALSE(rig->receive(bytes));
        EXPECT_EQ(rig->dropped(DropReason::kWrongChannel), 1U) << static_cast<int>(type);
      }
    }
  }
}

TEST(PortActorTable, BodyThatDoesNotParseIsDroppedForEveryTypeThatIsRead) {
  for (const Side side : {Side::kClient, Side::kServer}) {
    for (const PortKind kind : kPortKinds) {
      for (const MessageType type : kAllTypes) {
        // The filling of a test's datagram is not read.
        if (!belongs(side, kind, type) || type == MessageType::kBandwidthTest) continue;
        const auto rig = in_a_test(side, kind);
        std::string bytes = packet_for(*rig, side, type);
        bytes.resize(bytes.size() - 1);
        EXPECT_FALSE(rig->receive(bytes));
        EXPECT_EQ(rig->dropped(DropReason::kBadBody), 1U) << static_cast<int>(type);
      }
    }
  }
}

TEST(PortActorTable, WhatIsNoPacketIsDroppedWithItsReason) {
  Rig rig(Side::kServer, PortKind::kUpload);
  EXPECT_FALSE(rig.receive(""));
  EXPECT_FALSE(rig.receive("CONNECT"));
  EXPECT_EQ(rig.dropped(DropReason::kTooShort), 2U);
  EXPECT_FALSE(rig.receive(heartbeat_0() + std::string(1400, ' ')));
  EXPECT_EQ(rig.dropped(DropReason::kTooLong), 1U);
  std::string unknown = heartbeat_0();
  unknown[0] = 8;
  EXPECT_FALSE(rig.receive(unknown));
  EXPECT_EQ(rig.dropped(DropReason::kUnknownType), 1U);

  const std::string whole = heartbeat_0();
  Datagram cut = datagram(whole, kClientEnd, kStart);
  cut.truncated = true;
  rig.actor.on_datagram(kStart, cut);
  EXPECT_EQ(rig.dropped(DropReason::kTooLong), 2U);
  EXPECT_TRUE(rig.transmits().empty());
}

TEST(PortActorTable, StrangersAreDroppedUnread) {
  Rig client(Side::kClient, PortKind::kControl);
  const auto sent = client.transmits();
  EXPECT_FALSE(client.receive_from(kStrangerEnd, heartbeat_1(sent.front())));
  EXPECT_FALSE(client.receive_from({kServerEnd.address, {7001}}, heartbeat_1(sent.front())));
  EXPECT_EQ(client.dropped(DropReason::kStranger), 2U);
  EXPECT_TRUE(client.receive(heartbeat_1(sent.front())));

  Rig server(Side::kServer, PortKind::kControl);
  EXPECT_FALSE(server.receive_from(kStrangerEnd, heartbeat_0()));
  EXPECT_FALSE(server.receive_from(kStrangerEnd, ""));
  EXPECT_EQ(server.dropped(DropReason::kStranger), 2U);
  EXPECT_TRUE(server.transmits().empty());
}

}  // namespace port_actor_table_test
}  // namespace wyndrvr::engine
