// The mailboxes of one session: its coordinator and its three actors.
//
// Knows when a letter arrives and which state gets lost: never before the sender's turn is over,
// after a delay that the scenario draws, and in order from one sender to one receiver. How it gets
// there is the carrier's affair (mail_carrier.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/message.hpp"
#include "engine/port_kind.hpp"
#include "sim/host.hpp"
#include "sim/mail_carrier.hpp"

namespace wyndrvr::sim {

class Mailroom {
 public:
  using Deliver =
      std::function<void(engine::Mailbox from, engine::Mailbox to, const engine::Message& message)>;

  Mailroom(Host& host, std::string name, Deliver deliver);

  void post(engine::Mailbox from, engine::Mailbox to, const engine::Message& message);
  // The loop of this mailbox is gone: what is on its way to it vanishes, and so does what it has
  // posted and nobody has read yet, which is the worst that can happen to it.
  void cut(engine::Mailbox mailbox) { cut_[static_cast<std::size_t>(mailbox)] = true; }

 private:
  static constexpr std::size_t kMailboxes = engine::kPortCount + 1;

  void deliver(engine::Mailbox to, const ipc::Letter& letter);
  [[nodiscard]] bool is_cut(engine::Mailbox mailbox) const {
    return cut_[static_cast<std::size_t>(mailbox)];
  }

  Host& host_;
  std::string name_;
  Deliver deliver_;
  std::unique_ptr<MailCarrier> carrier_;
  std::array<std::array<TrueTime, kMailboxes>, kMailboxes> last_{};
  std::array<bool, kMailboxes> cut_{};
};

// The name of a message's kind, for traces.
[[nodiscard]] std::string_view kind_of(const engine::Message& message);

}  // namespace wyndrvr::sim
