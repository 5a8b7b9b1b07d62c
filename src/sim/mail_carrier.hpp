// Carries the letters of one session between its mailboxes, in the way of the world's topology.
//
// Every letter makes one event, at the moment in which it is sent and for the time at which it is
// due; what the topologies differ in is what that event does:
//
//   one loop    hands over the message that it holds itself
//   own loops   is a turn of the receiver's loop, which takes the first message of its queue
//   channels    reads one frame from the channel between the two. A frame that finds no room there
//               waits in the sender's ipc::Outbox; reading frees room, and the sender fills it in
//               the same instant, so that the next frame is there when its own event comes
//
// So the events are the same, in the same order, however small the room is. What a full outbox
// does, namely to lose samples and to keep only the newest state, is a difference by nature: it is
// Scenario::newest_wins, never drawn, with runs of its own that check the invariants alone. Else
// the outbox keeps everything, and what gets lost in the mail is drawn (Scenario::state_loss), for
// every topology alike.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/port_kind.hpp"
#include "ipc/message_codec.hpp"
#include "sim/clock.hpp"
#include "sim/environment.hpp"

namespace wyndrvr::sim {

class MailCarrier {
 public:
  using Arrive = std::function<void(engine::Mailbox to, const ipc::Letter& letter)>;

  virtual ~MailCarrier() = default;
  // Letters from one mailbox to another fall due in the order in which they are sent.
  virtual void send(engine::Mailbox to, ipc::Letter letter, TrueTime due) = 0;
};

// `name`: the session's, for findings.
[[nodiscard]] std::unique_ptr<MailCarrier> make_mail_carrier(Environment& environment,
                                                             const std::string& name,
                                                             MailCarrier::Arrive arrive);

}  // namespace wyndrvr::sim
