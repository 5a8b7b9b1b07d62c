#include "sim/stream_watch.hpp"

#include <algorithm>

namespace wyndrvr::sim {
namespace {

using engine::PortKind;
using engine::Side;

constexpr unsigned kHeartbeat1 = 0x81;
constexpr unsigned kHeartbeat2 = 0x82;
constexpr unsigned kReport = 0x83;
constexpr unsigned kData = 0x84;
constexpr Duration kLongestGrant = 250ms;

// Offsets of what is looked at, in octets.
constexpr std::size_t kChannelAt = 1;
constexpr std::size_t kNumberAt = 4;
constexpr std::size_t kSeqOffsetAt = 12;
constexpr std::size_t kGrantedAt = 32;
constexpr std::size_t kValidAt = 40;
constexpr std::size_t kShortest = 42;

unsigned type_of(ByteView datagram) {
  return datagram.size() < kShortest ? 0U : std::to_integer<unsigned>(datagram[0]);
}

std::uint64_t stream_of(ByteView datagram) {
  return base::load_big_endian(datagram.data() + kChannelAt, 3) - 1;
}

}  // namespace

// --- sending ---

void StreamWatch::on_transmit(Note& note, const Endpoint& to, ByteView datagram) {
  const unsigned type = type_of(datagram);
  if (options_.side == Side::kServer && type != kHeartbeat1 && !proven_.contains(to)) {
    findings().add(now(), "{}: a datagram of type {} to {}, which is not proven", options_.name,
                   type, to);
  }
  if (type == kData) note_data(note, stream_of(datagram), datagram);
}

void StreamWatch::note_data(Note& note, std::size_t stream, ByteView datagram) {
  if (options_.client == nullptr || stream >= options_.terms.streams ||
      !options_.terms.has(options_.kind)) {
    findings().add(now(), "{}: data of stream {}, which was not granted", options_.name,
                   stream + 1);
    return;
  }
  check_grant(stream, datagram.size());
  UploadTruth& truth = streams().at(stream).sent;
  note.subject = Note::Subject::kData;
  note.upload = &truth;
  note.serial = truth.sent.size();
  const std::uint64_t seq = base::load_big_endian(datagram.data() + kNumberAt, 8);
  const std::uint64_t number = seq - base::load_big_endian(datagram.data() + kSeqOffsetAt, 8);
  if (seq != note.serial) {
    findings().add(now(), "{}: datagram {} of stream {} carries the number {}", options_.name,
                   note.serial, stream + 1, seq);
  }
  const bool again = !truth.numbers.insert(number).second;
  if (again && !options_.terms.reliable) {
    findings().add(now(), "{}: number {} is sent again, which nobody asked for", options_.name,
                   number);
  }
  truth.retransmitted += again ? 1 : 0;
  truth.bytes += datagram.size();
  truth.sent.push_back({.number = number, .again = again});
}

// No report, no data; and never more than the newest one grants.
void StreamWatch::check_grant(std::size_t stream, std::size_t octets) {
  Allowed& allowed = allowed_.at(stream);
  allowed.sent += octets;
  host_.environment().coverage.count(Seen::kGrantWatched);
  if (options_.client->tainted) return;
  if (!allowed.until || host_.now() > *allowed.until) {
    findings().add(now(), "{}: data of stream {} without a valid grant", options_.name, stream + 1);
  }
  if (allowed.sent > allowed.granted) {
    findings().add(now(), "{}: {} octets of stream {}, granted are {}", options_.name, allowed.sent,
                   stream + 1, allowed.granted);
  }
}

void StreamWatch::on_report(ByteView datagram) {
  const std::uint64_t stream = stream_of(datagram);
  if (stream >= kMostStreams) return;
  Allowed& allowed = allowed_.at(stream);
  const Lie lie = host_.environment().scenario.lie;
  const std::uint64_t granted = base::load_big_endian(datagram.data() + kGrantedAt, 8);
  allowed.granted = std::max(allowed.granted, lie == Lie::kHalfGrant ? granted / 2 : granted);
  auto valid_ms = static_cast<std::int64_t>(base::load_big_endian(datagram.data() + kValidAt, 2));
  if (lie == Lie::kHalfValidity) valid_ms /= 2;
  allowed.until = host_.now() + std::min<Duration>(kLongestGrant, valid_ms * 1ms);
}

// --- receiving ---

void StreamWatch::on_delivered(const Packet& packet, bool accepted) {
  const unsigned type = type_of(packet.bytes);
  // Copies of data are measured, whoever made them.
  const bool copied_data = packet.note.replayed && packet.note.upload != nullptr;
  if (!packet.note.genuine() && !copied_data) {
    if (accepted) judge_stranger(packet);
    if (packet.note.upload != nullptr && !accepted) {
      packet.note.upload->sent[packet.note.serial].damaged = true;
    }
  } else if (packet.note.upload != nullptr) {
    on_data(packet, accepted);
  }
  if (!accepted) return;
  if (type == kReport) on_report(packet.bytes);
  const bool hidden = host_.environment().scenario.lie == Lie::kHiddenProof;
  if (type == kHeartbeat2 && options_.side == Side::kServer && !hidden) proven_.insert(packet.from);
}

void StreamWatch::on_data(const Packet& packet, bool accepted) {
  const auto found = options_.client == nullptr
                         ? nullptr
                         : std::ranges::find_if(streams(), [&](const StreamTruth& stream) {
                             return &stream.sent == packet.note.upload;
                           });
  const bool ours = found != nullptr && found != streams().end();
  if (accepted) {
    if (ours) {
      accept_data(packet, *found);
    } else {
      findings().add(now(), "{}: takes the data of another session", options_.name);
    }
    return;
  }
  packet.note.upload->sent[packet.note.serial].unheard = true;
  if (!ours || !go_ || stopped_ || options_.client->tainted || options_.client->rebound) return;
  if (host_.now() >= go_->start + go_->duration) return;
  findings().add(now(), "{}: datagram {} of the test was not accepted", options_.name,
                 packet.note.serial);
}

void StreamWatch::accept_data(const Packet& packet, StreamTruth& stream) const {
  ReceivedTruth& received = stream.received;
  const TrueTime arrived = host_.config().kernel_stamps ? packet.arrived : now();
  if (received.order.empty()) received.first = arrived;
  received.last = arrived;
  received.order.push_back(packet.note.serial);
  received.bytes += packet.bytes.size();
  stream.sent.sent[packet.note.serial].accepted = true;
}

// Something that the other side did not send was accepted. Who cannot read the path must never
// come so far; with keys nobody may, but with data where that has no tags.
void StreamWatch::judge_stranger(const Packet& packet) {
  if (options_.client != nullptr) options_.client->tainted = true;
  const bool is_plain_data = type_of(packet.bytes) == kData && !options_.terms.data_tags;
  const bool is_forbidden =
      options_.keyed && !is_plain_data && (packet.note.corrupt || packet.note.replayed);
  if (!packet.note.forged && !is_forbidden) return;
  findings().add(now(), "{}: takes a datagram of type {} that was {}", options_.name,
                 type_of(packet.bytes),
                 packet.note.forged    ? "forged"
                 : packet.note.corrupt ? "damaged"
                                       : "sent again by somebody else");
}

// --- messages ---

void StreamWatch::on_letter(const engine::Message& message) {
  if (const auto* go = std::get_if<engine::Go>(&message)) go_ = *go;
  if (std::holds_alternative<engine::StopTest>(message) ||
      std::holds_alternative<engine::Quiet>(message) ||
      std::holds_alternative<engine::Drain>(message)) {
    stopped_ = true;
  }
}

void StreamWatch::on_posted(const engine::Message& message) {
  const auto* report = std::get_if<engine::PortReport>(&message);
  if (report == nullptr || !report->sender || options_.client == nullptr) return;
  check_sender(*report->sender);
}

void StreamWatch::check_sender(const engine::SenderTotals& totals) {
  UploadTruth sum;
  std::uint64_t packets = 0;
  for (const StreamTruth& stream : streams()) {
    packets += stream.sent.sent.size();
    sum.bytes += stream.sent.bytes;
    sum.retransmitted += stream.sent.retransmitted;
    sum.refused += stream.sent.refused;
  }
  const bool agrees = totals.packets == packets && totals.bytes == sum.bytes &&
                      totals.retransmitted == sum.retransmitted && totals.failed == sum.refused;
  if (agrees) return;
  findings().add(now(),
                 "{}: sender reports {} packets, {} octets, {} again, {} refused; truly {}, {}, "
                 "{}, {}",
                 options_.name, totals.packets, totals.bytes, totals.retransmitted, totals.failed,
                 packets, sum.bytes, sum.retransmitted, sum.refused);
}

}  // namespace wyndrvr::sim
