// Data that comes in coalesced buffers comes to the same as its datagrams one by one: the same
// totals, drops, reports and deadlines, whatever a buffer holds.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/packet_guard.hpp"
#include "engine/path_packets.hpp"
#include "engine/port_actor.hpp"
#include "unit/engine_actor_support.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/data_body.hpp"
#include "wire/path_data.hpp"
#include "wire/path_heartbeat.hpp"

namespace wyndrvr::engine {
namespace data_run_test {

using namespace testing;

constexpr std::uint8_t kRunStreams = 3;
constexpr Duration kRunTest = 2s;

// What a port has said since it was last asked.
struct Said {
  std::vector<std::string> datagrams;
  std::vector<std::pair<Mailbox, Message>> mail;
  DropCounts drops{};
  std::optional<Instant> deadline;
  bool operator==(const Said&) const = default;
};

Said everything_of(PortActor& actor, Instant now) {
  constexpr int kMostTransmits = 10'000;
  Said said;
  for (int i = 0; i < kMostTransmits; ++i) {
    const auto transmit = actor.poll_transmit(now);
    if (!transmit) break;
    said.datagrams.emplace_back(as_text(transmit->bytes));
  }
  while (const auto mail = actor.poll_message()) said.mail.emplace_back(mail->to, mail->message);
  said.drops = actor.drops();
  if (const auto deadline = actor.poll_deadline(now)) said.deadline = deadline->at;
  return said;
}

// Two ports that are told the same, but for the buffers: one gets them whole, the other one
// datagram after the other.
class Twins {
 public:
  explicit Twins(std::span<const PortConfig> configs)
      : whole(make_port_actor(configs)), each(make_port_actor(configs)) {}

  void tell(const Message& message) {
    for (PortActor* port : {whole.get(), each.get()}) {
      port->on_message(now, Mailbox::kControl, Mailbox::kUpload, message);
    }
    compare();
  }
  void receive(const std::string& bytes, std::size_t size, const Endpoint& from,
               std::optional<std::uint8_t> traffic_class = std::nullopt) {
    Datagram buffer = datagram(bytes, from, now);
    buffer.traffic_class = traffic_class;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      Datagram one = buffer;
      one.bytes = buffer.bytes.subspan(at, std::min(size, bytes.size() - at));
      each->on_datagram(now, one);
    }
    buffer.segment_size = static_cast<std::uint32_t>(size);
    whole->on_datagram(now, buffer);
    compare();
  }
  void wait(Duration time) {
    now += time;
    whole->on_timer(now);
    each->on_timer(now);
    compare();
  }
  // The last of what both have said alike.
  const Said& said() const { return said_; }
  std::optional<TestFinished> finished() const { return finished_; }

  std::unique_ptr<PortActor> whole;
  std::unique_ptr<PortActor> each;
  Instant now = kStart;

 private:
  void compare() {
    said_ = everything_of(*whole, now);
    RC_ASSERT(everything_of(*each, now) == said_);
    for (const auto& [to, message] : said_.mail) {
      if (const auto* told = std::get_if<TestFinished>(&message)) finished_ = *told;
    }
  }

  Said said_;
  std::optional<TestFinished> finished_;
};

// A datagram that its test may still spoil, before it is sealed.
struct Draft {
  std::uint64_t seq = 0;
  std::uint64_t offset = 0;
  std::uint64_t time = 1;
  ChannelId channel;
};

// Numbers as a sender's, with what a network, a bad sender and an attacker make of them.
class Numbers {
 public:
  explicit Numbers(ChannelId channel) : channel_(channel) {}

  std::vector<Draft> piece() {
    const auto length = static_cast<std::uint64_t>(*rc::gen::inRange(1, 12));
    switch (*rc::gen::inRange(0, 11)) {
      case 0:  // lost
        next_ += length;
        return run(length);
      case 1: {  // copied or overtaken
        const std::uint64_t behind = std::min<std::uint64_t>(next_, length + 3);
        return drafts(next_ - behind, offset_, length);
      }
      case 2: {  // sent again: new N, old E
        const std::uint64_t back = 1 + *rc::gen::inRange<std::uint64_t>(0, 20);
        offset_ += back;
        auto again = run(std::min(length, back));
        if (*rc::gen::arbitrary<bool>()) return again;
        offset_ -= back;
        return again;
      }
      case 3:  // the offset of a sender that has skipped numbers, or of none
        return drafts(next_, *rc::gen::element<std::uint64_t>(UINT64_MAX - 3, 1U << 25U, 0),
                      length);
      case 4:  // too far ahead, or on the edge of it
        return drafts(next_ + DataReceiver::kMaxJump - *rc::gen::inRange<std::uint64_t>(0, 8),
                      *rc::gen::element(offset_, std::uint64_t{100}), length);
      case 5:
        return drafts(UINT64_MAX - 3, offset_, length);
      case 6:
        ++time_;
        return run(length);
      case 7: {  // copies whose E is on the edge of too far ahead
        const std::uint64_t seq = next_ - std::min<std::uint64_t>(next_, length);
        const std::uint64_t number =
            next_ - offset_ + DataReceiver::kMaxJump - *rc::gen::inRange<std::uint64_t>(0, 20);
        return drafts(seq, seq - number, length);
      }
      default:
        return run(length);
    }
  }

 private:
  std::vector<Draft> run(std::uint64_t length) {
    next_ += length;
    return drafts(next_ - length, offset_, length);
  }
  std::vector<Draft> drafts(std::uint64_t seq, std::uint64_t offset, std::uint64_t length) const {
    std::vector<Draft> result;
    for (std::uint64_t i = 0; i < length; ++i) result.push_back({seq + i, offset, time_, channel_});
    return result;
  }

  ChannelId channel_;
  std::uint64_t next_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t time_ = 1;
};

// Of one buffer in about three: one octet of a datagram's front or end is another, or the last
// datagram is cut.
void spoil(std::string& buffer, std::size_t size) {
  if (*rc::gen::inRange(0, 3) != 0) return;
  if (*rc::gen::arbitrary<bool>()) {
    const auto missing = *rc::gen::inRange<std::size_t>(1, size + 1);
    buffer.resize(buffer.size() - missing);
    return;
  }
  const auto which = *rc::gen::inRange<std::size_t>(0, buffer.size() / size);
  const auto octet = *rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 40),
                                     rc::gen::inRange<std::size_t>(size - 10, size));
  buffer[which * size + std::min(octet, size - 1)] ^= static_cast<char>(*rc::gen::inRange(1, 256));
}

// --- dialect 1 ---

PortConfig path_config(Side side, PortKind kind, const TestTerms& terms, bool keys) {
  PortConfig config;
  config.side = side;
  config.kind = kind;
  config.peer = side == Side::kClient ? kServerEnd : kClientEnd;
  config.server_port = kServerEnd.port;
  config.clock_offset = 1'700'000'000s;
  config.start = kStart;
  PathSetup setup;
  setup.handshake.client_nonce.fill(std::byte{1});
  setup.terms = terms;
  if (keys) setup.keys = crypto::derive_session_keys(crypto::Key{}, setup.handshake);
  config.path = setup;
  return config;
}

// Of the upload port; or of all three, where they are one.
std::vector<PortConfig> upload_configs(Side side, const TestTerms& terms, bool keys) {
  if (!terms.single_port) return {path_config(side, PortKind::kUpload, terms, keys)};
  std::vector<PortConfig> configs;
  for (const PortKind kind : kPortKinds) configs.push_back(path_config(side, kind, terms, keys));
  return configs;
}

Endpoint client_socket(std::size_t flow) {
  return {kClientEnd.address, {static_cast<std::uint16_t>(kClientEnd.port.value + flow)}};
}

class UploadTwins : public Twins {
 public:
  UploadTwins(const TestTerms& terms, bool keys)
      : Twins(upload_configs(Side::kServer, terms, keys)),
        terms_(terms),
        client_(upload_configs(Side::kClient, terms, keys)),
        guard_({Side::kClient, kServerEnd.port, client_.front().path->keys, terms.data_tags}) {
    prove();
    TestPlan plan;
    plan.channel = {1};
    plan.duration = kRunTest;
    tell(StartTest{plan});
    tell(Go{{1}, now, kRunTest});
  }

  void receive_drafts(std::size_t flow, const std::vector<Draft>& drafts) {
    const std::size_t size = terms_.payload_bytes;
    std::string buffer(drafts.size() * size, '\0');
    const MutableByteView bytes = std::as_writable_bytes(std::span(buffer));
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      const MutableByteView one = bytes.subspan(i * size, size);
      wire::write_data_template(one, nonces_.at(flow));
      wire::set_data_header(one.data(), drafts[i].channel, {drafts[i].seq}, drafts[i].offset);
      wire::set_data_time(one.data(), drafts[i].time);
    }
    if (*rc::gen::inRange(0, 4) == 0) change_types(bytes, size);
    guard_.tag(bytes, size);
    spoil(buffer, size);
    const auto mark = *rc::gen::element<std::optional<std::uint8_t>>(std::nullopt, 0, 3);
    if (!buffer.empty()) receive(buffer, size, client_socket(flow), mark);
  }

 private:
  // The three ways of each path's heartbeat. Both servers send the same.
  void prove() {
    const auto client = make_port_actor(client_);
    for (int way = 0; way < 2; ++way) {
      while (const auto transmit = client->poll_transmit(now)) {
        receive(std::string(as_text(transmit->bytes)), transmit->bytes.size(),
                client_socket(transmit->flow));
        for (const std::string& answer : said().datagrams) {
          Datagram back = datagram(answer, kServerEnd, now);
          back.flow = transmit->flow;
          note_nonce(transmit->flow, back);
          client->on_datagram(now, back);
        }
      }
    }
    RC_ASSERT(nonces_.size() == terms_.streams);
  }
  void note_nonce(std::size_t flow, const Datagram& heartbeat_1) {
    const auto packet = wire::parse_path_packet(heartbeat_1.bytes);
    RC_ASSERT(packet.has_value());
    if (packet->header.channel != plain_channel(PortKind::kUpload, terms_)) return;
    const ByteView body = packet->body;
    const bool sealed = client_.front().path->keys.has_value();
    const auto answer = wire::parse_path_heartbeat1(
        sealed ? body.first(body.size() - PacketGuard::kMaxSeal) : body);
    RC_ASSERT(answer.has_value());
    if (flow == nonces_.size()) nonces_.push_back(answer->server_nonce);
  }
  // Several kinds of packets in one buffer.
  static void change_types(MutableByteView datagrams, std::size_t size) {
    for (std::size_t at = 0; at < datagrams.size(); at += size) {
      if (*rc::gen::inRange(0, 3) != 0) continue;
      datagrams[at] = static_cast<std::byte>(*rc::gen::inRange(0x80, 0x89));
    }
  }

  TestTerms terms_;
  std::vector<PortConfig> client_;
  PacketGuard guard_;
  std::vector<wire::PathNonce> nonces_;
};

TestTerms drawn_upload(bool tags) {
  TestTerms terms;
  terms.directions = wire::Directions::kUpload;
  terms.duration = kRunTest;
  terms.payload_bytes = static_cast<std::uint32_t>(*rc::gen::inRange(64, 120));
  terms.streams = kRunStreams;
  terms.reliable = *rc::gen::arbitrary<bool>();
  terms.data_tags = tags;
  terms.single_port = *rc::gen::arbitrary<bool>();
  return terms;
}

// The drafts of one buffer: those of a stream, now and then with another one's among them.
std::vector<Draft> drawn_drafts(std::vector<Numbers>& streams, std::size_t stream) {
  std::vector<Draft> drafts;
  const int pieces = *rc::gen::inRange(1, 5);
  for (int i = 0; i < pieces; ++i) {
    const bool astray = *rc::gen::inRange(0, 8) == 0;
    const auto piece = streams[astray ? (stream + 1) % streams.size() : stream].piece();
    drafts.insert(drafts.end(), piece.begin(), piece.end());
  }
  return drafts;
}

RC_GTEST_PROP(DataRuns, ComeToWhatTheirDatagramsComeTo, ()) {
  const bool tags = *rc::gen::inRange(0, 3) == 0;
  UploadTwins ports(drawn_upload(tags), tags || *rc::gen::arbitrary<bool>());
  std::vector<Numbers> streams;
  for (std::size_t i = 0; i < kRunStreams; ++i) streams.emplace_back(stream_channel(i));
  const int buffers = *rc::gen::inRange(1, 30);
  for (int i = 0; i < buffers; ++i) {
    const auto stream = *rc::gen::inRange<std::size_t>(0, kRunStreams);
    ports.receive_drafts(stream, drawn_drafts(streams, stream));
    ports.wait(1ms * *rc::gen::inRange(0, 100));
  }
  if (*rc::gen::arbitrary<bool>()) ports.tell(StopTest{{1}, wire::StopReason::kWanted});
  for (int i = 0; i < 60; ++i) ports.wait(100ms);
  RC_ASSERT(ports.finished().has_value());
  RC_CLASSIFY(ports.finished()->totals.packets > 20, "data was taken");
}

// --- dialect 0.14 ---

class OriginalTwins : public Twins {
 public:
  explicit OriginalTwins(bool proven)
      : Twins(std::array{actor_config(Side::kServer, PortKind::kUpload)}) {
    if (proven) {
      receive(heartbeat_0(), kAsItIs, kClientEnd);
      receive(heartbeat_2({kClientEnd, said().datagrams.front()}), kAsItIs, kClientEnd);
    }
    TestPlan plan = some_plan();
    plan.duration = kRunTest;
    plan.progress_interval = 70ms;
    tell(StartTest{plan});
    tell(Go{kChannel, now, kRunTest});
  }

  void receive_drafts(const std::vector<Draft>& drafts, std::size_t size) {
    std::string buffer;
    for (const Draft& draft : drafts) {
      const auto type = wire::MessageType::kBandwidthTest;
      buffer += packet({type, draft.channel, {draft.seq}, draft.offset},
                       std::string(size - wire::kHeaderSize, 'x'));
    }
    spoil(buffer, size);
    if (!buffer.empty()) receive(buffer, size, kClientEnd);
  }

 private:
  static constexpr std::size_t kAsItIs = wire::kMaxPacketSize;  // one datagram
};

RC_GTEST_PROP(DataRuns, OfDialect014ComeToWhatTheirDatagramsComeTo, ()) {
  OriginalTwins port(*rc::gen::inRange(0, 4) != 0);
  std::vector<Numbers> streams = {Numbers(kChannel), Numbers({kChannel.value + 1})};
  const auto size = *rc::gen::inRange<std::size_t>(wire::kHeaderSize, 100);
  const int buffers = *rc::gen::inRange(1, 30);
  for (int i = 0; i < buffers; ++i) {
    port.receive_drafts(drawn_drafts(streams, 0), size);
    port.wait(1ms * *rc::gen::inRange(0, 100));
  }
  for (int i = 0; i < 60; ++i) port.wait(100ms);
  RC_ASSERT(port.finished().has_value());
  RC_CLASSIFY(port.finished()->totals.packets > 20, "data was taken");
}

}  // namespace data_run_test
}  // namespace wyndrvr::engine
