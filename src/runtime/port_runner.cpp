#include "runtime/port_runner.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "os/clock.hpp"
#include "runtime/port_socket.hpp"

namespace wyndrvr::runtime {

using engine::Transmit;
using Status = os::SendOutcome::Status;

namespace {

PortRunner::Habits habits_of(std::span<const engine::PortConfig> configs) {
  const engine::PortConfig& config = configs.front();
  const bool server = config.side == engine::Side::kServer;
  const bool single_port = configs.size() > 1;
  const bool one_peer = !single_port && config.path && config.path->terms.streams == 1;
  return {.quiet_stamps = !server,
          .connects = server && config.kind == engine::PortKind::kDownload && one_peer};
}

}  // namespace

PortRunner::Flow::Flow(PortRunner& owner, std::size_t number, os::UdpSocket opened)
    : runner(owner),
      index(static_cast<std::uint8_t>(number)),
      socket(std::move(opened)),
      may_rest(socket.receive_buffer_granted() >= kRestfulBuffer) {}

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
    if (flow->id) loop_.remove(*flow->id);
    if (flow->others) loop_.remove(flow->others->id);
  }
}

Result<void> PortRunner::attach() {
  for (const auto& flow : flows_) {
    auto id = loop_.add(flow->socket.fd(), *flow);
    if (!id) return std::unexpected(id.error());
    flow->id = *id;
  }
  return {};
}

void PortRunner::deliver(engine::Mailbox from, engine::Mailbox to, const engine::Message& message) {
  actor_->on_message(os::monotonic_now(), from, to, message);
  drain();
}

void PortRunner::on_ready(Flow& flow, const Readiness& readiness) {
  if (readiness.error) read_errors(flow);
  if (readiness.writable) {
    flow.awaits_room = false;
    loop_.set_want_write(*flow.id, false);
  }
  // A connected socket's pending ICMP error is taken off by receiving.
  if (readiness.readable || (readiness.error && flow.others)) receive(flow);
  drain();
}

void PortRunner::on_others(Flow& flow) {
  // What is left reports itself again.
  const auto batch = flow.others->socket.receive(receive_buffer_);
  if (batch) take(flow, flow.others->socket, *batch, os::monotonic_now());
  drain();
}

void PortRunner::on_wake(Instant now) {
  actor_->on_timer(now);
  drain();
}

void PortRunner::receive(Flow& flow) {
  const Instant begin = os::monotonic_now();
  flow.bulk_in = begin < flow.bulk_in_until;
  for (;;) {
    const auto batch = flow.socket.receive(receive_buffer_);
    // A receive that fails for good (no memory) loses nothing here: the datagrams stay queued.
    if (!batch || batch->empty()) return;
    const Instant now = os::monotonic_now();
    if (batch->size() >= kBulkBuffers) {
      flow.bulk_in = true;
      flow.bulk_in_until = now + kBulkPatience;
    }
    take(flow, flow.socket, *batch, now);
    if (batch->size() < receive_buffer_.slot_count()) return;
    if (now - begin >= kMaxReceiveTime) return loop_.poll_at_once();
    drain();
  }
}

void PortRunner::take(Flow& flow, const os::UdpSocket& socket, std::span<const os::Received> batch,
                      Instant now) {
  for (const os::Received& received : batch) {
    actor_->on_datagram(now, {.bytes = received.bytes,
                              .segment_size = received.segment_size,
                              .from = received.from,
                              .arrival = received.arrival,
                              .kernel_stamped = received.kernel_stamped,
                              .truncated = received.truncated,
                              .flow = flow.index,
                              .traffic_class = received.traffic_class,
                              .socket_drops = socket.receive_drops()});
  }
}

void PortRunner::read_errors(Flow& flow) {
  while (read_stamp(flow)) {
  }
}

bool PortRunner::read_stamp(Flow& flow) {
  const auto stamp = flow.socket.read_transmit_stamp();
  // Tokens are names of the first flow's transmits only.
  if (stamp && flow.index == 0) actor_->on_transmit_stamp(stamp->token, stamp->departure);
  // ICMP errors that lay before it.
  while (flow.socket.take_peer_error()) actor_->on_peer_unreachable(os::monotonic_now());
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
  const Duration bound = chosen > Duration(0) ? std::min(chosen, kMaxSendTime) : kMaxSendTime;
  const std::size_t most_data = one_by_one ? 1 : most_data_per_send();
  Instant now = start;
  do {
    // What waits at an only socket is the actor's own memory.
    if (blocked_ == flows_.size()) return;
    const auto next = actor_->poll_transmit(now, blocked_ > 0 ? 0 : most_data);
    if (!next) return;
    if (next->kind == engine::TransmitKind::kData) note_data(*flows_[next->flow], next->to, now);
    transmit(*next);
    // Read anew each time: what is sent tells the time of its sending.
    now = os::monotonic_now();
  } while (!one_by_one && now - start < bound);
  more_to_send_ = blocked_ < flows_.size();
}

void PortRunner::note_data(Flow& flow, const Endpoint& to, Instant now) {
  flow.bulk_out = true;
  // More often than the loop would look at it: then that costs no more turns.
  if (now - flow.last_data_out < 2 * EventLoop::kRest) {
    flow.busy_out_until = now + kBulkPatience;
    if (habits_.connects && flow.wanted_peer != to) connect(flow, to);
  }
  flow.last_data_out = now;
}

void PortRunner::connect(Flow& flow, const Endpoint& peer) {
  flow.wanted_peer = peer;
  if (!flow.others) {
    auto opened = flow.socket.open_beside();
    if (!opened) return;
    auto others = std::make_unique<Others>(flow, std::move(*opened));
    const auto id = loop_.add(others->socket.fd(), *others);
    if (!id) return;
    others->id = *id;
    flow.others = std::move(others);
  }
  // Refused: it sends to the peer by its address, and both sockets receive.
  static_cast<void>(flow.socket.connect(peer));
}

std::size_t PortRunner::most_data_per_send() const {
  const bool gso =
      std::ranges::all_of(flows_, [](const auto& flow) { return flow->socket.gso_available(); });
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
  if (flow.waiting.empty()) {
    if (send(flow, rest)) return;
    ++blocked_;
  }
  const auto octets =
      flows_.size() == 1 ? WaitingTransmits::Octets::kBorrowed : WaitingTransmits::Octets::kCopied;
  if (!flow.waiting.push(rest, octets)) actor_->on_send_failed(rest.kind, rest.packets());
}

bool PortRunner::send(Flow& flow, Transmit& transmit) {
  if (loop_.tuning().drop_probability > 0) {
    send_some(flow, transmit);
    return true;
  }
  // Watched again by schedule().
  if (transmit.stamp_token && habits_.quiet_stamps) loop_.set_polled(*flow.id, true);
  while (!transmit.bytes.empty()) {
    const std::size_t one = std::min<std::size_t>(transmit.segment_size, transmit.bytes.size());
    const os::SendOutcome outcome =
        flow.socket.send({.to = transmit.to,
                          .from = std::nullopt,
                          .bytes = transmit.bytes,
                          .segment_size = static_cast<std::uint32_t>(one),
                          .gso_allowed = transmit.coalesce,
                          .stamp_token = transmit.stamp_token});
    transmit.bytes = transmit.bytes.subspan(outcome.bytes_sent);
    if (outcome.status == Status::kBlocked || outcome.status == Status::kNoBuffers) {
      wait_for_room(flow, transmit, outcome.status);
      return false;
    }
    if (outcome.status == Status::kFailed) {
      // This datagram is lost here; the ones behind it may still go.
      actor_->on_send_failed(transmit.kind, 1);
      transmit.bytes = transmit.bytes.subspan(std::min(one, transmit.bytes.size()));
    }
  }
  // The device's stamp is there as soon as the datagram is, on most paths; else the loop tells.
  if (transmit.stamp_token) static_cast<void>(read_stamp(flow));
  return true;
}

void PortRunner::wait_for_room(Flow& flow, const Transmit& transmit, Status status) {
  actor_->on_send_blocked(transmit.kind);
  flow.awaits_room = status == Status::kBlocked && loop_.set_want_write(*flow.id, true);
  if (!flow.awaits_room) flow.retry_at = os::monotonic_now() + kNoBuffersRetry;
}

// Fault injection (test_drop_rate): datagram by datagram, some are not sent.
void PortRunner::send_some(Flow& flow, Transmit& transmit) {
  while (!transmit.bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(transmit.segment_size, transmit.bytes.size());
    const bool dropped = faults_.chance(loop_.tuning().drop_probability);
    const os::SendOutcome outcome =
        dropped ? os::SendOutcome{.status = Status::kFailed}
                : flow.socket.send({.to = transmit.to,
                                    .from = std::nullopt,
                                    .bytes = transmit.bytes.first(size),
                                    .segment_size = static_cast<std::uint32_t>(size),
                                    .stamp_token = transmit.stamp_token});
    if (outcome.status != Status::kDone) actor_->on_send_failed(transmit.kind, 1);
    transmit.bytes = transmit.bytes.subspan(size);
  }
  if (transmit.stamp_token) read_errors(flow);
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
  const auto& id = flows_.front()->id;
  if (!id) return;
  const Instant now = os::monotonic_now();
  bool sends_bulk = false;
  for (const auto& flow : flows_) {
    sends_bulk = sends_bulk || flow->bulk_out;
    loop_.set_bulk(*flow->id, flow->bulk_in || flow->bulk_out);
    const bool busy = (flow->bulk_in && flow->may_rest) || now < flow->busy_out_until;
    loop_.set_polled(*flow->id, busy && !flow->awaits_room);
  }
  if (sends_bulk) loop_.set_bulk(*id, true);
  if (more_to_send_) {
    loop_.run_again(*id);
    return;
  }
  const auto deadline = actor_->poll_deadline(now);
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
