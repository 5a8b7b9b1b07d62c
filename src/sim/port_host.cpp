#include "sim/port_host.hpp"

#include <algorithm>
#include <utility>

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
      watch_(host, options_.watch),
      actor_(std::make_unique<engine::PortActor>(options_.config)),
      alarm_(host, options_.watch.name, [this] {
        if (!running()) return;
        actor_->on_timer(host_.now());
        settle();
      }) {
  host_.environment().network.bind(options_.bound, *this);
}

void PortHost::start() {
  if (running()) settle();
}

void PortHost::close() {
  if (!actor_) return;
  actor_.reset();
  alarm_.set(std::nullopt);
  host_.environment().network.unbind(options_.bound);
}

void PortHost::on_arrival(PacketPtr packet) {
  if (options_.budget != nullptr) options_.budget->on_received(packet->from.address);
  take_in(std::move(packet));
}

void PortHost::take_in(PacketPtr packet) {
  EventQueue& queue = host_.environment().queue;
  const Duration delay = host_.environment().up_to(host_.config().max_read_delay);
  if (delay <= Duration(0) && read_until_ <= queue.now()) {
    read(*packet);
    return;
  }
  read_until_ = std::max(read_until_, queue.now() + delay);
  queue.at(read_until_, [this, waiting = std::move(packet)] { read(*waiting); });
}

void PortHost::on_unreachable(const Endpoint& /*by*/) {
  if (!running()) return;
  actor_->on_peer_unreachable(host_.now());
  settle();
}

void PortHost::read(const Packet& packet) {
  if (!running()) {
    // It got this far and no further.
    note_unheard(packet.note);
    return;
  }
  give(packet);
  settle();
  watch_.on_settled();
}

void PortHost::give(const Packet& packet) {
  const bool stamped = host_.config().kernel_stamps;
  engine::Datagram datagram;
  datagram.bytes = packet.bytes;
  datagram.from = packet.from;
  datagram.arrival = stamped ? host_.clock().local(packet.arrived) : host_.now();
  datagram.kernel_stamped = stamped;
  if (deceives(Lie::kLateStamp, packet)) datagram.arrival += 50us;
  if (deceives(Lie::kMissingDelivery, packet)) {
    watch_.on_delivered(packet, true);
    return;
  }
  const engine::DropCounts before = actor_->drops();
  actor_->on_datagram(host_.now(), datagram);
  const auto dropped = dropped_for(before, actor_->drops());
  Environment& environment = host_.environment();
  environment.trace.line(environment.queue.now(), options_.watch.name, "reads {} octets: {}",
                         packet.bytes.size(), dropped ? wire::name(*dropped) : "taken");
  watch_.on_delivered(packet, !dropped);
  if (deceives(Lie::kExtraDelivery, packet)) actor_->on_datagram(host_.now(), datagram);
}

// Whether the world's lie is about this packet.
bool PortHost::deceives(Lie lie, const Packet& packet) {
  if (host_.environment().scenario.lie != lie) return false;
  const bool about_data = lie != Lie::kLateStamp;
  const auto subject = about_data ? Note::Subject::kData : Note::Subject::kHeartbeat1;
  return packet.note.subject == subject && ++deceived_ == kDeceivedAt;
}

void PortHost::on_letter(engine::Mailbox from, const engine::Message& message) {
  if (!running()) return;
  watch_.on_letter(message);
  actor_->on_message(host_.now(), from, message);
  settle();
}

void PortHost::settle() {
  const Instant now = host_.now();
  while (const auto next = actor_->poll_transmit(now)) transmit(*next);
  const engine::Mailbox self = engine::mailbox_of(options_.config.kind);
  while (const auto outgoing = actor_->poll_message()) {
    watch_.on_posted(outgoing->message);
    const bool proven = std::holds_alternative<engine::PortProven>(outgoing->message);
    if (proven && options_.budget != nullptr) {
      options_.budget->on_proven(options_.config.peer.address);
    }
    mail_.post(self, outgoing->to, outgoing->message);
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
  const Note note = watch_.on_transmit(transmit.kind, datagram, departs);
  if (environment.random.chance(options_.send_refusal)) {
    watch_.on_refused(note);
    actor_->on_send_failed(transmit.kind, 1);
    return;
  }
  if (options_.budget != nullptr) options_.budget->on_sent(transmit.to.address);
  Link* link =
      options_.link != nullptr ? options_.link : environment.network.route(transmit.to.address);
  const Packet packet{.from = options_.bound,
                      .to = transmit.to,
                      .bytes = {datagram.begin(), datagram.end()},
                      .note = note,
                      .arrived = {}};
  watch_.on_carried(note, environment.network.send(link, packet));
  if (!transmit.stamp_token || !host_.config().kernel_stamps) return;
  environment.queue.at(departs, [this, token = *transmit.stamp_token] { on_stamp(token); });
}

void PortHost::on_stamp(std::uint32_t token) {
  if (!running()) return;
  actor_->on_transmit_stamp(token, host_.now());
  settle();
}

}  // namespace wyndrvr::sim
