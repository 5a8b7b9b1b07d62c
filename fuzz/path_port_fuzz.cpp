// One port of dialect 1, at either end, under a script of time, datagrams and messages: nothing
// that a peer does breaks what a host relies on, no endpoint that is not proven gets more octets
// than came from it, and data leaves only under a valid grant.
//
// The first octets choose the actor; each following step takes what it needs from the rest:
//
//   step % 8   0    time moves on
//              1    raw octets as a datagram
//              2-4  a packet with its right nonce and a body from the rest
//              5    a body that parses: heartbeats that prove, reports that grant, commands
//              6-7  a message of the session
//
// A datagram comes from the peer, or (top bits of its step) from a stranger or from another port.
// There are no keys: a fuzzer would not get past them.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "crypto/path_nonces.hpp"
#include "engine/path_packets.hpp"
#include "engine/port_actor.hpp"
#include "script.hpp"
#include "wire/path_heartbeat.hpp"
#include "wire/path_packet.hpp"
#include "wire/receiver_report.hpp"
#include "wire/test_command.hpp"

using namespace wyndrvr;
using namespace wyndrvr::engine;

namespace {

constexpr std::size_t kStreams = 3;
constexpr int kMaxTransmitsPerStep = 20'000;
constexpr int kMaxMailPerStep = 1000;
constexpr int kMaxTurnsPerStep = 4;
// So that one input does not send for hours.
constexpr int kMaxSteps = 200;

Endpoint path_end(std::string_view address, std::uint16_t port) {
  return {parse_ip(address).value(), {port}};
}

struct Account {
  std::uint64_t octets_in = 0;
  std::uint64_t octets_out = 0;
  bool proven = false;
};
struct GrantSeen {
  std::uint64_t octets = 0;
  std::uint64_t sent = 0;
  Instant valid_until;
};

class PathRun {
 public:
  explicit PathRun(fuzz::Script& script)
      : script_(script), config_(choose(script)), actor_(make_port_actor({&config_, 1})) {
    settle();
    // A client's coordinator starts nothing before its ports are proven.
    if (script_.octet() % 4 != 0 || is_client()) prove_all();
  }
  void step() {
    const std::uint8_t step = script_.octet();
    switch (step % 8) {
      case 0:
        now_ +=
            Duration(static_cast<std::int64_t>(script_.number(2))) * (step >= 128 ? 100'000 : 1000);
        break;
      case 1:
        receive(script_.octets(script_.number(2) % 1500), step, 0);
        break;
      case 2:
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
    actor_->on_timer(now_);
    settle();
  }

 private:
  static PortConfig choose(fuzz::Script& script) {
    PortConfig config;
    const std::uint8_t kind = script.octet();
    config.side = kind % 2 == 0 ? Side::kClient : Side::kServer;
    config.kind = kPortKinds[kind / 2 % kPortCount];
    config.peer = path_end("192.0.2.1", 50'000);
    config.server_port = {7000};
    config.start = Instant(1000s);
    if (kind % 5 == 0) config.heartbeat_count = 3;
    PathSetup setup;
    setup.handshake.session = 77;
    setup.terms.directions = wire::Directions::kBoth;
    setup.terms.streams = kStreams;
    setup.terms.duration = 2s;
    setup.terms.reliable = kind >= 128;
    setup.terms.payload_bytes = kind % 3 == 0 ? 64 : 1400;
    if (kind % 7 != 0) setup.terms.rate = BitRate{5e6};
    setup.terms.adaptive = kind % 2 == 0;
    if (kind % 11 == 0) setup.terms.octets = ByteCount{100'000};
    config.path = setup;
    return config;
  }
  [[nodiscard]] bool is_client() const { return config_.side == Side::kClient; }
  [[nodiscard]] std::size_t paths() const { return path_count(config_.kind, config_.path->terms); }
  // The peer's endpoint of a path: a client's has one for each socket.
  [[nodiscard]] Endpoint source(std::uint8_t step, std::size_t path) const {
    if (step >> 5U == 7) return path_end("203.0.113.66", 50'000);
    Endpoint from = config_.peer;
    if (!is_client()) from.port.value = static_cast<std::uint16_t>(from.port.value + path);
    if (step >> 5U == 6) from.port = {40'000};
    return from;
  }
  // What must stand in a packet to the actor.
  [[nodiscard]] wire::PathNonce nonce(const Endpoint& from, std::size_t path,
                                      wire::PathType type) const {
    const crypto::PathId id = path_id(config_.kind, path);
    if (is_client() || type == wire::PathType::kHeartbeat0) {
      return {crypto::client_path_nonce(config_.path->handshake, id)};
    }
    return {crypto::server_path_nonce(config_.path->path_secret, from, id)};
  }

  // --- what comes in ---
  void receive(const std::vector<std::byte>& bytes, std::uint8_t step, std::size_t path) {
    Datagram datagram;
    datagram.bytes = bytes;
    datagram.from = source(step, path);
    datagram.arrival = now_;
    datagram.kernel_stamped = step % 2 == 0;
    datagram.flow = static_cast<std::uint8_t>(is_client() ? path : 0);
    datagram.socket_drops = step % 16;
    if (step >> 5U == 5 && !bytes.empty()) {
      datagram.segment_size = static_cast<std::uint32_t>(bytes.size() / 3 + 1);
    }
    accounts_[datagram.from].octets_in += bytes.size();
    note_grant(bytes);
    actor_->on_datagram(now_, datagram);
  }
  // Whatever could be taken for a grant: what leaves may not exceed the most generous one.
  void note_grant(ByteView bytes) {
    const auto packet = wire::parse_path_packet(bytes);
    if (!packet || packet->header.type != wire::PathType::kReport) return;
    std::array<wire::ClosedRange, wire::kMaxReportRanges> storage;
    const auto report = wire::parse_receiver_report(packet->body, storage);
    if (!report) return;
    GrantSeen& grant = grants_[packet->header.channel.value];
    grant.octets = std::max(grant.octets, report->granted.value);
    grant.valid_until = std::max(grant.valid_until, now_ + report->valid_for);
  }
  std::vector<std::byte> prefix(wire::PathType type, std::size_t path, std::uint8_t step) {
    const bool stream = type == wire::PathType::kData || type == wire::PathType::kReport;
    const ChannelId channel = stream ? stream_channel(path) : ChannelId{0};
    std::vector<std::byte> packet(wire::kPathPrefixSize);
    wire::write_path_prefix(packet.data(), {type, channel, {next_seq_++}, 0},
                            nonce(source(step, path), path, type));
    return packet;
  }
  void receive_packet(std::uint8_t step) {
    constexpr std::array kTypes = {wire::PathType::kHeartbeat0, wire::PathType::kHeartbeat1,
                                   wire::PathType::kHeartbeat2, wire::PathType::kReport,
                                   wire::PathType::kData,       wire::PathType::kControl,
                                   wire::PathType::kResult,     wire::PathType::kData};
    const std::uint8_t fields = script_.octet();
    const std::size_t path = fields / 8U % paths();
    auto packet = prefix(kTypes[fields % kTypes.size()], path, step);
    const auto body = script_.octets(script_.octet());
    packet.insert(packet.end(), body.begin(), body.end());
    // DATA of the length that was granted.
    if (fields % 4 == 0 && fields >= 128) packet.resize(config_.path->terms.payload_bytes);
    receive(packet, step, path);
  }
  template <class Write>
  void receive_written(wire::PathType type, std::size_t path, std::uint8_t step, Write write) {
    auto packet = prefix(type, path, step);
    std::array<std::byte, wire::kMaxPacketSize> body{};
    const std::size_t size = write(MutableByteView(body));
    packet.insert(packet.end(), body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    receive(packet, step, path);
  }
  void receive_body_that_parses(std::uint8_t step) {
    const std::uint8_t choice = script_.octet();
    const std::size_t path = choice / 8U % paths();
    switch (choice % 8) {
      case 0:
      case 1:
        return prove(path, step);
      case 2:
      case 3:
      case 4:
        return receive_report(path, step);
      case 5:
      case 6:
        return receive_written(wire::PathType::kControl, path, step, [&](MutableByteView out) {
          return wire::write_test_command(out, command());
        });
      default:
        return receive_written(wire::PathType::kResult, path, step, [&](MutableByteView out) {
          return wire::write_result_message(out, result());
        });
    }
  }
  void receive_report(std::size_t path, std::uint8_t step) {
    wire::ReceiverReport report;
    report.number = ++report_number_ - script_.octet() % 2U;
    report.granted = {script_.number(3)};
    report.valid_for = 1ms * (script_.octet() % 251);
    report.figures.datagrams = report.figures.unique = script_.octet();
    report.figures.expected = report.figures.unique + script_.octet();
    report.figures.octets = {report.figures.datagrams * 1400};
    std::array<wire::ClosedRange, 4> ranges;
    std::uint64_t at = script_.octet();
    for (wire::ClosedRange& range : ranges) {
      range = {at, at + script_.octet()};
      at = range.end + 1 + script_.octet();
    }
    report.ranges = std::span(ranges).first(script_.octet() % 5U);
    receive_written(wire::PathType::kReport, path, step,
                    [&](MutableByteView out) { return wire::write_receiver_report(out, report); });
  }
  wire::TestCommand command() {
    const wire::TestNumber number{script_.octet() % 4U + 1};
    switch (script_.octet() % 4) {
      case 0:
        return wire::StartTest{
            number,
            number.value % 2 == 1 ? wire::TestDirection::kUpload : wire::TestDirection::kDownload,
            1ms * (1 + script_.number(2))};
      case 1:
        return wire::TestReady{number};
      case 2:
        return wire::StopTest{number, wire::StopReason::kSustainedLoss};
      default:
        return wire::TestStopped{number};
    }
  }
  wire::ResultMessage result() {
    const wire::TestNumber number{script_.octet() % 4U + 1};
    if (script_.octet() % 2 == 0) return wire::ResultReceived{number, wire::SenderFigures{}};
    wire::ReceiverResult told;
    told.test = number;
    told.figures.datagrams = script_.octet();
    told.figures.unique = script_.octet();
    told.figures.expected = script_.octet();
    return told;
  }
  // The way of the three-way heartbeat that is the peer's, with the time last sent.
  void prove(std::size_t path, std::uint8_t step) {
    if (is_client()) {
      receive_written(wire::PathType::kHeartbeat1, path, step, [&](MutableByteView out) {
        return wire::write_path_heartbeat1(
            out, {last_time_, {script_.number(1)}, now_micros(), 0, std::nullopt});
      });
      return;
    }
    receive_written(wire::PathType::kHeartbeat0, path, step,
                    [](MutableByteView out) { return wire::write_path_heartbeat0(out, {1000}); });
    settle();
    const wire::PathNonce clients = nonce(source(step, path), path, wire::PathType::kHeartbeat0);
    // From where the nonce came to, so it is right to believe it.
    accounts_[source(step, path)].proven = true;
    receive_written(wire::PathType::kHeartbeat2, path, step, [&](MutableByteView out) {
      return wire::write_path_heartbeat2(out, {last_time_, clients, last_time_ % 1'000'000});
    });
  }
  [[nodiscard]] std::uint64_t now_micros() const {
    return static_cast<std::uint64_t>(now_.time_since_epoch().count()) / 1000 * 1000;
  }
  void prove_all() {
    for (std::size_t path = 0; path < paths(); ++path) {
      prove(path, 0);
      settle();
    }
  }

  // --- messages ---
  void tell(std::uint8_t step) {
    TestPlan plan;
    plan.channel = {step % 4U + 1};
    plan.direction = config_.kind == PortKind::kControl
                         ? (step % 2 == 0 ? PortKind::kUpload : PortKind::kDownload)
                         : config_.kind;
    plan.duration = 2s;
    plan.progress_interval = step % 3 == 0 ? 0ms : 100ms;
    const std::array<Message, 12> messages = {StartTest{plan},
                                              Go{plan.channel, now_, plan.duration},
                                              PortReady{plan.channel},
                                              StartTest{plan},
                                              Go{plan.channel, now_, plan.duration},
                                              SetLoaded{step % 2 == 0},
                                              Nudge{},
                                              TestFinished{plan.channel, {}},
                                              SenderFinished{plan.channel, {}},
                                              TestBroken{plan.channel, wire::StopReason::kWanted},
                                              StopTest{plan.channel, wire::StopReason::kWanted},
                                              Drain{}};
    // The one that ends everything is rare.
    const std::size_t choice = script_.octet() % 64;
    actor_->on_message(now_, Mailbox::kCoordinator, mailbox_of(config_.kind),
                       messages[choice < 63 ? choice % 11 : 11]);
  }

  // --- what a host does after every event, and what it relies on ---
  void settle() {
    for (int turn = 1;; ++turn) {
      WYNDRVR_CHECK(turn <= kMaxTurnsPerStep);
      drain();
      const auto deadline = actor_->poll_deadline(now_);
      if (!deadline || deadline->at > now_) return;
      actor_->on_timer(now_);
    }
  }
  void drain() {
    int transmits = 0;
    while (const auto transmit = actor_->poll_transmit(now_)) {
      WYNDRVR_CHECK(++transmits <= kMaxTransmitsPerStep);
      WYNDRVR_CHECK(!transmit->bytes.empty() && transmit->segment_size > 0);
      if (transmit->stamp_token) actor_->on_transmit_stamp(*transmit->stamp_token, now_);
      for (ByteView rest = transmit->bytes; !rest.empty();) {
        const std::size_t size = std::min<std::size_t>(rest.size(), transmit->segment_size);
        look_at(rest.first(size), *transmit);
        rest = rest.subspan(size);
      }
    }
    int mails = 0;
    while (actor_->poll_message()) WYNDRVR_CHECK(++mails <= kMaxMailPerStep);
  }
  // All that leaves is in order, and goes where it may.
  void look_at(ByteView bytes, const Transmit& transmit) {
    const auto packet = wire::parse_path_packet(bytes);
    WYNDRVR_CHECK(packet.has_value());
    const wire::PathType type = packet->header.type;
    if (is_client()) WYNDRVR_CHECK(transmit.to == config_.peer);
    if (!is_client()) {
      Account& account = accounts_[transmit.to];
      account.octets_out += bytes.size();
      WYNDRVR_CHECK(account.proven || account.octets_out <= account.octets_in);
      WYNDRVR_CHECK(account.proven || type == wire::PathType::kHeartbeat1);
    }
    if (type == wire::PathType::kData) {
      GrantSeen& grant = grants_[packet->header.channel.value];
      grant.sent += bytes.size();
      WYNDRVR_CHECK(grant.sent <= grant.octets && now_ < grant.valid_until);
    } else if (type == wire::PathType::kHeartbeat0) {
      last_time_ = wire::parse_path_heartbeat0(packet->body).value().client_time_ns;
    } else if (type == wire::PathType::kHeartbeat1) {
      last_time_ = wire::parse_path_heartbeat1(packet->body).value().server_time_ns;
    }
  }

  fuzz::Script& script_;
  PortConfig config_;
  std::unique_ptr<PortActor> actor_;
  Instant now_{1000s};
  std::map<Endpoint, Account> accounts_;
  std::map<std::uint32_t, GrantSeen> grants_;
  std::uint64_t next_seq_ = 0;
  std::uint32_t report_number_ = 1;
  std::uint64_t last_time_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Script script(std::span(data, size));
  PathRun run(script);
  for (int i = 0; i < kMaxSteps && !script.done(); ++i) run.step();
  return 0;
}
