#include <gtest/gtest.h>

#include "base/line_queue.hpp"

namespace wyndrvr::base {
namespace {

std::string text_of(std::optional<LineQueue::Piece> piece) {
  return piece ? piece->text : "nothing";
}

TEST(LineQueue, TextComesOutInOrder) {
  LineQueue queue(100);
  EXPECT_TRUE(queue.add("one\n"));
  EXPECT_TRUE(queue.add("two\n"));
  EXPECT_EQ(text_of(queue.take()), "one\n");
  EXPECT_EQ(text_of(queue.take()), "two\n");
  EXPECT_FALSE(queue.take());
  EXPECT_TRUE(queue.empty());
}

TEST(LineQueue, WhatHasNoRoomIsCountedByLines) {
  LineQueue queue(8);
  EXPECT_TRUE(queue.add("1234567\n"));
  EXPECT_FALSE(queue.add("a\nb\n"));
  EXPECT_FALSE(queue.add("\rno line"));
  EXPECT_EQ(queue.take()->left_out, 0U);
  const auto gap = queue.take();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->left_out, 2U);
  EXPECT_EQ(gap->text, "");
  EXPECT_FALSE(queue.take()) << "told once";
}

TEST(LineQueue, AfterALossHalfOfTheRoomMustBeFree) {
  LineQueue queue(8);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.add("a\n"));
  EXPECT_FALSE(queue.add("b\n"));
  (void)queue.take();
  EXPECT_FALSE(queue.add("c\n"));
  (void)queue.take();
  (void)queue.take();
  EXPECT_TRUE(queue.add("d\n"));
  (void)queue.take();
  const auto after = queue.take();
  EXPECT_EQ(after->left_out, 2U);
  EXPECT_EQ(after->text, "d\n");
}

TEST(LineQueue, WhatMustBeKeptIsKeptBeyondTheBound) {
  LineQueue queue(4);
  EXPECT_FALSE(queue.add("lost line\n"));
  queue.add_always("a long result\n");
  const auto piece = queue.take();
  EXPECT_EQ(piece->text, "a long result\n");
  EXPECT_EQ(piece->left_out, 1U);
}

TEST(LineQueue, WhatCouldNotBeWrittenCountsAsLeftOut) {
  LineQueue queue(100);
  (void)queue.add("one\n");
  (void)queue.add("two\n");
  queue.give_up(*queue.take());
  EXPECT_EQ(queue.take()->left_out, 1U);
  queue.give_up({3, "x\n"});
  EXPECT_FALSE(queue.has_text());
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(queue.take()->left_out, 4U);
}

}  // namespace
}  // namespace wyndrvr::base
