#include "sim/garbage_host.hpp"

#include <array>
#include <utility>

#include "wire/connect.hpp"
#include "wire/control.hpp"
#include "wire/header.hpp"

namespace wyndrvr::sim {

GarbageHost::GarbageHost(Environment& environment, FindTargets targets, FindTargets victims)
    : Host(environment, "garbage", garbage_address(environment.scenario.v6), HostConfig{}),
      scenario_(*environment.scenario.garbage),
      targets_(std::move(targets)),
      victims_(std::move(victims)),
      link_(&environment.network.add_link(LinkConfig{}, environment.scenario.v6)) {
  environment.network.set_tap([this](const Packet& packet) { overhear(packet); });
}

void GarbageHost::start() {
  const auto span = static_cast<std::uint64_t>((scenario_.until - scenario_.from).count());
  for (unsigned i = 0; i < scenario_.datagrams; ++i) {
    const TrueTime at = scenario_.from + Duration(static_cast<Duration::rep>(draw(0, span)));
    environment().queue.at(at, [this] { scenario_.flood ? flood_one() : send_one(); });
  }
}

void GarbageHost::overhear(const Packet& packet) {
  if (sending_) return;
  if (overheard_.size() < kOverheard) {
    overheard_.push_back(packet);
    return;
  }
  overheard_[next_overheard_] = packet;
  next_overheard_ = (next_overheard_ + 1) % kOverheard;
}

void GarbageHost::flood_one() {
  const Endpoint from{
      stranger_address(environment().scenario.v6, static_cast<std::uint32_t>(draw(1, 1U << 20U))),
      {static_cast<std::uint16_t>(draw(1024, 65'535))}};
  const ByteView connect = as_bytes(wire::kConnect);
  send(from, {server_address(environment().scenario.v6), kMainPort},
       {connect.begin(), connect.end()});
}

void GarbageHost::send_one() {
  const Endpoint to = pick(targets_());
  const std::vector<Endpoint> victims = victims_();
  const bool overheard = !overheard_.empty();
  switch (draw(0, 9)) {
    case 0:
    case 1:
      send(source(), to, random_octets());
      return;
    case 2:
    case 3: {
      const ByteView connect = as_bytes(wire::kConnect);
      send(source(), {to.address, kMainPort}, {connect.begin(), connect.end()});
      return;
    }
    case 4:
      send(source(), to, unwanted_request());
      return;
    case 5:
      if (!victims.empty() && overheard) {
        send({address(), {7000}}, pick(victims),
             damaged(overheard_[draw(0, overheard_.size() - 1)].bytes));
      }
      return;
    default:
      break;
  }
  if (!overheard) return;
  // A copy of the original's packet, where it was sent to or elsewhere, whole or not.
  const Packet original = overheard_[draw(0, overheard_.size() - 1)];
  const bool to_server = original.to.address == to.address;
  const bool whole = draw(0, 3) == 0;
  send(source(), to_server && draw(0, 1) == 0 ? original.to : to,
       whole ? original.bytes : damaged(original.bytes));
}

Endpoint GarbageHost::source() {
  const bool spoofs = scenario_.spoof && draw(0, 1) == 0;
  const std::size_t client = draw(0, environment().scenario.clients.size() - 1);
  return {spoofs ? client_address(environment().scenario.v6, client) : address(),
          {static_cast<std::uint16_t>(draw(1024, 65'535))}};
}

Endpoint GarbageHost::pick(const std::vector<Endpoint>& endpoints) {
  return endpoints[draw(0, endpoints.size() - 1)];
}

std::vector<std::byte> GarbageHost::random_octets() {
  std::vector<std::byte> bytes(draw(0, 1) == 0 ? draw(0, 64) : draw(0, 1470));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(draw(0, 255));
  // A type that exists gets further.
  if (!bytes.empty() && draw(0, 1) == 0) bytes[0] = static_cast<std::byte>(draw(0, 7));
  return bytes;
}

std::vector<std::byte> GarbageHost::damaged(std::vector<std::byte> bytes) {
  if (bytes.empty()) return bytes;
  switch (draw(0, 3)) {
    case 0:
      bytes.resize(draw(0, bytes.size()));
      break;
    case 1:
      bytes.resize(bytes.size() + draw(1, 100), std::byte{'7'});
      break;
    default:
      for (std::uint64_t i = draw(1, 8); i > 0; --i) {
        bytes[draw(0, bytes.size() - 1)] = static_cast<std::byte>(draw(0, 255));
      }
  }
  return bytes;
}

std::vector<std::byte> GarbageHost::unwanted_request() {
  wire::Bwup request;
  request.channel = {static_cast<std::uint32_t>(draw(1, ChannelId::kMax))};
  request.duration_s = static_cast<double>(draw(1, 5));
  std::vector<std::byte> bytes(wire::kHeaderSize + wire::kMaxControlBodySize);
  wire::write_header(bytes.data(), {wire::MessageType::kControl, request.channel, {0}, 0});
  const std::size_t size =
      wire::write_control(MutableByteView(bytes).subspan(wire::kHeaderSize), request);
  bytes.resize(wire::kHeaderSize + size);
  return bytes;
}

void GarbageHost::send(const Endpoint& from, const Endpoint& to, std::vector<std::byte> bytes) {
  environment().coverage.count(Seen::kGarbageSent);
  Packet packet;
  packet.from = from;
  packet.to = to;
  packet.bytes = std::move(bytes);
  packet.note.garbage = true;
  packet.note.sent = environment().queue.now();
  packet.note.departed = packet.note.sent;
  sending_ = true;
  environment().network.send(link_, packet);
  sending_ = false;
}

}  // namespace wyndrvr::sim
