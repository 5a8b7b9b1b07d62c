#include "runtime/port_runner.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "engine/heartbeat_kinds.hpp"
#include "os/clock.hpp"
#include "runtime/port_socket.hpp"
#include "runtime/unreachable_cause.hpp"

namespace wyndrvr::runtime {

using engine::Transmit;
using Status = os::SendOutcome::Status;

namespace {

static_assert(os::ReceiveBuffer::kMaxSlots <= engine::kMostHeartbeatsAtOnce);

PortRunner::Habits habits_of(std::span<const engine::PortConfig> configs) {
  const engine::PortConfig& config = configs.front();
  const bool server = config.side == engine::Side::kServer;
  const bool single_port = configs.size() > 1;
  const bool download = config.kind == engine::PortKind::kDownload;
  return {.quiet_stamps = !server, .connects = server && download && !single_port};
}

}  // namespace

PortRunner::Flow::Flow(PortRunner& owner, std::size_t number, os::UdpSocket opened)
    : runner(owner),
      index(static_cast<std::uint8_t>(number)),
      socket(*this, std::move(opened)),
      rest_in(rest_of(socket.udp.receive_buffer_granted())) {}

std::optional<Duration> PortRunner::rest_of(std::uint32_t receive_buffer) {
  if (receive_buffer < kRestfulBuffer) return std::nullopt;
  const Duration quarter = from_seconds(receive_buffer / 4.0 * 8 / kFastest.bps);
  return std::min(quarter, kMaxRest);
}

const PortRunner::Connected* PortRunner::Flow::find(const Endpoint& peer) const {
  const auto at = std::ranges::find(connected, peer, &Connected::peer);
  return at != connected.end() ? &*at : nullptr;
}

PortRunner::PortRunner(const Environment& environment, std::vector<os::UdpSocket> sockets,
                       std::span<const engine::PortConfig> configs)
    : PortRunner(environment, std::move(sockets), engine::make_port_actor(configs),
                 habits_of(configs), configs.front().seed) {}

PortRunner::PortRunner(const Environment& environment, std::vector<os::UdpSocket> sockets,
                       std::unique_ptr<engine::PortActor> actor, const Habits& habits,
                       std::uint64_t seed)
    : loop_(environment.loop),
      receive_buffer_(environment.receive_buffer),
      mail_(environment.mail),
      actor_(std::move(actor)),
      habits_(habits),
      faults_(seed) {
  WYNDRVR_CHECK(!sockets.empty() && sockets.size() <= kMaxPortSockets);
  flows_.reserve(sockets.size());
  for (os::UdpSocket& socket : sockets) {
    flows_.push_back(std::make_unique<Flow>(*this, flows_.size(), std::move(socket)));
  }
}

PortRunner::~PortRunner() {
  for (const auto& flow : flows_) {
    flow->for_each_socket([this](const Socket& socket) {
      if (socket.id) loop_.remove(*socket.id);
    });
  }
}

Result<void> PortRunner::attach() {
  for (const auto& flow : flows_) {
    if (auto attached = attach(flow->socket); !attached) return attached;
  }
  return {};
}

Result<void> PortRunner::attach(Socket& socket) {
  const auto id = loop_.add(socket.udp.fd(), socket);
  if (!id) return std::unexpected(id.error());
  socket.id = *id;
  return {};
}

void PortRunner::deliver(engine::Mailbox from, engine::Mailbox to, const engine::Message& message) {
  actor_->on_message(os::monotonic_now(), from, to, message);
  drain();
}

void PortRunner::on_ready(Socket& socket, const Readiness& readiness) {
  if (readiness.error) read_errors(socket);
  if (readiness.writable) {
    if (socket.flow.awaits_room == &socket) socket.flow.awaits_room = nullptr;
    loop_.set_want_write(*socket.id, false);
  }
  // A connected socket's pending ICMP error is taken off by receiving.
  if (readiness.readable || (readiness.error && socket.udp.peer())) receive(socket);
  drain();
}

void PortRunner::on_wake(Instant now) {
  actor_->on_timer(now);
  drain();
}

void PortRunner::receive(Socket& socket) {
  Flow& flow = socket.flow;
  const Instant begin = os::monotonic_now();
  flow.bulk_in = begin < flow.bulk_in_until;
  for (;;) {
    const auto batch = socket.udp.receive(receive_buffer_);
    // A receive that fails for good (no memory) loses nothing here: the datagrams stay queued.
    if (!batch || batch->empty()) return;
    const Instant now = os::monotonic_now();
    if (batch->size() >= kBulkBuffers) {
      flow.bulk_in = true;
      flow.bulk_in_until = now + kBulkPatience;
    }
    take(socket, *batch, now);
    if (batch->size() < receive_buffer_.slot_count()) return;
    if (now - begin >= kMaxReceiveTime) return loop_.poll_at_once();
    drain();
  }
}

void PortRunner::take(const Socket& socket, std::span<const os::Received> batch, Instant now) {
  for (const os::Received& received : batch) {
    actor_->on_datagram(now, {.bytes = received.bytes,
                              .segment_size = received.segment_size,
                              .from = received.from,
                              .arrival = received.arrival,
                              .kernel_stamped = received.kernel_stamped,
                              .truncated = received.truncated,
                              .flow = socket.flow.index,
                              .traffic_class = received.traffic_class,
                              .socket_drops = socket.udp.receive_drops()});
  }
}

void PortRunner::read_errors(Socket& socket) {
  while (read_stamp(socket)) {
  }
}

bool PortRunner::read_stamp(Socket& socket) {
  const auto stamp = socket.udp.read_transmit_stamp();
  // Tokens are names of the first flow's transmits only.
  if (stamp && socket.flow.index == 0) {
    actor_->on_transmit_stamp(stamp->token, stamp->departure);
  }
  // ICMP errors that lay before it.
  while (const auto error = socket.udp.take_peer_error()) {
    actor_->on_peer_unreachable(os::monotonic_now(),
                                cause_of_icmp(*error, socket.udp.local().address));
  }
  while (const auto told = socket.udp.take_too_big()) {
    actor_->on_packet_too_big(os::monotonic_now(),
                              {.to = told->peer, .flow = socket.flow.index, .mtu = told->mtu});
  }
  return stamp.has_value();
}

void PortRunner::drain() {
  transmit();
  while (auto mail = actor_->poll_message()) {
    if (auto* report = std::get_if<engine::PortReport>(&mail->message)) {
      report->totals.loop_lag = loop_.lag();
    }
    mail_.on_mail(*mail);
  }
  schedule();
}

void PortRunner::transmit() {
  more_to_send_ = false;
  for (const auto& flow : flows_) flow->bulk_out = false;
  const Instant start = os::monotonic_now();
  if (blocked_ > 0) send_waiting(start);
  const Duration chosen = loop_.tuning().max_send_time;
  // A send loop that sleeps does so after each datagram, unless it is told how long to go on.
  const bool one_by_one = loop_.tuning().send_sleep > Duration(0) && chosen == Duration(0);
  const Duration bound = chosen > Duration(0) ? chosen : kMaxSendTime;
  const std::size_t most_data = one_by_one ? 1 : most_data_per_send();
  Instant now = start;
  do {
    // What waits at an only socket is the actor's own memory.
    if (all_blocked()) return;
    const auto next = actor_->poll_transmit(now, blocked_ > 0 ? 0 : most_data);
    if (!next) return;
    if (next->kind == engine::TransmitKind::kData) note_data(*flows_[next->flow], next->to, now);
    transmit(*next);
    // Read anew each time: what is sent tells the time of its sending.
    now = os::monotonic_now();
  } while (!one_by_one && now - start < bound);
  more_to_send_ = !all_blocked();
}

bool PortRunner::all_blocked() const {
  return blocked_ == flows_.size() &&
         std::ranges::none_of(flows_, [](const auto& flow) { return flow->lets_pass(); });
}

void PortRunner::note_data(Flow& flow, const Endpoint& to, Instant now) {
  flow.bulk_out = true;
  // More often than the loop would look at it: then that costs no more turns.
  if (now - flow.last_data_out < 2 * kRestOut) {
    flow.busy_out_until = now + kBulkPatience;
    if (habits_.connects) connect(flow, to);
  }
  flow.last_data_out = now;
}

void PortRunner::connect(Flow& flow, const Endpoint& peer) {
  if (flow.find(peer) != nullptr || flow.connected.size() == kMaxConnected) return;
  std::vector<int> others;
  for (const Connected& to : flow.connected) {
    if (to.socket) others.push_back(to.socket->udp.fd());
  }
  Connected& added = flow.connected.emplace_back(peer);
  auto opened = flow.socket.udp.open_connected(peer, others);
  if (!opened) return;
  auto socket = std::make_unique<Socket>(flow, std::move(*opened));
  if (attach(*socket)) added.socket = std::move(socket);
}

PortRunner::Socket& PortRunner::socket_for(Flow& flow, const Transmit& transmit) {
  if (transmit.kind != engine::TransmitKind::kData) return flow.socket;
  const Connected* to = flow.find(transmit.to);
  return to != nullptr && to->socket ? *to->socket : flow.socket;
}

std::size_t PortRunner::most_data_per_send() const {
  bool gso = true;
  for (const auto& flow : flows_) {
    flow->for_each_socket([&](const Socket& socket) { gso = gso && socket.udp.gso_unrefused(); });
  }
  return gso ? engine::PortActor::kMaxBatchPackets : kMaxSeparateSends;
}

// Whatever has room again sends what waits at it.
void PortRunner::send_waiting(Instant now) {
  for (const auto& flow : flows_) {
    if (flow->waiting.empty() || !flow->has_room(now)) continue;
    flow->retry_at.reset();
    while (!flow->waiting.empty() && send(*flow, flow->waiting.front())) flow->waiting.pop();
    if (flow->waiting.empty()) --blocked_;
  }
}

void PortRunner::transmit(const Transmit& transmit) {
  WYNDRVR_CHECK(transmit.flow < flows_.size());
  Flow& flow = *flows_[transmit.flow];
  Transmit rest = transmit;
  const bool passes = transmit.kind != engine::TransmitKind::kData && flow.lets_pass();
  if (flow.waiting.empty() || passes) {
    if (send(flow, rest)) return;
    if (flow.waiting.empty()) ++blocked_;
  }
  const bool only = flows_.size() == 1 && flow.connected.empty();
  const auto octets =
      only ? WaitingTransmits::Octets::kBorrowed : WaitingTransmits::Octets::kCopied;
  if (!flow.waiting.push(rest, octets)) actor_->on_send_failed(rest.kind, rest.packets());
}

bool PortRunner::send(Flow& flow, Transmit& transmit) {
  if (loop_.tuning().drop_probability > 0) {
    send_some(flow, transmit);
    return true;
  }
  Socket& socket = socket_for(flow, transmit);
  // Watched again by schedule().
  if (transmit.stamp_token && habits_.quiet_stamps) loop_.set_polled(*socket.id, kRestOut);
  bool failed_before = false;
  while (!transmit.bytes.empty()) {
    const std::size_t one = std::min<std::size_t>(transmit.segment_size, transmit.bytes.size());
    const os::SendOutcome outcome =
        socket.udp.send({.to = transmit.to,
                         .from = std::nullopt,
                         .bytes = transmit.bytes,
                         .segment_size = static_cast<std::uint32_t>(one),
                         .gso_allowed = transmit.coalesce,
                         .stamp_token = transmit.stamp_token});
    transmit.bytes = transmit.bytes.subspan(outcome.bytes_sent);
    if (outcome.status == Status::kBlocked || outcome.status == Status::kNoBuffers) {
      wait_for_room(socket, transmit.kind, outcome.status);
      return false;
    }
    if (outcome.status == Status::kFailed) {
      // This datagram is lost here. The ones behind it may still go, unless it is them all: a train
      // of a thousand tries of their own would take milliseconds.
      const bool all = failed_before && outcome.bytes_sent == 0;
      actor_->on_send_failed(transmit.kind, all ? transmit.packets() : 1);
      if (transmit.kind != engine::TransmitKind::kData) {
        actor_->on_peer_unreachable(os::monotonic_now(), cause_of_send_error(outcome.error));
      }
      transmit.bytes = transmit.bytes.subspan(all ? transmit.bytes.size()
                                                  : std::min(one, transmit.bytes.size()));
      failed_before = true;
    }
  }
  // The device's stamp is there as soon as the datagram is, on most paths; else the loop tells.
  if (transmit.stamp_token) static_cast<void>(read_stamp(socket));
  return true;
}

void PortRunner::wait_for_room(Socket& socket, engine::TransmitKind kind, Status status) {
  actor_->on_send_blocked(kind);
  const bool told = status == Status::kBlocked && loop_.set_want_write(*socket.id, true);
  socket.flow.awaits_room = told ? &socket : nullptr;
  if (!told) socket.flow.retry_at = os::monotonic_now() + kNoBuffersRetry;
}

// Fault injection (test_drop_rate): datagram by datagram, some are not sent.
void PortRunner::send_some(Flow& flow, Transmit& transmit) {
  Socket& socket = socket_for(flow, transmit);
  while (!transmit.bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(transmit.segment_size, transmit.bytes.size());
    const bool dropped = faults_.chance(loop_.tuning().drop_probability);
    const os::SendOutcome outcome =
        dropped ? os::SendOutcome{.status = Status::kFailed}
                : socket.udp.send({.to = transmit.to,
                                   .from = std::nullopt,
                                   .bytes = transmit.bytes.first(size),
                                   .segment_size = static_cast<std::uint32_t>(size),
                                   .stamp_token = transmit.stamp_token});
    if (outcome.status != Status::kDone) actor_->on_send_failed(transmit.kind, 1);
    transmit.bytes = transmit.bytes.subspan(size);
  }
  if (transmit.stamp_token) read_errors(socket);
}

std::optional<Instant> PortRunner::next_retry() const {
  std::optional<Instant> next;
  for (const auto& flow : flows_) {
    if (flow->retry_at && (!next || *flow->retry_at < *next)) next = flow->retry_at;
  }
  return next;
}

void PortRunner::schedule() {
  // The first flow's registration stands for the port.
  const auto& id = flows_.front()->socket.id;
  if (!id) return;
  const Instant now = os::monotonic_now();
  const auto deadline = actor_->poll_deadline(now);
  const bool paced = deadline && deadline->reason == engine::DeadlineReason::kPacing;
  bool sends_bulk = false;
  for (const auto& flow : flows_) {
    sends_bulk = sends_bulk || flow->bulk_out;
    const bool bulk = flow->bulk_in || flow->bulk_out;
    std::optional<Duration> rest;
    if (now < flow->busy_out_until) rest = paced ? kRestOut : kRestWithoutGrant;
    if (flow->bulk_in && flow->rest_in) rest = std::min(rest.value_or(kMaxRest), *flow->rest_in);
    flow->for_each_socket([&](Socket& socket) {
      loop_.set_bulk(*socket.id, bulk);
      loop_.set_polled(*socket.id, flow->awaits_room != &socket ? rest : std::nullopt);
    });
  }
  if (sends_bulk) loop_.set_bulk(*id, true);
  if (more_to_send_) {
    loop_.run_again(*id);
    return;
  }
  std::optional<Instant> wake;
  if (deadline) wake = deadline->at;
  if (blocked_ > 0) {
    // Waiting for room: pacing and reports wait too, but not below a millisecond's look.
    wake = std::max(wake.value_or(now), now + 1ms);
    if (const auto retry = next_retry()) wake = std::min(*wake, *retry);
  }
  loop_.set_deadline(*id, wake);
}

}  // namespace wyndrvr::runtime
