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
  truth_.created = now();
  truth_.last_accepted = now();
  for (const PortKind kind : engine::kPortKinds) {
    host_.environment().network.bind(bound(kind), doors_[engine::index_of(kind)]);
  }
  const Duration patience = options_.config.limits.proof_timeout;
  alarm_.set(engine::Deadline{created_ + patience, engine::DeadlineReason::kProof});
}

Endpoint SessionHost::bound(PortKind kind) const {
  return {options_.setup.local, options_.setup.ports[engine::index_of(kind)]};
}

// --- before there are actors ---

void SessionHost::on_knock(PortKind kind, PacketPtr packet) {
  options_.budget.on_received(packet->from.address);
  if (host_.dark()) {
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
    // The refusal has its price paid by whoever wrote to the ports.
    const IpAddress& client = options_.setup.client.address;
    if (unread_.front().second->from.address != client) options_.budget.on_received(client);
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
  for (const PortKind kind : engine::kPortKinds) make_port(kind);
  for (const auto& port : ports_) port->start();
  settle();
  for (auto& [kind, packet] : unread) {
    ports_[engine::index_of(kind)]->take_in(std::move(packet));
  }
  if (told_to_end_) end(*told_to_end_);
}

void SessionHost::make_port(PortKind kind) {
  PortHost::Options options;
  options.config = coordinator_->port_config(kind, host_.now(), host_.clock().wall_offset(),
                                             host_.environment().random());
  options.bound = bound(kind);
  options.watch = {.side = engine::Side::kServer,
                   .kind = kind,
                   .upload = options_.upload,
                   .session = &truth_,
                   .shortest_patience = {},
                   .name = fmt::format("{}/{}", name_, engine::name(kind))};
  options.budget = &options_.budget;
  ports_[engine::index_of(kind)] = std::make_unique<PortHost>(host_, mail_, std::move(options));
}

void SessionHost::close_doors() {
  for (const PortKind kind : engine::kPortKinds) host_.environment().network.unbind(bound(kind));
  for (const auto& [kind, packet] : unread_) {
    note_unheard(packet->note);
  }
  unread_.clear();
}

// --- while it runs ---

void SessionHost::on_letter(Mailbox from, Mailbox to, const engine::Message& message) {
  if (state_ != State::kRunning) return;
  if (to != Mailbox::kCoordinator) {
    ports_[static_cast<std::size_t>(to)]->on_letter(from, message);
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
                 [&](const engine::TellEnded& told) { listener_.on_tell_ended(*this, told.cause); },
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
    for (const auto& port : ports_) port->close();
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
  if (port) {
    lose_port(*port);
  } else {
    lose_all();
  }
}

void SessionHost::lose_port(PortKind port) {
  PortHost& host = *ports_[engine::index_of(port)];
  Environment& environment = host_.environment();
  environment.coverage.count(Seen::kServerPortLost);
  environment.trace.line(now(), name_, "loses its {} port", engine::name(port));
  if (!host.watch().proven()) ++truth_.excused_ports;
  host.close();
  mail_.cut(engine::mailbox_of(port));
  truth_.loss.emplace().told = now() + environment.up_to(environment.scenario.max_loss_delay);
  environment.queue.at(truth_.loss->told, [this, port] { tell_port_loss(port); });
}

// Of what the coordinator knows by now, not the actors alone.
bool SessionHost::knows_test_of_ours() const {
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
  for (const auto& port : ports_) port->close();
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
