// Takes packets through links to the sockets that are bound when they arrive; to a closed port or
// an address without a link they vanish.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <unordered_map>

#include "base/endpoint.hpp"
#include "base/random.hpp"
#include "sim/event_queue.hpp"
#include "sim/link.hpp"
#include "sim/packet.hpp"
#include "sim/trace.hpp"

namespace wyndrvr::sim {

// What the kernel hands to a host's program.
class Socket {
 public:
  virtual ~Socket() = default;
  virtual void on_arrival(PacketPtr packet) = 0;
  // Nobody listens where this socket's packet went (ICMP).
  virtual void on_unreachable(const Endpoint& by) = 0;
};

class Network {
 public:
  // Sees every packet that is sent.
  using Tap = std::function<void(const Packet&)>;

  Network(EventQueue& queue, base::Random& random, Trace& trace)
      : queue_(queue), random_(random), trace_(trace) {}

  // The link stays valid as long as the network.
  Link& add_link(const LinkConfig& config, bool v6);
  // Packets of the server to this address take that link.
  void set_route(const IpAddress& to, Link& link) { routes_[to] = &link; }
  [[nodiscard]] Link* route(const IpAddress& to) const;
  void set_tap(Tap tap) { tap_ = std::move(tap); }
  // Sees every packet that comes to a socket.
  void set_arrival_tap(Tap tap) { arrival_tap_ = std::move(tap); }
  // A NAT gives `inside` another endpoint: what it sends comes from there, and what is sent to the
  // old one vanishes.
  void rebind(const Endpoint& inside, const Endpoint& outside);
  // Hosts answer packets to closed ports with ICMP.
  void tell_unreachable() { tells_unreachable_ = true; }

  void bind(const Endpoint& endpoint, Socket& socket);
  void unbind(const Endpoint& endpoint) { sockets_.erase(endpoint); }
  [[nodiscard]] bool is_bound(const Endpoint& endpoint) const {
    return sockets_.contains(endpoint);
  }
  // At note.departed, not in the past. Returns how many copies will come out at the other end.
  std::size_t send(Link* link, const Packet& packet);

 private:
  std::size_t forward(Link* link, const Packet& packet);
  void arrive(PacketPtr packet);
  void refuse(const Packet& packet);
  void corrupt(Packet& packet);

  EventQueue& queue_;
  base::Random& random_;
  Trace& trace_;
  Tap tap_;
  Tap arrival_tap_;
  bool tells_unreachable_ = false;
  std::deque<Link> links_;
  std::map<IpAddress, Link*> routes_;
  std::unordered_map<Endpoint, Socket*, HashEndpoint> sockets_;
  std::unordered_map<Endpoint, Endpoint, HashEndpoint> outside_of_;
  std::unordered_map<Endpoint, Endpoint, HashEndpoint> inside_of_;
};

}  // namespace wyndrvr::sim
