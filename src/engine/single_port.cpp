#include "engine/single_port.hpp"

#include <algorithm>
#include <cstring>

#include "wire/path_packet.hpp"

namespace wyndrvr::engine {
namespace {

// Transmit stamps are asked for under names that each port gives for itself: the port's index is
// put in front.
constexpr std::uint32_t kTokenBits = 30;
constexpr std::uint32_t kTokenMask = (1U << kTokenBits) - 1;

// Whether two whole headers have the same type and channel: then they are for the same port.
bool has_kind_of(ByteView a, ByteView b) {
  return a.size() >= wire::kHeaderSize && b.size() >= wire::kHeaderSize &&
         std::memcmp(a.data(), b.data(), wire::kHeaderSeqAt) == 0;
}

}  // namespace

SinglePort::SinglePort(std::span<const PortConfig, kPortCount> configs)
    : side_(configs[0].side),
      ports_{PathPort(configs[0]), PathPort(configs[1]), PathPort(configs[2])} {}

PathPort& SinglePort::port_for(ByteView datagram) {
  PathPort& control = ports_[index_of(PortKind::kControl)];
  PathPort& upload = ports_[index_of(PortKind::kUpload)];
  PathPort& download = ports_[index_of(PortKind::kDownload)];
  const auto type = wire::path_type(datagram);
  if (!type || datagram.size() < wire::kHeaderSize) return control;  // which counts the drop
  switch (*type) {
    case wire::PathType::kHeartbeat0:
    case wire::PathType::kHeartbeat1:
    case wire::PathType::kHeartbeat2: {
      constexpr std::size_t kChannelAt = 1;
      constexpr std::size_t kChannelSize = 3;
      const auto channel = base::load_big_endian(datagram.data() + kChannelAt, kChannelSize);
      return ports_[channel < ports_.size() ? channel : 0];
    }
    case wire::PathType::kData:
      return side_ == Side::kServer ? upload : download;
    case wire::PathType::kReport:
      return side_ == Side::kServer ? download : upload;
    case wire::PathType::kControl:
    case wire::PathType::kResult:
      break;
  }
  return control;
}

void SinglePort::on_datagram(Instant now, const Datagram& datagram) {
  if (datagram.truncated || datagram.bytes.empty()) {
    ports_[0].on_datagram(now, datagram);
    return;
  }
  // Datagrams of equal size may be of different kinds. Runs of one kind stay together.
  const std::size_t stride = stride_of(datagram);
  ByteView rest = datagram.bytes;
  while (!rest.empty()) {
    PathPort& port = port_for(rest);
    std::size_t run = std::min(stride, rest.size());
    while (run < rest.size() &&
           (has_kind_of(rest, rest.subspan(run)) || &port_for(rest.subspan(run)) == &port)) {
      run = std::min(run + stride, rest.size());
    }
    Datagram part = datagram;
    part.bytes = rest.first(run);
    port.on_datagram(now, part);
    rest = rest.subspan(run);
  }
}

void SinglePort::on_message(Instant now, Mailbox from, Mailbox to, const Message& message) {
  if (to == Mailbox::kCoordinator) return;
  ports_[static_cast<std::size_t>(to)].on_message(now, from, to, message);
}

void SinglePort::on_timer(Instant now) {
  for (PathPort& port : ports_) port.on_timer(now);
}

void SinglePort::on_transmit_stamp(std::uint32_t token, Instant stamp) {
  const std::uint32_t index = token >> kTokenBits;
  if (index < ports_.size()) ports_[index].on_transmit_stamp(token & kTokenMask, stamp);
}

void SinglePort::on_send_failed(TransmitKind kind, std::uint64_t packets) {
  ports_[last_data_].on_send_failed(kind, packets);
}

void SinglePort::on_send_blocked(TransmitKind kind) {
  ports_[last_data_].on_send_blocked(kind);
}

void SinglePort::on_peer_unreachable(Instant now, Unreachable cause) {
  for (PathPort& port : ports_) port.on_peer_unreachable(now, cause);
}

void SinglePort::on_packet_too_big(Instant now, const TooBig& told) {
  for (PathPort& port : ports_) port.on_packet_too_big(now, told);
}

std::optional<Transmit> SinglePort::poll_transmit(Instant now, std::size_t most_data) {
  // What is not data goes first, whoever's it is.
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (auto transmit = ports_[i].poll_transmit(now, 0)) {
      if (transmit->stamp_token) {
        const auto index = static_cast<std::uint32_t>(i);
        transmit->stamp_token = index << kTokenBits | (*transmit->stamp_token & kTokenMask);
      }
      return transmit;
    }
  }
  if (most_data == 0) return std::nullopt;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const std::size_t index = first_asked_;
    first_asked_ = (first_asked_ + 1) % ports_.size();
    if (auto transmit = ports_[index].poll_transmit(now, most_data)) {
      last_data_ = index;
      return transmit;
    }
  }
  return std::nullopt;
}

std::optional<Outgoing> SinglePort::poll_message() {
  for (PathPort& port : ports_) {
    if (auto message = port.poll_message()) return message;
  }
  return std::nullopt;
}

std::optional<Deadline> SinglePort::poll_deadline(Instant now) const {
  std::optional<Deadline> next;
  for (const PathPort& port : ports_) next = earlier(next, port.poll_deadline(now));
  return next;
}

DropCounts SinglePort::drops() const {
  DropCounts sum{};
  for (const PathPort& port : ports_) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += port.drops()[i];
  }
  return sum;
}

}  // namespace wyndrvr::engine
