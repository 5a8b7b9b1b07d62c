// The socket that a client asks for a session from; the family of the server decides which of two.
//
// Sends what it is given and tells what comes, be it a datagram or the news that the server cannot
// be reached. Knows nothing of what the octets mean. One thread, that of its loop.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "engine/unreachable.hpp"
#include "os/receive_batch.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::runtime {

class MainSocket final : public EventSource {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_main_datagram(const Endpoint& from, ByteView bytes) = 0;
    // Of an earlier datagram, by ICMP.
    virtual void on_main_unreachable(const Endpoint& to, engine::Unreachable cause) = 0;
  };

  MainSocket(EventLoop& loop, os::ReceiveBuffer& receive_buffer, Listener& listener)
      : loop_(loop), receive_buffer_(receive_buffer), listener_(listener) {}
  ~MainSocket() override;
  MainSocket(const MainSocket&) = delete;
  MainSocket& operator=(const MainSocket&) = delete;

  // Once. Error: also where the address that is wished for is of the other family.
  [[nodiscard]] Result<void> open(IpAddress::Family family, const SocketWishes& wishes);
  // Nothing where it has left this host; else why not.
  [[nodiscard]] std::optional<engine::Unreachable> send(const Endpoint& to, ByteView bytes);

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;

 private:
  [[nodiscard]] engine::Unreachable cause_of(const os::PeerUnreachable& error) const;

  EventLoop& loop_;
  os::ReceiveBuffer& receive_buffer_;
  Listener& listener_;
  std::string interface_;
  std::optional<os::UdpSocket> socket_;
  std::optional<EventLoop::Id> id_;
};

}  // namespace wyndrvr::runtime
