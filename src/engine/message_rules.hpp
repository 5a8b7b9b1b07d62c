// Which messages a mailbox of a session takes from which other one.
//
// A port may run in a worker of its own, which a bug in parsing may hand to an attacker. So whoever
// takes its messages asks here first: what no port of this kind ever says is a reason to end the
// worker. What comes at the wrong time is the receiver's to drop. Pure.
//
// Example:
//   if (!may_send({Side::kServer, Mailbox::kUpload, Mailbox::kCoordinator}, message)) end_worker();
#pragma once

#include "engine/message.hpp"
#include "engine/port_kind.hpp"

namespace wyndrvr::engine {

struct Route {
  Side side = Side::kClient;
  Mailbox from = Mailbox::kControl;
  Mailbox to = Mailbox::kCoordinator;
};

[[nodiscard]] bool may_send(const Route& route, const Message& message);

}  // namespace wyndrvr::engine
