// One client of a swarm: the engine's own client on sockets of its own, in a loop that it shares
// with all the others.
//
// What runtime/client_supervisor is to a program, without what a program alone needs: it has no
// receive buffer of its own, reports nothing, and its end ends nobody else. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"
#include "engine/client_session.hpp"
#include "os/receive_batch.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/main_socket.hpp"
#include "runtime/placement.hpp"

namespace wyndrvr::bench {

// Who has the clients.
class SwarmListener {
 public:
  virtual ~SwarmListener() = default;
  // All its ports have had an answer.
  virtual void on_client_connected() = 0;
  virtual void on_round_trip(const engine::HeartbeatSample& sample) = 0;
  // The last word, after which result() is complete.
  virtual void on_client_over() = 0;
};

class SwarmClient final : public runtime::EventSource,
                          public runtime::PlacementListener,
                          public runtime::MainSocket::Listener {
 public:
  struct Options {
    engine::ClientConfig engine;
    IpAddress local;
    std::uint64_t seed = 0;
  };

  SwarmClient(runtime::EventLoop& loop, os::ReceiveBuffer& receive_buffer, Options options,
              SwarmListener& listener);
  ~SwarmClient() override;
  SwarmClient(const SwarmClient&) = delete;
  SwarmClient& operator=(const SwarmClient&) = delete;

  [[nodiscard]] Result<void> start();
  // Takes leave of the server.
  void stop();
  [[nodiscard]] const engine::SessionResult& result() const { return session_->result(); }
  [[nodiscard]] bool over() const { return over_; }

  void on_ready(const runtime::Readiness& readiness) override;
  void on_wake(Instant now) override;
  void on_port_message(engine::PortKind from, const engine::Message& message) override;
  void on_launched() override;
  void on_launch_failed(const std::string& why) override;
  void on_port_lost(engine::PortKind port, const runtime::WorkerLoss& loss) override;
  void on_placement_stopped() override;
  void on_main_datagram(const Endpoint& from, ByteView bytes) override;
  void on_main_unreachable(const Endpoint& to, engine::Unreachable cause) override;

 private:
  void carry_out();
  void send_main(const Endpoint& to, ByteView bytes);
  [[nodiscard]] Result<void> launch_ports();
  void finish();

  runtime::EventLoop& loop_;
  os::ReceiveBuffer& receive_buffer_;
  Options options_;
  SwarmListener& listener_;
  base::Random random_;
  std::unique_ptr<runtime::MainSocket> main_;
  std::optional<engine::ClientSession> session_;
  std::unique_ptr<runtime::PortPlacement> placement_;
  std::optional<runtime::EventLoop::Id> timer_;
  std::size_t proven_ = 0;  // ports
  bool carrying_out_ = false;
  bool over_ = false;
};

}  // namespace wyndrvr::bench
