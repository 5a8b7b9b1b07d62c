// A socket that takes no more, and what waits for it.
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "unit/runtime_port_runner_support.hpp"

namespace wyndrvr::runtime {
namespace port_runner_blocked_test {

using namespace testing;

// On loopback nothing ever blocks, but for one that is slowed down in a network of the thread's
// own. The thread keeps to the processor that it is on: loopback queues a datagram at the processor
// it was sent from (net/core/dev.c, enqueue_to_backlog), so that what leaves from two may overtake.
bool enter_slow_network() {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(::sched_getcpu(), &here);
  if (::sched_setaffinity(0, sizeof(here), &here) != 0) return false;
  if (::unshare(CLONE_NEWNET) != 0) return false;
  return std::system(
             "ip link set lo up && tc qdisc add dev lo root tbf rate 40mbit burst 3000 "
             "limit 10000000 2>/dev/null") == 0;
}

constexpr std::uint32_t kSegment = 1000;
constexpr int kSegments = 60;
constexpr int kTrains = 20;

std::string train_of(int number) {
  std::string text;
  for (int i = 0; i < kSegments; ++i) {
    std::string segment = fmt::format("{}.{}", number, i);
    segment.resize(kSegment, '.');
    text += segment;
  }
  return text;
}

void expect_that_a_blocked_socket_holds_up_no_other(const PortRunner::Habits& habits) {
  Runner on(habits);
  for (int i = 0; i < kTrains; ++i) {
    on.actor->wanted.push_back(
        {on.peer.local(), 1, train_of(i), TransmitKind::kData, kSegment, std::nullopt});
  }
  // One for another socket and one for the same, where it has to wait for its turn.
  on.actor->on_blocked = [&] {
    on.actor->wanted.push_front({on.peer.local(), 1, "same"});
    on.actor->wanted.push_front({on.peer.local(), 0, "heartbeat"});
  };
  on.runner->begin();
  const std::size_t all = kTrains * kSegments + 2;
  on.run_until([&] { return on.seen.size() == all; });
  EXPECT_GT(on.actor->blocked, 0);
  EXPECT_GT(on.actor->polled_without_data, 0);
  EXPECT_EQ(on.actor->failed, 0U);
  std::size_t heartbeat = 0;
  std::size_t same = 0;
  std::string data;
  for (std::size_t i = 0; i < on.seen.size(); ++i) {
    if (on.seen[i].second == "heartbeat") heartbeat = i;
    if (on.seen[i].second == "same") same = i;
    if (on.seen[i].second.size() == kSegment) data += on.seen[i].second;
  }
  EXPECT_LT(heartbeat, same);
  if (!habits.connects) {
    EXPECT_GT(same - heartbeat, 1U) << "the train was on its way before it";
  }
  std::string expected;
  for (int i = 0; i < kTrains; ++i) expected += train_of(i);
  EXPECT_TRUE(data == expected) << "octets were lost, mixed up or overwritten";
}

// A server's download port: one flow, whose data leaves by a socket of its own.
void expect_that_blocked_data_holds_up_nothing_else() {
  ConnectingRunner on(1);
  on.send_data(on.peer.local());
  ASSERT_EQ(on.sockets(), (std::pair{2, 1}));
  on.run_until([&] { return on.seen.size() == 20; });
  on.seen.clear();
  for (int i = 0; i < kTrains; ++i) {
    on.actor->wanted.push_back(
        {on.peer.local(), 0, train_of(i), TransmitKind::kData, kSegment, std::nullopt});
  }
  on.actor->on_blocked = [&] {
    for (int i = 0; i < 10; ++i) on.actor->wanted.push_front({on.peer.local(), 0, "heartbeat"});
  };
  on.runner->begin();
  on.run_until([&] { return on.seen.size() == kTrains * kSegments + 10; });
  EXPECT_EQ(on.actor->failed, 0U);
  EXPECT_GE(on.actor->polled_without_data, 10) << "for all of them, while data waited";
  std::string data;
  std::size_t before = 0;
  for (const auto& [from, text] : on.seen) {
    if (text.size() == kSegment) data += text;
    if (text == "heartbeat" && data.size() < kTrains * kSegments * kSegment) ++before;
  }
  EXPECT_EQ(before, 10U);
  std::string expected;
  for (int i = 0; i < kTrains; ++i) expected += train_of(i);
  EXPECT_TRUE(data == expected) << "octets were lost, mixed up or overwritten";
}

TEST(PortRunner, ASocketThatTakesNoMoreHoldsUpNoOther) {
  bool entered = false;
  std::thread([&] {
    entered = enter_slow_network();
    if (!entered) return;
    expect_that_a_blocked_socket_holds_up_no_other({});
    expect_that_a_blocked_socket_holds_up_no_other({.connects = true});
    expect_that_blocked_data_holds_up_nothing_else();
  }).join();
  if (!entered) GTEST_SKIP() << "needs the right to make a network namespace, and ip and tc";
}

}  // namespace port_runner_blocked_test
}  // namespace wyndrvr::runtime
