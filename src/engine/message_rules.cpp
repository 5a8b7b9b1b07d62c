#include "engine/message_rules.hpp"

#include <variant>

namespace wyndrvr::engine {
namespace {

template <class... Kinds>
bool is_any_of(const Message& message) {
  return (std::holds_alternative<Kinds>(message) || ...);
}

// Of any port, at either end.
bool any_port_says(const Message& message) {
  return is_any_of<PortProven, PortSilent, PortHeard, HeartbeatSample, PortReport, Trace>(message);
}

// The only failures of a test that its control tells.
bool is_failure_of_test(const Message& message) {
  const auto* failed = std::get_if<TestFailed>(&message);
  return failed != nullptr && (failed->code == ProblemCode::kNoAcknowledgement ||
                               failed->code == ProblemCode::kNoResult);
}

bool client_port_says(Mailbox from, const Message& message) {
  if (is_any_of<HeartbeatsDone, PortTrouble>(message)) return true;
  // In 0.14 control passes on what the server says of the upload.
  if (std::holds_alternative<ReceiverProgress>(message)) return true;
  if (from != Mailbox::kControl) return std::holds_alternative<SenderProgress>(message);
  return is_any_of<TestStarted, ResultArrived, TestReported, TestBroken>(message) ||
         is_failure_of_test(message);
}

bool server_port_says(Mailbox from, const Message& message) {
  if (from != Mailbox::kControl) return false;
  return is_any_of<TestStarted, ResultDelivered, TestReported, TestBroken>(message) ||
         is_failure_of_test(message);
}

bool coordinator_takes(const Route& route, const Message& message) {
  if (any_port_says(message)) return true;
  return route.side == Side::kClient ? client_port_says(route.from, message)
                                     : server_port_says(route.from, message);
}

}  // namespace

bool may_send(const Route& route, const Message& message) {
  // A coordinator is in the supervisor, or in what the supervisor trusts.
  if (route.from == Mailbox::kCoordinator) return true;
  if (route.to == Mailbox::kCoordinator) return coordinator_takes(route, message);
  if (route.to == Mailbox::kControl) {
    return is_any_of<PortReady, TestFinished, SenderFinished, TestBroken, ReceiverProgress>(
        message);
  }
  return route.from == Mailbox::kControl &&
         is_any_of<StartTest, Go, StopTest, ReceiverProgress>(message);
}

}  // namespace wyndrvr::engine
