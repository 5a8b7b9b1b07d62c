// A session whose ports are bound but which its client has not written to yet.
//
// Anyone can make a server bind ports, with a forged CONNECT, and anyone can guess at them. So
// nothing but the sockets is spent on a client, no thread, no process, until a first datagram waits
// at one of the ports that only the client can have sent (engine/first_packet.hpp). It stays there,
// with its arrival stamp, for the actor to read; whatever else came is thrown away and counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/acceptor.hpp"
#include "engine/first_packet.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/placement.hpp"
#include "wire/header.hpp"

namespace wyndrvr::runtime {

class PendingSession final : public EventSource {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // The client's datagram waits. Called again every turn until the sockets are taken.
    virtual void on_pending_awake(engine::SessionId id) = 0;
    // None came in time.
    virtual void on_pending_expired(engine::SessionId id) = 0;
    // So many datagrams were none of the client's, and are gone.
    virtual void on_pending_ignored(std::uint64_t datagrams) = 0;
  };

  // Datagrams of a socket that a turn looks at; the rest waits for the next one.
  static constexpr int kMaxLooks = 16;

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
  // Whether the client's datagram is at the front of the port's socket.
  [[nodiscard]] bool look(engine::PortKind kind);
  void forget();

  EventLoop& loop_;
  engine::SessionSetup setup_;
  engine::FirstPacket first_;
  Listener& listener_;
  Instant bound_;
  PortSockets sockets_;
  std::vector<EventLoop::Id> ids_;  // of all its sockets
};

}  // namespace wyndrvr::runtime
