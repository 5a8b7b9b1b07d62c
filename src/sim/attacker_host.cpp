#include "sim/attacker_host.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "sim/packet.hpp"
#include "wire/handshake.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::sim {
namespace {

constexpr std::uint64_t kSalt = 0x61'74'74'61'63'6b;
constexpr std::uint32_t kVictim = 99;  // of the strangers
// A copy comes after its original has been read.
constexpr Duration kSoonestReplay = 20ms;
constexpr Duration kLatestReplay = 3s;

template <class Message>
std::vector<std::byte> written(const Message& message) {
  std::vector<std::byte> bytes(wire::kMaxHandshakeSize);
  bytes.resize(wire::write_handshake(bytes, message));
  return bytes;
}

std::vector<std::byte> written(const wire::Close& close, wire::Sender sender) {
  std::vector<std::byte> bytes(wire::kMaxHandshakeSize);
  bytes.resize(wire::write_handshake(bytes, close, sender));
  return bytes;
}

// Copies of 0.14's are another matter: nothing there keeps its ends from taking them.
bool is_of_dialect_one(const Packet& packet) {
  return wire::path_type(packet.bytes) || wire::parse_from_client(packet.bytes) ||
         wire::parse_from_server(packet.bytes);
}

}  // namespace

AttackerHost::AttackerHost(Environment& environment, FindTargets server, FindTargets clients)
    : Host(environment, "attacker", stranger_address(environment.scenario.v6, kVictim + 1),
           HostConfig{}),
      scenario_(*environment.scenario.attack),
      server_(std::move(server)),
      clients_(std::move(clients)),
      link_(&environment.network.add_link(LinkConfig{}, environment.scenario.v6)),
      random_(environment.scenario.seed ^ kSalt) {
  if (scenario_.replays <= 0) return;
  environment.network.set_arrival_tap([this](const Packet& packet) { replay(packet); });
}

void AttackerHost::start() {
  const auto span = static_cast<std::uint64_t>((scenario_.until - scenario_.from).count());
  for (unsigned i = 0; i < scenario_.datagrams; ++i) {
    const TrueTime at = scenario_.from + Duration(static_cast<Duration::rep>(draw(0, span)));
    environment().queue.at(at, [this] { forge_one(); });
  }
}

void AttackerHost::forge_one() {
  if (draw(0, 2) == 0) {
    forge_handshake();
  } else {
    forge_packet();
  }
}

void AttackerHost::forge_handshake() {
  const Endpoint main = server_().front();
  const std::vector<Endpoint> clients = clients_();
  if (clients.empty() || draw(0, 1) == 0) {
    send(client_or_other(), main, handshake_for_server());
  } else {
    send(main, pick(clients), handshake_for_client());
  }
}

void AttackerHost::forge_packet() {
  const std::vector<Endpoint> clients = clients_();
  if (clients.empty() || draw(0, 1) == 0) {
    send(client_or_other(), pick(server_()), path_packet());
  } else {
    send(pick(server_()), pick(clients), path_packet());
  }
}

Endpoint AttackerHost::client_or_other() {
  const std::vector<Endpoint> clients = clients_();
  if (!clients.empty() && draw(0, 2) > 0) return pick(clients);
  const bool victim = draw(0, 1) == 0;
  return {victim ? stranger_address(environment().scenario.v6, kVictim) : address(),
          {static_cast<std::uint16_t>(draw(1024, 65'535))}};
}

std::vector<std::byte> AttackerHost::handshake_for_server() {
  wire::Open open;
  fill(open.client_nonce);
  fill(open.cookie.hash);
  open.cookie.slot = static_cast<std::uint32_t>(draw(0, std::numeric_limits<std::uint32_t>::max()));
  switch (draw(0, 3)) {
    case 0:
      return written(open);
    case 1: {
      wire::Close close;
      close.client_nonce = open.client_nonce;
      close.session = {draw(0, std::numeric_limits<std::uint64_t>::max())};
      return written(close, wire::Sender::kClient);
    }
    default:
      return written(wire::Hello{open.client_nonce});
  }
}

std::vector<std::byte> AttackerHost::handshake_for_client() {
  wire::Grant grant;
  fill(grant.client_nonce);
  fill(grant.server_nonce);
  grant.session = {draw(0, std::numeric_limits<std::uint64_t>::max())};
  grant.ports = {{7000}, {7001}, {7002}};
  switch (draw(0, 3)) {
    case 0:
      return written(grant);
    case 1:
      return written(wire::Refuse{.client_nonce = grant.client_nonce});
    case 2:
      return written(wire::Close{.client_nonce = grant.client_nonce, .session = grant.session},
                     wire::Sender::kServer);
    default:
      return written(wire::Cookie{.client_nonce = grant.client_nonce});
  }
}

// Of any type, with a nonce that he made up and everything behind it that he could wish for.
std::vector<std::byte> AttackerHost::path_packet() {
  struct Shape {
    wire::PathType type;
    std::size_t body;  // behind the nonce
  };
  constexpr std::array<Shape, 10> kShapes = {{{wire::PathType::kHeartbeat0, 48},
                                              {wire::PathType::kHeartbeat1, 48},
                                              {wire::PathType::kHeartbeat2, 16},
                                              {wire::PathType::kReport, 128},
                                              {wire::PathType::kData, 1372},
                                              {wire::PathType::kData, 100},
                                              {wire::PathType::kControl, 14},
                                              {wire::PathType::kControl, 6},
                                              {wire::PathType::kControl, 5},
                                              {wire::PathType::kResult, 140}}};
  const Shape shape = kShapes[draw(0, kShapes.size() - 1)];
  const bool has_stream =
      shape.type == wire::PathType::kReport || shape.type == wire::PathType::kData;
  const bool huge = draw(0, 1) == 0;
  wire::PathHeader header;
  header.type = shape.type;
  const bool is_command =
      shape.type == wire::PathType::kControl || shape.type == wire::PathType::kResult;
  const std::uint64_t plain = is_command ? 0 : draw(0, wire::kLastHeartbeatChannel);
  header.channel = {static_cast<std::uint32_t>(has_stream ? draw(1, kMostStreams) : plain)};
  header.seq = {huge ? draw(0, std::numeric_limits<std::uint64_t>::max()) : draw(0, 100)};
  std::vector<std::byte> bytes(wire::kPathPrefixSize + shape.body);
  const auto nonce = wire::PathNonce{draw(0, std::numeric_limits<std::uint64_t>::max())};
  wire::write_path_prefix(bytes.data(), header, nonce);
  const MutableByteView body = MutableByteView(bytes).subspan(wire::kPathPrefixSize);
  if (shape.type == wire::PathType::kControl) body[0] = static_cast<std::byte>(draw(1, 4));
  // A report's number, and a grant of all that there is.
  if (shape.type == wire::PathType::kReport) {
    std::ranges::fill(body.subspan(1, 11), std::byte{0x7f});
    body[13] = std::byte{250};
  }
  if (has_stream && draw(0, 1) == 0) fill(body);
  return bytes;
}

Endpoint AttackerHost::pick(const std::vector<Endpoint>& endpoints) {
  return endpoints[draw(0, endpoints.size() - 1)];
}

void AttackerHost::fill(MutableByteView octets) {
  for (std::byte& octet : octets) octet = static_cast<std::byte>(draw(0, 255));
}

void AttackerHost::send(const Endpoint& from, const Endpoint& to, std::vector<std::byte> bytes) {
  environment().coverage.count(Seen::kForged);
  Packet packet;
  packet.from = from;
  packet.to = to;
  packet.bytes = std::move(bytes);
  packet.note.garbage = true;
  packet.note.forged = true;
  packet.note.sent = environment().queue.now();
  packet.note.departed = packet.note.sent;
  environment().network.send(link_, packet);
}

// Of what came as it was sent, so that a copy can never take the place of the original.
void AttackerHost::replay(const Packet& original) {
  const bool in_time = original.arrived >= scenario_.from && original.arrived < scenario_.until;
  if (!in_time || !original.note.genuine() || !is_of_dialect_one(original)) return;
  if (!random_.chance(scenario_.replays)) return;
  environment().coverage.count(Seen::kReplayed);
  Packet copy = original;
  copy.note = {};
  copy.note.garbage = true;
  copy.note.replayed = true;
  copy.note.upload = original.note.upload;
  copy.note.serial = original.note.serial;
  const auto span = static_cast<std::uint64_t>((kLatestReplay - kSoonestReplay).count());
  copy.note.sent = environment().queue.now() + kSoonestReplay +
                   Duration(static_cast<Duration::rep>(draw(0, span)));
  copy.note.departed = copy.note.sent;
  environment().queue.at(
      copy.note.sent, [this, held = std::move(copy)] { environment().network.send(link_, held); });
}

}  // namespace wyndrvr::sim
