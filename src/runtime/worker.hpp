// The supervisor's side of one worker: starts it, talks to it, sees that it lives, and buries it.
//
// A worker ends in one of two ways. Asked to (`stop`): on_worker_gone. By itself, crashed, stopped
// or hung: on_worker_lost with the cause, then on_worker_gone. When on_worker_gone comes, nothing
// of it is left: its process is reaped, its descriptors are closed. Destroying a Worker that is not
// gone kills it and waits for that. Neither call may destroy the Worker (EventLoop::defer).
//
// A worker is not trusted: it may have been taken over. What cannot come at this point of its life
// ends it, and nothing that it says afterwards is listened to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/fd.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/liveness.hpp"
#include "runtime/stop_ladder.hpp"
#include "runtime/worker_body.hpp"
#include "runtime/worker_channel.hpp"
#include "runtime/worker_loss.hpp"

namespace wyndrvr::runtime {

class Worker final : public EventSource, public WorkerChannel::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // It has taken its set-up, and nothing of it can fail any more. A worker that is lost before
    // could not be started.
    virtual void on_worker_prepared(Worker& worker) = 0;
    // Everything but what this class sees to itself. False where no worker of this role says such a
    // thing: it is not ours any more, and is ended.
    [[nodiscard]] virtual bool on_worker_frame(Worker& worker, Frame frame) = 0;
    virtual void on_worker_lost(Worker& worker, const WorkerLoss& loss) = 0;
    virtual void on_worker_gone(Worker& worker) = 0;
  };

  // `role`: "upload", for the texts.
  Worker(EventLoop& loop, std::string role, Listener& listener);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // `subject`: whom it is for, shown in its title. `descriptors`: what it gets beside its channel.
  // It then waits for its set-up, to be sent in the same turn. Error: it could not be started;
  // nothing is left of it.
  [[nodiscard]] Result<void> start(StartBody start_body, const std::string& subject,
                                   std::vector<os::Fd> descriptors);
  void send(const Frame& frame);
  void stop();

  [[nodiscard]] bool gone() const { return gone_; }
  [[nodiscard]] std::optional<int> pid() const { return body_ ? body_->pid() : std::nullopt; }

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;
  void on_frame(WorkerChannel& channel, Frame frame) override;
  void on_channel_end(WorkerChannel& channel, WorkerChannel::End end) override;

 private:
  enum class Stage : std::uint8_t { kStarted, kGreeted, kPrepared };

  void look(Instant now);
  // False where it is impossible at this stage.
  [[nodiscard]] bool take(Frame frame);
  [[nodiscard]] bool take_hello(const Hello& hello);
  [[nodiscard]] bool take_prepared();
  [[nodiscard]] bool take_failure(const SetupFailed& failed);
  // It has to go, for this reason; the first one stands.
  void give_up(Instant now, Rung from, std::string cause);
  void climb(Instant now, Rung rung);
  void bury_if_over();
  void bury(const std::string& how);
  void schedule();
  [[nodiscard]] std::string describe() const;

  EventLoop& loop_;
  std::string role_;
  Listener& listener_;
  std::unique_ptr<WorkerBody> body_;
  std::unique_ptr<WorkerChannel> channel_;
  std::optional<EventLoop::Id> id_;
  std::optional<Liveness> liveness_;
  StopLadder ladder_;
  Stage stage_ = Stage::kStarted;
  bool distrusted_ = false;
  std::string cause_;  // why it is lost, where that is known before it is over
  bool wanted_ = true;
  bool gone_ = false;
};

}  // namespace wyndrvr::runtime
