// Runs one PortActor on one socket in one loop: the only place where actors meet the system.
//
// After anything has happened to the actor it sends what the actor wants sent, hands its messages
// to the host and sets its next deadline. What one turn may receive and send is bounded, so that
// the other ports of the loop keep their timing.
#pragma once

#include <cstdint>
#include <optional>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/port_actor.hpp"
#include "os/receive_batch.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"

namespace wyndrvr::runtime {

// Takes an actor's messages.
class MailHandler {
 public:
  virtual ~MailHandler() = default;
  virtual void on_mail(engine::PortKind from, const engine::Outgoing& mail) = 0;
};

class PortRunner final : public EventSource {
 public:
  struct Environment {
    EventLoop& loop;
    os::ReceiveBuffer& receive_buffer;  // shared by the sockets of the loop
    MailHandler& mail;
  };

  PortRunner(const Environment& environment, os::UdpSocket socket,
             const engine::PortConfig& config);
  ~PortRunner() override;
  PortRunner(const PortRunner&) = delete;
  PortRunner& operator=(const PortRunner&) = delete;

  // Registers with the loop. All that can fail.
  [[nodiscard]] Result<void> attach();
  // Lets the actor begin.
  void begin() { drain(); }
  void deliver(engine::Mailbox from, const engine::Message& message);

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;

  [[nodiscard]] const os::UdpSocket& socket() const { return socket_; }

 private:
  // Bounds of one turn: receives, and sends (each up to a super-packet).
  static constexpr int kMaxReceives = 4;
  static constexpr int kMaxSends = 8;
  // A full queue below the socket raises no event when it drains.
  static constexpr Duration kNoBuffersRetry = 500us;

  void receive();
  void read_errors();
  // Everything that the actor wants, then its next deadline.
  void drain();
  void transmit();
  // False when the socket takes no more for now; the rest is in pending_.
  [[nodiscard]] bool send(engine::Transmit transmit);
  void send_some(engine::Transmit& transmit);
  void schedule();

  EventLoop& loop_;
  os::ReceiveBuffer& receive_buffer_;
  MailHandler& mail_;
  os::UdpSocket socket_;
  engine::PortActor actor_;
  base::Random faults_;
  std::optional<EventLoop::Id> id_;
  std::optional<engine::Transmit>
      pending_;  // not (all) sent yet; the actor is not polled meanwhile
  std::optional<Instant> retry_at_;
  bool more_to_send_ = false;
};

}  // namespace wyndrvr::runtime
