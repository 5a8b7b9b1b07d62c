#include <array>
#include <functional>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/event_loop.hpp"
#include "unit/runtime_event_loop_support.hpp"

namespace wyndrvr::runtime::testing {
namespace event_loop_test {

TEST_F(EventLoopTest, MeetsADeadlineAndNotBeforeIt) {
  EventLoop loop = make_loop();
  Source source;
  const auto id = loop.add(EventLoop::kNoDescriptor, source);
  const Instant deadline = time.now() + 3ms;
  loop.set_deadline(*id, deadline);
  Instant woken;
  source.wake = [&](Instant now) {
    woken = now;
    loop.stop();
  };
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(woken, deadline);
  EXPECT_EQ(time.waited, 3ms);
  loop.remove(*id);
}

TEST(EventLoopOfTheHost, NeverMeetsADeadlineBeforeItsTime) {
  auto loop = EventLoop::create({});
  ASSERT_TRUE(loop);
  Source source;
  const auto id = loop->add(EventLoop::kNoDescriptor, source);
  const Instant deadline = kHostTime.now() + 3ms;
  loop->set_deadline(*id, deadline);
  Instant woken;
  source.wake = [&](Instant now) {
    woken = now;
    loop->stop();
  };
  ASSERT_TRUE(loop->run());
  EXPECT_GE(woken, deadline);
  loop->remove(*id);
}

TEST_F(EventLoopTest, AWokenSourceWithoutNewDeadlineIsLeftAlone) {
  EventLoop loop = make_loop();
  Source once;
  Source last;
  int wakes = 0;
  once.wake = [&](Instant) { ++wakes; };
  last.wake = [&](Instant) { loop.stop(); };
  const auto once_id = loop.add(EventLoop::kNoDescriptor, once);
  const auto last_id = loop.add(EventLoop::kNoDescriptor, last);
  loop.set_deadline(*once_id, time.now());
  loop.set_deadline(*last_id, time.now() + 5ms);
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(wakes, 1);
  loop.remove(*once_id);
  loop.remove(*last_id);
}

TEST_F(EventLoopTest, ASourceMayRemoveOneThatIsReadyInTheSameTurn) {
  EventLoop loop = make_loop();
  const int first_fd = ::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
  const int second_fd = ::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
  Source first;
  Source second;
  const auto first_id = loop.add(first_fd, first);
  const auto second_id = loop.add(second_fd, second);
  int calls = 0;
  const auto remove_other = [&](EventLoop::Id other) {
    return [&loop, &calls, other](const Readiness&) {
      ++calls;
      loop.remove(other);
      loop.stop();
    };
  };
  first.ready = remove_other(*second_id);
  second.ready = remove_other(*first_id);
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(calls, 1);
  ::close(first_fd);
  ::close(second_fd);
}

TEST_F(EventLoopTest, RunAgainComesInTheNextTurnWithoutWaiting) {
  LoopTuning tuning;
  tuning.block_limit = 10s;
  EventLoop loop = make_loop(tuning);
  Source source;
  const auto id = loop.add(EventLoop::kNoDescriptor, source);
  int turns = 0;
  source.wake = [&](Instant) {
    if (++turns == 100) return loop.stop();
    loop.run_again(*id);
  };
  loop.run_again(*id);
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(turns, 100);
  EXPECT_EQ(time.waited, 0s);
  loop.remove(*id);
}

TEST_F(EventLoopTest, DeferredActionsRunAtTheEndOfTheTurn) {
  EventLoop loop = make_loop();
  Source source;
  const auto id = loop.add(EventLoop::kNoDescriptor, source);
  std::vector<int> order;
  source.wake = [&](Instant) {
    loop.defer([&] {
      order.push_back(2);
      loop.stop();
    });
    order.push_back(1);
  };
  loop.run_again(*id);
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(order, (std::vector{1, 2}));
  loop.remove(*id);
}

TEST_F(EventLoopTest, SleepsAfterEachTurnAreTheSumOfTheKeys) {
  LoopTuning tuning;
  tuning.incoming_sleep = 2ms;
  tuning.send_sleep = 3ms;
  EventLoop loop = make_loop(tuning);
  Source source;
  const auto id = loop.add(EventLoop::kNoDescriptor, source);
  int turns = 0;
  source.wake = [&](Instant) {
    if (++turns == 4) return loop.stop();
    loop.run_again(*id);
  };
  loop.run_again(*id);
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(time.sleeps, std::vector<Duration>(4, 5ms));
  loop.remove(*id);
}

TEST_F(EventLoopTest, BulkSharesATurnAndTheOthersRunInEach) {
  EventLoop loop = make_loop();
  std::vector<std::unique_ptr<Worker>> bulk;
  for (int i = 0; i < 5; ++i) {
    bulk.push_back(std::make_unique<Worker>(loop, time, 2 * EventLoop::kBulkTime, true));
  }
  Worker timely(loop, time, 0ns, false);
  timely.stop_after = 20;
  ASSERT_TRUE(loop.run());
  // One of them exceeds the turn's share, and each has its turn.
  for (const auto& worker : bulk) EXPECT_EQ(worker->wakes, 4);
}

TEST_F(EventLoopTest, ReadyBulkComesAfterADeadlineThatIsDue) {
  EventLoop loop = make_loop();
  const int fd = ::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
  Source bulk;
  Source timely;
  const auto bulk_id = loop.add(fd, bulk);
  const auto timely_id = loop.add(EventLoop::kNoDescriptor, timely);
  loop.set_bulk(*bulk_id, true);
  std::vector<int> order;
  bulk.ready = [&](const Readiness&) {
    order.push_back(2);
    loop.stop();
  };
  timely.wake = [&](Instant) { order.push_back(1); };
  loop.set_deadline(*timely_id, time.now());
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(order, (std::vector{1, 2}));
  loop.remove(*bulk_id);
  loop.remove(*timely_id);
  ::close(fd);
}

class BulkWithoutTime : public EventLoopTest, public ::testing::WithParamInterface<bool> {};

TEST_P(BulkWithoutTime, TakesTurns) {
  const bool polled = GetParam();
  EventLoop loop = make_loop();
  constexpr std::size_t kSources = 3;
  std::array<Source, kSources> sources;
  std::array<int, kSources> served{};
  std::array<int, kSources> fds{};
  std::vector<EventLoop::Id> ids;
  std::array<int, kSources> errors{};
  int all = 0;
  for (std::size_t i = 0; i < kSources; ++i) {
    // Never read, so always ready.
    fds[i] = ::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    ids.push_back(*loop.add(fds[i], sources[i]));
    loop.set_bulk(ids[i], true);
    loop.set_polled(ids[i], polled ? std::optional(kRest) : std::nullopt);
    sources[i].ready = [&, i](const Readiness& readiness) {
      ++served[i];
      errors[i] += readiness.error ? 1 : 0;
      if (++all == 12) loop.stop();
      time.pass(EventLoop::kBulkTime);
    };
  }
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(served, (std::array{4, 4, 4}));
  for (const int looks : errors) EXPECT_EQ(looks > 0, polled) << "nothing tells of a polled one's";
  for (std::size_t i = 0; i < kSources; ++i) {
    loop.remove(ids[i]);
    ::close(fds[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(WatchedAndPolled, BulkWithoutTime, ::testing::Bool(),
                         [](const auto& of) { return of.param ? "Polled" : "Watched"; });

TEST_F(EventLoopTest, DoesNotWaitWhereSomethingPolledHasBeenLeft) {
  EventLoop loop = make_loop();
  std::array<Source, 2> sources;
  std::vector<EventLoop::Id> ids;
  std::array<int, 2> fds{};
  int all = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    fds[i] = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ids.push_back(*loop.add(fds[i], sources[i]));
    loop.set_polled(ids[i], kRest);
    sources[i].ready = [&](const Readiness&) {
      if (++all == 200) loop.stop();
      time.pass(EventLoop::kBulkTime);
    };
  }
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(time.waited, kRest) << "before the first turn alone";
  for (std::size_t i = 0; i < sources.size(); ++i) {
    loop.remove(ids[i]);
    ::close(fds[i]);
  }
}

TEST_F(EventLoopTest, LagIsMeasuredWhileThereIsBulkAndOnlyThen) {
  EventLoop loop = make_loop();
  {
    Worker timely(loop, time, 1ms, false);
    timely.stop_after = 10;
    ASSERT_TRUE(loop.run());
    EXPECT_FALSE(loop.lag());
  }
  constexpr Duration kWork = 20ms;
  Worker bulk(loop, time, kWork, true);
  bulk.stop_after = 8;
  ASSERT_TRUE(loop.run());
  ASSERT_TRUE(loop.lag());
  EXPECT_GE(loop.lag()->count, 3U);
  EXPECT_GE(loop.lag()->min, kWork - 2 * EventLoop::kLagInterval) << "it held the loop up so long";
}

}  // namespace event_loop_test
}  // namespace wyndrvr::runtime::testing
