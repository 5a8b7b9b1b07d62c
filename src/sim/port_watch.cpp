#include "sim/port_watch.hpp"

#include <algorithm>
#include <cstdlib>

#include "engine/heartbeat_client.hpp"
#include "engine/overloaded.hpp"
#include "engine/peer_path.hpp"
#include "wire/control.hpp"
#include "wire/header.hpp"

namespace wyndrvr::sim {
namespace {

using Subject = Note::Subject;

// Two readings of a clock round by less than 1 ns each.
constexpr Duration kRounding = 2ns;
// Two clocks that drift apart by 400 ppm, over the round trips seen here.
constexpr Duration kClockError = 3us;

constexpr unsigned kTypeHeartbeat0 = 0;
constexpr unsigned kTypeHeartbeat1 = 1;
constexpr unsigned kTypeHeartbeat2 = 2;
constexpr unsigned kDialectOneBit = 0x80;  // of the type
constexpr std::size_t kSeqAt = 4;
constexpr std::size_t kOffsetAt = 12;

bool near(Duration a, Duration b, Duration tolerance) {
  return a - b <= tolerance && b - a <= tolerance;
}

}  // namespace

PortWatch::PortWatch(Host& host, Options options) : host_(host), options_(std::move(options)) {
  if (options_.streams) streams_.emplace(host, *options_.streams);
}

bool PortWatch::is_tainted() const {
  const ClientTruth* client = streams_ ? options_.streams->client : nullptr;
  return tainted_ || (client != nullptr && client->tainted);
}

Note PortWatch::on_transmit(const engine::Transmit& transmit, ByteView datagram, TrueTime departs) {
  Note note;
  note.sent = now();
  note.departed = departs;
  const unsigned type = std::to_integer<unsigned>(datagram[0]);
  if (streams_) {
    streams_->on_transmit(note, transmit.to, datagram);
    // Measured are heartbeats of the first path alone.
    if (transmit.flow == 0) note_heartbeat(note, type & ~kDialectOneBit);
  } else if (transmit.kind == engine::TransmitKind::kData) {
    note_data(note, datagram);
  } else {
    note_heartbeat(note, type);
  }
  if (!is_client()) watch_budget(datagram.size());
  const bool counted = note.subject == Subject::kData || note.subject == Subject::kHeartbeat0;
  if (reported_ && counted) {
    findings().add(now(), "{}: sends what its report no longer counts", options_.name);
  }
  return note;
}

void PortWatch::note_data(Note& note, ByteView datagram) {
  UploadTruth& upload = *options_.upload;
  note.subject = Subject::kData;
  note.upload = &upload;
  note.serial = upload.sent.size();
  const std::uint64_t seq = base::load_big_endian(datagram.data() + kSeqAt, 8);
  const std::uint64_t number = seq - base::load_big_endian(datagram.data() + kOffsetAt, 8);
  if (seq != note.serial) {
    findings().add(now(), "{}: datagram {} of the test carries the number {}", options_.name,
                   note.serial, seq);
  }
  const bool again = !upload.numbers.insert(number).second;
  upload.retransmitted += again ? 1 : 0;
  upload.bytes += datagram.size();
  upload.sent.push_back({.number = number, .again = again});
}

void PortWatch::note_heartbeat(Note& note, unsigned type) {
  if (is_client() && type == kTypeHeartbeat0) {
    note.subject = Subject::kHeartbeat0;
    note.heartbeat = &heartbeats_.emplace_back(
        HeartbeatTruth{.sent = note.sent, .departed = note.departed, .loaded = loaded_});
  } else if (!is_client() && type == kTypeHeartbeat1) {
    note.subject = Subject::kHeartbeat1;
    if (cause_ == nullptr || cause_->note.subject != Subject::kHeartbeat0) return;
    note.heartbeat = cause_->note.heartbeat;
    // The server subtracts what it took from where its own measuring began.
    const TrueTime taken = host_.config().kernel_stamps ? cause_->arrived : now();
    note.answer_delay = note.departed - note.sent;
    note.way_before = taken - cause_->note.departed + note.answer_delay;
  } else if (is_client() && type == kTypeHeartbeat2) {
    note.subject = Subject::kHeartbeat2;
    // The heartbeat's fate is known; the confirmation only carries the server's own times.
    if (cause_ != nullptr) note.answer_sent = cause_->note.sent;
  }
}

void PortWatch::on_carried(const Note& note, std::size_t copies) {
  if (note.subject != Subject::kData || copies > 0) return;
  const bool hide = host_.environment().scenario.lie == Lie::kHiddenLoss;
  note.upload->sent[note.serial].link_dropped = !hide;
}

void PortWatch::on_refused(const Note& note) {
  if (note.subject != Subject::kData) return;
  note.upload->sent[note.serial].refused = true;
  ++note.upload->refused;
}

void PortWatch::on_delivered(const Packet& packet, bool accepted) {
  cause_ = &packet;
  cause_accepted_ = accepted;
  if (!is_client()) {
    ++given_;
    given_octets_ += packet.bytes.size();
    // Proves the port at once; the actor's word of it comes after what the proof lets go.
    const bool confirms =
        !packet.bytes.empty() && std::to_integer<unsigned>(packet.bytes[0]) == kTypeHeartbeat2;
    confirmed_ = confirmed_ || (accepted && confirms && packet.note.genuine());
  }
  if (accepted && options_.session != nullptr) options_.session->last_accepted = now();
  const bool copied_data = packet.note.replayed && packet.note.upload != nullptr;
  if (accepted && !packet.note.genuine() && !copied_data) taint(packet);
  if (streams_) {
    streams_->on_delivered(packet, accepted);
  } else {
    on_original(packet, accepted);
  }
}

void PortWatch::on_original(const Packet& packet, bool accepted) {
  if (accepted && !is_client() && options_.kind == engine::PortKind::kControl) note_request(packet);
  if (is_client() || packet.note.upload == nullptr) return;
  if (packet.note.genuine()) {
    on_data(packet, accepted);
  } else if (!accepted) {
    packet.note.upload->sent[packet.note.serial].damaged = true;
  }
}

// Only our own clients ask for progress; who sent it is another question.
void PortWatch::note_request(const Packet& packet) {
  const auto parsed = wire::parse_packet(packet.bytes);
  if (!parsed || parsed->header.type != wire::MessageType::kControl) return;
  const auto body = wire::parse_control(parsed->body);
  const auto* request = body ? std::get_if<wire::Bwup>(&*body) : nullptr;
  if (request != nullptr && request->progress_ms) options_.session->showed_ours = true;
}

void PortWatch::on_data(const Packet& packet, bool accepted) {
  if (accepted) {
    accept_data(packet);
    return;
  }
  packet.note.upload->sent[packet.note.serial].unheard = true;
  // Leftovers of another client's session on the same port are a stranger's.
  if (packet.note.upload != options_.upload) return;
  const SessionTruth& session = *options_.session;
  const bool in_time = session.received.prepared && !session.received.finished;
  if (!in_time || session.tainted || packet.note.upload->tainted) return;
  findings().add(now(), "{}: datagram {} of the test was not accepted", options_.name,
                 packet.note.serial);
}

void PortWatch::taint(const Packet& packet) {
  host_.environment().coverage.count(packet.note.garbage ? Seen::kGarbageAccepted
                                                         : Seen::kCorruptAccepted);
  tainted_ = true;
  if (options_.session != nullptr) options_.session->tainted = true;
  if (options_.upload != nullptr) options_.upload->tainted = true;
}

void PortWatch::accept_data(const Packet& packet) {
  SessionTruth& session = *options_.session;
  ReceivedTruth& received = session.received;
  if (session.upload != nullptr && session.upload != packet.note.upload) session.tainted = true;
  session.upload = packet.note.upload;
  const TrueTime arrived = host_.config().kernel_stamps ? packet.arrived : now();
  if (received.order.empty()) received.first = arrived;
  received.last = arrived;
  received.order.push_back(packet.note.serial);
  received.bytes += packet.bytes.size();
  packet.note.upload->sent[packet.note.serial].accepted = true;
}

void PortWatch::on_settled() {
  if (cause_ != nullptr && cause_->note.heartbeat != nullptr) --cause_->note.heartbeat->pending;
  cause_ = nullptr;
}

// Before the proof, no more datagrams go out than came in, and no more octets, but for what 0.14
// forces once.
void PortWatch::watch_budget(std::size_t octets) {
  if (proven_ || confirmed_) return;
  ++replied_;
  replied_octets_ += octets;
  const std::size_t forced = streams_ ? 0 : engine::PeerPath::kFirstAnswerExcess;
  if (replied_octets_ > given_octets_ + forced) {
    findings().add(now(), "{}: {} octets of replies to {} of an unproven address", options_.name,
                   replied_octets_, given_octets_);
  }
  host_.environment().coverage.count(Seen::kBudgetWatched);
  if (replied_ <= given_) return;
  findings().add(now(), "{}: {} replies to {} datagrams of an unproven address", options_.name,
                 replied_, given_);
}

void PortWatch::on_letter(const engine::Message& message) {
  if (streams_) streams_->on_letter(message);
  if (const auto* set = std::get_if<engine::SetLoaded>(&message)) loaded_ = set->loaded;
  if (std::holds_alternative<engine::StartTest>(message) && options_.session != nullptr) {
    options_.session->received.prepared = true;
  }
  if (const auto* go = std::get_if<engine::Go>(&message); go != nullptr && !is_client()) {
    options_.session->received.go = *go;
  }
}

void PortWatch::on_posted(const engine::Message& message) {
  if (streams_) streams_->on_posted(message);
  std::visit(engine::Overloaded{
                 [&](const engine::HeartbeatSample& sample) {
                   if (is_client()) {
                     check_client_sample(sample);
                   } else {
                     check_server_sample(sample);
                   }
                 },
                 [&](const engine::PortProven&) {
                   proven_ = true;
                   if (options_.session != nullptr) ++options_.session->proven_ports;
                 },
                 [&](const engine::TestFinished&) {
                   if (!is_client()) options_.session->received.finished = now();
                 },
                 [&](const engine::PortReport& report) {
                   reported_ = true;
                   if (is_client()) check_report(report);
                 },
                 [](const auto&) {},
             },
             message);
}

void PortWatch::check_client_sample(const engine::HeartbeatSample& sample) {
  const bool traceable = cause_ != nullptr && cause_->note.subject == Subject::kHeartbeat1 &&
                         cause_->note.heartbeat != nullptr;
  if (is_tainted()) return;
  if (!traceable || cause_->note.heartbeat->answered) {
    findings().add(now(), "{}: a round trip without an answer", options_.name);
    return;
  }
  HeartbeatTruth& heartbeat = *cause_->note.heartbeat;
  heartbeat.answered = true;
  const TrueTime arrived = host_.config().kernel_stamps ? cause_->arrived : now();
  const Duration rtt = host_.clock().stretch(arrived - heartbeat.sent);
  host_.environment().coverage.count(Seen::kHeartbeatSample);
  if (!near(sample.rtt, rtt, kRounding)) {
    findings().add(now(), "{}: round trip of {} ns reported as {} ns", options_.name, rtt.count(),
                   sample.rtt.count());
  }
  if (sample.loaded != heartbeat.loaded) {
    findings().add(now(), "{}: round trip of the wrong phase", options_.name);
  }
  if (sample.network_rtt) check_network_rtt(*sample.network_rtt, *cause_);
  Phase& phase = phases_[heartbeat.loaded ? 1 : 0];
  ++phase.received;
  phase.min = std::min(phase.min, rtt);
  phase.max = std::max(phase.max, rtt);
  phase.jitter.record(rtt);
  const Duration under_way = cause_->note.way_before + (cause_->arrived - cause_->note.departed);
  phase.network_min = std::min(phase.network_min, under_way - cause_->note.answer_delay);
  phase.network_max = std::max(phase.network_max, under_way);
  phase.application_max =
      std::max(phase.application_max, host_.clock().stretch(now() - heartbeat.sent));
}

// Kernel to kernel, less what the server took: the time under way both ways.
void PortWatch::check_network_rtt(Duration reported, const Packet& answer) {
  const Duration under_way = answer.note.way_before + (answer.arrived - answer.note.departed);
  host_.environment().coverage.count(Seen::kNetworkRoundTrip);
  const Duration drift = under_way / 2'500;
  if (near(reported, under_way, kClockError + drift)) return;
  findings().add(now(), "{}: network round trip of {} ns reported as {} ns", options_.name,
                 under_way.count(), reported.count());
}

void PortWatch::check_server_sample(const engine::HeartbeatSample& sample) {
  if (is_tainted() || cause_ == nullptr) return;
  const TrueTime arrived = host_.config().kernel_stamps ? cause_->arrived : now();
  const Duration rtt = host_.clock().stretch(arrived - cause_->note.answer_sent);
  host_.environment().coverage.count(Seen::kServerHeartbeatSample);
  if (cause_->note.subject == Subject::kHeartbeat2 && near(sample.rtt, rtt, kRounding)) return;
  findings().add(now(), "{}: round trip of {} ns reported as {} ns", options_.name, rtt.count(),
                 sample.rtt.count());
}

void PortWatch::check_report(const engine::PortReport& report) {
  if (!is_tainted()) {
    check_phase(report.totals.idle, false);
    check_phase(report.totals.loaded, true);
    host_.environment().coverage.count(Seen::kLatencyPortExact);
    if (report.totals.loaded.sent > 0) {
      host_.environment().coverage.count(Seen::kLatencyUnderLoad);
    }
    if (lost_heartbeats() == 0) host_.environment().coverage.count(Seen::kPathWithoutLoss);
  }
  if (report.sender && !streams_) check_sender(*report.sender);
}

void PortWatch::check_phase(const engine::LatencyTotals& totals, bool loaded) {
  const Phase& phase = phases_[loaded ? 1 : 0];
  const std::string_view phase_name = loaded ? "loaded" : "idle";
  host_.environment().coverage.count(Seen::kHeartbeatLost, totals.lost);
  if (totals.sent != totals.received + totals.lost || totals.received != phase.received) {
    findings().add(now(), "{}: {} heartbeats: sent {}, received {}, lost {}; truly received {}",
                   options_.name, phase_name, totals.sent, totals.received, totals.lost,
                   phase.received);
  }
  check_lost(totals, loaded);
  if (phase.received > 0 || totals.rtt) check_summaries(totals, phase);
}

// No more are reported lost than are or have been waited for long enough, and no fewer than have
// been waited for too long.
void PortWatch::check_lost(const engine::LatencyTotals& totals, bool loaded) {
  std::uint64_t may_be_lost = 0;
  std::uint64_t overdue = 0;
  for (const HeartbeatTruth& heartbeat : heartbeats_) {
    if (heartbeat.loaded != loaded || heartbeat.answered) continue;
    const Duration age = now() - heartbeat.sent;
    if (heartbeat.is_lost() || age >= options_.shortest_patience) ++may_be_lost;
    if (age > engine::HeartbeatClient::kAnswerTimeout + 100ms) ++overdue;
  }
  if (totals.lost <= may_be_lost && totals.lost >= overdue) return;
  findings().add(now(), "{}: {} heartbeats: {} reported lost, truly {} so far, {} overdue",
                 options_.name, loaded ? "loaded" : "idle", totals.lost, may_be_lost, overdue);
}

void PortWatch::check_summaries(const engine::LatencyTotals& totals, const Phase& phase) {
  const auto& rtt = totals.rtt;
  const auto& application = totals.application_rtt;
  const auto jitter = phase.jitter.value();
  const bool agrees =
      rtt && application && rtt->count == phase.received && application->count == phase.received &&
      near(rtt->min, phase.min, kRounding) && near(rtt->max, phase.max, kRounding) &&
      near(application->max, phase.application_max, kRounding) &&
      jitter.has_value() == totals.jitter.has_value() &&
      (!jitter || near(*jitter, *totals.jitter, 2 * kRounding));
  if (!agrees) {
    findings().add(now(), "{}: {} round trips truly {} to {} ns are summed up otherwise",
                   options_.name, phase.received, phase.min.count(), phase.max.count());
  }
  const auto& network = totals.network_rtt;
  if (!network) return;
  const Duration tolerance = kClockError + phase.network_max / 2'500;
  if (network->count > phase.received || network->min < phase.network_min - tolerance ||
      network->max > phase.network_max + tolerance) {
    findings().add(now(), "{}: {} network round trips truly {} to {} ns: reported {} to {} ns",
                   options_.name, phase.received, phase.network_min.count(),
                   phase.network_max.count(), network->min.count(), network->max.count());
  }
}

void PortWatch::check_sender(const engine::SenderTotals& totals) {
  const UploadTruth& truth = *options_.upload;
  const bool agrees = totals.packets == truth.sent.size() && totals.bytes == truth.bytes &&
                      totals.retransmitted == truth.retransmitted && totals.failed == truth.refused;
  if (agrees) return;
  findings().add(now(),
                 "{}: sender reports {} packets, {} octets, {} again, {} refused; truly {}, {}, "
                 "{}, {}",
                 options_.name, totals.packets, totals.bytes, totals.retransmitted, totals.failed,
                 truth.sent.size(), truth.bytes, truth.retransmitted, truth.refused);
}

std::uint64_t PortWatch::lost_heartbeats() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(heartbeats_, &HeartbeatTruth::is_lost));
}

}  // namespace wyndrvr::sim
