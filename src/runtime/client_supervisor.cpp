#include "runtime/client_supervisor.hpp"

#include <string_view>
#include <utility>

#include "engine/overloaded.hpp"
#include "engine/wall_clock.hpp"
#include "os/clock.hpp"
#include "os/cpu_affinity.hpp"
#include "os/entropy.hpp"
#include "runtime/port_socket.hpp"

namespace wyndrvr::runtime {
namespace {

using engine::PortKind;

// What the loop of a client may get: trains of data, where that is to be had.
PortKind most_demanding_port(const engine::ClientConfig& config) {
  const bool original = config.dialect == engine::DialectChoice::kOriginal;
  return original ? PortKind::kControl : PortKind::kDownload;
}

// The port whose sockets say most of what this host can do in a test.
PortKind busiest_port(const std::optional<engine::PathSetup>& path) {
  if (has_single_port(path)) return PortKind::kControl;
  return path && path->terms.has(PortKind::kDownload) ? PortKind::kDownload : PortKind::kUpload;
}

}  // namespace

ClientSupervisor::ClientSupervisor(EventLoop& loop, const ClientRun& run, ReportSink& sink)
    : loop_(loop),
      run_(run),
      sink_(sink),
      random_(os::entropy64()),
      receive_buffer_(make_receive_buffer(engine::Side::kClient, most_demanding_port(run.engine))) {
}

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

void ClientSupervisor::stop(engine::StopCause cause) {
  session_->stop(os::monotonic_now(), cause);
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

void ClientSupervisor::on_port_lost(engine::PortKind port, const WorkerLoss& loss) {
  session_->on_port_lost(os::monotonic_now(), port, loss.text());
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

void ClientSupervisor::on_main_unreachable(const Endpoint& to, engine::Unreachable cause) {
  session_->on_main_unreachable(os::monotonic_now(), to, cause);
  carry_out();
}

void ClientSupervisor::carry_out() {
  // Launching a port may send us its first message: its effects join this queue.
  if (std::exchange(carrying_out_, true)) return;
  while (auto effect = session_->poll_effect()) {
    std::visit(engine::Overloaded{
                   [&](const engine::SendMain& send) { send_main(send.to, send.view()); },
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

void ClientSupervisor::send_main(const Endpoint& to, ByteView bytes) {
  if (random_.chance(run_.tuning.drop_probability)) return;
  auto& main = main_[to.address.is_v6() ? 1 : 0];
  if (!main) {
    main = std::make_unique<MainSocket>(loop_, receive_buffer_, *this);
    if (const auto opened = main->open(to.address.family, run_.sockets); !opened) {
      main.reset();
      session_->on_main_failed(os::monotonic_now(), to, opened.error().message);
      return;
    }
  }
  // Unreachable now may be reachable in a second: as if nobody had answered.
  if (const auto cause = main->send(to, bytes)) {
    session_->on_main_unreachable(os::monotonic_now(), to, *cause);
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
  const os::ClockReading clocks = os::read_clocks();
  const Duration offset = engine::WallClock(clocks.wall, clocks.monotonic).offset();
  PortConfigs configs;
  for (const PortKind kind : engine::kPortKinds) {
    configs[engine::index_of(kind)] =
        session_->port_config(kind, clocks.monotonic, offset, random_());
  }
  auto sockets = open_sockets(ports.server, configs);
  if (!sockets) return std::unexpected(sockets.error());
  for (const PortKind kind : engine::kPortKinds) {
    configs[engine::index_of(kind)].receive_buffer = receive_buffer_of(*sockets, kind);
  }
  const auto& path = configs.front().path;
  facts_ = facts_of((*sockets)[engine::index_of(busiest_port(path))].front());
  placement_ = make_placement(
      run_.ports, path,
      {loop_, receive_buffer_, {.chosen = run_.cpus, .allowed = os::allowed_cpus()}}, *this);
  placement_->launch(std::move(*sockets), configs);
  return {};
}

Result<PortSockets> ClientSupervisor::open_sockets(const Endpoint& server,
                                                   const PortConfigs& configs) {
  IpAddress local;
  if (run_.sockets.bind) {
    local = *run_.sockets.bind;
  } else {
    const auto chosen = os::local_address_towards(server, run_.sockets.interface);
    if (!chosen) return std::unexpected(chosen.error());
    local = *chosen;
  }
  PortSockets sockets;
  // A single port's are the first alone.
  const std::size_t ports = has_single_port(configs.front().path) ? 1 : configs.size();
  for (std::size_t i = 0; i < ports; ++i) {
    auto opened = open_client_port(configs[i], local, run_.sockets, run_.tuning.offloads);
    if (!opened) return std::unexpected(opened.error());
    sockets[i] = std::move(*opened);
  }
  return sockets;
}

ClientOutcome ClientSupervisor::outcome() const {
  ClientOutcome outcome{session_->result(), facts_, workers_, std::nullopt};
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
