#include "runtime/session_worker.hpp"

#include <memory>
#include <span>
#include <utility>

#include "runtime/hosted_session.hpp"
#include "runtime/placement.hpp"
#include "runtime/port_socket.hpp"
#include "runtime/worker_channel.hpp"
#include "runtime/worker_loop.hpp"
#include "runtime/worker_rights.hpp"

namespace wyndrvr::runtime {
namespace {

engine::ServerConfig config_of(const SessionStart& start) {
  engine::ServerConfig config;
  config.protocol = start.protocol;
  config.limits = start.limits;
  // The server has taken the ports already.
  config.port_ranges.clear();
  return config;
}

class SessionWorker final : public SessionListener, public WorkerChannel::Listener {
 public:
  SessionWorker(EventLoop& loop, const SessionStart& start)
      : loop_(loop),
        start_(start),
        receive_buffer_(make_receive_buffer(engine::Side::kServer, engine::PortKind::kUpload)),
        session_({loop, receive_buffer_, start.cpus},
                 {start.ports, start.session, start.bound, start.seed}, config_of(start), *this) {}

  // Error: a socket, the loop, or a worker of its own.
  [[nodiscard]] Result<void> start(std::vector<os::Fd> descriptors) {
    const std::size_t ports = has_single_port(start_.session.path) ? 1 : engine::kPortCount;
    if (descriptors.size() != 1 + ports) return fail("not the descriptors of a session");
    // First of all, so that a failure can still be told.
    supervisor_ = std::make_unique<WorkerChannel>(loop_, std::move(descriptors[0]), *this);
    if (auto started = supervisor_->start(); !started) return started;
    PortSockets sockets;
    for (std::size_t i = 0; i < ports; ++i) {
      const engine::PortKind kind = ports == 1 ? engine::PortKind::kUpload : engine::kPortKinds[i];
      auto adopted = adopt_port({engine::Side::kServer, kind, payload_of(start_.session.path)},
                                std::span(descriptors).subspan(1 + i, 1), start_.tuning.offloads);
      if (!adopted) return std::unexpected(adopted.error());
      sockets[i] = std::move(*adopted);
    }
    session_.launch(std::move(sockets));
    return {};
  }

  void on_frame(WorkerChannel& channel, Frame frame) override {
    if (const auto* ping = std::get_if<Ping>(&frame)) channel.send(Pong{ping->number});
    if (const auto* end = std::get_if<EndSession>(&frame)) session_.end(end->reason);
  }
  void on_channel_end(WorkerChannel& /*channel*/, WorkerChannel::End /*end*/) override {
    loop_.stop();
  }

  void on_session_launched(engine::SessionId /*id*/) override { tell(Prepared{}); }
  void on_session_launch_failed(engine::SessionId /*id*/, const std::string& why) override {
    tell(SetupFailed{why});
    loop_.stop();
  }
  void on_session_proven(engine::SessionId /*id*/) override { tell(engine::SessionProven{}); }
  void on_resend_assignment(engine::SessionId /*id*/) override { tell(engine::ResendAssignment{}); }
  void on_client_extended(engine::SessionId /*id*/) override { tell(engine::ClientExtended{}); }
  void on_tell_ended(engine::SessionId /*id*/, const engine::TellEnded& end) override { tell(end); }
  void on_test_under_way(engine::SessionId /*id*/, Duration duration) override {
    tell(engine::TestUnderWay{duration});
  }
  void on_session_report(const engine::Report& report) override { tell(report); }
  // The supervisor then ends the channel, and so this loop.
  void on_session_over(engine::SessionId /*id*/) override { tell(engine::SessionOver{}); }
  // Only sessions in workers are lost.
  void on_session_lost(engine::SessionId /*id*/, const WorkerLoss& /*loss*/) override {}

 private:
  void tell(Frame frame) { supervisor_->send(frame); }

  EventLoop& loop_;
  SessionStart start_;
  os::ReceiveBuffer receive_buffer_;
  std::unique_ptr<WorkerChannel> supervisor_;
  HostedSession session_;
};

}  // namespace

int run_session_worker(const SessionStart& start, std::vector<os::Fd> descriptors,
                       Surroundings surroundings,
                       const std::function<void(const Error&)>& tell_failure) {
  const os::Confinement needs = needs_of(mode_for(start.ports, start.session.path));
  const bool carries_data = !needs.threads && !needs.processes;
  take_place("session", carries_data ? start.cpus.of_session() : start.cpus.of_coordinator(),
             surroundings);
  return run_in_loop<SessionWorker>(start, needs, std::move(descriptors), surroundings,
                                    tell_failure);
}

}  // namespace wyndrvr::runtime
