#include "sim/mailroom.hpp"

#include <algorithm>
#include <utility>

#include "ipc/outbox.hpp"

namespace wyndrvr::sim {
namespace {

using engine::Mailbox;

constexpr std::array<std::string_view, std::variant_size_v<engine::Message>> kKinds = {
    "StartTest",       "PortReady",       "Go",
    "SetLoaded",       "Nudge",           "Quiet",
    "Drain",           "PortProven",      "PortSilent",
    "PortHeard",       "HeartbeatSample", "HeartbeatsDone",
    "TestStarted",     "TestFinished",    "ResultArrived",
    "ResultDelivered", "TestFailed",      "PortReport",
    "Trace",           "SenderProgress",  "ReceiverProgress",
    "StopTest",        "SenderFinished",  "TestBroken",
    "TestReported"};

std::string_view name(Mailbox mailbox) {
  return mailbox == Mailbox::kCoordinator ? "coordinator"
                                          : engine::name(static_cast<engine::PortKind>(mailbox));
}

}  // namespace

std::string_view kind_of(const engine::Message& message) {
  return kKinds[message.index()];
}

Mailroom::Mailroom(Host& host, std::string name, Deliver deliver)
    : host_(host),
      name_(std::move(name)),
      deliver_(std::move(deliver)),
      carrier_(make_mail_carrier(
          host.environment(), name_,
          [this](Mailbox to, const ipc::Letter& letter) { this->deliver(to, letter); })) {}

void Mailroom::post(Mailbox from, Mailbox to, const engine::Message& message) {
  Environment& environment = host_.environment();
  const TrueTime now = environment.queue.now();
  const bool is_state = ipc::keep_of(message) == ipc::Keep::kNewest;
  if (is_state && environment.random.chance(environment.scenario.state_loss)) {
    environment.coverage.count(Seen::kStateMessageLost);
    environment.trace.line(now, name_, "{} lost in the mail", kind_of(message));
    return;
  }
  TrueTime& last = last_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
  last = std::max(last, now + environment.up_to(environment.scenario.max_mail_delay));
  carrier_->send(to, {from, message}, last);
}

void Mailroom::deliver(Mailbox to, const ipc::Letter& letter) {
  if (host_.dark() || is_cut(letter.from) || is_cut(to)) return;
  Environment& environment = host_.environment();
  environment.trace.line(environment.queue.now(), name_, "mail {} -> {}: {}", name(letter.from),
                         name(to), kind_of(letter.message));
  deliver_(letter.from, to, letter.message);
}

}  // namespace wyndrvr::sim
