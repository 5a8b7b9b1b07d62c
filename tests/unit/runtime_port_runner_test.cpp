// The runner between a scripted actor and real sockets.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "os/clock.hpp"
#include "runtime/port_runner.hpp"

namespace wyndrvr::runtime {
namespace {

using engine::Mailbox;
using engine::TransmitKind;

// Sends what it is told to, always from the same memory, and remembers what it is told.
class ScriptedActor final : public engine::PortActor {
 public:
  struct Wanted {
    Endpoint to;
    std::uint8_t flow = 0;
    std::string text;
    TransmitKind kind = TransmitKind::kOther;
    std::uint32_t segment_size = 0;
    std::optional<std::uint32_t> token = {};
  };

  void on_datagram(Instant, const engine::Datagram& datagram) override {
    arrivals.emplace_back(datagram.flow, as_text(datagram.bytes));
  }
  void on_message(Instant, Mailbox from, Mailbox to, const engine::Message&) override {
    letters.emplace_back(from, to);
  }
  void on_timer(Instant) override {}
  void on_transmit_stamp(std::uint32_t token, Instant) override { tokens.push_back(token); }
  void on_send_failed(TransmitKind, std::uint64_t packets) override {
    failed += packets;
    ++failures;
  }
  void on_send_blocked(TransmitKind) override {
    ++blocked;
    if (on_blocked) std::exchange(on_blocked, {})();
  }
  void on_peer_unreachable(Instant) override {}
  std::optional<engine::Transmit> poll_transmit(Instant, std::size_t most_data) override {
    polled_without_data += most_data == 0 ? 1 : 0;
    if (wanted.empty()) return std::nullopt;
    if (wanted.front().kind == TransmitKind::kData && most_data == 0) return std::nullopt;
    const Wanted next = std::move(wanted.front());
    wanted.pop_front();
    std::ranges::fill(memory_, '?');
    memory_.assign(next.text.begin(), next.text.end());
    const ByteView bytes = as_bytes(std::string_view(memory_));
    const auto whole = static_cast<std::uint32_t>(bytes.size());
    return engine::Transmit{.to = next.to,
                            .bytes = bytes,
                            .segment_size = next.segment_size == 0 ? whole : next.segment_size,
                            .kind = next.kind,
                            .flow = next.flow,
                            .coalesce = false,
                            .stamp_token = next.token};
  }
  std::optional<engine::Outgoing> poll_message() override { return std::nullopt; }
  std::optional<engine::Deadline> poll_deadline(Instant) const override { return std::nullopt; }
  engine::DropCounts drops() const override { return drops_; }

  std::deque<Wanted> wanted;
  std::vector<std::pair<std::uint8_t, std::string>> arrivals;
  std::vector<std::pair<Mailbox, Mailbox>> letters;
  std::vector<std::uint32_t> tokens;
  std::uint64_t failed = 0;
  int failures = 0;
  int blocked = 0;
  int polled_without_data = 0;
  std::function<void()> on_blocked;

 private:
  std::string memory_;
  engine::DropCounts drops_{};
};

os::UdpSocket open_local(const os::UdpOptions& options = {}) {
  os::UdpOptions bound = options;
  bound.bind = {*parse_ip("127.0.0.1"), Port{0}};
  auto socket = os::UdpSocket::open(bound);
  if (!socket) ADD_FAILURE() << socket.error().message;
  return std::move(socket.value());
}

// A runner on three sockets (or as many as are wanted), and a peer.
class Runner : public MailHandler, public EventSource {
 public:
  explicit Runner(const PortRunner::Habits& habits = {}, int flows = 3)
      : loop(*EventLoop::create({})) {
    auto scripted = std::make_unique<ScriptedActor>();
    actor = scripted.get();
    std::vector<os::UdpSocket> sockets;
    for (int i = 0; i < flows; ++i) {
      sockets.push_back(open_local({.transmit_stamps = true}));
      local.push_back(sockets.back().local());
    }
    runner.emplace(PortRunner::Environment{loop, buffer, *this}, std::move(sockets),
                   std::move(scripted), habits, 1);
    EXPECT_TRUE(runner->attach());
    watchdog = *loop.add(EventLoop::kNoDescriptor, *this);
  }
  ~Runner() override { loop.remove(watchdog); }

  // Lets the loop turn until `done`, looked at a thousand times a second.
  void run_until(std::function<bool()> done) {
    done_ = std::move(done);
    limit_ = os::monotonic_now() + 5s;
    loop.set_deadline(watchdog, os::monotonic_now());
    EXPECT_TRUE(loop.run());
    EXPECT_TRUE(done_()) << "it did not happen in time";
  }
  void on_mail(const engine::Outgoing&) override {}
  void on_ready(const Readiness&) override {}
  void on_wake(Instant now) override {
    collect();
    loop.set_deadline(watchdog, now + 1ms);
    if (done_() || now > limit_) loop.stop();
  }
  void collect() {
    for (;;) {
      const auto batch = peer.receive(peer_buffer);
      if (!batch || batch->empty()) return;
      for (const os::Received& received : *batch) {
        seen.emplace_back(received.from, as_text(received.bytes));
      }
    }
  }

  EventLoop loop;
  os::ReceiveBuffer buffer{16, 2048};
  os::ReceiveBuffer peer_buffer{16, 2048};
  os::UdpSocket peer = open_local({.receive_buffer = 4U << 20U});
  ScriptedActor* actor = nullptr;
  std::optional<PortRunner> runner;
  std::vector<Endpoint> local;
  std::vector<std::pair<Endpoint, std::string>> seen;
  EventLoop::Id watchdog{};

 private:
  std::function<bool()> done_;
  Instant limit_;
};

TEST(PortRunner, TellsWhichSocketADatagramCameTo) {
  Runner on;
  for (const std::size_t flow : {2U, 0U, 1U}) {
    const std::string text = fmt::format("to {}", flow);
    (void)on.peer.send({.to = on.local[flow],
                        .from = std::nullopt,
                        .bytes = as_bytes(text),
                        .segment_size = static_cast<std::uint32_t>(text.size()),
                        .stamp_token = std::nullopt});
    on.run_until([&] { return !on.actor->arrivals.empty(); });
    EXPECT_EQ(on.actor->arrivals, (std::vector{std::pair{static_cast<std::uint8_t>(flow), text}}));
    on.actor->arrivals.clear();
  }
}

TEST(PortRunner, EveryTransmitLeavesByItsSocket) {
  Runner on;
  for (const std::uint8_t flow : std::initializer_list<std::uint8_t>{2, 0, 1}) {
    on.actor->wanted.push_back({on.peer.local(), flow, fmt::format("by {}", flow)});
  }
  on.runner->begin();
  on.run_until([&] { return on.seen.size() == 3; });
  EXPECT_EQ(on.seen, (std::vector<std::pair<Endpoint, std::string>>{
                         {on.local[2], "by 2"}, {on.local[0], "by 0"}, {on.local[1], "by 1"}}));
}

TEST(PortRunner, TakesTheStampsOfTheFirstSocketAlone) {
  Runner on;
  on.actor->wanted.push_back({.to = on.peer.local(), .flow = 1, .text = "other", .token = 41});
  on.actor->wanted.push_back({.to = on.peer.local(), .flow = 0, .text = "first", .token = 42});
  on.runner->begin();
  on.run_until([&] { return !on.actor->tokens.empty(); });
  EXPECT_EQ(on.actor->tokens, std::vector<std::uint32_t>{42});
}

TEST(PortRunner, ALetterKeepsItsReceiver) {
  Runner on;
  on.runner->deliver(Mailbox::kControl, Mailbox::kDownload, engine::Drain{});
  EXPECT_EQ(on.actor->letters, (std::vector{std::pair{Mailbox::kControl, Mailbox::kDownload}}));
}

// How many UDP sockets this namespace has on a local port, and how many of them have a peer
// (proc_net(5), udp: local_address, rem_address).
std::pair<int, int> sockets_on(Port port) {
  std::ifstream table("/proc/thread-self/net/udp");  // a thread may have a network of its own
  std::string line;
  const std::string local = fmt::format(":{:04X} ", port.value);
  int all = 0;
  int connected = 0;
  while (std::getline(table, line)) {
    const std::size_t at = line.find(local);
    if (at == std::string::npos || at > 20) continue;
    ++all;
    connected += line.compare(at + local.size(), 13, "00000000:0000") == 0 ? 0 : 1;
  }
  return {all, connected};
}

// Data that leaves at short intervals, and then a greeting from each side.
class ConnectingRunner : public Runner {
 public:
  explicit ConnectingRunner(int flows = 3) : Runner({.connects = true}, flows) {}

  void send_data(const Endpoint& to, int count = 20) {
    for (int i = 0; i < count; ++i) {
      actor->wanted.push_back({.to = to, .text = "data", .kind = TransmitKind::kData});
    }
    runner->begin();
    run_until([this] { return actor->wanted.empty(); });
  }
  void expect_to_hear(os::UdpSocket& from) {
    actor->arrivals.clear();
    (void)from.send({.to = local[0],
                     .from = std::nullopt,
                     .bytes = as_bytes(std::string_view("hello")),
                     .segment_size = 5,
                     .stamp_token = std::nullopt});
    run_until([this] { return !actor->arrivals.empty(); });
    EXPECT_EQ(actor->arrivals, (std::vector{std::pair{std::uint8_t{0}, std::string("hello")}}));
  }
  [[nodiscard]] std::pair<int, int> sockets() const { return sockets_on(local[0].port); }
};

TEST(PortRunner, HearsAPeerThatMovesBesideItsConnectedSocket) {
  ConnectingRunner on;
  os::UdpSocket moved = open_local();
  on.expect_to_hear(on.peer);
  EXPECT_EQ(on.sockets(), (std::pair{1, 0}));
  on.send_data(on.peer.local());
  EXPECT_EQ(on.sockets(), (std::pair{2, 1}));
  on.expect_to_hear(on.peer);
  on.expect_to_hear(moved);
  on.send_data(moved.local());
  EXPECT_EQ(on.sockets(), (std::pair{3, 2}));
  on.expect_to_hear(moved);
  on.expect_to_hear(on.peer);
  on.run_until([&] { return on.seen.size() == 20; });
  on.runner.reset();
  EXPECT_EQ(on.sockets(), (std::pair{0, 0}));
}

TEST(PortRunner, ConnectsForSoManyPeersAndSendsToAll) {
  ConnectingRunner on;
  std::vector<os::UdpSocket> peers;
  constexpr int kPeers = 12;
  for (int i = 0; i < kPeers; ++i) {
    peers.push_back(open_local());
    on.send_data(peers.back().local());
  }
  EXPECT_EQ(on.sockets(), (std::pair{9, 8}));
  for (os::UdpSocket& peer : peers) {
    std::size_t got = 0;
    on.run_until([&] {
      const auto batch = peer.receive(on.peer_buffer);
      got += batch ? batch->size() : 0;
      return got == 20;
    });
    on.expect_to_hear(peer);
  }
}

TEST(PortRunner, OnlyDataLeavesByAConnectedSocket) {
  ConnectingRunner on;
  on.send_data(on.peer.local());
  on.actor->wanted.push_back({.to = on.peer.local(), .text = "stamped", .token = 7});
  on.runner->begin();
  on.run_until([&] { return !on.actor->tokens.empty(); });
  EXPECT_EQ(on.actor->tokens, std::vector<std::uint32_t>{7});
}

TEST(PortRunner, ATrainThatFailsWholeIsNotTriedDatagramByDatagram) {
  Runner on;
  // No route: the test has IPv4 sockets.
  const Endpoint nowhere{*parse_ip("2001:db8::1"), Port{9}};
  std::string train(500 * 100, '.');
  on.actor->wanted.push_back(
      {.to = nowhere, .text = train, .kind = TransmitKind::kData, .segment_size = 100});
  on.actor->wanted.push_back({on.peer.local(), 0, "behind it"});
  on.runner->begin();
  EXPECT_EQ(on.actor->failed, 500U) << "each counts as not sent";
  EXPECT_EQ(on.actor->failures, 2) << "after two tries";
  on.run_until([&] { return on.seen.size() == 1; });
}

// On loopback nothing ever blocks, but for one that is slowed down in a network of the thread's
// own.
bool enter_slow_network() {
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

}  // namespace
}  // namespace wyndrvr::runtime
