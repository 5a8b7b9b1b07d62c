// A port's runner between a scripted actor and real sockets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "os/clock.hpp"
#include "runtime/port_runner.hpp"
#include "unit/os_loopback.hpp"

namespace wyndrvr::runtime::testing {

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
  std::vector<engine::Unreachable> troubles;
  std::vector<engine::TooBig> too_big;

  void on_send_blocked(TransmitKind) override {
    ++blocked;
    if (on_blocked) std::exchange(on_blocked, {})();
  }
  void on_peer_unreachable(Instant, engine::Unreachable cause) override {
    troubles.push_back(cause);
  }
  void on_packet_too_big(Instant, const engine::TooBig& told) override { too_big.push_back(told); }
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

inline os::UdpSocket open_local(const os::UdpOptions& options = {}) {
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
    limit_ = os::monotonic_now() + os::testing::kDeadline;
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

  os::testing::OneProcessor processor;  // so that datagrams keep their order
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

// How many UDP sockets this namespace has on a local port, and how many of them have a peer
// (proc_net(5), udp: local_address, rem_address).
inline std::pair<int, int> sockets_on(Port port) {
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

}  // namespace wyndrvr::runtime::testing
