#include "sim/port_host.hpp"

#include <algorithm>
#include <utility>

#include "wire/path_packet.hpp"

namespace wyndrvr::sim {
namespace {

// The datagram of its kind that a lie is about: late enough that all has begun.
constexpr unsigned kDeceivedAt = 10;

// What became of a datagram: the drop counter that it moved, or none.
std::optional<wire::DropReason> dropped_for(const engine::DropCounts& before,
                                            const engine::DropCounts& after) {
  const auto moved = std::ranges::mismatch(before, after);
  if (moved.in1 == before.end()) return std::nullopt;
  return static_cast<wire::DropReason>(moved.in1 - before.begin());
}

}  // namespace

PortHost::PortHost(Host& host, Mailroom& mail, Options options)
    : host_(host),
      mail_(mail),
      options_(std::move(options)),
      actor_(engine::make_port_actor(options_.configs)),
      alarm_(host, options_.watches.front().name, [this] {
        if (!running()) return;
        actor_->on_timer(host_.now());
        settle();
      }) {
  for (const PortWatch::Options& watch : options_.watches) watches_.emplace_back(host, watch);
  for (const Endpoint& bound : options_.bound) {
    flows_.emplace_back(*this, static_cast<std::uint8_t>(flows_.size()));
    host_.environment().network.bind(bound, flows_.back());
  }
}

void PortHost::start() {
  if (running()) settle();
}

void PortHost::close() {
  if (!actor_) return;
  actor_.reset();
  alarm_.set(std::nullopt);
  for (const Endpoint& bound : options_.bound) host_.environment().network.unbind(bound);
}

const PortWatch& PortHost::watch(engine::PortKind kind) const {
  return watches_.size() == 1 ? watches_.front() : watches_[engine::index_of(kind)];
}

PortWatch& PortHost::watch_of(engine::Mailbox mailbox) {
  return watches_.size() == 1 ? watches_.front() : watches_[static_cast<std::size_t>(mailbox)];
}

PortWatch& PortHost::watch_of(ByteView datagram, bool outgoing) {
  const auto type = wire::path_type(datagram);
  if (watches_.size() == 1 || !type || datagram.size() < wire::kPathPrefixSize) {
    return watches_.front();
  }
  const bool at_server = options_.watches.front().side == engine::Side::kServer;
  const bool from_client = at_server != outgoing;
  switch (*type) {
    case wire::PathType::kData:
      return watch_of(from_client ? engine::Mailbox::kUpload : engine::Mailbox::kDownload);
    case wire::PathType::kReport:
      return watch_of(from_client ? engine::Mailbox::kDownload : engine::Mailbox::kUpload);
    case wire::PathType::kControl:
    case wire::PathType::kResult:
      return watches_.front();
    default:
      break;
  }
  const std::uint64_t channel = base::load_big_endian(datagram.data() + 1, 3);
  return channel < watches_.size() ? watches_[channel] : watches_.front();
}

void PortHost::on_arrival(PacketPtr packet, std::uint8_t flow) {
  if (options_.budget != nullptr) {
    options_.budget->on_received(packet->from.address, packet->bytes.size());
  }
  take_in(std::move(packet), flow);
}

void PortHost::take_in(PacketPtr packet, std::uint8_t flow) {
  EventQueue& queue = host_.environment().queue;
  const Duration delay = host_.environment().up_to(host_.config().max_read_delay);
  if (delay <= Duration(0) && read_until_ <= queue.now()) {
    read(*packet, flow);
    return;
  }
  read_until_ = std::max(read_until_, queue.now() + delay);
  queue.at(read_until_, [this, flow, waiting = std::move(packet)] { read(*waiting, flow); });
}

void PortHost::on_unreachable() {
  if (!running()) return;
  actor_->on_peer_unreachable(host_.now(), engine::Unreachable::kNobodyListens);
  settle();
}

void PortHost::read(const Packet& packet, std::uint8_t flow) {
  if (!running()) {
    // It got this far and no further.
    note_unheard(packet.note);
    return;
  }
  give(packet, flow);
  settle();
  for (PortWatch& watch : watches_) watch.on_settled();
}

void PortHost::give(const Packet& packet, std::uint8_t flow) {
  const bool stamped = host_.config().kernel_stamps;
  engine::Datagram datagram;
  datagram.bytes = packet.bytes;
  datagram.from = packet.from;
  datagram.flow = flow;
  datagram.arrival = stamped ? host_.clock().local(packet.arrived) : host_.now();
  datagram.kernel_stamped = stamped;
  if (deceives(Lie::kLateStamp, packet)) datagram.arrival += 50us;
  PortWatch& watch = watch_of(packet.bytes, false);
  if (deceives(Lie::kMissingDelivery, packet)) {
    watch.on_delivered(packet, true);
    return;
  }
  const engine::DropCounts before = actor_->drops();
  actor_->on_datagram(host_.now(), datagram);
  const auto dropped = dropped_for(before, actor_->drops());
  Environment& environment = host_.environment();
  environment.trace.line(environment.queue.now(), watch.name(), "reads {} octets: {}",
                         packet.bytes.size(), dropped ? wire::name(*dropped) : "taken");
  watch.on_delivered(packet, !dropped);
  if (deceives(Lie::kExtraDelivery, packet)) actor_->on_datagram(host_.now(), datagram);
}

// Whether the world's lie is about this packet.
bool PortHost::deceives(Lie lie, const Packet& packet) {
  if (host_.environment().scenario.lie != lie) return false;
  const bool about_data = lie != Lie::kLateStamp;
  const auto subject = about_data ? Note::Subject::kData : Note::Subject::kHeartbeat1;
  return packet.note.subject == subject && ++deceived_ == kDeceivedAt;
}

void PortHost::on_letter(engine::Mailbox from, engine::Mailbox to, const engine::Message& message) {
  if (!running()) return;
  watch_of(to).on_letter(message);
  actor_->on_message(host_.now(), from, to, message);
  settle();
}

void PortHost::settle() {
  const Instant now = host_.now();
  while (const auto next = actor_->poll_transmit(now)) transmit(*next);
  while (const auto outgoing = actor_->poll_message()) {
    watch_of(outgoing->from).on_posted(outgoing->message);
    const bool proven = std::holds_alternative<engine::PortProven>(outgoing->message);
    if (proven && options_.budget != nullptr) {
      options_.budget->on_proven(options_.configs.front().peer.address);
    }
    mail_.post(outgoing->from, outgoing->to, outgoing->message);
  }
  alarm_.set(actor_->poll_deadline(now));
}

void PortHost::transmit(const engine::Transmit& transmit) {
  ByteView rest = transmit.bytes;
  while (!rest.empty()) {
    const std::size_t size = std::min<std::size_t>(transmit.segment_size, rest.size());
    transmit_one(transmit, rest.first(size));
    rest = rest.subspan(size);
  }
}

void PortHost::transmit_one(const engine::Transmit& transmit, ByteView datagram) {
  Environment& environment = host_.environment();
  const TrueTime departs =
      environment.queue.now() + environment.up_to(host_.config().max_send_delay);
  PortWatch& watch = watch_of(datagram, true);
  const Note note = watch.on_transmit(transmit, datagram, departs);
  if (environment.random.chance(options_.send_refusal)) {
    watch.on_refused(note);
    actor_->on_send_failed(transmit.kind, 1);
    return;
  }
  if (options_.budget != nullptr) options_.budget->on_sent(transmit.to.address, datagram);
  Link* link =
      options_.link != nullptr ? options_.link : environment.network.route(transmit.to.address);
  const Packet packet{.from = options_.bound[transmit.flow],
                      .to = transmit.to,
                      .bytes = {datagram.begin(), datagram.end()},
                      .note = note,
                      .arrived = {}};
  watch.on_carried(note, environment.network.send(link, packet));
  if (!transmit.stamp_token || !host_.config().kernel_stamps) return;
  environment.queue.at(departs, [this, token = *transmit.stamp_token] { on_stamp(token); });
}

void PortHost::on_stamp(std::uint32_t token) {
  if (!running()) return;
  actor_->on_transmit_stamp(token, host_.now());
  settle();
}

}  // namespace wyndrvr::sim
