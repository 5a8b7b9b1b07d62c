// Runs one actor on a host, as a runtime does: feeds it datagrams, messages and the time, and after
// each drains what it has to send and to say, and sets the alarm.
//
// An actor has a socket for each of its flows; one that carries all three ports of a session has a
// watch for each of these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "engine/port_actor.hpp"
#include "sim/address_budget.hpp"
#include "sim/host.hpp"
#include "sim/link.hpp"
#include "sim/mailroom.hpp"
#include "sim/network.hpp"
#include "sim/port_watch.hpp"

namespace wyndrvr::sim {

class PortHost {
 public:
  struct Options {
    std::vector<engine::PortConfig> configs;  // one, or those of all three ports
    std::vector<Endpoint> bound;              // of each flow
    std::vector<PortWatch::Options> watches;  // as `configs`
    Link* link = nullptr;                     // absent: by the route to each destination
    AddressBudget* budget = nullptr;          // server
    double send_refusal = 0;                  // of datagrams, by the host's kernel
  };

  PortHost(Host& host, Mailroom& mail, Options options);

  // Begins: the first turn.
  void start();
  // A datagram that is in the kernel, on its way to the program.
  void take_in(PacketPtr packet, std::uint8_t flow);
  void on_letter(engine::Mailbox from, engine::Mailbox to, const engine::Message& message);
  // Closes the socket and ends the actor.
  void close();

  [[nodiscard]] bool open() const { return actor_ != nullptr; }
  [[nodiscard]] const engine::PortActor& actor() const { return *actor_; }
  // Of one of the ports that it carries.
  [[nodiscard]] const PortWatch& watch(engine::PortKind kind) const;
  [[nodiscard]] const std::vector<Endpoint>& bound() const { return options_.bound; }

 private:
  class Flow : public Socket {
   public:
    Flow(PortHost& port, std::uint8_t index) : port_(port), index_(index) {}
    void on_arrival(PacketPtr packet) override { port_.on_arrival(std::move(packet), index_); }
    void on_unreachable(const Endpoint& /*by*/) override { port_.on_unreachable(); }

   private:
    PortHost& port_;
    std::uint8_t index_;
  };

  void on_arrival(PacketPtr packet, std::uint8_t flow);
  void on_unreachable();
  [[nodiscard]] bool running() const { return actor_ != nullptr && !host_.dark(); }
  void read(const Packet& packet, std::uint8_t flow);
  void give(const Packet& packet, std::uint8_t flow);
  void settle();
  void transmit(const engine::Transmit& transmit);
  void transmit_one(const engine::Transmit& transmit, ByteView datagram);
  void on_stamp(std::uint32_t token);
  [[nodiscard]] bool deceives(Lie lie, const Packet& packet);
  [[nodiscard]] PortWatch& watch_of(engine::Mailbox mailbox);
  // Whose a datagram is that this host sends, or that came to it.
  [[nodiscard]] PortWatch& watch_of(ByteView datagram, bool outgoing);

  Host& host_;
  Mailroom& mail_;
  Options options_;
  std::deque<Flow> flows_;
  std::deque<PortWatch> watches_;
  std::unique_ptr<engine::PortActor> actor_;
  Alarm alarm_;
  TrueTime read_until_{};  // datagrams before this have been read or will be
  unsigned deceived_ = 0;
};

}  // namespace wyndrvr::sim
