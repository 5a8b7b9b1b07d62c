#include "runtime/worker.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"
#include "engine/overloaded.hpp"
#include "os/clock.hpp"
#include "os/seqpacket.hpp"
#include "runtime/worker_process.hpp"

namespace wyndrvr::runtime {

Worker::Worker(EventLoop& loop, std::string role, Listener& listener)
    : loop_(loop), role_(std::move(role)), listener_(listener) {}

Worker::~Worker() {
  if (id_) loop_.remove(*id_);
}

Result<void> Worker::start(StartBody start_body, const std::string& subject,
                           std::vector<os::Fd> descriptors) {
  auto channel = os::open_channel_pair();
  if (!channel) return std::unexpected(channel.error());
  channel_ = std::make_unique<WorkerChannel>(loop_, std::move(channel->a), *this);
  descriptors.insert(descriptors.begin(), std::move(channel->b));
  auto body = start_body(fmt::format("{}{} {}", kWorkerTitlePrefix, role_, subject),
                         std::move(descriptors));
  if (!body) return std::unexpected(body.error());
  body_ = std::move(*body);
  if (auto started = channel_->start(); !started) return started;
  auto id = loop_.add(body_->exit_descriptor().value_or(EventLoop::kNoDescriptor), *this);
  if (!id) return std::unexpected(id.error());
  id_ = *id;
  // Its loop is tuned as this one is. An answer takes two turns at the most.
  const LoopTuning& tuning = loop_.tuning();
  liveness_.emplace(os::monotonic_now(),
                    Liveness::kPatience + 3 * (tuning.pause() + tuning.gather));
  schedule();
  return {};
}

void Worker::send(const Frame& frame) {
  if (wanted_ && !gone_) channel_->send(frame);
}

void Worker::stop() {
  if (gone_ || ladder_.begun()) {
    wanted_ = false;
    return;
  }
  wanted_ = false;
  climb(os::monotonic_now(), Rung::kAsk);
  bury_if_over();
}

std::string Worker::describe() const {
  const auto number = pid();
  return number ? fmt::format("{} worker (pid {})", role_, *number)
                : fmt::format("{} worker", role_);
}

void Worker::on_ready(const Readiness& /*readiness*/) {
  // Over. What it said last is in the channel still.
  channel_->receive();
  bury_if_over();
}

void Worker::on_wake(Instant now) {
  if (gone_) return;
  // An answer, or its last words, may be waiting behind this very turn.
  channel_->receive();
  if (ladder_.begun()) {
    if (const auto rung = ladder_.on_timer(now)) climb(now, *rung);
  } else if (now >= liveness_->next_tick()) {
    look(now);
  }
  bury_if_over();
  schedule();
}

void Worker::look(Instant now) {
  const Liveness::Verdict verdict = liveness_->on_tick(now);
  if (verdict == Liveness::Verdict::kAsk) {
    channel_->send(Ping{liveness_->number()});
    return;
  }
  if (const auto signal = body_->stopped_by()) {
    give_up(now, Rung::kKill, fmt::format("was stopped by {}", *signal));
  } else if (verdict == Liveness::Verdict::kDead) {
    give_up(now, Rung::kTerminate,
            fmt::format("gave no sign of life for {:.3g} s", to_seconds(liveness_->patience())));
  }
}

void Worker::on_frame(WorkerChannel& /*channel*/, Frame frame) {
  if (distrusted_ || take(std::move(frame))) return;
  distrusted_ = true;
  give_up(os::monotonic_now(), Rung::kKill, "sent a message that no such worker sends");
}

bool Worker::take(Frame frame) {
  if (const auto* hello = std::get_if<Hello>(&frame)) return take_hello(*hello);
  if (stage_ == Stage::kStarted) return false;
  if (const auto* pong = std::get_if<Pong>(&frame)) {
    liveness_->on_answer(pong->number);
    return true;
  }
  if (std::holds_alternative<Prepared>(frame)) return take_prepared();
  if (const auto* failed = std::get_if<SetupFailed>(&frame)) return take_failure(*failed);
  return gone_ || listener_.on_worker_frame(*this, std::move(frame));
}

bool Worker::take_hello(const Hello& hello) {
  if (stage_ != Stage::kStarted) return false;
  stage_ = Stage::kGreeted;
  if (hello.version.view() == WYNDRVR_VERSION) {
    liveness_->on_answer(0);
  } else {
    give_up(os::monotonic_now(), Rung::kKill, "is of another version");
  }
  return true;
}

bool Worker::take_prepared() {
  if (std::exchange(stage_, Stage::kPrepared) == Stage::kPrepared) return false;
  if (wanted_ && !gone_) listener_.on_worker_prepared(*this);
  return true;
}

bool Worker::take_failure(const SetupFailed& failed) {
  // It ends by itself now. Once it is prepared only its loop can fail, and how it ends says enough:
  // its words could have been put into its mouth by then.
  if (stage_ == Stage::kGreeted && cause_.empty()) {
    cause_ = fmt::format("could not start: {}", failed.why);
  }
  return true;
}

void Worker::on_channel_end(WorkerChannel& /*channel*/, WorkerChannel::End end) {
  const Instant now = os::monotonic_now();
  switch (end) {
    case WorkerChannel::End::kClosed:
      // It is about to be over, and how will be seen then.
      if (!ladder_.begun()) climb(now, Rung::kAsk);
      break;
    case WorkerChannel::End::kGarbage:
      give_up(now, Rung::kKill, "sent what is no message");
      break;
    case WorkerChannel::End::kOverflow:
      give_up(now, Rung::kTerminate, "does not read its messages");
      break;
  }
  // Soon rather than from within the sender's call.
  if (id_) loop_.run_again(*id_);
}

void Worker::give_up(Instant now, Rung from, std::string cause) {
  if (wanted_ && cause_.empty()) cause_ = std::move(cause);
  climb(now, from);
}

void Worker::climb(Instant now, Rung rung) {
  switch (ladder_.begin(now, rung)) {
    case Rung::kAsk:
      channel_->finish_sending();
      break;
    case Rung::kTerminate:
      channel_->finish_sending();
      body_->terminate();
      break;
    case Rung::kKill:
      channel_->finish_sending();
      body_->kill();
      break;
    case Rung::kAbandon:
      return bury("cannot be ended");
  }
  schedule();
}

void Worker::bury_if_over() {
  if (gone_) return;
  if (const auto how = body_->reap()) bury(*how);
}

void Worker::bury(const std::string& how) {
  gone_ = true;
  channel_->receive();
  if (id_) loop_.remove(*std::exchange(id_, std::nullopt));
  if (std::exchange(wanted_, false)) {
    listener_.on_worker_lost(
        *this, {.cause = fmt::format("{} {}", describe(), cause_.empty() ? how : cause_),
                .words = last_words_of(body_->take_words())});
  }
  listener_.on_worker_gone(*this);
}

void Worker::schedule() {
  if (!id_) return;
  loop_.set_deadline(*id_,
                     ladder_.begun() ? ladder_.deadline() : std::optional(liveness_->next_tick()));
}

}  // namespace wyndrvr::runtime
