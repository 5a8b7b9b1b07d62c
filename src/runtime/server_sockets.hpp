// The sockets that a server is asked on: one for each address that it listens on, all on one port.
//
// Sends what it is given, by the socket that the answer's source belongs to, and tells what comes.
// Knows nothing of what the octets mean. One thread, that of its loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "os/receive_batch.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::runtime {

class ServerSockets {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // What one receive brought.
    virtual void on_main_datagrams(std::span<const os::Received> batch) = 0;
  };
  struct Answer {
    Endpoint to;
    IpAddress from;
    ByteView bytes;
    std::uint8_t traffic_class = 0;
  };

  ServerSockets(EventLoop& loop, os::ReceiveBuffer& receive_buffer, Listener& listener);
  ~ServerSockets();
  ServerSockets(const ServerSockets&) = delete;
  ServerSockets& operator=(const ServerSockets&) = delete;

  // Once. Returns the addresses in use. Where there are several, those that this host does not have
  // are left out; the error is that of the first where it has none.
  [[nodiscard]] Result<std::vector<Endpoint>> open(const ServerRun& run);
  // An answer that cannot be sent is one that is lost: the client asks again.
  void send(const Answer& answer);

 private:
  // Of a port 0: other addresses may not have the port that the first one was given.
  static constexpr int kMostTries = 16;
  // Bound of one turn on each socket, in receives.
  static constexpr int kMaxReceives = 4;

  class Source;

  [[nodiscard]] Result<std::vector<os::UdpSocket>> bind_all(const ServerRun& run) const;
  void receive(os::UdpSocket& socket);
  [[nodiscard]] os::UdpSocket* socket_for(const IpAddress& from);

  EventLoop& loop_;
  os::ReceiveBuffer& receive_buffer_;
  Listener& listener_;
  std::vector<std::unique_ptr<Source>> sources_;
};

}  // namespace wyndrvr::runtime
