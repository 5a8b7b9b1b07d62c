// Sources that the loop polls instead of waiting for them.
#include <vector>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/event_loop.hpp"
#include "unit/runtime_event_loop_support.hpp"

namespace wyndrvr::runtime::testing {
namespace event_loop_polling_test {

// A descriptor that is always readable, and how often its source was told.
class Descriptor final : public EventSource {
 public:
  explicit Descriptor(EventLoop& loop)
      : loop_(loop), fd_(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC)), id(*loop.add(fd_, *this)) {}
  ~Descriptor() override {
    loop_.remove(id);
    ::close(fd_);
  }
  void on_ready(const Readiness& readiness) override {
    readinesses.push_back(readiness);
    if (readinesses.size() == stop_after) loop_.stop();
  }
  void on_wake(Instant) override {}
  void read() const {
    eventfd_t value = 0;
    EXPECT_EQ(::eventfd_read(fd_, &value), 0);
  }

 private:
  EventLoop& loop_;
  int fd_;

 public:
  EventLoop::Id id;
  std::vector<Readiness> readinesses;
  std::size_t stop_after = 0;  // so many calls and the loop stops; 0: never
};

TEST_F(EventLoopTest, APolledSourceIsCalledWhetherThereIsAnythingOrNot) {
  EventLoop loop = make_loop();
  Descriptor descriptor(loop);
  descriptor.read();
  loop.set_bulk(descriptor.id, true);
  Worker end(loop, time, 0ns, false);
  end.stop_after = 4;
  loop.set_polled(descriptor.id, kRest);
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(descriptor.readinesses.size(), 4U) << "once in each turn";
  for (const Readiness& readiness : descriptor.readinesses) {
    EXPECT_TRUE(readiness.readable);
    EXPECT_FALSE(readiness.writable);
  }
  EXPECT_TRUE(descriptor.readinesses.front().error) << "errors are looked at, as nothing tells";
}

TEST_F(EventLoopTest, AfterPollingASourceIsWatchedAgain) {
  EventLoop loop = make_loop();
  Descriptor descriptor(loop);
  loop.set_bulk(descriptor.id, true);
  loop.set_polled(descriptor.id, kRest);
  loop.set_polled(descriptor.id, std::nullopt);
  Worker end(loop, time, 0ns, false);
  end.stop_after = 2;
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(descriptor.readinesses.size(), 2U);
  descriptor.read();
  end.stop_after = 4;
  loop.run_again(end.id());
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(descriptor.readinesses.size(), 2U) << "nothing was there";
}

TEST_F(EventLoopTest, ASourceThatAwaitsRoomIsNotPolled) {
  EventLoop loop = make_loop();
  Descriptor descriptor(loop);
  loop.set_polled(descriptor.id, kRest);
  ASSERT_TRUE(loop.set_want_write(descriptor.id, true));
  Worker end(loop, time, 0ns, false);
  end.stop_after = 1;
  ASSERT_TRUE(loop.run());
  ASSERT_EQ(descriptor.readinesses.size(), 1U);
  EXPECT_TRUE(descriptor.readinesses.front().writable);
}

TEST_F(EventLoopTest, WaitsForAMomentWhileASourceIsPolled) {
  EventLoop loop = make_loop();
  Descriptor descriptor(loop);
  descriptor.read();
  loop.set_polled(descriptor.id, kRest);
  Source end;
  const auto id = loop.add(EventLoop::kNoDescriptor, end);
  constexpr int kRests = 20;
  loop.set_deadline(*id, time.now() + kRests * kRest);
  end.wake = [&](Instant) { loop.stop(); };
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(descriptor.readinesses.size(), std::size_t{kRests});
  EXPECT_EQ(time.waited, kRests * kRest);
  loop.remove(*id);
}

TEST_F(EventLoopTest, WaitsForTheShortestOfThePolledSourcesRests) {
  EventLoop loop = make_loop();
  Descriptor patient(loop);
  Descriptor hurried(loop);
  patient.read();
  hurried.read();
  loop.set_polled(patient.id, 1s);
  loop.set_polled(hurried.id, 1s);
  loop.set_polled(hurried.id, 1ms);
  hurried.stop_after = 5;
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(time.waited, 5ms);
}

TEST_F(EventLoopTest, DoesNotWaitWhereAPolledSourceHasLeftSomething) {
  EventLoop loop = make_loop();
  Descriptor descriptor(loop);
  loop.set_polled(descriptor.id, kRest);
  Source hurried;
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const auto id = loop.add(fd, hurried);
  loop.set_polled(*id, kRest);
  constexpr int kTurns = 2000;
  int turns = 0;
  hurried.ready = [&](const Readiness&) {
    if (++turns == kTurns) return loop.stop();
    loop.poll_at_once();
  };
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(time.waited, kRest) << "before the first turn alone";
  loop.remove(*id);
  ::close(fd);
}

TEST_F(EventLoopTest, ASourceIsRemovedWhileItIsPolled) {
  EventLoop loop = make_loop();
  auto descriptor = std::make_unique<Descriptor>(loop);
  loop.set_polled(descriptor->id, kRest);
  descriptor.reset();
  Worker end(loop, time, 0ns, false);
  end.stop_after = 2;
  ASSERT_TRUE(loop.run());
}

}  // namespace event_loop_polling_test
}  // namespace wyndrvr::runtime::testing
