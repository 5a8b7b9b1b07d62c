#include "swarm_run.hpp"

#include <algorithm>

#include "os/clock.hpp"
#include "os/entropy.hpp"
#include "runtime/port_socket.hpp"

namespace wyndrvr::bench {
namespace {

std::optional<ProcessUsage> usage_of_server(int pid) {
  return pid == 0 ? std::nullopt : usage_of(pid);
}

engine::ClientConfig client_config(const SwarmOptions& options) {
  engine::ClientConfig config;
  config.protocol.heartbeat_interval = options.heartbeat_interval;
  config.servers = {options.server};
  config.dialect = options.dialect;
  config.terms.single_port = options.single_port;
  os::fill_random(config.nonce);
  return config;
}

}  // namespace

SwarmRun::SwarmRun(runtime::EventLoop& loop, const SwarmOptions& options)
    : loop_(loop),
      options_(options),
      random_(os::entropy64()),
      receive_buffer_(
          runtime::make_receive_buffer(engine::Side::kClient, engine::PortKind::kControl)) {}

SwarmRun::~SwarmRun() {
  if (timer_) loop_.remove(*timer_);
}

Result<void> SwarmRun::start() {
  auto timer = loop_.add(runtime::EventLoop::kNoDescriptor, *this);
  if (!timer) return std::unexpected(timer.error());
  timer_ = *timer;
  server_empty_ = usage_of_server(options_.server_pid);
  next_arrival_ = os::monotonic_now();
  clients_.reserve(options_.clients);
  loop_.set_deadline(*timer_, next_arrival_);
  return {};
}

Duration SwarmRun::step() const {
  return Duration(1s) / options_.connects_per_second;
}

void SwarmRun::on_ready(const runtime::Readiness& /*readiness*/) {}

void SwarmRun::on_wake(Instant now) {
  switch (phase_) {
    case Phase::kArriving:
      return arrive(now);
    case Phase::kSettling:
      return begin_measuring(now);
    case Phase::kMeasuring:
      return end_measuring(now);
    case Phase::kLeaving:
      return leave(now);
  }
}

void SwarmRun::arrive(Instant now) {
  const std::size_t arriving = clients_.size() - std::min(clients_.size(), outcome_.connected);
  if (clients_.size() < options_.clients && arriving < kMaxArriving + over_) add_client();
  next_arrival_ = std::max(next_arrival_ + step(), now);
  if (clients_.size() < options_.clients) {
    phase_end_ = now + kPatience;
  } else if (outcome_.connected + over_ >= options_.clients || now >= phase_end_) {
    phase_ = Phase::kSettling;
    next_arrival_ = now + kSettling;
  }
  loop_.set_deadline(*timer_, next_arrival_);
}

void SwarmRun::add_client() {
  clients_.push_back(std::make_unique<SwarmClient>(
      loop_, receive_buffer_,
      SwarmClient::Options{client_config(options_), address_of(clients_.size()), random_()},
      *this));
  if (!clients_.back()->start()) ++over_;
}

// 127.0.0.1 is left to the server; each group has a network (/24) of its own.
IpAddress SwarmRun::address_of(std::size_t client) const {
  const IpAddress& server = options_.server.address;
  if (server.is_v6() || server.octets[0] != 127) {
    IpAddress any;
    any.family = server.family;
    return any;
  }
  const std::size_t group = client / kGroup;
  return {
      {127, static_cast<std::uint8_t>(1 + group / 250), static_cast<std::uint8_t>(group % 250), 1}};
}

void SwarmRun::begin_measuring(Instant now) {
  phase_ = Phase::kMeasuring;
  measuring_since_ = now;
  server_before_ = usage_of_server(options_.server_pid);
  own_before_ = usage_of(0);
  loop_.set_deadline(*timer_, os::monotonic_now() + options_.measured);
}

void SwarmRun::end_measuring(Instant now) {
  phase_ = Phase::kLeaving;
  phase_end_ = now + kPatience + step() * options_.clients;
  outcome_.measured = now - measuring_since_;
  outcome_.exchanges = rtt_.count();
  outcome_.rtt = rtt_.summary();
  outcome_.network_rtt = network_rtt_.summary();
  const auto server = usage_of_server(options_.server_pid);
  const auto own = usage_of(0);
  if (own && own_before_) outcome_.own_cpu = own->cpu - own_before_->cpu;
  if (server && server_before_ && server_empty_) {
    outcome_.server_cpu = server->cpu - server_before_->cpu;
    outcome_.server_private_octets = static_cast<std::int64_t>(server->private_octets) -
                                     static_cast<std::int64_t>(server_empty_->private_octets);
  }
  leave(now);
}

void SwarmRun::leave(Instant now) {
  while (next_to_leave_ < clients_.size()) {
    SwarmClient& client = *clients_[next_to_leave_++];
    if (client.over()) continue;
    client.stop();
    break;
  }
  if (over_ >= clients_.size() || now >= phase_end_) return loop_.stop();
  loop_.set_deadline(*timer_, now + step());
}

void SwarmRun::on_round_trip(const engine::HeartbeatSample& sample) {
  if (phase_ != Phase::kMeasuring) return;
  rtt_.record(sample.rtt);
  if (sample.network_rtt) network_rtt_.record(*sample.network_rtt);
}

SwarmOutcome SwarmRun::outcome() const {
  SwarmOutcome outcome = outcome_;
  for (const auto& client : clients_) {
    for (const auto& port : client->result().ports) {
      if (!port) continue;
      outcome.sent += port->idle.sent;
      outcome.answered += port->idle.received;
      outcome.lost += port->idle.lost;
      outcome.skipped += port->idle.skipped;
    }
  }
  return outcome;
}

}  // namespace wyndrvr::bench
