// The mailboxes of one session: its coordinator and its three actors.
//
// Every message goes through the codec, as it does between processes. In one loop it is there at
// once, but never before the sender's turn is over; else after a while. Letters from one sender to
// one receiver never overtake each other.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/message.hpp"
#include "engine/port_kind.hpp"
#include "sim/host.hpp"

namespace wyndrvr::sim {

class Mailroom {
 public:
  using Deliver =
      std::function<void(engine::Mailbox from, engine::Mailbox to, const engine::Message& message)>;

  Mailroom(Host& host, std::string name, Deliver deliver)
      : host_(host), name_(std::move(name)), deliver_(std::move(deliver)) {}

  void post(engine::Mailbox from, engine::Mailbox to, const engine::Message& message);

 private:
  static constexpr std::size_t kMailboxes = engine::kPortCount + 1;

  void deliver(engine::Mailbox to, const std::vector<std::byte>& frame);

  Host& host_;
  std::string name_;
  Deliver deliver_;
  std::array<std::array<TrueTime, kMailboxes>, kMailboxes> last_{};
};

// The name of a message's kind, for traces.
[[nodiscard]] std::string_view kind_of(const engine::Message& message);

}  // namespace wyndrvr::sim
