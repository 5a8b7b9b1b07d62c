// The client: its main socket, the session's coordinator and its three ports; carries out what the
// coordinator decides.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "engine/client_session.hpp"
#include "os/receive_batch.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/main_socket.hpp"
#include "runtime/placement.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::runtime {

class ClientSupervisor final : public EventSource,
                               public PlacementListener,
                               public MainSocket::Listener {
 public:
  ClientSupervisor(EventLoop& loop, const ClientRun& run, ReportSink& sink);
  ~ClientSupervisor() override;
  ClientSupervisor(const ClientSupervisor&) = delete;
  ClientSupervisor& operator=(const ClientSupervisor&) = delete;

  [[nodiscard]] Result<void> start();
  void stop(engine::StopCause cause);
  [[nodiscard]] ClientOutcome outcome() const;

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;
  void on_port_message(engine::PortKind from, const engine::Message& message) override;
  void on_launched() override;
  void on_launch_failed(const std::string& why) override;
  void on_port_lost(engine::PortKind port, const WorkerLoss& loss) override;
  void on_placement_stopped() override;
  void on_main_datagram(const Endpoint& from, ByteView bytes) override;
  void on_main_unreachable(const Endpoint& to, engine::Unreachable cause) override;

 private:
  void carry_out();
  void send_main(const Endpoint& to, ByteView bytes);
  void open_ports(const engine::OpenPorts& ports);
  [[nodiscard]] Result<void> launch_ports(const engine::OpenPorts& ports);
  [[nodiscard]] Result<PortSockets> open_sockets(const Endpoint& server,
                                                 const PortConfigs& configs);
  void finish();

  EventLoop& loop_;
  ClientRun run_;
  ReportSink& sink_;
  base::Random random_;
  os::ReceiveBuffer receive_buffer_;
  std::array<std::unique_ptr<MainSocket>, 2> main_;  // IPv4, IPv6
  std::optional<engine::ClientSession> session_;
  std::unique_ptr<PortPlacement> placement_;
  std::optional<EventLoop::Id> timer_;
  std::optional<HostFacts> facts_;
  std::vector<WorkerFact> workers_;
  bool carrying_out_ = false;
};

}  // namespace wyndrvr::runtime
