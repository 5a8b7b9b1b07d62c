#include "sim/session_host.hpp"

#include <algorithm>

#include "engine/overloaded.hpp"
#include "sim/checkers.hpp"

namespace wyndrvr::sim {

using engine::Mailbox;
using engine::PortKind;
using engine::SessionEnd;

SessionHost::SessionHost(Host& host, Listener& listener, const Options& options)
    : host_(host),
      listener_(listener),
      options_(options),
      first_(options.setup),
      name_(fmt::format("server/{}", options.setup.id.value)),
      created_(host.now()),
      mail_(host, name_,
            [this](Mailbox from, Mailbox to, const engine::Message& message) {
              on_letter(from, to, message);
            }),
      alarm_(host, name_, [this] { on_wake(); }),
      doors_{Door(*this, PortKind::kControl), Door(*this, PortKind::kUpload),
             Door(*this, PortKind::kDownload)} {
  truth_.id = options.setup.id;
  truth_.client = options.setup.client;
  truth_.key = options.setup.heartbeat_key;
  truth_.of_client = options.client != nullptr;
  truth_.created = now();
  truth_.last_accepted = now();
  if (const auto& path = options_.setup.path) {
    truth_.speaks_one = true;
    truth_.number = path->handshake.session;
  }
  for (const PortKind kind : own_ports()) {
    host_.environment().network.bind(bound(kind), doors_[engine::index_of(kind)]);
  }
  const Duration patience = options_.config.limits.proof_timeout;
  alarm_.set(engine::Deadline{created_ + patience, engine::DeadlineReason::kProof});
}

Endpoint SessionHost::bound(PortKind kind) const {
  return {options_.setup.local, options_.setup.ports[engine::index_of(kind)]};
}

bool SessionHost::has_single_port() const {
  return options_.setup.path && options_.setup.path->terms.single_port;
}

std::vector<PortKind> SessionHost::own_ports() const {
  if (has_single_port()) return {PortKind::kControl};
  return {engine::kPortKinds.begin(), engine::kPortKinds.end()};
}

PortHost& SessionHost::port_of(PortKind kind) {
  return *ports_[engine::index_of(has_single_port() ? PortKind::kControl : kind)];
}

// --- before there are actors ---

void SessionHost::on_knock(PortKind kind, PacketPtr packet) {
  options_.budget.on_received(packet->from.address, packet->bytes.size());
  if (host_.dark()) {
    note_unheard(packet->note);
    return;
  }
  if (state_ == State::kWaiting && !first_.admits(kind, packet->from, packet->bytes)) {
    host_.environment().coverage.count(Seen::kNotAFirstPacket);
    note_unheard(packet->note);
    return;
  }
  unread_.emplace_back(kind, std::move(packet));
  if (state_ != State::kWaiting) return;
  state_ = State::kLaunching;
  alarm_.set(std::nullopt);
  Environment& environment = host_.environment();
  environment.queue.at(now() + environment.up_to(environment.scenario.max_launch_time),
                       [this] { launch(); });
}

void SessionHost::launch() {
  if (state_ != State::kLaunching || host_.dark()) return;
  Environment& environment = host_.environment();
  if (environment.random.chance(environment.scenario.server.launch_failure)) {
    environment.coverage.count(Seen::kLaunchFailed);
    close_doors();
    state_ = State::kOver;
    listener_.on_launch_failed(*this, "no loop to be had");
    return;
  }
  environment.trace.line(now(), name_, "is launched with {} datagrams unread", unread_.size());
  state_ = State::kRunning;
  truth_.launched = true;
  truth_.last_accepted = now();  // from here on its actors wait
  // The client's time to prove itself began when its ports were bound.
  coordinator_.emplace(options_.config, options_.setup, created_);
  std::vector<std::pair<PortKind, PacketPtr>> unread = std::move(unread_);
  close_doors();
  for (const PortKind kind : own_ports()) make_port(kind);
  for (const PortKind kind : own_ports()) port_of(kind).start();
  settle();
  for (auto& [kind, packet] : unread) {
    port_of(kind).take_in(std::move(packet), 0);
  }
  if (told_to_end_) end(*told_to_end_);
}

void SessionHost::make_port(PortKind kind) {
  PortHost::Options options;
  const auto add = [&](PortKind each) {
    options.configs.push_back(coordinator_->port_config(
        each, host_.now(), host_.clock().wall_offset(), host_.environment().random()));
    options.watches.push_back(watch_options(each, options.configs.back()));
  };
  if (has_single_port()) {
    for (const PortKind each : engine::kPortKinds) add(each);
  } else {
    add(kind);
  }
  options.bound = {bound(kind)};
  options.budget = &options_.budget;
  ports_[engine::index_of(kind)] = std::make_unique<PortHost>(host_, mail_, std::move(options));
}

PortWatch::Options SessionHost::watch_options(PortKind kind, const engine::PortConfig& config) {
  PortWatch::Options options = {
      .side = engine::Side::kServer,
      .kind = kind,
      .upload = options_.client == nullptr ? nullptr : &options_.client->upload,
      .session = &truth_,
      .shortest_patience = {},
      .name = fmt::format("{}/{}", name_, engine::name(kind))};
  if (!config.path) return options;
  options.streams = StreamWatch::Options{.side = engine::Side::kServer,
                                         .kind = kind,
                                         .client = options_.client,
                                         .session = &truth_,
                                         .terms = config.path->terms,
                                         .keyed = config.path->keys.has_value(),
                                         .name = options.name};
  return options;
}

void SessionHost::close_doors() {
  for (const PortKind kind : own_ports()) host_.environment().network.unbind(bound(kind));
  for (const auto& [kind, packet] : unread_) {
    note_unheard(packet->note);
  }
  unread_.clear();
}

// --- while it runs ---

void SessionHost::on_letter(Mailbox from, Mailbox to, const engine::Message& message) {
  if (state_ != State::kRunning) return;
  if (to != Mailbox::kCoordinator) {
    port_of(static_cast<PortKind>(to)).on_letter(from, to, message);
    return;
  }
  if (std::holds_alternative<engine::TestStarted>(message)) knows_test_ = true;
  if (std::holds_alternative<engine::PortProven>(message)) knows_proof_ = true;
  coordinator_->on_message(host_.now(), static_cast<PortKind>(from), message);
  settle();
}

void SessionHost::on_wake() {
  if (state_ == State::kWaiting) {
    host_.environment().coverage.count(Seen::kNeverLaunched);
    over(SessionEnd::kUnproven);
  } else if (state_ == State::kRunning) {
    coordinator_->on_timer(host_.now());
    settle();
  }
}

void SessionHost::settle() {
  while (state_ == State::kRunning) {
    const auto effect = coordinator_->poll_effect();
    if (!effect) break;
    carry_out(*effect);
  }
  if (state_ == State::kRunning) alarm_.set(coordinator_->poll_deadline());
}

void SessionHost::carry_out(const engine::ServerSessionEffect& effect) {
  std::visit(engine::Overloaded{
                 [&](const engine::Post& post) {
                   if (std::holds_alternative<engine::Drain>(post.message)) draining_ = true;
                   mail_.post(Mailbox::kCoordinator, engine::mailbox_of(post.to), post.message);
                 },
                 [&](const engine::SessionProven&) { listener_.on_proven(*this); },
                 [&](const engine::ResendAssignment&) { listener_.on_resend_assignment(*this); },
                 [&](const engine::ClientExtended&) { listener_.on_extended(*this); },
                 [&](const engine::TellEnded& told) { listener_.on_tell_ended(*this, told); },
                 [&](const engine::TestUnderWay& test) {
                   listener_.on_test_under_way(*this, test.duration);
                 },
                 [&](const engine::SessionOver& ended) { over(ended.reason); },
                 [&](const engine::Report& report) { listener_.on_report(report); },
             },
             effect);
}

// --- its end ---

void SessionHost::end(SessionEnd reason) {
  switch (state_) {
    case State::kWaiting:
      over(reason);
      return;
    case State::kLaunching:
      told_to_end_ = reason;
      return;
    case State::kRunning:
      coordinator_->end(host_.now(), reason);
      settle();
      return;
    case State::kOver:
      return;
  }
}

void SessionHost::over(SessionEnd reason) {
  if (state_ == State::kRunning) {
    for (const PortKind kind : own_ports()) port_of(kind).close();
  } else {
    close_doors();
  }
  state_ = State::kOver;
  alarm_.set(std::nullopt);
  listener_.on_over(*this, reason);
}

// --- what its loops suffer ---

void SessionHost::lose(std::optional<PortKind> port) {
  if (host_.dark() || !running() || truth_.loss) return;
  if (!port) {
    lose_all();
  } else if (!has_single_port()) {  // whose one loop is the whole session
    lose_port(*port);
  }
}

void SessionHost::lose_port(PortKind port) {
  PortHost& host = port_of(port);
  Environment& environment = host_.environment();
  environment.coverage.count(Seen::kServerPortLost);
  environment.trace.line(now(), name_, "loses its {} port", engine::name(port));
  if (!host.watch(port).proven()) ++truth_.excused_ports;
  host.close();
  mail_.cut(engine::mailbox_of(port));
  truth_.loss.emplace().told = now() + environment.up_to(environment.scenario.max_loss_delay);
  environment.queue.at(truth_.loss->told, [this, port] { tell_port_loss(port); });
}

// Of what the coordinator knows by now, not the actors alone.
bool SessionHost::knows_test_of_ours() const {
  if (truth_.speaks_one) {
    const engine::TestTerms& terms = options_.setup.path->terms;
    const bool others_go_on =
        terms.directions == wire::Directions::kLatencyOnly && !terms.single_port;
    return knows_proof_ && !draining_ && !others_go_on;
  }
  return knows_test_ && knows_proof_ && truth_.showed_ours && !draining_;
}

void SessionHost::tell_port_loss(PortKind port) {
  if (host_.dark() || !running()) return;
  truth_.loss->ended_due = knows_test_of_ours();
  if (host_.environment().scenario.lie != Lie::kUntoldLoss) {
    coordinator_->on_port_lost(host_.now(), port, fmt::format("{} loop ended", engine::name(port)));
    settle();
  }
  check_session_loss(host_.environment(), truth_);
}

void SessionHost::lose_all() {
  Environment& environment = host_.environment();
  environment.coverage.count(Seen::kServerSessionLost);
  environment.trace.line(now(), name_, "is lost");
  SessionLossTruth& loss = truth_.loss.emplace();
  loss.told = now() + environment.up_to(environment.scenario.max_loss_delay);
  loss.ended_due = knows_test_of_ours();
  for (const PortKind kind : own_ports()) port_of(kind).close();
  alarm_.set(std::nullopt);
  state_ = State::kOver;
  environment.queue.at(loss.told, [this] {
    if (host_.dark()) return;
    if (host_.environment().scenario.lie != Lie::kUntoldLoss) {
      listener_.on_lost(*this, "session loop ended");
    }
    check_session_loss(host_.environment(), truth_);
  });
}

}  // namespace wyndrvr::sim
