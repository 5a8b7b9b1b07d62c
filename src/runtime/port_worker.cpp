#include "runtime/port_worker.hpp"

#include <array>
#include <memory>
#include <span>
#include <utility>

#include "base/check.hpp"
#include "engine/message_rules.hpp"
#include "os/clock.hpp"
#include "runtime/port_runner.hpp"
#include "runtime/port_socket.hpp"
#include "runtime/worker_channel.hpp"
#include "runtime/worker_loop.hpp"
#include "runtime/worker_rights.hpp"

namespace wyndrvr::runtime {
namespace {

using engine::Mailbox;
using engine::PortKind;

class PortWorker final : public MailHandler, public WorkerChannel::Listener {
 public:
  PortWorker(EventLoop& loop, const PortSetup& setup)
      : loop_(loop),
        setup_(setup),
        receive_buffer_(make_receive_buffer(setup.config.side, setup.config.kind)) {}

  // Error: a socket or the loop.
  [[nodiscard]] Result<void> start(std::vector<os::Fd> descriptors) {
    const auto siblings = siblings_of(setup_.config.kind);
    const std::size_t count = socket_count(setup_.config);
    if (descriptors.size() != 1 + count + siblings.size()) {
      return fail("not the descriptors of a port");
    }
    // First of all, so that a failure can still be told.
    if (auto opened = open(supervisor_, std::move(descriptors[0])); !opened) return opened;
    auto sockets =
        adopt_port({setup_.config.side, setup_.config.kind, payload_of(setup_.config.path)},
                   std::span(descriptors).subspan(1, count), setup_.tuning.offloads);
    if (!sockets) return std::unexpected(sockets.error());
    runner_ = std::make_unique<PortRunner>(PortRunner::Environment{loop_, receive_buffer_, *this},
                                           std::move(*sockets), std::span(&setup_.config, 1));
    for (std::size_t i = 0; i < siblings.size(); ++i) {
      auto opened =
          open(siblings_[engine::index_of(siblings[i])], std::move(descriptors[1 + count + i]));
      if (!opened) return opened;
    }
    supervisor_->send(Prepared{});
    return {};
  }

  void on_mail(const engine::Outgoing& mail) override {
    WorkerChannel* channel = mail.to == Mailbox::kCoordinator
                                 ? supervisor_.get()
                                 : siblings_[static_cast<std::size_t>(mail.to)].get();
    // A port writes to the coordinator and to siblings only.
    WYNDRVR_CHECK(channel != nullptr);
    channel->send(ipc::Letter{mail.from, mail.message, mail.to});
  }

  void on_frame(WorkerChannel& channel, Frame frame) override {
    const auto sender = sender_of(channel);
    if (const auto* letter = std::get_if<ipc::Letter>(&frame)) {
      // Who writes to whom is told by the channel, whatever the letter says.
      const Mailbox self = engine::mailbox_of(setup_.config.kind);
      const engine::Route route{setup_.config.side, sender, self};
      // A sibling may have been taken over: what it cannot have to say is not listened to.
      if (!engine::may_send(route, letter->message)) return;
      begin();
      runner_->deliver(sender, self, letter->message);
      return;
    }
    if (sender != Mailbox::kCoordinator) return;
    if (const auto* ping = std::get_if<Ping>(&frame)) channel.send(Pong{ping->number});
    if (std::holds_alternative<Begin>(frame)) begin();
  }

  // Nobody is left to work for. The end of a sibling is the supervisor's business.
  void on_channel_end(WorkerChannel& channel, WorkerChannel::End /*end*/) override {
    if (&channel == supervisor_.get()) loop_.stop();
  }

 private:
  // With Begin, or with a letter, which others write only when all are prepared. Nothing is read
  // from the network before: a client that hears one port believes in the session.
  void begin() {
    if (std::exchange(begun_, true)) return;
    // Only for want of memory. Its end is seen.
    if (!runner_->attach()) return loop_.stop();
    runner_->begin();
  }
  [[nodiscard]] Result<void> open(std::unique_ptr<WorkerChannel>& channel, os::Fd fd) {
    channel = std::make_unique<WorkerChannel>(loop_, std::move(fd), *this);
    return channel->start();
  }
  [[nodiscard]] Mailbox sender_of(const WorkerChannel& channel) const {
    for (const PortKind kind : engine::kPortKinds) {
      if (siblings_[engine::index_of(kind)].get() == &channel) return engine::mailbox_of(kind);
    }
    return Mailbox::kCoordinator;
  }

  EventLoop& loop_;
  PortSetup setup_;
  os::ReceiveBuffer receive_buffer_;
  std::unique_ptr<PortRunner> runner_;
  std::unique_ptr<WorkerChannel> supervisor_;
  std::array<std::unique_ptr<WorkerChannel>, engine::kPortCount> siblings_;
  bool begun_ = false;
};

}  // namespace

std::vector<PortKind> siblings_of(PortKind kind) {
  if (kind == PortKind::kControl) return {PortKind::kUpload, PortKind::kDownload};
  return {PortKind::kControl};
}

int run_port_worker(const PortSetup& setup, std::vector<os::Fd> descriptors,
                    Surroundings surroundings,
                    const std::function<void(const Error&)>& tell_failure) {
  take_place(engine::name(setup.config.kind), setup.cpus, surroundings);
  return run_in_loop<PortWorker>(setup, {}, std::move(descriptors), surroundings, tell_failure);
}

}  // namespace wyndrvr::runtime
