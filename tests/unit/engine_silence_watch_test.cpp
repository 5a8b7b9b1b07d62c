#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "engine/silence_watch.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace silence_watch_test {

using testing::kStart;
using enum Unreachable;

class SilenceWatchTest : public ::testing::Test {
 protected:
  template <class Wanted>
  std::size_t count() {
    std::size_t found = 0;
    while (const auto mail = mail_.pop()) {
      found += std::holds_alternative<Wanted>(mail->message) ? 1 : 0;
    }
    return found;
  }

  Mail mail_{Mailbox::kControl};
  SilenceWatch watch_{kStart, 30s};
};

TEST_F(SilenceWatchTest, ASingleIcmpErrorIsToldAndEndsNothing) {
  watch_.on_unreachable(kStart + 29s, kNobodyListens, mail_);
  const auto told = mail_.pop();
  ASSERT_TRUE(told);
  EXPECT_EQ(std::get<PortTrouble>(told->message).cause, kNobodyListens);
  EXPECT_FALSE(mail_.pop());
}

TEST_F(SilenceWatchTest, AFloodOfForgedErrorsAtOnceEndsNothing) {
  for (int i = 0; i < 1'000; ++i) watch_.on_unreachable(kStart + 20s, kNobodyListens, mail_);
  EXPECT_EQ(count<PortTrouble>(), 1U) << "each cause is told once";
  EXPECT_EQ(count<PortSilent>(), 0U);
}

TEST_F(SilenceWatchTest, RefusalsOfAPeerThatAnswersInBetweenEndNothing) {
  for (Instant now = kStart; now < kStart + 60s; now += 500ms) {
    watch_.on_unreachable(now, kNobodyListens, mail_);
    watch_.on_heard(now + 1ms, mail_);
    EXPECT_EQ(count<PortSilent>(), 0U);
  }
}

TEST_F(SilenceWatchTest, RefusalsAreBelievedWhenQuestionsInBetweenAreRefusedToo) {
  Instant now = kStart + 5s;
  watch_.on_unreachable(now, kNobodyListens, mail_);
  EXPECT_FALSE(watch_.take_probe(now));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(count<PortSilent>(), 0U);
    EXPECT_EQ(watch_.deadline()->at, now + SilenceWatch::kProbeInterval);
    now += SilenceWatch::kProbeInterval;
    EXPECT_TRUE(watch_.take_probe(now)) << "the peer is asked";
    EXPECT_FALSE(watch_.take_probe(now)) << "once";
    watch_.on_unreachable(now, kNobodyListens, mail_);
  }
  EXPECT_EQ(count<PortSilent>(), 1U);
}

TEST_F(SilenceWatchTest, OtherCausesAreToldAndDoNotCountAsSilence) {
  for (const Unreachable cause : {kLocalFirewall, kHostUnreachable, kProhibitedOnTheWay}) {
    for (int i = 0; i < 20; ++i) watch_.on_unreachable(kStart + 1s * i, cause, mail_);
  }
  EXPECT_EQ(count<PortTrouble>(), 3U);
  watch_.on_timer(kStart + 29s, mail_);
  EXPECT_EQ(count<PortSilent>(), 0U);
  watch_.on_timer(kStart + 30s, mail_);
  EXPECT_EQ(count<PortSilent>(), 1U);
}

TEST_F(SilenceWatchTest, ACauseIsToldAgainAfterThePeerWasHeard) {
  watch_.on_unreachable(kStart, kNoRoute, mail_);
  watch_.on_heard(kStart + 1s, mail_);
  watch_.on_unreachable(kStart + 2s, kNoRoute, mail_);
  EXPECT_EQ(count<PortTrouble>(), 2U);
}

}  // namespace silence_watch_test
}  // namespace wyndrvr::engine
