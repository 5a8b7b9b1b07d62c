#include "swarm_client.hpp"

#include <utility>
#include <variant>

#include "engine/overloaded.hpp"
#include "engine/wall_clock.hpp"
#include "os/clock.hpp"
#include "runtime/port_socket.hpp"

namespace wyndrvr::bench {

using engine::PortKind;

SwarmClient::SwarmClient(runtime::EventLoop& loop, os::ReceiveBuffer& receive_buffer,
                         Options options, SwarmListener& listener)
    : loop_(loop),
      receive_buffer_(receive_buffer),
      options_(std::move(options)),
      listener_(listener),
      random_(options_.seed) {}

SwarmClient::~SwarmClient() {
  if (timer_) loop_.remove(*timer_);
}

Result<void> SwarmClient::start() {
  auto timer = loop_.add(runtime::EventLoop::kNoDescriptor, *this);
  if (!timer) return std::unexpected(timer.error());
  timer_ = *timer;
  session_.emplace(options_.engine, os::monotonic_now(), random_());
  carry_out();
  return {};
}

void SwarmClient::stop() {
  session_->stop(os::monotonic_now());
  carry_out();
}

void SwarmClient::on_ready(const runtime::Readiness& /*readiness*/) {}

void SwarmClient::on_wake(Instant now) {
  session_->on_timer(now);
  carry_out();
}

void SwarmClient::on_port_message(PortKind from, const engine::Message& message) {
  if (const auto* sample = std::get_if<engine::HeartbeatSample>(&message)) {
    listener_.on_round_trip(*sample);
  }
  if (std::holds_alternative<engine::PortProven>(message) && ++proven_ == engine::kPortCount) {
    listener_.on_client_connected();
  }
  session_->on_message(os::monotonic_now(), from, message);
  carry_out();
}

void SwarmClient::on_launched() {
  session_->on_ports_open(os::monotonic_now());
  carry_out();
}

void SwarmClient::on_launch_failed(const std::string& why) {
  session_->on_ports_failed(os::monotonic_now(), why);
  carry_out();
}

void SwarmClient::on_port_lost(PortKind port, const runtime::WorkerLoss& loss) {
  session_->on_port_lost(os::monotonic_now(), port, loss.cause);
  carry_out();
}

void SwarmClient::on_main_datagram(const Endpoint& from, ByteView bytes) {
  session_->on_main_datagram(os::monotonic_now(), from, bytes);
  carry_out();
}

void SwarmClient::on_main_unreachable(const Endpoint& to, engine::Unreachable cause) {
  session_->on_main_unreachable(os::monotonic_now(), to, cause);
  carry_out();
}

void SwarmClient::on_placement_stopped() {
  if (!std::exchange(over_, true)) listener_.on_client_over();
}

void SwarmClient::finish() {
  if (placement_) return placement_->stop();
  on_placement_stopped();
}

void SwarmClient::carry_out() {
  // Launching a port may send us its first message: its effects join this queue.
  if (std::exchange(carrying_out_, true)) return;
  while (auto effect = session_->poll_effect()) {
    std::visit(engine::Overloaded{
                   [&](const engine::SendMain& send) { send_main(send.to, send.view()); },
                   [&](const engine::OpenPorts&) {
                     if (const auto launched = launch_ports(); !launched) {
                       session_->on_ports_failed(os::monotonic_now(), launched.error().message);
                     }
                   },
                   [&](const engine::Post& post) { placement_->post(post.to, post.message); },
                   [](const engine::Report&) {},
                   [&](const engine::Finish&) { finish(); },
               },
               *effect);
  }
  carrying_out_ = false;
  const auto deadline = session_->poll_deadline();
  loop_.set_deadline(*timer_, deadline ? std::optional(deadline->at) : std::nullopt);
}

void SwarmClient::send_main(const Endpoint& to, ByteView bytes) {
  if (!main_) {
    main_ = std::make_unique<runtime::MainSocket>(loop_, receive_buffer_, *this);
    if (const auto opened = main_->open(to.address.family, {.bind = options_.local}); !opened) {
      main_.reset();
      session_->on_main_failed(os::monotonic_now(), to, opened.error().message);
      return;
    }
  }
  if (const auto cause = main_->send(to, bytes)) {
    session_->on_main_unreachable(os::monotonic_now(), to, *cause);
  }
}

Result<void> SwarmClient::launch_ports() {
  const os::ClockReading clocks = os::read_clocks();
  const Duration offset = engine::WallClock(clocks.wall, clocks.monotonic).offset();
  runtime::PortConfigs configs;
  runtime::PortSockets sockets;
  for (const PortKind kind : engine::kPortKinds) {
    const std::size_t i = engine::index_of(kind);
    configs[i] = session_->port_config(kind, clocks.monotonic, offset, random_());
    // A single port's sockets are the first alone.
    if (i > 0 && runtime::has_single_port(configs[i].path)) continue;
    auto opened = runtime::open_client_port(configs[i], options_.local, {});
    if (!opened) return std::unexpected(opened.error());
    sockets[i] = std::move(*opened);
  }
  placement_ =
      runtime::make_placement(runtime::PlacementMode::kSingle, configs.front().path,
                              {loop_, receive_buffer_, {.chosen = {}, .allowed = {}}}, *this);
  placement_->launch(std::move(sockets), configs);
  return {};
}

}  // namespace wyndrvr::bench
