// Runs one PortActor on its sockets in one loop: the only place where actors meet the system.
//
// After anything has happened to the actor it sends what the actor wants sent, hands its messages
// to the host and sets its next deadline. What one turn may receive and send is bounded, so that
// the other ports of the loop keep their timing.
//
// A socket that takes no more holds nothing up but itself and data: while one of several waits, the
// actor is asked for all but data (poll_transmit with most_data 0), and that goes its way. With one
// socket only, the actor is not asked meanwhile. A socket connected for data counts as one of
// several: all but data leaves by the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/port_actor.hpp"
#include "os/receive_batch.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/waiting_transmits.hpp"

namespace wyndrvr::runtime {

// Takes an actor's messages.
class MailHandler {
 public:
  virtual ~MailHandler() = default;
  virtual void on_mail(const engine::Outgoing& mail) = 0;
};

class PortRunner final {
 public:
  struct Environment {
    EventLoop& loop;
    os::ReceiveBuffer& receive_buffer;  // shared by the sockets of the loop
    MailHandler& mail;
  };

  // Sockets: 1 to kMaxPortSockets, in the order of the actor's flows. Configurations: as
  // engine::make_port_actor takes them.
  PortRunner(const Environment& environment, std::vector<os::UdpSocket> sockets,
             std::span<const engine::PortConfig> configs);
  // What the port's side and kind make of it.
  struct Habits {
    // Takes a socket out of epoll while a stamped datagram leaves by it. The kernel tells epoll of
    // the stamp before it passes the datagram on, which adds a microsecond to what is measured.
    // Costs two system calls: for clients, who send few of them.
    bool quiet_stamps = false;
    // Sends data that leaves at short intervals by sockets connected to its peers, beside the one
    // that goes on hearing everybody. For servers' download ports: their peers may move, and no
    // data comes in there, which several sockets would bring out of order.
    bool connects = false;
  };
  // `seed`: of the injected faults.
  PortRunner(const Environment& environment, std::vector<os::UdpSocket> sockets,
             std::unique_ptr<engine::PortActor> actor, const Habits& habits, std::uint64_t seed);
  ~PortRunner();
  PortRunner(const PortRunner&) = delete;
  PortRunner& operator=(const PortRunner&) = delete;

  // Registers with the loop. All that can fail.
  [[nodiscard]] Result<void> attach();
  // Lets the actor begin.
  void begin() { drain(); }
  void deliver(engine::Mailbox from, engine::Mailbox to, const engine::Message& message);

 private:
  // Bounds of one turn: receives of one socket, and sends.
  static constexpr Duration kMaxReceiveTime = 100us;
  static constexpr Duration kMaxSendTime = 100us;
  // Datagrams of one send where each passes the stack on its own, at about 4 us.
  static constexpr std::size_t kMaxSeparateSends = 32;
  // Buffers in one receive from which on there is bulk: a wake-up for each would cost more.
  static constexpr std::size_t kBulkBuffers = 4;
  // For so long after it, and after data has left at short intervals.
  static constexpr Duration kBulkPatience = 1ms;
  // Octets of a receive buffer from which on a rest loses nothing, even where the system draws it
  // out to a millisecond: that many small datagrams take 0.8 MB of it at 1 Mpps.
  static constexpr std::uint32_t kRestfulBuffer = 1U << 20U;
  // How long a turn of the loop waits while data leaves at short intervals.
  static constexpr Duration kRestOut = 100us;
  // The same when the next grant is all that there is to wait for.
  static constexpr Duration kRestWithoutGrant = 20us;
  // While bulk comes in it waits as long as a quarter of the receive buffer takes to fill at
  // kFastest, and no longer than kMaxRest: with less of it free its sender would wait for a grant.
  static constexpr BitRate kFastest{100e9};
  static constexpr Duration kMaxRest = 200us;
  // A full queue below the socket raises no event when it drains.
  static constexpr Duration kNoBuffersRetry = 500us;

  // Peers of one flow that get a socket of their own; further ones get their data by address.
  static constexpr std::size_t kMaxConnected = 8;

  struct Flow;
  struct Socket final : EventSource {
    Socket(Flow& owner, os::UdpSocket opened) : flow(owner), udp(std::move(opened)) {}
    void on_ready(const Readiness& readiness) override { flow.runner.on_ready(*this, readiness); }
    void on_wake(Instant now) override { flow.runner.on_wake(now); }

    Flow& flow;
    os::UdpSocket udp;
    std::optional<EventLoop::Id> id;
  };
  // Data for this peer leaves by that socket. Without one, it could not be had.
  struct Connected {
    Endpoint peer;
    std::unique_ptr<Socket> socket;
  };

  // One of the actor's: the socket that all may send to, and those connected to one peer each.
  struct Flow {
    Flow(PortRunner& owner, std::size_t number, os::UdpSocket opened);
    [[nodiscard]] bool has_room(Instant now) const {
      return awaits_room == nullptr && (!retry_at || now >= *retry_at);
    }
    // Whether all but data need not wait for what waits here.
    [[nodiscard]] bool lets_pass() const {
      return waiting.empty() || (awaits_room != nullptr && awaits_room != &socket);
    }
    [[nodiscard]] const Connected* find(const Endpoint& peer) const;
    template <typename Action>
    void for_each_socket(const Action& action) {
      action(socket);
      for (const Connected& to : connected) {
        if (to.socket) action(*to.socket);
      }
    }

    PortRunner& runner;
    std::uint8_t index;
    Socket socket;
    std::vector<Connected> connected;
    std::optional<Duration> rest_in;  // while bulk comes in; absent: it is waited for
    WaitingTransmits waiting;         // not (all) sent yet
    Socket* awaits_room = nullptr;    // the loop tells when there is some
    std::optional<Instant> retry_at;
    Instant bulk_in_until;
    bool bulk_in = false;   // so it was at the last receive
    bool bulk_out = false;  // data left when the actor was last asked
    Instant last_data_out;
    Instant busy_out_until;
  };

  [[nodiscard]] static std::optional<Duration> rest_of(std::uint32_t receive_buffer);
  [[nodiscard]] Result<void> attach(Socket& socket);
  void on_ready(Socket& socket, const Readiness& readiness);
  void on_wake(Instant now);
  void receive(Socket& socket);
  void take(const Socket& socket, std::span<const os::Received> batch, Instant now);
  void read_errors(Socket& socket);
  bool read_stamp(Socket& socket);
  // Nothing that the actor may want could leave now.
  [[nodiscard]] bool all_blocked() const;
  // Everything that the actor wants, then its next deadline.
  void drain();
  void transmit();
  void send_waiting(Instant now);
  void note_data(Flow& flow, const Endpoint& to, Instant now);
  // The kernel keeps the route of a connected socket. Best effort, once for each peer.
  void connect(Flow& flow, const Endpoint& peer);
  [[nodiscard]] static Socket& socket_for(Flow& flow, const engine::Transmit& transmit);
  [[nodiscard]] std::size_t most_data_per_send() const;
  void transmit(const engine::Transmit& transmit);
  // False when the socket takes no more for now; the rest is then in `transmit`.
  [[nodiscard]] bool send(Flow& flow, engine::Transmit& transmit);
  void send_some(Flow& flow, engine::Transmit& transmit);
  void wait_for_room(Socket& socket, engine::TransmitKind kind, os::SendOutcome::Status status);
  void schedule();
  [[nodiscard]] std::optional<Instant> next_retry() const;

  EventLoop& loop_;
  os::ReceiveBuffer& receive_buffer_;
  MailHandler& mail_;
  std::unique_ptr<engine::PortActor> actor_;
  Habits habits_;
  base::Random faults_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::size_t blocked_ = 0;  // flows that something waits at
  bool more_to_send_ = false;
};

}  // namespace wyndrvr::runtime
