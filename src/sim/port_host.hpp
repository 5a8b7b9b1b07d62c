// Runs one actor on a host, as a runtime does: feeds it datagrams, messages and the time, and after
// each drains what it has to send and to say, and sets the alarm.
#pragma once

#include <memory>
#include <optional>

#include "engine/port_actor.hpp"
#include "sim/address_budget.hpp"
#include "sim/host.hpp"
#include "sim/link.hpp"
#include "sim/mailroom.hpp"
#include "sim/network.hpp"
#include "sim/port_watch.hpp"

namespace wyndrvr::sim {

class PortHost : public Socket {
 public:
  struct Options {
    engine::PortConfig config;
    Endpoint bound;
    PortWatch::Options watch;
    Link* link = nullptr;             // absent: by the route to each destination
    AddressBudget* budget = nullptr;  // server
    double send_refusal = 0;          // of datagrams, by the host's kernel
  };

  PortHost(Host& host, Mailroom& mail, Options options);

  // Begins: the first turn.
  void start();
  void on_arrival(PacketPtr packet) override;
  void on_unreachable(const Endpoint& by) override;
  // A datagram that is in the kernel, on its way to the program.
  void take_in(PacketPtr packet);
  void on_letter(engine::Mailbox from, const engine::Message& message);
  // Closes the socket and ends the actor.
  void close();

  [[nodiscard]] bool open() const { return actor_ != nullptr; }
  [[nodiscard]] const engine::PortActor& actor() const { return *actor_; }
  [[nodiscard]] const PortWatch& watch() const { return watch_; }
  [[nodiscard]] const Endpoint& bound() const { return options_.bound; }

 private:
  [[nodiscard]] bool running() const { return actor_ != nullptr && !host_.dark(); }
  void read(const Packet& packet);
  void give(const Packet& packet);
  void settle();
  void transmit(const engine::Transmit& transmit);
  void transmit_one(const engine::Transmit& transmit, ByteView datagram);
  void on_stamp(std::uint32_t token);
  [[nodiscard]] bool deceives(Lie lie, const Packet& packet);

  Host& host_;
  Mailroom& mail_;
  Options options_;
  PortWatch watch_;
  std::unique_ptr<engine::PortActor> actor_;
  Alarm alarm_;
  TrueTime read_until_{};  // datagrams before this have been read or will be
  unsigned deceived_ = 0;
};

}  // namespace wyndrvr::sim
