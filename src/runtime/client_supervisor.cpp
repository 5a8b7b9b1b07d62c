#include "runtime/client_supervisor.hpp"

#include <cstring>
#include <string_view>
#include <utility>

#include "engine/overloaded.hpp"
#include "os/clock.hpp"
#include "os/cpu_affinity.hpp"
#include "os/entropy.hpp"
#include "runtime/port_socket.hpp"
#include "wire/connect.hpp"

namespace wyndrvr::runtime {
// --- MainSocket ---

MainSocket::~MainSocket() {
  if (id_) loop_.remove(*id_);
}

Result<void> MainSocket::open(IpAddress::Family family) {
  IpAddress any;
  any.family = family;
  auto socket =
      os::UdpSocket::open({.bind = {any, Port{0}}, .receive_stamps = false, .error_queue = true});
  if (!socket) return std::unexpected(socket.error());
  socket_ = std::move(*socket);
  auto id = loop_.add(socket_->fd(), *this);
  if (!id) return std::unexpected(id.error());
  id_ = *id;
  return {};
}

Result<void> MainSocket::send(const Endpoint& to, ByteView bytes) {
  const auto outcome = socket_->send({.to = to,
                                      .from = std::nullopt,
                                      .bytes = bytes,
                                      .segment_size = static_cast<std::uint32_t>(bytes.size()),
                                      .stamp_token = std::nullopt});
  if (outcome.status == os::SendOutcome::Status::kDone) return {};
  return fail("cannot send to {}: {}", to_string(to), std::strerror(outcome.error));
}

void MainSocket::on_ready(const Readiness& readiness) {
  if (readiness.error) {
    while (socket_->read_transmit_stamp()) {
    }
    while (const auto error = socket_->take_peer_error()) listener_.on_main_refused(error->peer);
  }
  if (!readiness.readable) return;
  const auto batch = socket_->receive(receive_buffer_);
  if (!batch) return;
  for (const os::Received& received : *batch) {
    listener_.on_main_datagram(received.from, received.bytes);
  }
}

void MainSocket::on_wake(Instant /*now*/) {}

// --- ClientSupervisor ---

ClientSupervisor::ClientSupervisor(EventLoop& loop, const ClientRun& run, ReportSink& sink)
    : loop_(loop),
      run_(run),
      sink_(sink),
      random_(os::entropy64()),
      // The client's ports get heartbeats and reports, at most 1400 octets.
      receive_buffer_(make_receive_buffer(engine::Side::kClient, engine::PortKind::kControl)) {}

ClientSupervisor::~ClientSupervisor() {
  if (timer_) loop_.remove(*timer_);
}

Result<void> ClientSupervisor::start() {
  auto timer = loop_.add(EventLoop::kNoDescriptor, *this);
  if (!timer) return std::unexpected(timer.error());
  timer_ = *timer;
  session_.emplace(run_.engine, os::monotonic_now(), random_());
  carry_out();
  return {};
}

void ClientSupervisor::stop() {
  session_->stop(os::monotonic_now());
  carry_out();
}

void ClientSupervisor::on_ready(const Readiness& /*readiness*/) {}

void ClientSupervisor::on_wake(Instant now) {
  session_->on_timer(now);
  carry_out();
}

void ClientSupervisor::on_port_message(engine::PortKind from, const engine::Message& message) {
  session_->on_message(os::monotonic_now(), from, message);
  carry_out();
}

void ClientSupervisor::on_port_lost(engine::PortKind port, const std::string& cause) {
  session_->on_port_lost(os::monotonic_now(), port, cause);
  carry_out();
}

void ClientSupervisor::on_placement_stopped() {
  loop_.stop();
}

void ClientSupervisor::finish() {
  if (!placement_) return loop_.stop();
  placement_->stop();
}

void ClientSupervisor::on_main_datagram(const Endpoint& from, ByteView bytes) {
  session_->on_main_datagram(os::monotonic_now(), from, bytes);
  carry_out();
}

void ClientSupervisor::on_main_refused(const Endpoint& by) {
  session_->on_main_refused(os::monotonic_now(), by);
  carry_out();
}

void ClientSupervisor::carry_out() {
  // Launching a port may send us its first message: its effects join this queue.
  if (std::exchange(carrying_out_, true)) return;
  while (auto effect = session_->poll_effect()) {
    std::visit(engine::Overloaded{
                   [&](const engine::SendConnect& send) { connect(send.to); },
                   [&](const engine::OpenPorts& ports) { open_ports(ports); },
                   [&](const engine::Post& post) { placement_->post(post.to, post.message); },
                   [&](const engine::Report& report) { sink_.on_report(report); },
                   [&](const engine::Finish&) { finish(); },
               },
               *effect);
  }
  carrying_out_ = false;
  const auto deadline = session_->poll_deadline();
  loop_.set_deadline(*timer_, deadline ? std::optional(deadline->at) : std::nullopt);
}

void ClientSupervisor::connect(const Endpoint& server) {
  if (random_.chance(run_.tuning.drop_probability)) return;
  auto& main = main_[server.address.is_v6() ? 1 : 0];
  if (!main) {
    main = std::make_unique<MainSocket>(loop_, receive_buffer_, *this);
    if (const auto opened = main->open(server.address.family); !opened) {
      main.reset();
      session_->on_main_failed(os::monotonic_now(), opened.error().message);
      return;
    }
  }
  // Unreachable now may be reachable in a second: as if nobody had answered.
  if (!main->send(server, as_bytes(wire::kConnect))) {
    session_->on_main_refused(os::monotonic_now(), server);
  }
}

void ClientSupervisor::open_ports(const engine::OpenPorts& ports) {
  if (const auto launched = launch_ports(ports); !launched) {
    session_->on_ports_failed(os::monotonic_now(), launched.error().message);
  }
}

void ClientSupervisor::on_launched() {
  workers_ = placement_->workers();
  if (placement_->apart()) sink_.on_report(engine::PortsStarted{});
  session_->on_ports_open(os::monotonic_now());
  carry_out();
}

void ClientSupervisor::on_launch_failed(const std::string& why) {
  session_->on_ports_failed(os::monotonic_now(), why);
  carry_out();
}

Result<void> ClientSupervisor::launch_ports(const engine::OpenPorts& ports) {
  const auto local = os::local_address_towards(ports.server);
  if (!local) return std::unexpected(local.error());
  const os::ClockReading clocks = os::read_clocks();
  const Duration offset = engine::WallClock(clocks.wall, clocks.monotonic).offset();
  PortSockets sockets;
  PortConfigs configs;
  for (const engine::PortKind kind : engine::kPortKinds) {
    auto socket = open_client_port(kind, *local);
    if (!socket) return std::unexpected(socket.error());
    if (kind == engine::PortKind::kUpload) facts_ = facts_of(*socket);
    sockets[engine::index_of(kind)] = std::move(*socket);
    configs[engine::index_of(kind)] =
        session_->port_config(kind, clocks.monotonic, offset, random_());
  }
  placement_ = make_placement(
      run_.ports, {loop_, receive_buffer_, {.chosen = run_.cpus, .allowed = os::allowed_cpus()}},
      *this);
  placement_->launch(std::move(sockets), configs);
  return {};
}

ClientOutcome ClientSupervisor::outcome() const {
  ClientOutcome outcome{session_->result(), facts_, workers_};
  auto& problems = outcome.result.problems;
  if (facts_ && std::string_view(facts_->timestamp_source) == "none") {
    problems.push_back({engine::ProblemCode::kNoKernelStamps,
                        "the kernel stamps no datagrams: round trips include this program's own "
                        "delay"});
  }
  if (run_.tuning.drop_probability > 0 || run_.tuning.test_delay > Duration(0)) {
    problems.push_back({engine::ProblemCode::kFaultInjection,
                        "fault injection is on (test_drop_rate, test_delay): not a measurement"});
  }
  return outcome;
}

}  // namespace wyndrvr::runtime
