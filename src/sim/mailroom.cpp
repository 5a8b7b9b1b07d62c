#include "sim/mailroom.hpp"

#include <algorithm>
#include <utility>

#include "ipc/message_codec.hpp"

namespace wyndrvr::sim {
namespace {

using engine::Mailbox;

constexpr std::array<std::string_view, std::variant_size_v<engine::Message>> kKinds = {
    "StartTest",       "PortReady",      "Go",          "SetLoaded",    "Nudge",
    "Quiet",           "Drain",          "PortProven",  "PortSilent",   "PortHeard",
    "HeartbeatSample", "HeartbeatsDone", "TestStarted", "TestFinished", "ResultArrived",
    "ResultDelivered", "TestFailed",     "PortReport",  "Trace",        "SenderProgress",
    "ReceiverProgress"};

bool is_state(const engine::Message& message) {
  return std::holds_alternative<engine::SenderProgress>(message) ||
         std::holds_alternative<engine::ReceiverProgress>(message);
}

std::string_view name(Mailbox mailbox) {
  return mailbox == Mailbox::kCoordinator ? "coordinator"
                                          : engine::name(static_cast<engine::PortKind>(mailbox));
}

}  // namespace

std::string_view kind_of(const engine::Message& message) {
  return kKinds[message.index()];
}

void Mailroom::post(Mailbox from, Mailbox to, const engine::Message& message) {
  Environment& environment = host_.environment();
  const TrueTime now = environment.queue.now();
  if (is_state(message) && environment.random.chance(environment.scenario.state_loss)) {
    environment.coverage.count(Seen::kStateMessageLost);
    environment.trace.line(now, name_, "{} lost in the mail", kind_of(message));
    return;
  }
  std::vector<std::byte> frame;
  ipc::encode({from, message}, frame);
  TrueTime& last = last_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
  last = std::max(last, now + environment.up_to(environment.scenario.max_mail_delay));
  environment.queue.at(last, [this, to, sent = std::move(frame)] { deliver(to, sent); });
}

void Mailroom::deliver(Mailbox to, const std::vector<std::byte>& frame) {
  if (host_.dark()) return;
  Environment& environment = host_.environment();
  const auto letter = ipc::decode(frame);
  if (!letter || frame.size() > ipc::kMaxFrameSize) {
    environment.findings.add(environment.queue.now(), "{}: a message of {} octets does not decode",
                             name_, frame.size());
    return;
  }
  environment.trace.line(environment.queue.now(), name_, "mail {} -> {}: {}", name(letter->from),
                         name(to), kind_of(letter->message));
  deliver_(letter->from, to, letter->message);
}

}  // namespace wyndrvr::sim
