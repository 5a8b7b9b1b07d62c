#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "ipc/outbox.hpp"
#include "unit/allocation_counter.hpp"

namespace wyndrvr::ipc {
namespace outbox_test {

constexpr std::uint8_t kAnyKey = 0;

bool push(Outbox& outbox, std::string_view frame, Keep keep = Keep::kAlways,
          std::uint8_t key = kAnyKey) {
  return outbox.push(as_bytes(frame), keep, key);
}

std::string take(Outbox& outbox) {
  const std::string frame(as_text(outbox.front()));
  outbox.pop();
  return frame;
}

void fill(Outbox& outbox, std::size_t frames) {
  for (std::size_t i = 0; i < frames; ++i) ASSERT_TRUE(push(outbox, "filler"));
}

TEST(Outbox, KeepsTheOrder) {
  Outbox outbox;
  ASSERT_TRUE(push(outbox, "one"));
  ASSERT_TRUE(push(outbox, "two", Keep::kMayLose));
  ASSERT_TRUE(push(outbox, "three", Keep::kNewest));
  EXPECT_EQ(outbox.size(), 3U);
  EXPECT_EQ(take(outbox), "one");
  EXPECT_EQ(take(outbox), "two");
  EXPECT_EQ(take(outbox), "three");
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.dropped(), 0U);
}

TEST(Outbox, ANewerStateTakesThePlaceOfTheOlderOne) {
  Outbox outbox;
  ASSERT_TRUE(push(outbox, "old", Keep::kNewest, 1));
  ASSERT_TRUE(push(outbox, "command"));
  ASSERT_TRUE(push(outbox, "a newer one", Keep::kNewest, 1));
  EXPECT_EQ(outbox.size(), 2U);
  EXPECT_EQ(take(outbox), "a newer one");
  EXPECT_EQ(take(outbox), "command");
  EXPECT_EQ(outbox.dropped(), 0U) << "nothing was lost";
}

TEST(Outbox, StatesOfOtherKeysStay) {
  Outbox outbox;
  ASSERT_TRUE(push(outbox, "one", Keep::kNewest, 1));
  ASSERT_TRUE(push(outbox, "two", Keep::kNewest, 2));
  EXPECT_EQ(take(outbox), "one");
  EXPECT_EQ(take(outbox), "two");
}

TEST(Outbox, AStateNeverReplacesACommandOfTheSameKey) {
  Outbox outbox;
  ASSERT_TRUE(push(outbox, "command", Keep::kAlways, 1));
  ASSERT_TRUE(push(outbox, "state", Keep::kNewest, 1));
  EXPECT_EQ(take(outbox), "command");
}

TEST(Outbox, AStateThatHasLeftIsNotReplaced) {
  Outbox outbox;
  ASSERT_TRUE(push(outbox, "old", Keep::kNewest, 1));
  outbox.pop();
  ASSERT_TRUE(push(outbox, "new", Keep::kNewest, 1));
  EXPECT_EQ(take(outbox), "new");
}

TEST(Outbox, SamplesAreDroppedOnceItIsMoreThanHalfFull) {
  Outbox outbox;
  fill(outbox, Outbox::kCapacity / 2);
  EXPECT_TRUE(push(outbox, "sample", Keep::kMayLose));
  EXPECT_EQ(outbox.dropped(), 0U);
  EXPECT_TRUE(push(outbox, "sample", Keep::kMayLose));
  EXPECT_EQ(outbox.dropped(), 1U);
  EXPECT_EQ(outbox.size(), Outbox::kCapacity / 2 + 1);
}

TEST(Outbox, CommandsAreTakenUntilItIsFullAndRefusedThen) {
  Outbox outbox;
  fill(outbox, Outbox::kCapacity);
  EXPECT_FALSE(push(outbox, "one too many"));
  EXPECT_EQ(outbox.size(), Outbox::kCapacity);
  EXPECT_EQ(outbox.dropped(), 0U) << "it was not taken, so it was not lost here";
  outbox.pop();
  EXPECT_TRUE(push(outbox, "now there is room"));
}

TEST(Outbox, WhenItIsFullANewStateIsDroppedButAnOlderOneStillReplaced) {
  Outbox outbox;
  ASSERT_TRUE(push(outbox, "old", Keep::kNewest, 1));
  fill(outbox, Outbox::kCapacity - 1);
  EXPECT_TRUE(push(outbox, "state", Keep::kNewest, 2));
  EXPECT_EQ(outbox.dropped(), 1U);
  EXPECT_TRUE(push(outbox, "new", Keep::kNewest, 1));
  EXPECT_EQ(take(outbox), "new");
}

TEST(Outbox, OwnsNoMemoryWhileNothingWaits) {
  EXPECT_EQ(testing::allocations_during([] {
              const Outbox outbox;
              EXPECT_TRUE(outbox.empty());
            }),
            0U);
}

TEST(Outbox, NoMessageThatChangesWhatHappensMayBeLost) {
  EXPECT_EQ(keep_of(engine::Message(engine::SenderProgress{})), Keep::kNewest);
  EXPECT_EQ(keep_of(engine::Message(engine::ReceiverProgress{})), Keep::kNewest);
  EXPECT_EQ(keep_of(engine::Message(engine::HeartbeatSample{})), Keep::kMayLose);
  EXPECT_EQ(keep_of(engine::Message(engine::Trace{})), Keep::kMayLose);
  EXPECT_EQ(keep_of(engine::Message(engine::StartTest{})), Keep::kAlways);
  EXPECT_EQ(keep_of(engine::Message(engine::Drain{})), Keep::kAlways);
  EXPECT_EQ(keep_of(engine::Message(engine::PortProven{})), Keep::kAlways);
  EXPECT_EQ(keep_of(engine::Message(engine::TestFinished{})), Keep::kAlways);
  EXPECT_EQ(keep_of(engine::Message(engine::PortReport{})), Keep::kAlways);
}

TEST(Outbox, StatesAreToldApartByKindAndSender) {
  using engine::Mailbox;
  const auto sender = key_of({Mailbox::kUpload, engine::SenderProgress{}});
  EXPECT_EQ(sender, key_of({Mailbox::kUpload, engine::SenderProgress{{7}, {}}}));
  EXPECT_NE(sender, key_of({Mailbox::kUpload, engine::ReceiverProgress{}}));
  EXPECT_NE(sender, key_of({Mailbox::kControl, engine::SenderProgress{}}));
}

}  // namespace outbox_test
}  // namespace wyndrvr::ipc
