#include "sim/client_host.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/overloaded.hpp"
#include "wire/connect.hpp"

namespace wyndrvr::sim {
namespace {

using engine::Mailbox;
using engine::PortKind;

constexpr std::uint16_t kFirstClientPort = 40'000;

// Less the error of a clock.
constexpr Duration kPatience = engine::HeartbeatClient::kAnswerTimeout - 10ms;
constexpr Duration kCountPatience = 249ms;

}  // namespace

ClientHost::ClientHost(Environment& environment, std::size_t index)
    : Host(environment, fmt::format("client{}", index + 1),
           client_address(environment.scenario.v6, index),
           environment.scenario.clients[index].host),
      index_(index),
      main_{address(), {kFirstClientPort}},
      mail_(*this, name(),
            [this](Mailbox from, Mailbox to, const engine::Message& message) {
              on_letter(from, to, message);
            }),
      alarm_(*this, name(), [this] {
        session_->on_timer(now());
        settle();
      }) {
  uplink_ = &environment.network.add_link(scenario().up, environment.scenario.v6);
  Link& down = environment.network.add_link(scenario().down, environment.scenario.v6);
  environment.network.set_route(address(), down);
}

void ClientHost::start() {
  if (dark()) return;
  environment().network.bind(main_, *this);
  session_.emplace(scenario().config, now(), environment().random());
  settle();
}

void ClientHost::stop() {
  if (dark() || !session_ || finished()) return;
  environment().trace.line(environment().queue.now(), name(), "is stopped by its user");
  environment().coverage.count(Seen::kStopped);
  session_->stop(now());
  settle();
}

void ClientHost::on_arrival(PacketPtr packet) {
  if (dark()) return;
  environment().trace.line(environment().queue.now(), name(), "main socket: {}",
                           std::string_view(as_text(packet->bytes)));
  const auto answer = wire::parse_connect_answer(packet->bytes);
  if (packet->note.genuine() && answer) was_answered_ = true;
  const auto* ended = answer ? std::get_if<wire::Ended>(&*answer) : nullptr;
  const bool measured = measuring();
  session_->on_main_datagram(now(), packet->from, packet->bytes);
  if (ended != nullptr && measured) on_ended(*packet, *ended);
  settle();
}

void ClientHost::on_ended(const Packet& packet, const wire::Ended& ended) {
  heard_ended_ = true;
  if (!packet.note.genuine() || ended.key != key_) return;
  const auto& problems = result().problems;
  const bool said = std::ranges::any_of(problems, [](const engine::Problem& one) {
    return one.code == engine::ProblemCode::kServerFailed;
  });
  environment().coverage.count(Seen::kServerFailed);
  if (said && !result().valid) return;
  environment().findings.add(environment().queue.now(),
                             "{}: is told that the server has failed, and goes on", name());
}

void ClientHost::on_letter(Mailbox from, Mailbox to, const engine::Message& message) {
  if (finished()) return;
  if (to == Mailbox::kCoordinator) {
    if (std::holds_alternative<engine::PortReport>(message)) {
      reported_[static_cast<std::size_t>(from)] = true;
    }
    session_->on_message(now(), static_cast<PortKind>(from), message);
    settle();
    return;
  }
  const auto& port = ports_[static_cast<std::size_t>(to)];
  if (port) port->on_letter(from, message);
}

void ClientHost::settle() {
  while (const auto effect = session_->poll_effect()) carry_out(*effect);
  alarm_.set(session_->poll_deadline());
}

void ClientHost::carry_out(const engine::ClientSessionEffect& effect) {
  std::visit(engine::Overloaded{
                 [&](const engine::SendConnect& connect) { send_connect(connect.to); },
                 [&](const engine::OpenPorts& wanted) { open_ports(wanted); },
                 [&](const engine::Post& post) {
                   if (std::holds_alternative<engine::Drain>(post.message)) draining_ = true;
                   mail_.post(Mailbox::kCoordinator, engine::mailbox_of(post.to), post.message);
                 },
                 [&](const engine::Report& report) { note_report(report); },
                 [&](const engine::Finish&) { finish(); },
             },
             effect);
}

void ClientHost::send_connect(const Endpoint& to) {
  Packet packet;
  packet.from = main_;
  packet.to = to;
  const ByteView text = as_bytes(wire::kConnect);
  packet.bytes.assign(text.begin(), text.end());
  packet.note.sent = environment().queue.now();
  packet.note.departed = packet.note.sent;
  environment().network.send(uplink_, packet);
}

void ClientHost::on_unreachable(const Endpoint& by) {
  if (dark() || finished()) return;
  session_->on_main_refused(now(), by);
  settle();
}

void ClientHost::open_ports(const engine::OpenPorts& /*wanted*/) {
  if (scenario().ports_fail) {
    session_->on_ports_failed(now(), "too many open files");
    return;
  }
  const Duration offset = clock().wall_offset();
  for (const PortKind kind : engine::kPortKinds) {
    const std::size_t slot = engine::index_of(kind);
    PortHost::Options options;
    options.config = session_->port_config(kind, now(), offset, environment().random());
    options.bound = {address(), {static_cast<std::uint16_t>(kFirstClientPort + 1 + slot)}};
    options.watch = {
        .side = engine::Side::kClient,
        .kind = kind,
        .upload = &upload_,
        .session = nullptr,
        .shortest_patience = options.config.heartbeat_count ? kCountPatience : kPatience,
        .name = fmt::format("{}/{}", name(), engine::name(kind))};
    options.link = uplink_;
    options.send_refusal = scenario().send_refusal;
    ports_[slot] = std::make_unique<PortHost>(*this, mail_, std::move(options));
  }
  session_->on_ports_open(now());
  for (const auto& port : ports_) port->start();
}

std::vector<Endpoint> ClientHost::open_ports() const {
  std::vector<Endpoint> open;
  for (const auto& port : ports_) {
    if (port && port->open()) open.push_back(port->bound());
  }
  return open;
}

void ClientHost::note_report(const engine::Report& report) {
  if (const auto* assigned = std::get_if<engine::Assigned>(&report)) key_ = assigned->key;
  if (std::holds_alternative<engine::UploadResultArrived>(report)) result_arrived_ = true;
  environment().trace.line(environment().queue.now(), name(), "reports kind {}", report.index());
}

std::string ClientHost::cause_of_loss(PortKind port) {
  return fmt::format("{} loop ended", engine::name(port));
}

void ClientHost::lose(PortKind port) {
  const auto& host = ports_[engine::index_of(port)];
  if (dark() || finished() || !host || !host->open()) return;
  environment().coverage.count(Seen::kClientPortLost);
  environment().trace.line(environment().queue.now(), name(), "loses its {} port",
                           engine::name(port));
  host->close();
  mail_.cut(engine::mailbox_of(port));
  const TrueTime told =
      environment().queue.now() + environment().up_to(environment().scenario.max_loss_delay);
  loss_ = PortLossTruth{port, told};
  environment().queue.at(told, [this] { tell_loss(); });
}

void ClientHost::tell_loss() {
  if (dark() || finished()) return;
  loss_->in_time = measuring();
  loss_->lingering = result_arrived_ && !draining_;
  loss_->said_all = reported_[engine::index_of(loss_->port)];
  if (environment().scenario.lie == Lie::kUntoldLoss) return;
  session_->on_port_lost(now(), loss_->port, cause_of_loss(loss_->port));
  settle();
}

void ClientHost::finish() {
  finished_at_ = environment().queue.now();
  environment().trace.line(*finished_at_, name(), "finishes, valid: {}", result().valid);
  for (const auto& port : ports_) {
    if (port) port->close();
  }
  environment().network.unbind(main_);
}

}  // namespace wyndrvr::sim
