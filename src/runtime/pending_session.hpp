// A session whose ports are bound but which nobody has written to yet.
//
// Anyone can make a server bind ports, with a forged CONNECT; only somebody who got the answer
// knows them. So nothing but the sockets is spent on a client, no memory, no thread, no process,
// until a first datagram waits at one of the ports. It stays there, with its arrival stamp, for the
// actor to read.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/acceptor.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/placement.hpp"

namespace wyndrvr::runtime {

class PendingSession final : public EventSource {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // A datagram waits. Called again every turn until the sockets are taken.
    virtual void on_pending_awake(engine::SessionId id) = 0;
    // None came in time.
    virtual void on_pending_expired(engine::SessionId id) = 0;
  };

  PendingSession(EventLoop& loop, const engine::SessionSetup& setup, Listener& listener);
  ~PendingSession() override;
  PendingSession(const PendingSession&) = delete;
  PendingSession& operator=(const PendingSession&) = delete;

  [[nodiscard]] Result<void> start(PortSockets sockets, Duration patience);
  // Ends the watch. The object is then to be destroyed (EventLoop::defer).
  [[nodiscard]] PortSockets take_sockets();
  [[nodiscard]] const engine::SessionSetup& setup() const { return setup_; }
  [[nodiscard]] Instant bound() const { return bound_; }

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;

 private:
  void forget();

  EventLoop& loop_;
  engine::SessionSetup setup_;
  Listener& listener_;
  Instant bound_;
  PortSockets sockets_;
  std::vector<EventLoop::Id> ids_;  // of all its sockets
};

}  // namespace wyndrvr::runtime
