#include "sim/network.hpp"

#include <string_view>
#include <utility>

#include "base/check.hpp"

namespace wyndrvr::sim {
namespace {

constexpr std::size_t kHeadersV4 = 28;  // IPv4 and UDP, octets
constexpr std::size_t kHeadersV6 = 48;
constexpr Duration kIcmpDelay = 5ms;

// Copies on their way keep a heartbeat's fate open.
void add_pending(const Note& note, std::size_t copies) {
  if (note.heartbeat != nullptr) note.heartbeat->pending += static_cast<unsigned>(copies);
}

}  // namespace

Link& Network::add_link(const LinkConfig& config, bool v6) {
  return links_.emplace_back(config, v6 ? kHeadersV6 : kHeadersV4, random_);
}

Link* Network::route(const IpAddress& to) const {
  const auto found = routes_.find(to);
  return found == routes_.end() ? nullptr : found->second;
}

void Network::bind(const Endpoint& endpoint, Socket& socket) {
  WYNDRVR_CHECK(sockets_.emplace(endpoint, &socket).second);
}

void Network::rebind(const Endpoint& inside, const Endpoint& outside) {
  if (const auto old = outside_of_.find(inside); old != outside_of_.end()) {
    inside_of_.erase(old->second);
  }
  outside_of_[inside] = outside;
  inside_of_[outside] = inside;
}

std::size_t Network::send(Link* link, const Packet& original) {
  const auto outside = original.note.garbage ? outside_of_.end() : outside_of_.find(original.from);
  if (outside == outside_of_.end()) return forward(link, original);
  Packet translated = original;
  translated.from = outside->second;
  return forward(link, translated);
}

std::size_t Network::forward(Link* link, const Packet& packet) {
  if (tap_) tap_(packet);
  const Link::Outcome outcome = link == nullptr
                                    ? Link::Outcome{{}, 0, "no route"}
                                    : link->carry(packet.note.departed, packet.bytes.size());
  const unsigned type = packet.bytes.empty() ? 255U : std::to_integer<unsigned>(packet.bytes[0]);
  trace_.line(queue_.now(), "network", "{} -> {} type {} of {} octets: {}, {} copies", packet.from,
              packet.to, type, packet.bytes.size(), std::string_view(outcome.fate), outcome.count);
  trace_.mix_bytes(ByteView(packet.bytes).first(std::min<std::size_t>(packet.bytes.size(), 160)));
  add_pending(packet.note, outcome.count);
  for (std::size_t i = 0; i < outcome.count; ++i) {
    auto copy = std::make_unique<Packet>(packet);
    if (outcome.deliveries[i].corrupt) corrupt(*copy);
    const TrueTime at = std::max(outcome.deliveries[i].at, queue_.now());
    queue_.at(at, [this, moved = std::move(copy)]() mutable { arrive(std::move(moved)); });
  }
  return outcome.count;
}

void Network::corrupt(Packet& packet) {
  packet.note.corrupt = true;
  if (packet.bytes.empty()) return;
  const std::uint64_t changes = random_.between(1, 3);
  for (std::uint64_t i = 0; i < changes; ++i) {
    const std::uint64_t where = random_.between(0, packet.bytes.size() - 1);
    packet.bytes[where] ^= static_cast<std::byte>(random_.between(1, 255));
  }
}

void Network::arrive(PacketPtr packet) {
  packet->arrived = queue_.now();
  const auto inside = inside_of_.find(packet->to);
  const bool is_stale = outside_of_.contains(packet->to);
  const auto found = sockets_.find(inside == inside_of_.end() ? packet->to : inside->second);
  if (found == sockets_.end() || is_stale) {
    trace_.line(queue_.now(), "network", "nobody listens at {}", packet->to);
    note_unheard(packet->note);
    if (tells_unreachable_ && packet->note.genuine()) refuse(*packet);
    return;
  }
  if (arrival_tap_) arrival_tap_(*packet);
  found->second->on_arrival(std::move(packet));
}

void Network::refuse(const Packet& packet) {
  queue_.at(queue_.now() + kIcmpDelay, [this, from = packet.from, to = packet.to] {
    const auto found = sockets_.find(from);
    if (found != sockets_.end()) found->second->on_unreachable(to);
  });
}

}  // namespace wyndrvr::sim
