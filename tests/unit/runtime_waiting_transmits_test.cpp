#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "runtime/waiting_transmits.hpp"
#include "unit/allocation_counter.hpp"

namespace wyndrvr::runtime {
namespace waiting_transmits_test {

using Octets = WaitingTransmits::Octets;

engine::Transmit transmit_of(std::string_view text) {
  engine::Transmit transmit;
  transmit.bytes = as_bytes(text);
  transmit.segment_size = static_cast<std::uint32_t>(text.size());
  return transmit;
}

TEST(WaitingTransmits, ComeBackInTheirOrder) {
  WaitingTransmits waiting;
  ASSERT_TRUE(waiting.push(transmit_of("one"), Octets::kCopied));
  ASSERT_TRUE(waiting.push(transmit_of("two"), Octets::kCopied));
  EXPECT_EQ(as_text(waiting.front().bytes), "one");
  waiting.pop();
  EXPECT_EQ(as_text(waiting.front().bytes), "two");
  waiting.pop();
  EXPECT_TRUE(waiting.empty());
}

TEST(WaitingTransmits, ACopyOutlivesTheOctetsThatItWasMadeOf) {
  WaitingTransmits waiting;
  std::string memory = "first";
  ASSERT_TRUE(waiting.push(transmit_of(memory), Octets::kCopied));
  memory = "other";
  EXPECT_EQ(as_text(waiting.front().bytes), "first");
}

TEST(WaitingTransmits, WhatIsBorrowedIsNotCopied) {
  WaitingTransmits waiting;
  const std::string memory = "first";
  ASSERT_TRUE(waiting.push(transmit_of(memory), Octets::kBorrowed));
  EXPECT_EQ(as_text(waiting.front().bytes).data(), memory.data());
}

TEST(WaitingTransmits, AFullOneTakesNoMoreAndKeepsWhatItHas) {
  WaitingTransmits waiting;
  for (std::size_t i = 0; i < WaitingTransmits::kCapacity; ++i) {
    ASSERT_TRUE(
        waiting.push(transmit_of(std::string(1, static_cast<char>('a' + i))), Octets::kCopied));
  }
  EXPECT_FALSE(waiting.push(transmit_of("x"), Octets::kCopied));
  for (std::size_t i = 0; i < WaitingTransmits::kCapacity; ++i) {
    EXPECT_EQ(as_text(waiting.front().bytes), std::string(1, static_cast<char>('a' + i)));
    waiting.pop();
  }
}

TEST(WaitingTransmits, TheOldestMayBeSentInParts) {
  WaitingTransmits waiting;
  ASSERT_TRUE(waiting.push(transmit_of("onetwo"), Octets::kCopied));
  waiting.front().bytes = waiting.front().bytes.subspan(3);
  EXPECT_EQ(as_text(waiting.front().bytes), "two");
}

TEST(WaitingTransmits, OnceWarmCopyingAllocatesNothing) {
  WaitingTransmits waiting;
  const std::string text(65'507, 'x');
  const auto fill_and_empty = [&] {
    while (waiting.push(transmit_of(text), Octets::kCopied)) {
    }
    while (!waiting.empty()) waiting.pop();
  };
  fill_and_empty();
  EXPECT_EQ(wyndrvr::testing::allocations_during(fill_and_empty), 0U);
}

}  // namespace waiting_transmits_test
}  // namespace wyndrvr::runtime
