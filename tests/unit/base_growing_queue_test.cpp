#include <memory>

#include <gtest/gtest.h>

#include "base/growing_queue.hpp"
#include "unit/allocation_counter.hpp"

namespace wyndrvr::base {
namespace growing_queue_test {

using wyndrvr::testing::allocations_during;

TEST(GrowingQueue, FirstInIsFirstOut) {
  GrowingQueue<int> queue({.most = 3, .kept = 1});
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.push(3));
  EXPECT_EQ(queue.front(), 2);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), 3);
  EXPECT_FALSE(queue.pop());
}

TEST(GrowingQueue, FullQueueRefusesAndKeepsWhatItHas) {
  GrowingQueue<int> queue({.most = 3, .kept = 2});
  for (const int value : {1, 2, 3}) EXPECT_TRUE(queue.push(value));
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.push(4));
  EXPECT_EQ(queue.size(), 3U);
  for (const int value : {1, 2, 3}) EXPECT_EQ(queue.pop(), value);
}

TEST(GrowingQueue, TakesNoMemoryBeforeTheFirstElementAndNoMoreThanIsNeeded) {
  GrowingQueue<int> queue({.most = 100, .kept = 2});
  EXPECT_EQ(queue.room(), 0U);
  EXPECT_TRUE(queue.push(0));
  EXPECT_EQ(queue.room(), 2U);
  for (int i = 1; i < 5; ++i) EXPECT_TRUE(queue.push(i));
  EXPECT_EQ(queue.room(), 8U);
  while (queue.push(0)) {
  }
  EXPECT_EQ(queue.room(), 100U);
}

TEST(GrowingQueue, GivesBackWhatABurstTookOnceItIsEmpty) {
  GrowingQueue<int> queue({.most = 100, .kept = 2});
  while (queue.push(0)) {
  }
  while (queue.pop()) EXPECT_TRUE(queue.empty() || queue.room() == 100U);
  EXPECT_EQ(queue.room(), 0U);
}

TEST(GrowingQueue, OrderHoldsWhereItGrowsInTheMiddleOfItsMemory) {
  GrowingQueue<int> queue({.most = 64, .kept = 3});
  int pushed = 0;
  int popped = 0;
  for (int size = 1; size < 60; ++size) {
    // One out, two in: the oldest lies at another place of its memory each time.
    if (queue.size() > 1) {
      EXPECT_EQ(queue.pop(), popped++);
    }
    while (queue.size() < static_cast<std::size_t>(size)) EXPECT_TRUE(queue.push(pushed++));
    for (std::size_t i = 0; i < queue.size(); ++i) {
      EXPECT_EQ(queue.at(i), popped + static_cast<int>(i));
    }
  }
}

TEST(GrowingQueue, WhoStaysWithinWhatIsKeptAllocatesOnce) {
  GrowingQueue<int> queue({.most = 100, .kept = 2});
  EXPECT_TRUE(queue.push(0));
  EXPECT_EQ(allocations_during([&] {
              for (int i = 0; i < 1000; ++i) {
                (void)queue.push(i);
                (void)queue.pop();
                if (i % 3 == 0) (void)queue.pop();
                if (queue.empty()) (void)queue.push(i);
              }
            }),
            0U);
}

TEST(GrowingQueue, HoldsWhatCanOnlyBeMoved) {
  GrowingQueue<std::unique_ptr<int>> queue({.most = 4, .kept = 1});
  for (const int value : {7, 8, 9}) EXPECT_TRUE(queue.push(std::make_unique<int>(value)));
  for (const int value : {7, 8, 9}) EXPECT_EQ(**queue.pop(), value);
}

}  // namespace growing_queue_test
}  // namespace wyndrvr::base
