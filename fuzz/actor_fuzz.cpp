// One port actor under a script of time, datagrams and messages; nothing that a peer or a
// coordinator may do breaks what a host relies on.
//
// The first octets choose the actor; each following step takes what it needs from the rest:
//
//   step % 8   0    time moves on
//              1-2  raw octets as a datagram
//              3-4  a valid header with chosen fields and a body from the rest
//              5    a body that parses: an answer in the three-way heartbeat, a control message
//              6-7  a message of the session
//
// A datagram comes from the peer, or (top bits of its step) from a stranger or another port.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/check.hpp"
#include "engine/original_port.hpp"
#include "script.hpp"
#include "wire/control.hpp"
#include "wire/data_body.hpp"
#include "wire/flow_control.hpp"
#include "wire/header.hpp"
#include "wire/heartbeat.hpp"
#include "wire/test_result.hpp"

using namespace wyndrvr;
using namespace wyndrvr::engine;

namespace {

constexpr std::uint32_t kKey = 99;
constexpr ChannelId kChannel{4711};
// More than a step's worth of everything: 2 ms of catching up at the rate's maximum, sixteen
// answers and acknowledgements, and a report.
constexpr int kMaxTransmitsPerStep = 20'000;
constexpr int kMaxMailPerStep = 1000;
constexpr int kMaxTurnsPerStep = 3;
// So that one input does not send for hours.
constexpr int kMaxSteps = 300;

Endpoint end(std::string_view address, std::uint16_t port) {
  return {parse_ip(address).value(), {port}};
}

class Run {
 public:
  explicit Run(fuzz::Script& script) : script_(script), config_(choose(script)), actor_(config_) {
    settle();
    if (config_.side == Side::kServer && script_.octet() % 2 == 1) prove();
  }
  void step() {
    const std::uint8_t step = script_.octet();
    switch (step % 8) {
      case 0:
        now_ += Duration(static_cast<std::int64_t>(script_.number(2))) *
                (step >= 128 ? 1'000'000 : 1000);
        break;
      case 1:
      case 2:
        receive(script_.octets(script_.number(2) % 1500), step);
        break;
      case 3:
      case 4:
        receive_packet(step);
        break;
      case 5:
        receive_body_that_parses(step);
        break;
      default:
        tell(step);
    }
    actor_.on_timer(now_);
    settle();
  }

 private:
  static PortConfig choose(fuzz::Script& script) {
    PortConfig config;
    const std::uint8_t kind = script.octet();
    config.side = kind % 2 == 0 ? Side::kClient : Side::kServer;
    config.kind = kPortKinds[kind / 2 % kPortCount];
    config.protocol.trace = kind >= 128;
    config.heartbeat_key = kKey;
    config.peer = end("192.0.2.1", 50'000);
    config.start = Instant(1000s);
    config.seed = 7;
    if (kind % 5 == 0) config.heartbeat_count = 3;
    const std::uint8_t interval = script.octet();
    config.protocol.heartbeat_interval = (interval + 1) * 10ms;
    config.protocol.flow_control_rate = interval % 10 + 1U;
    return config;
  }

  // --- what comes in ---
  void receive(const std::vector<std::byte>& bytes, std::uint8_t step) {
    Datagram datagram;
    datagram.bytes = bytes;
    datagram.from = config_.peer;
    if (step >> 5U == 7) datagram.from = end("203.0.113.66", 50'000);
    if (step >> 5U == 6) datagram.from.port = {50'001};
    datagram.arrival = now_;
    datagram.kernel_stamped = step % 2 == 0;
    datagram.socket_drops = step % 16;
    if (step >> 5U == 5 && !bytes.empty()) {
      datagram.segment_size = static_cast<std::uint32_t>(bytes.size() / 3 + 1);
    }
    datagrams_in_ += count_of(datagram);
    actor_.on_datagram(now_, datagram);
  }
  static std::uint64_t count_of(const Datagram& datagram) {
    if (datagram.segment_size == 0) return 1;
    return (datagram.bytes.size() + datagram.segment_size - 1) / datagram.segment_size;
  }
  void receive_packet(std::uint8_t step) {
    const std::uint8_t fields = script_.octet();
    wire::Header header;
    header.type = static_cast<wire::MessageType>(fields % 8);
    header.channel = fields & 8U ? ChannelId{kKey} : kChannel;
    // Numbers near those in use, or any.
    header.seq = {fields & 16U ? script_.number(8) : next_sequence_ + script_.octet() % 4};
    header.offset = fields & 32U ? script_.number(8) : script_.octet() % 8;
    if (header.type == wire::MessageType::kBandwidthTest) next_sequence_ = header.seq.value + 1;
    std::vector<std::byte> packet(wire::kHeaderSize);
    wire::write_header(packet.data(), header);
    const auto body = script_.octets(script_.octet());
    packet.insert(packet.end(), body.begin(), body.end());
    receive(packet, step);
  }
  template <class Write>
  void receive_written(wire::MessageType type, ChannelId channel, std::uint8_t step, Write write) {
    std::vector<std::byte> packet(wire::kMaxPacketSize);
    wire::write_header(packet.data(), {type, channel, {0}, 0});
    const std::size_t size = write(MutableByteView(packet).subspan(wire::kHeaderSize));
    packet.resize(wire::kHeaderSize + size);
    receive(packet, step);
  }
  void receive_body_that_parses(std::uint8_t step) {
    using wire::MessageType;
    const ChannelId key{kKey};
    switch (script_.octet() % 8) {
      case 0:
        return receive_written(MessageType::kHeartbeat0, key, step, [](MutableByteView out) {
          return wire::write_heartbeat0(out, {wire::Timestamp::from_micros(17)});
        });
      case 1:
      case 2:
        return answer_heartbeat(step);
      case 3:
        return receive_written(MessageType::kControl, kChannel, step, [&](MutableByteView out) {
          return wire::write_control(out, wire::Bwup{kChannel, seconds(), 100});
        });
      case 4:
        return receive_written(MessageType::kControl, kChannel, step, [&](MutableByteView out) {
          return wire::write_control(out, wire::BwupAck{kChannel, seconds(), {}});
        });
      case 5:
        return receive_written(MessageType::kFlowControl, kChannel, step,
                               [&](MutableByteView out) { return write_report(out); });
      case 6:
        return receive_written(MessageType::kTestResult, kChannel, step, [&](MutableByteView out) {
          return wire::write_test_result(out, wire::TestResult{.channel = kChannel});
        });
      default:
        return receive_written(MessageType::kTestResult, kChannel, step, [&](MutableByteView out) {
          return wire::write_test_result(out, wire::TestResultAck{last_guid_});
        });
    }
  }
  double seconds() {
    constexpr std::array<double, 4> kSeconds = {1e-12, 0.05, 2, 1e6};
    return kSeconds[script_.octet() % kSeconds.size()];
  }
  // Up to seven missing ranges, and sometimes a tail.
  std::size_t write_report(MutableByteView out) {
    std::array<wire::ClosedRange, 8> ranges;
    std::size_t count = 0;
    std::uint64_t at = script_.octet();
    const std::uint8_t shape = script_.octet();
    for (; count < shape % 8U; ++count) {
      ranges[count] = {at, at + script_.octet()};
      at = ranges[count].end + 1 + script_.octet();
    }
    if (shape >= 64) ranges[count++] = {shape >= 248 ? UINT64_MAX - shape % 4 : at, UINT64_MAX};
    return wire::write_flow_control(out, std::span(ranges).first(count));
  }
  // The second or third way of the three-way heartbeat, with the timestamps last sent.
  void answer_heartbeat(std::uint8_t step) {
    const bool client = config_.side == Side::kClient;
    wire::HeartbeatReply reply{.client = last_timestamp_, .server = last_timestamp_};
    if (client) reply.turnaround_ns = script_.number(2);
    receive_written(client ? wire::MessageType::kHeartbeat1 : wire::MessageType::kHeartbeat2,
                    {kKey}, step,
                    [&](MutableByteView out) { return wire::write_heartbeat_reply(out, reply); });
  }
  void prove() {
    receive_written(wire::MessageType::kHeartbeat0, {kKey}, 0, [](MutableByteView out) {
      return wire::write_heartbeat0(out, {wire::Timestamp::from_micros(17)});
    });
    settle();
    answer_heartbeat(0);
    settle();
    proven_ = true;
  }

  // --- messages ---
  void tell(std::uint8_t step) {
    TestPlan plan;
    plan.channel = step >= 240 ? ChannelId{5} : kChannel;
    plan.duration = 2s;
    plan.payload_bytes = step % 2 == 0 ? 1U : static_cast<std::uint32_t>(wire::kMaxPayload);
    plan.progress_interval = step % 3 == 0 ? 0ms : 100ms;
    ReceiverTotals totals;
    totals.packets = totals.unique = totals.expected = script_.octet();
    totals.unique /= 2;
    const std::array<Message, 10> messages = {StartTest{plan},
                                              PortReady{plan.channel},
                                              Go{plan.channel, now_, plan.duration},
                                              SetLoaded{step % 2 == 0},
                                              Nudge{},
                                              TestFinished{plan.channel, totals},
                                              ReceiverProgress{plan.channel, totals},
                                              Drain{},
                                              Quiet{},
                                              PortProven{}};
    // The ones that end everything are rare.
    const std::size_t choice = script_.octet() % 64;
    actor_.on_message(now_, Mailbox::kCoordinator, Mailbox::kControl,
                      messages[choice < 62 ? choice % 7 : choice - 62 + 7]);
  }

  // --- what a host does after every event, and what it relies on ---
  void settle() {
    // What a turn sends may bring a deadline nearer (the last of a count), so a turn may cause
    // another, but not one after the other for ever: that would be a busy loop.
    for (int turn = 1;; ++turn) {
      WYNDRVR_CHECK(turn <= kMaxTurnsPerStep);
      drain();
      const auto deadline = actor_.poll_deadline(now_);
      if (!deadline || deadline->at > now_) return;
      actor_.on_timer(now_);
    }
  }
  void drain() {
    drain_transmits();
    int mails = 0;
    while (const auto mail = actor_.poll_message()) {
      WYNDRVR_CHECK(++mails <= kMaxMailPerStep);
      if (std::holds_alternative<PortProven>(mail->message)) proven_ = true;
    }
    for (std::size_t i = 0; i < drops_.size(); ++i) WYNDRVR_CHECK(actor_.drops()[i] >= drops_[i]);
    drops_ = actor_.drops();
    if (config_.side == Side::kServer && !proven_) WYNDRVR_CHECK(sent_ <= datagrams_in_);
  }
  void drain_transmits() {
    int transmits = 0;
    while (const auto transmit = actor_.poll_transmit(now_)) {
      WYNDRVR_CHECK(++transmits <= kMaxTransmitsPerStep);
      WYNDRVR_CHECK(!transmit->bytes.empty() && transmit->segment_size > 0);
      WYNDRVR_CHECK(transmit->segment_size <= wire::kMaxPacketSize);
      WYNDRVR_CHECK(transmit->to.address == config_.peer.address);
      sent_ += transmit->packets();
      if (transmit->stamp_token) actor_.on_transmit_stamp(*transmit->stamp_token, now_);
      ByteView rest = transmit->bytes;
      for (; !rest.empty();
           rest = rest.subspan(std::min<std::size_t>(rest.size(), transmit->segment_size))) {
        look_at(rest.first(std::min<std::size_t>(rest.size(), transmit->segment_size)));
      }
    }
  }
  // All that leaves is in order, and some of it is worth remembering for an answer.
  void look_at(ByteView bytes) {
    const auto packet = wire::parse_packet(bytes);
    WYNDRVR_CHECK(packet.has_value());
    switch (packet->header.type) {
      case wire::MessageType::kHeartbeat0:
        last_timestamp_ = wire::parse_heartbeat0(packet->body).value().timestamp;
        break;
      case wire::MessageType::kHeartbeat1:
        last_timestamp_ = wire::parse_heartbeat_reply(packet->body).value().server;
        break;
      case wire::MessageType::kHeartbeat2:
        WYNDRVR_CHECK(wire::parse_heartbeat_reply(packet->body).has_value());
        break;
      case wire::MessageType::kControl:
        WYNDRVR_CHECK(wire::parse_control(packet->body).has_value());
        break;
      case wire::MessageType::kTestResult:
        if (const auto body = wire::parse_test_result(packet->body).value();
            const auto* result = std::get_if<wire::TestResult>(&body)) {
          last_guid_ = result->guid;
        }
        break;
      case wire::MessageType::kFlowControl: {
        std::array<wire::ClosedRange, wire::kMaxRanges> storage;
        WYNDRVR_CHECK(wire::parse_flow_control(packet->body, storage).has_value());
        break;
      }
      case wire::MessageType::kBandwidthTest:
      case wire::MessageType::kData:
        break;
    }
  }

  fuzz::Script& script_;
  PortConfig config_;
  OriginalPort actor_;
  Instant now_{1000s};
  DropCounts drops_{};
  std::uint64_t datagrams_in_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t next_sequence_ = 0;
  wire::Timestamp last_timestamp_;
  wire::IdText last_guid_;
  bool proven_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Script script(std::span(data, size));
  Run run(script);
  for (int i = 0; i < kMaxSteps && !script.done(); ++i) run.step();
  return 0;
}
