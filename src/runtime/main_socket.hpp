// The socket that a client asks for a session from; the family of the server decides which of two.
//
// Sends what it is given and tells what comes, be it a datagram or the news that nobody listens
// there. Knows nothing of what the octets mean. One thread, that of its loop.
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
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
    virtual void on_main_refused(const Endpoint& by) = 0;
  };

  MainSocket(EventLoop& loop, os::ReceiveBuffer& receive_buffer, Listener& listener)
      : loop_(loop), receive_buffer_(receive_buffer), listener_(listener) {}
  ~MainSocket() override;
  MainSocket(const MainSocket&) = delete;
  MainSocket& operator=(const MainSocket&) = delete;

  // Once. Error: also where the address that is wished for is of the other family.
  [[nodiscard]] Result<void> open(IpAddress::Family family, const SocketWishes& wishes);
  [[nodiscard]] Result<void> send(const Endpoint& to, ByteView bytes);

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;

 private:
  EventLoop& loop_;
  os::ReceiveBuffer& receive_buffer_;
  Listener& listener_;
  std::optional<os::UdpSocket> socket_;
  std::optional<EventLoop::Id> id_;
};

}  // namespace wyndrvr::runtime
