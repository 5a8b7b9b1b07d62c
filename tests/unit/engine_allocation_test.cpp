// Datagrams and heartbeats allocate nothing once an actor has warmed up.
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "unit/allocation_counter.hpp"
#include "unit/engine_actor_support.hpp"

namespace wyndrvr::engine {
namespace allocation_test {

using namespace testing;
using wyndrvr::testing::allocations_during;

constexpr std::uint64_t kPackets = 10'000;

// Takes everything that the actor has to say, as a host does; returns how many datagrams left.
std::uint64_t drain(OriginalPort& actor, Instant now) {
  std::uint64_t count = 0;
  while (const auto transmit = actor.poll_transmit(now)) count += transmit->packets();
  while (actor.poll_message()) {
  }
  return count;
}

// The receiver of a test, and data packets that need no memory of their own.
class ReceiverAllocation : public ::testing::Test {
 protected:
  ReceiverAllocation() {
    EXPECT_TRUE(receiver.receive(heartbeat_0()));
    EXPECT_TRUE(receiver.receive(heartbeat_2(receiver.transmits().front())));
    receiver.tell(StartTest{some_plan()});
    receiver.tell(Go{kChannel, kStart, 60s});
    (void)receiver.mail();
  }
  void receive(std::uint64_t sequence, std::uint64_t number) {
    wire::write_header(
        bytes_.data(),
        {wire::MessageType::kBandwidthTest, kChannel, {sequence}, sequence - number});
    receiver.now += 10us;
    Datagram one;
    one.bytes = bytes_;
    one.from = kClientEnd;
    one.arrival = receiver.now;
    receiver.actor.on_datagram(receiver.now, one);
    receiver.actor.on_timer(receiver.now);
    (void)drain(receiver.actor, receiver.now);
  }
  Rig receiver{Side::kServer, PortKind::kUpload};

 private:
  std::array<std::byte, 937> bytes_{};
};

TEST_F(ReceiverAllocation, PacketsInOrderNeedNone) {
  std::uint64_t next = 0;
  // With the first progress, after 10 ms.
  constexpr std::uint64_t kWarmUp = 2000;
  for (; next < kWarmUp; ++next) receive(next, next);
  EXPECT_EQ(allocations_during([&] {
              for (; next < kWarmUp + kPackets; ++next) receive(next, next);
            }),
            0U);
  EXPECT_EQ(receiver.dropped(), 0U);
}

TEST_F(ReceiverAllocation, ReorderingAndDuplicatesNeedNone) {
  std::uint64_t next = 0;
  const auto turn = [&] {
    for (const std::uint64_t step : {3U, 0U, 1U, 1U, 2U}) receive(next + step, next + step);
    next += 4;
  };
  for (int i = 0; i < 400; ++i) turn();
  EXPECT_EQ(allocations_during([&] {
              for (std::uint64_t i = 0; i < kPackets / 5; ++i) turn();
            }),
            0U);
}

// Every tenth number is lost and sent again 200 datagrams later, so that about 20 gaps are open
// among the numbers; among the datagrams a gap stays for ever.
class ReceiverLoss : public ReceiverAllocation {
 protected:
  void turn() {
    const bool lost = number_ % 10 == 3;
    if (!lost) receive(sequence_, number_);
    ++sequence_;
    ++number_;
    if (number_ > 200 && number_ % 10 == 0) {
      receive(sequence_, number_ - 200 + 3);
      ++sequence_;
    }
  }
  void turns_for(std::uint64_t datagrams) {
    for (const std::uint64_t end = sequence_ + datagrams; sequence_ < end;) turn();
  }
  void lose_and_repair_until(std::uint64_t gaps) {
    for (std::uint64_t i = 0; i < gaps; ++i) {
      receive(sequence_ + 1, number_ + 1);
      receive(sequence_ + 2, number_);
      sequence_ += 3;
      number_ += 2;
    }
  }

 private:
  std::uint64_t sequence_ = 0;
  std::uint64_t number_ = 0;
};

TEST_F(ReceiverLoss, LossNeedsAtMostOneForEachGapThatStays) {
  turns_for(1000);
  EXPECT_LE(allocations_during([&] { turns_for(kPackets); }), kPackets / 10);
}

TEST_F(ReceiverLoss, LossAndRepairNeedNoneOnceAsManyGapsAsAreTrackedHaveBeenSeen) {
  lose_and_repair_until(DataReceiver::kMaxGaps + 1);
  turns_for(1000);
  EXPECT_EQ(allocations_during([&] { turns_for(kPackets); }), 0U);
  EXPECT_EQ(receiver.dropped(), 0U);
}

// Without reports only a fixed rate goes on.
TestPlan plan_at_100_mbit() {
  TestPlan plan = some_plan();
  plan.rate = BitRate{100e6};
  return plan;
}

TEST(SenderAllocation, PollNeedsNone) {
  Rig sender(Side::kClient, PortKind::kUpload);
  sender.tell(StartTest{plan_at_100_mbit()});
  sender.tell(Go{kChannel, kStart, 10s});
  (void)drain(sender.actor, sender.now);
  std::uint64_t sent = 0;
  EXPECT_EQ(allocations_during([&] {
              while (sent < kPackets && sender.now < kStart + 9s) {
                sender.now += 100us;
                sender.actor.on_timer(sender.now);
                sent += drain(sender.actor, sender.now);
              }
            }),
            0U);
  EXPECT_GE(sent, kPackets);
}

// Retransmissions leave without allocation as well; only the report that asks for them may.
TEST(SenderAllocation, RetransmissionNeedsNone) {
  PortConfig config = actor_config(Side::kClient, PortKind::kUpload);
  config.protocol.flow_control_rate = 1;  // each report alone decides
  Rig sender(config);
  sender.tell(StartTest{plan_at_100_mbit()});
  sender.tell(Go{kChannel, kStart, 10s});
  std::uint64_t sent = 0;
  for (; sent < 1000; sender.now += 100us) sent += drain(sender.actor, sender.now);
  const std::string report =
      packet_with(wire::MessageType::kFlowControl, kChannel, [](MutableByteView out) {
        const std::array<wire::ClosedRange, 2> missing = {{{100, 599}, {900, UINT64_MAX}}};
        return wire::write_flow_control(out, missing);
      });
  ASSERT_TRUE(sender.receive_from(kServerEnd, report));
  EXPECT_EQ(allocations_during([&] {
              for (sent = 0; sent < 600; sender.now += 100us)
                sent += drain(sender.actor, sender.now);
            }),
            0U);
  sender.tell(Drain{});
  EXPECT_EQ(only<PortReport>(sender.mail())->sender->retransmitted, 500U);
}

// Both ends of the three-way heartbeat, with a clock that never stands still.
TEST(HeartbeatAllocation, ThousandHeartbeatsNeedNone) {
  PortConfig config = actor_config(Side::kClient, PortKind::kDownload);
  config.protocol.heartbeat_interval = 10ms;
  Rig client(config);
  Rig server(Side::kServer, PortKind::kDownload);
  Instant now = kStart;
  const auto pass_on = [&now](OriginalPort& from, OriginalPort& to, const Endpoint& sender) {
    while (const auto transmit = from.poll_transmit(now)) {
      now += 10us;
      if (transmit->stamp_token) from.on_transmit_stamp(*transmit->stamp_token, now);
      Datagram one;
      one.bytes = transmit->bytes;
      one.from = sender;
      one.arrival = now;
      one.kernel_stamped = true;
      to.on_datagram(now, one);
    }
    while (from.poll_message()) {
    }
  };
  const auto exchange = [&] {
    now += 10ms;
    for (int way = 0; way < 2; ++way) {
      pass_on(client.actor, server.actor, kClientEnd);
      pass_on(server.actor, client.actor, kServerEnd);
    }
    client.actor.on_timer(now);
    server.actor.on_timer(now);
  };
  for (int i = 0; i < 10; ++i) exchange();
  EXPECT_EQ(allocations_during([&] {
              for (int i = 0; i < 1000; ++i) exchange();
            }),
            0U);
  EXPECT_EQ(client.dropped() + server.dropped(), 0U);
  client.tell(Drain{});
  EXPECT_GE(only<PortReport>(client.mail())->totals.idle.received, 1000U);
}

}  // namespace allocation_test
}  // namespace wyndrvr::engine
