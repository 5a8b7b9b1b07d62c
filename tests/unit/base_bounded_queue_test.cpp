#include <memory>

#include <gtest/gtest.h>

#include "base/bounded_queue.hpp"

namespace wyndrvr::base {
namespace bounded_queue_test {

TEST(BoundedQueue, FirstInIsFirstOut) {
  BoundedQueue<int> queue(3);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.push(3));
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), 3);
  EXPECT_FALSE(queue.pop());
}

TEST(BoundedQueue, FullQueueRefusesAndKeepsWhatItHas) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
}

TEST(BoundedQueue, OrderHoldsAcrossTheEndOfItsMemory) {
  BoundedQueue<int> queue(3);
  int pushed = 0;
  int popped = 0;
  for (int turn = 0; turn < 50; ++turn) {
    while (queue.push(pushed)) ++pushed;
    EXPECT_EQ(queue.front(), popped);
    for (std::size_t i = 0; i < queue.size(); ++i) {
      EXPECT_EQ(queue.at(i), popped + static_cast<int>(i));
    }
    EXPECT_EQ(queue.pop(), popped++);
    EXPECT_EQ(queue.pop(), popped++);
  }
}

TEST(BoundedQueue, ClearEmptiesIt) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.push(1));
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.push(2));
  EXPECT_EQ(queue.front(), 2);
}

TEST(BoundedQueue, HoldsWhatCanOnlyBeMoved) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.push(std::make_unique<int>(7)));
  EXPECT_EQ(**queue.pop(), 7);
}

TEST(BoundedQueueDeathTest, ReadingPastTheEndAborts) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.push(1));
  EXPECT_DEATH((void)queue.at(1), "bug at");
  (void)queue.pop();
  EXPECT_DEATH((void)queue.front(), "bug at");
  EXPECT_DEATH(BoundedQueue<int>(0), "bug at");
}

}  // namespace bounded_queue_test
}  // namespace wyndrvr::base
