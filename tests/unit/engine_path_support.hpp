// A whole session of dialect 1 for tests: the actors of both its ends with their mailboxes, a
// network between them, and a clock that jumps to what is next. The test plays both coordinators.
//
// Holds every run to what no run may do: data without a valid grant or beyond it, a grant beyond
// the test's bound, a loop that turns without end.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/port_actor.hpp"
#include "unit/engine_path_network.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/receiver_report.hpp"

namespace wyndrvr::engine::testing {

inline TestTerms path_terms(wire::Directions directions) {
  TestTerms terms;
  terms.directions = directions;
  terms.duration = 1s;
  terms.rate = BitRate{8e6};
  terms.adaptive = false;
  terms.payload_bytes = 1000;
  return terms;
}

// A letter to one of the two coordinators.
struct Letter {
  Instant at;
  Side side = Side::kClient;
  PortKind from = PortKind::kControl;
  Message message;
};

class PathSession {
 public:
  struct Options {
    TestTerms terms;
    Faults faults{};
    bool keys = false;
    bool wrong_key = false;  // at the client
    // So much later than its kernel a program sees a heartbeat.
    Duration turnaround{};
    std::uint32_t receive_buffer = 0;  // of each socket, octets; 0: not known
    std::uint64_t seed = 1;
  };

  explicit PathSession(const Options& options)
      : net(options.faults, options.terms.single_port, options.seed),
        terms_(options.terms),
        turnaround_(options.turnaround) {
    for (const Side side : {Side::kClient, Side::kServer}) make_actors(side, options);
    for (std::size_t i = 0; i < actors_.size(); ++i) touch(i);
  }

  // --- the clock ---
  void run_until(Instant end) {
    for (int turns = 0; now < end;) {
      const Instant next = std::min(next_event().value_or(end), end);
      turns = next > now ? 0 : turns + 1;
      if (turns > kMaxTurns) {
        ADD_FAILURE() << "time stands still";
        return;
      }
      now = std::max(now, next);
      turn();
    }
  }
  // Until `done()`, or `patience` is over; whether it was done.
  template <class Done>
  bool run_while_not(Duration patience, Done done) {
    const Instant end = now + patience;
    while (!done() && now < end && !::testing::Test::HasFatalFailure()) {
      run_until(std::min(end, now + 5ms));
    }
    return done();
  }

  // --- as the client's coordinator ---
  [[nodiscard]] bool prove(Duration patience = 20s) {
    return run_while_not(patience, [this] {
      return count<PortProven>(Side::kClient) == kPortCount &&
             count<PortProven>(Side::kServer) == kPortCount;
    });
  }
  void start(PortKind direction) {
    TestPlan plan;
    plan.channel = channel_of(direction);
    plan.direction = direction;
    plan.duration = terms_.duration;
    plan.progress_interval = 100ms;
    tell(Side::kClient, PortKind::kControl, StartTest{plan});
  }
  void start_all() {
    for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
      if (terms_.has(direction)) start(direction);
    }
  }
  // Proves, starts every test of the terms and runs until both ends have told the results.
  [[nodiscard]] bool run_tests(Duration patience = 30s) {
    if (!prove()) return false;
    start_all();
    return finish_tests(patience);
  }
  [[nodiscard]] bool finish_tests(Duration patience = 30s) {
    return run_while_not(terms_.duration + patience, [this] {
      for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
        const bool missing =
            !reported(Side::kClient, direction) || !reported(Side::kServer, direction);
        if (terms_.has(direction) && missing) return false;
      }
      return true;
    });
  }
  void tell(Side side, PortKind port, const Message& message) {
    const std::size_t index = actor_index(side, port);
    actors_[index]->on_message(now, Mailbox::kCoordinator, mailbox_of(port), message);
    touch(index);
  }

  // --- what became of it ---
  [[nodiscard]] std::optional<TestReported> reported(Side side, PortKind direction) const {
    for (const Letter& letter : letters) {
      const auto* report = std::get_if<TestReported>(&letter.message);
      if (letter.side == side && report && report->direction == direction) return *report;
    }
    return std::nullopt;
  }
  template <class Wanted>
  [[nodiscard]] std::size_t count(Side side) const {
    return static_cast<std::size_t>(std::ranges::count_if(letters, [&](const Letter& letter) {
      return letter.side == side && std::holds_alternative<Wanted>(letter.message);
    }));
  }
  template <class Wanted>
  [[nodiscard]] std::optional<Letter> first(Side side) const {
    for (const Letter& letter : letters) {
      if (letter.side == side && std::holds_alternative<Wanted>(letter.message)) return letter;
    }
    return std::nullopt;
  }
  [[nodiscard]] PortActor& actor(Side side, PortKind port) {
    return *actors_[actor_index(side, port)];
  }
  [[nodiscard]] std::uint64_t drops(Side side, PortKind port, wire::DropReason reason) {
    return actor(side, port).drops()[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] const TestTerms& terms() const { return terms_; }
  [[nodiscard]] static ChannelId channel_of(PortKind direction) {
    return {direction == PortKind::kUpload ? 1U : 2U};
  }
  // Hands a datagram to an actor as if the network had brought it; what it causes is sent.
  void inject(Side to, PortKind port, std::string_view bytes, const Endpoint& from,
              std::uint8_t flow = 0) {
    Datagram received = datagram(bytes, from, now);
    received.flow = flow;
    const std::size_t index = actor_index(to, port);
    actors_[index]->on_datagram(now, received);
    touch(index);
  }

  PathNetwork net;
  Instant now = kStart;
  std::vector<Letter> letters;
  std::uint64_t dropped_at_server = 0;   // buffers, as its kernel says
  std::uint64_t most_granted_ahead = 0;  // of a stream, beyond what it had sent by then

 private:
  static constexpr int kMaxTurns = 20'000;
  struct Granted {
    std::uint64_t octets = 0;
    Instant valid_until;
    std::uint64_t sent = 0;
  };

  [[nodiscard]] std::size_t actors_per_side() const { return terms_.single_port ? 1 : kPortCount; }
  [[nodiscard]] std::size_t actor_index(Side side, PortKind port) const {
    return (side == Side::kClient ? 0 : actors_per_side()) +
           (terms_.single_port ? 0 : index_of(port));
  }
  void make_actors(Side side, const Options& options) {
    std::vector<PortConfig> configs;
    for (const PortKind port : kPortKinds) configs.push_back(port_config(side, port, options));
    if (terms_.single_port) {
      actors_.push_back(make_port_actor(configs));
      return;
    }
    for (const PortConfig& config : configs) actors_.push_back(make_port_actor({&config, 1}));
  }
  [[nodiscard]] PortConfig port_config(Side side, PortKind port, const Options& options) const {
    PortConfig config;
    config.side = side;
    config.kind = port;
    config.peer = side == Side::kClient ? net.server_end(port) : kClientEnd;
    config.server_port = net.server_end(port).port;
    config.clock_offset = side == Side::kClient ? 1'700'000'000s : 1'600'000'000s;
    config.start = kStart;
    config.seed = options.seed;
    config.receive_buffer = options.receive_buffer;
    PathSetup setup;
    setup.handshake.session = options.seed;
    setup.handshake.client_nonce.fill(std::byte{1});
    setup.handshake.server_nonce.fill(std::byte{2});
    setup.terms = options.terms;
    if (side == Side::kServer) setup.path_secret.writable()[0] = std::byte{3};
    if (options.keys) {
      crypto::Key key;
      key.octets.writable()[0] =
          options.wrong_key && side == Side::kClient ? std::byte{5} : std::byte{4};
      setup.keys = crypto::derive_session_keys(key, setup.handshake);
    }
    config.path = setup;
    return config;
  }

  [[nodiscard]] std::optional<Instant> next_event() const {
    std::optional<Instant> next = net.next_arrival();
    for (const auto& actor : actors_) {
      const auto deadline = actor->poll_deadline(now);
      if (deadline) next = std::min(next.value_or(deadline->at), deadline->at);
    }
    return next;
  }
  void turn() {
    while (const auto flight = net.take(now)) deliver(*flight);
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      const auto deadline = actors_[i]->poll_deadline(now);
      if (!deadline || deadline->at > now) continue;
      actors_[i]->on_timer(now);
      touch(i);
    }
  }
  void deliver(const Flight& flight) {
    const Side to = flight.from == Side::kClient ? Side::kServer : Side::kClient;
    if (to == Side::kClient && !net.reaches_client(flight)) return;
    if (flight.type() == wire::PathType::kReport) note_grant(flight);
    Datagram received = datagram(flight.bytes, flight.source, now);
    received.flow = to == Side::kClient ? flight.flow : std::uint8_t{0};
    received.kernel_stamped = true;
    if (to == Side::kServer) received.socket_drops = dropped_at_server;
    if (flight.is_heartbeat()) received.arrival -= turnaround_;
    const std::size_t index = actor_index(to, flight.port);
    actors_[index]->on_datagram(now, received);
    touch(index);
  }

  // The duty of a host, after each event.
  void touch(std::size_t index) {
    PortActor& actor = *actors_[index];
    const Side side = index < actors_per_side() ? Side::kClient : Side::kServer;
    for (bool busy = true; busy;) {
      busy = false;
      while (const auto transmit = actor.poll_transmit(now)) {
        send(side, index, *transmit);
        busy = true;
      }
      while (const auto mail = actor.poll_message()) {
        route(side, *mail);
        busy = true;
      }
    }
  }
  void route(Side side, const Outgoing& mail) {
    const auto from = static_cast<PortKind>(mail.from);
    if (mail.to == Mailbox::kCoordinator) {
      letters.push_back({now, side, from, mail.message});
      return;
    }
    const std::size_t index = actor_index(side, static_cast<PortKind>(mail.to));
    actors_[index]->on_message(now, mail.from, mail.to, mail.message);
    touch(index);
  }
  void send(Side side, std::size_t index, const Transmit& transmit) {
    if (transmit.stamp_token) actors_[index]->on_transmit_stamp(*transmit.stamp_token, now);
    for (std::size_t at = 0; at < transmit.bytes.size(); at += transmit.segment_size) {
      const std::size_t size =
          std::min<std::size_t>(transmit.segment_size, transmit.bytes.size() - at);
      Flight flight;
      flight.sent = now;
      flight.from = side;
      flight.port = kPortKinds[index % actors_per_side()];
      flight.flow = transmit.flow;
      flight.bytes = std::string(as_text(transmit.bytes.subspan(at, size)));
      flight.to = transmit.to;
      if (side == Side::kClient) {
        flight.source = net.client_end(flight.port, transmit.flow);
      } else {
        flight.source = net.server_end(flight.port);
        flight.flow = static_cast<std::uint8_t>(transmit.to.port.value % 1000 / 10);
      }
      if (flight.is_data()) check_grant(flight);
      net.send(std::move(flight));
    }
  }

  // --- no data without a grant ---
  [[nodiscard]] Granted& granted_to(const Flight& flight) {
    const auto channel = base::load_big_endian(as_bytes(flight.bytes).data() + 1, 3);
    return grants_[{flight.direction(), channel}];
  }
  void note_grant(const Flight& flight) {
    constexpr std::size_t kGrantedAt = wire::kPathPrefixSize + 4;
    Granted& granted = granted_to(flight);
    const std::byte* at = as_bytes(flight.bytes).data() + kGrantedAt;
    granted.octets = std::max(granted.octets, base::load_big_endian(at, 8));
    most_granted_ahead = std::max(most_granted_ahead, granted.octets - granted.sent);
    granted.valid_until = now + wire::kMaxGrantValidity;
    if (!terms_.octets) return;
    EXPECT_LE(granted.octets, terms_.stream_octets()->value + terms_.payload_bytes);
  }
  void check_grant(const Flight& flight) {
    Granted& granted = granted_to(flight);
    granted.sent += flight.bytes.size();
    EXPECT_LE(granted.sent, granted.octets) << "more data than granted";
    EXPECT_LT(now, granted.valid_until) << "data on a grant that is over";
  }

  TestTerms terms_;
  Duration turnaround_;
  std::vector<std::unique_ptr<PortActor>> actors_;  // the client's, then the server's
  std::map<std::pair<PortKind, std::uint64_t>, Granted> grants_;
};

// What both ends say of a test is what the network knows.
inline void expect_truth(const PathSession& session, PortKind direction) {
  const DataTruth& truth = session.net.truth(direction);
  const auto client = session.reported(Side::kClient, direction);
  const auto server = session.reported(Side::kServer, direction);
  ASSERT_TRUE(client && server) << name(direction);
  for (const auto* side : {&*client, &*server}) {
    EXPECT_EQ(side->receiver.packets, truth.copies);
    EXPECT_EQ(side->receiver.unique, truth.sent - truth.lost) << "sent = unique + lost";
    EXPECT_EQ(side->receiver.duplicate, truth.copies - side->receiver.unique);
  }
  ASSERT_TRUE(client->sender);
  EXPECT_EQ(client->sender->packets, truth.sent);
  EXPECT_EQ(client->sender->bytes, truth.octets);
  EXPECT_GT(truth.sent, 0U);
}

}  // namespace wyndrvr::engine::testing
