// A port actor with its socket and its mailbox taken away, for tests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/original_port.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/control.hpp"
#include "wire/header.hpp"
#include "wire/heartbeat.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::engine::testing {

inline constexpr std::uint32_t kKey = 99;
inline constexpr ChannelId kChannel{4711};

inline PortConfig actor_config(Side side, PortKind kind) {
  PortConfig config;
  config.side = side;
  config.kind = kind;
  config.heartbeat_key = kKey;
  config.peer = side == Side::kClient ? kServerEnd : kClientEnd;
  config.clock_offset = 1'700'000'000s;
  config.start = kStart;
  config.seed = 7;
  return config;
}

inline TestPlan some_plan() {
  TestPlan plan;
  plan.channel = kChannel;
  plan.duration = 10s;
  plan.payload_bytes = 900;
  plan.progress_interval = 1s;
  plan.ask_progress = true;
  return plan;
}

// One datagram that an actor sent.
struct Sent {
  Endpoint to;
  std::string bytes;
  [[nodiscard]] wire::Packet packet() const { return wire::parse_packet(as_bytes(bytes)).value(); }
};

class Rig {
 public:
  explicit Rig(const PortConfig& config)
      : actor(config), peer(config.side == Side::kClient ? kServerEnd : kClientEnd) {}
  Rig(Side side, PortKind kind) : Rig(actor_config(side, kind)) {}

  // A datagram from the peer; true where it was not dropped.
  bool receive(std::string_view bytes) { return receive_from(peer, bytes); }
  bool receive_from(const Endpoint& from, std::string_view bytes) {
    const std::uint64_t before = dropped();
    actor.on_datagram(now, datagram(bytes, from, now));
    return dropped() == before;
  }
  void tell(const Message& message) {
    actor.on_message(now, Mailbox::kCoordinator, Mailbox::kControl, message);
  }

  // All datagrams that are ready at this instant; fails where they do not end.
  std::vector<Sent> transmits() {
    std::vector<Sent> all;
    for (int i = 0; i < kMaxTransmits; ++i) {
      const auto transmit = actor.poll_transmit(now);
      if (!transmit) return all;
      for (std::size_t at = 0; at < transmit->bytes.size(); at += transmit->segment_size) {
        const std::size_t size =
            std::min<std::size_t>(transmit->segment_size, transmit->bytes.size() - at);
        all.push_back({transmit->to, std::string(as_text(transmit->bytes.subspan(at, size)))});
      }
    }
    ADD_FAILURE() << "poll_transmit does not end";
    return all;
  }
  std::vector<Outgoing> mail() {
    std::vector<Outgoing> all;
    while (auto outgoing = actor.poll_message()) all.push_back(std::move(*outgoing));
    return all;
  }
  [[nodiscard]] std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : actor.drops()) sum += count;
    return sum;
  }
  [[nodiscard]] std::uint64_t dropped(wire::DropReason reason) const {
    return actor.drops()[static_cast<std::size_t>(reason)];
  }

  OriginalPort actor;
  Endpoint peer;
  Instant now = kStart;

 private:
  static constexpr int kMaxTransmits = 100'000;
};

// --- packets of either side, with bodies that are in order ---
template <class Write>
std::string packet_with(wire::MessageType type, ChannelId channel, Write write) {
  std::array<std::byte, wire::kMaxBodySize> body{};
  const std::size_t size = write(MutableByteView(body));
  return packet({type, channel, {0}, 0}, as_text(ByteView(body).first(size)));
}
inline std::string heartbeat_0(std::string_view time = "1700001000.5") {
  return packet({wire::MessageType::kHeartbeat0, {kKey}, {0}, 0},
                R"({"timestamp": )" + std::string(time) + "}");
}
// HEARTBEAT_1 to a HEARTBEAT_0, and HEARTBEAT_2 to a HEARTBEAT_1.
inline std::string heartbeat_1(const Sent& heartbeat) {
  const auto body = wire::parse_heartbeat0(heartbeat.packet().body).value();
  return packet_with(wire::MessageType::kHeartbeat1, {kKey}, [&](MutableByteView out) {
    return wire::write_heartbeat_reply(out, {body.timestamp, body.timestamp, 5});
  });
}
inline std::string heartbeat_2(const Sent& answer) {
  const auto body = wire::parse_heartbeat_reply(answer.packet().body).value();
  return packet_with(wire::MessageType::kHeartbeat2, {kKey}, [&](MutableByteView out) {
    return wire::write_heartbeat_reply(out, {body.client, body.server, std::nullopt});
  });
}
template <class Body>
std::string control(const Body& body, ChannelId channel = kChannel) {
  return packet_with(wire::MessageType::kControl, channel,
                     [&](MutableByteView out) { return wire::write_control(out, body); });
}
template <class Body>
std::string test_result(const Body& body, ChannelId channel = kChannel) {
  return packet_with(wire::MessageType::kTestResult, channel,
                     [&](MutableByteView out) { return wire::write_test_result(out, body); });
}
inline std::string data(std::uint64_t sequence, std::uint64_t offset = 0,
                        ChannelId channel = kChannel) {
  return packet({wire::MessageType::kBandwidthTest, channel, {sequence}, offset},
                R"({"dummy_data": "0123456789"})");
}
// FLOW_CONTROL with the one range [begin, 2^64-1].
inline std::string flow_control(std::uint64_t begin) {
  return packet_with(wire::MessageType::kFlowControl, kChannel, [&](MutableByteView out) {
    const wire::ClosedRange range{begin, UINT64_MAX};
    return wire::write_flow_control(out, std::span(&range, 1));
  });
}

}  // namespace wyndrvr::engine::testing
