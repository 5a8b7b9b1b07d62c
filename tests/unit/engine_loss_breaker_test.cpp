// The circuit breaker on sustained loss.
#include <cstdint>

#include <gtest/gtest.h>

#include "engine/loss_breaker.hpp"

namespace wyndrvr::engine {
namespace loss_breaker_test {

// A sender of `per_report` datagrams every 50 ms and a breaker that hears of them.
class Sender {
 public:
  explicit Sender(std::uint64_t per_report = 100) : per_report_(per_report) {}

  // `lost` of 100 datagrams do not arrive.
  void send(Duration time, std::uint64_t lost) {
    for (const Instant end = now_ + time; now_ < end && !breaker_.tripped();) {
      now_ += 50ms;
      sent_ += per_report_;
      hundredths_ += per_report_ * (100 - lost);
      breaker_.on_figures(now_, {.sent = sent_, .received = hundredths_ / 100});
    }
  }
  void wait(Duration time) {
    for (const Instant end = now_ + time; now_ < end;) {
      now_ += 50ms;
      breaker_.on_figures(now_, {.sent = sent_, .received = hundredths_ / 100});
    }
  }
  [[nodiscard]] bool tripped() const { return breaker_.tripped(); }
  [[nodiscard]] Duration elapsed() const { return now_ - kBegin; }

 private:
  static constexpr Instant kBegin{77s};
  LossBreaker breaker_{kBegin};
  Instant now_ = kBegin;
  std::uint64_t per_report_;
  std::uint64_t sent_ = 0;
  std::uint64_t hundredths_ = 0;  // received
};

TEST(LossBreaker, TripsAfterFiveSecondsOfMoreThanHalfLost) {
  Sender sender;
  sender.send(1min, 60);
  EXPECT_TRUE(sender.tripped());
  EXPECT_EQ(sender.elapsed(), 5s);
}

TEST(LossBreaker, TripsWhenNothingArrivesAnyMore) {
  Sender sender;
  sender.send(20s, 0);
  sender.send(1min, 100);
  EXPECT_TRUE(sender.tripped());
  EXPECT_EQ(sender.elapsed(), 25s);
}

TEST(LossBreaker, HalfOfAllLostIsNotMoreThanHalf) {
  Sender sender;
  sender.send(10min, 50);
  EXPECT_FALSE(sender.tripped());
}

TEST(LossBreaker, AnOutageOfFourSecondsIsNotSustained) {
  Sender sender;
  for (int i = 0; i < 20; ++i) {
    sender.send(4s, 100);
    sender.send(2s, 0);
  }
  EXPECT_FALSE(sender.tripped());
}

TEST(LossBreaker, OneBetterSecondBeginsTheCountAnew) {
  Sender sender;
  sender.send(4s, 90);
  sender.send(1s, 40);
  sender.send(4s, 90);
  EXPECT_FALSE(sender.tripped());
  sender.send(1s, 90);
  EXPECT_TRUE(sender.tripped());
}

TEST(LossBreaker, SilenceOfTheSenderNeitherCountsNorInterrupts) {
  Sender sender;
  sender.send(4s, 90);
  sender.wait(1min);
  EXPECT_FALSE(sender.tripped());
  sender.send(1s, 90);
  EXPECT_TRUE(sender.tripped());
}

TEST(LossBreaker, ALongGapBetweenReportsIsOnePeriod) {
  LossBreaker breaker(Instant{});
  breaker.on_figures(Instant(1min), {.sent = 1000, .received = 0});
  EXPECT_FALSE(breaker.tripped());
}

TEST(LossBreaker, AHandfulOfDatagramsIsNoSustainedLoss) {
  LossBreaker breaker(Instant{});
  std::uint64_t sent = 0;
  for (int second = 1; second <= 19; ++second) {
    breaker.on_figures(Instant(1s * second), {.sent = ++sent, .received = 0});
    EXPECT_FALSE(breaker.tripped()) << second;
  }
  breaker.on_figures(Instant(20s), {.sent = ++sent, .received = 0});
  EXPECT_TRUE(breaker.tripped());
}

TEST(LossBreaker, OlderFiguresAreIgnored) {
  LossBreaker breaker(Instant{});
  for (int second = 1; second <= 30; ++second) {
    const auto count = static_cast<std::uint64_t>(1000 * second);
    breaker.on_figures(Instant(1s * second), {.sent = count, .received = count});
    breaker.on_figures(Instant(1s * second + 500ms), {.sent = count, .received = 0});
    breaker.on_figures(Instant(1s * second + 600ms), {.sent = 0, .received = 0});
  }
  EXPECT_FALSE(breaker.tripped());
}

TEST(LossBreaker, StaysTripped) {
  Sender sender;
  sender.send(5s, 100);
  ASSERT_TRUE(sender.tripped());
  sender.wait(1min);
  EXPECT_TRUE(sender.tripped());
}

}  // namespace loss_breaker_test
}  // namespace wyndrvr::engine
