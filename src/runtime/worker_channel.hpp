// One end of a channel between two loops: frames out and in, never waiting, never unbounded.
//
// What the other end has no room for waits in an ipc::Outbox; when that is full of frames that
// must not be lost, the other end has stopped reading, and the channel is closed. So it is when
// octets come that are no frame of ours. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "ipc/outbox.hpp"
#include "os/fd.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/worker_frames.hpp"

namespace wyndrvr::runtime {

class WorkerChannel final : public EventSource {
 public:
  enum class End : std::uint8_t {
    kClosed,    // by the other end
    kGarbage,   // the other end sends what is no frame
    kOverflow,  // the other end does not read
  };

  class Listener {
   public:
    virtual ~Listener() = default;
    // The frame is valid during the call. The channel must outlive it (EventLoop::defer).
    virtual void on_frame(WorkerChannel& channel, Frame frame) = 0;
    // Once; no frame comes after it, and none is sent any more.
    virtual void on_channel_end(WorkerChannel& channel, End end) = 0;
  };

  WorkerChannel(EventLoop& loop, os::Fd fd, Listener& listener);
  ~WorkerChannel() override;
  WorkerChannel(const WorkerChannel&) = delete;
  WorkerChannel& operator=(const WorkerChannel&) = delete;

  [[nodiscard]] Result<void> start();
  // Ignored once the channel has ended.
  void send(const Frame& frame);
  // Takes in what is there now, bounded; the loop does so by itself.
  void receive();
  // Tells the other end that nothing more will come; frames from there still do.
  void finish_sending();

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool flushed() const { return outbox_.empty(); }

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;

 private:
  // Frames of one turn; the rest comes with the next.
  static constexpr int kMaxFrames = 64;

  void flush();
  void end(End how);

  EventLoop& loop_;
  os::Fd fd_;
  Listener& listener_;
  std::optional<EventLoop::Id> id_;
  ipc::Outbox outbox_;
  std::vector<std::byte> encoded_;
  bool ended_ = false;
};

}  // namespace wyndrvr::runtime
