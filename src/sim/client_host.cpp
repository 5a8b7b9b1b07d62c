#include "sim/client_host.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/heartbeat_client.hpp"
#include "engine/overloaded.hpp"
#include "wire/connect.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::sim {
namespace {

using engine::Mailbox;
using engine::PortKind;

constexpr std::uint16_t kFirstClientPort = 40'000;
constexpr std::uint16_t kFirstOutsidePort = 45'000;

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
      alarm_(*this, name(),
             [this] {
               session_->on_timer(now());
               settle();
             }),
      next_port_(kFirstClientPort + 1),
      next_outside_port_(kFirstOutsidePort) {
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
  note_handshake(*packet);
  const auto answer = wire::parse_connect_answer(packet->bytes);
  if (packet->note.genuine() && answer) was_answered_ = true;
  const auto* ended = answer ? std::get_if<wire::Ended>(&*answer) : nullptr;
  const bool measured = measuring();
  session_->on_main_datagram(now(), packet->from, packet->bytes);
  if (ended != nullptr && measured) on_ended(*packet, *ended);
  settle();
}

void ClientHost::note_handshake(const Packet& packet) {
  Trace& trace = environment().trace;
  const auto handshake = wire::parse_from_server(packet.bytes);
  if (!handshake) {
    trace.line(environment().queue.now(), name(), "main socket: {}",
               std::string_view(as_text(packet.bytes)));
    return;
  }
  trace.line(environment().queue.now(), name(), "main socket: {} octets of kind {} of dialect 1",
             packet.bytes.size(), handshake->index());
  // A forged HELLO in its name brings a cookie, which is no answer to a CONNECT.
  const bool asked = scenario().config.dialect != engine::DialectChoice::kOriginal;
  if (asked && packet.note.genuine()) was_answered_ = true;
  if (std::holds_alternative<wire::Close>(*handshake)) heard_ended_ = true;
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
  PortHost* carrier = port(static_cast<PortKind>(to));
  if (carrier != nullptr) carrier->on_letter(from, to, message);
}

void ClientHost::settle() {
  while (const auto effect = session_->poll_effect()) carry_out(*effect);
  alarm_.set(session_->poll_deadline());
}

void ClientHost::carry_out(const engine::ClientSessionEffect& effect) {
  std::visit(engine::Overloaded{
                 [&](const engine::SendMain& datagram) { send_main(datagram); },
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

void ClientHost::send_main(const engine::SendMain& datagram) {
  Packet packet;
  packet.from = main_;
  packet.to = datagram.to;
  packet.bytes.assign(datagram.view().begin(), datagram.view().end());
  packet.note.sent = environment().queue.now();
  packet.note.departed = packet.note.sent;
  environment().network.send(uplink_, packet);
}

void ClientHost::on_unreachable(const Endpoint& by) {
  if (dark() || finished()) return;
  session_->on_main_unreachable(now(), by, engine::Unreachable::kNobodyListens);
  settle();
}

void ClientHost::open_ports(const engine::OpenPorts& /*wanted*/) {
  if (scenario().ports_fail) {
    session_->on_ports_failed(now(), "too many open files");
    return;
  }
  if (has_single_port()) {
    make_port({engine::kPortKinds.begin(), engine::kPortKinds.end()});
  } else {
    for (const PortKind kind : engine::kPortKinds) make_port({kind});
  }
  session_->on_ports_open(now());
  for (const auto& port : ports_) {
    if (port) port->start();
  }
}

bool ClientHost::has_single_port() const {
  const auto config = session_->port_config(PortKind::kControl, now(), Duration(0), 0);
  return config.path && config.path->terms.single_port;
}

// Of one port, or of all three together.
void ClientHost::make_port(const std::vector<PortKind>& kinds) {
  PortHost::Options options;
  for (const PortKind kind : kinds) {
    options.configs.push_back(
        session_->port_config(kind, now(), clock().wall_offset(), environment().random()));
    options.watches.push_back(watch_options(options.configs.back()));
  }
  const auto& path = options.configs.front().path;
  const bool carries_data = kinds.size() > 1 || kinds.front() != PortKind::kControl;
  const std::size_t flows = path && carries_data ? path->terms.streams : 1;
  for (std::size_t i = 0; i < flows; ++i) options.bound.push_back({address(), {next_port_++}});
  options.link = uplink_;
  options.send_refusal = scenario().send_refusal;
  ports_[engine::index_of(kinds.front())] =
      std::make_unique<PortHost>(*this, mail_, std::move(options));
}

PortWatch::Options ClientHost::watch_options(const engine::PortConfig& config) {
  PortWatch::Options options = {
      .side = engine::Side::kClient,
      .kind = config.kind,
      .upload = &truth_.upload,
      .session = nullptr,
      .shortest_patience = config.heartbeat_count ? kCountPatience : kPatience,
      .name = fmt::format("{}/{}", name(), engine::name(config.kind))};
  if (!config.path) return options;
  options.streams = StreamWatch::Options{.side = engine::Side::kClient,
                                         .kind = config.kind,
                                         .client = &truth_,
                                         .session = nullptr,
                                         .terms = config.path->terms,
                                         .keyed = config.path->keys.has_value(),
                                         .name = options.name};
  return options;
}

PortHost* ClientHost::port(PortKind kind) const {
  const auto& own = ports_[engine::index_of(kind)];
  // The first one carries all where there are no others.
  return own ? own.get() : ports_.front().get();
}

std::vector<Endpoint> ClientHost::open_ports() const {
  std::vector<Endpoint> open;
  for (const auto& port : ports_) {
    if (!port || !port->open()) continue;
    open.insert(open.end(), port->bound().begin(), port->bound().end());
  }
  return open;
}

void ClientHost::rebind(PortKind kind) {
  const PortHost* carrier = port(kind);
  if (dark() || finished() || carrier == nullptr || !carrier->open()) return;
  // In 0.14 that ends a session, which no checker knows.
  if (session_->result().dialect != engine::Dialect::kOne) return;
  environment().coverage.count(Seen::kRebound);
  environment().trace.line(environment().queue.now(), name(), "has its {} port rebound",
                           engine::name(kind));
  truth_.rebound = true;
  for (const Endpoint& inside : carrier->bound()) {
    environment().network.rebind(inside, {inside.address, {next_outside_port_++}});
  }
}

void ClientHost::note_report(const engine::Report& report) {
  if (const auto* assigned = std::get_if<engine::Assigned>(&report)) key_ = assigned->key;
  if (std::holds_alternative<engine::TestResultArrived>(report)) result_arrived_ = true;
  if (std::holds_alternative<engine::ServerBusy>(report)) {
    environment().coverage.count(Seen::kToldBusy);
  }
  environment().trace.line(environment().queue.now(), name(), "reports kind {}", report.index());
}

std::string ClientHost::cause_of_loss(PortKind port) {
  return fmt::format("{} loop ended", engine::name(port));
}

void ClientHost::lose(PortKind port) {
  // The one loop of a single port is the client itself.
  const auto& host = ports_[engine::index_of(port)];
  if (dark() || finished() || !host || !host->open() || has_single_port()) return;
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
