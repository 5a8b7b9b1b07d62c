#include <map>
#include <optional>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "runtime/timer_table.hpp"

namespace wyndrvr::runtime {
namespace timer_table_test {

Instant at(int ms) {
  return Instant(std::chrono::milliseconds(ms));
}

TEST(TimerTable, IsEmptyAtFirst) {
  EXPECT_FALSE(TimerTable().earliest());
}

TEST(TimerTable, TheEarliestDeadlineIsAtHand) {
  TimerTable timers;
  timers.set(3, at(30));
  timers.set(1, at(10));
  timers.set(2, at(20));
  ASSERT_TRUE(timers.earliest());
  EXPECT_EQ(timers.earliest()->id, 1U);
}

TEST(TimerTable, ANewDeadlineReplacesTheOldOne) {
  TimerTable timers;
  timers.set(1, at(10));
  timers.set(2, at(20));
  timers.set(1, at(30));
  EXPECT_EQ(timers.earliest()->id, 2U);
  EXPECT_EQ(timers.size(), 2U);
}

TEST(TimerTable, ClearingWhatWasNeverSetDoesNothing) {
  TimerTable timers;
  timers.set(7, std::nullopt);
  EXPECT_EQ(timers.size(), 0U);
}

TEST(TimerTable, AgreesWithAMapOverRandomChanges) {
  base::Random random(1);
  TimerTable timers;
  std::map<TimerTable::Id, Instant> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto id = static_cast<TimerTable::Id>(random.between(0, 63));
    if (random.chance(0.3)) {
      timers.set(id, std::nullopt);
      model.erase(id);
    } else {
      const Instant deadline = at(static_cast<int>(random.between(0, 500)));
      timers.set(id, deadline);
      model[id] = deadline;
    }
    std::optional<Instant> earliest;
    for (const auto& [unused, deadline] : model) {
      if (!earliest || deadline < *earliest) earliest = deadline;
    }
    ASSERT_EQ(timers.earliest().has_value(), earliest.has_value());
    if (earliest) {
      ASSERT_EQ(timers.earliest()->at, *earliest);
    }
    ASSERT_EQ(timers.size(), model.size());
  }
}

TEST(TimerTable, OneThatWasPutOffOftenComesAtItsLastTimeOnly) {
  TimerTable timers;
  timers.set(1, at(10));
  timers.set(2, at(50));
  for (int ms = 11; ms <= 100; ++ms) timers.set(1, at(ms));
  EXPECT_EQ(timers.earliest()->id, 2U);
  timers.set(2, std::nullopt);
  ASSERT_EQ(timers.earliest()->id, 1U);
  EXPECT_EQ(timers.earliest()->at, at(100));
  timers.set(1, at(5));
  EXPECT_EQ(timers.earliest()->at, at(5));
}

// As a server's idle time-outs: put off again and again, and then all left alone.
TEST(TimerTable, AllThatWerePutOffComeInTheOrderOfTheirLastTimes) {
  base::Random random(2);
  TimerTable timers;
  std::multimap<Instant, TimerTable::Id> model;
  constexpr TimerTable::Id kIds = 500;
  for (TimerTable::Id id = 0; id < kIds; ++id) timers.set(id, at(static_cast<int>(id)));
  for (int round = 1; round < 10; ++round) {
    model.clear();
    for (TimerTable::Id id = 0; id < kIds; ++id) {
      const Instant deadline = at(1000 * round + static_cast<int>(random.between(0, 900)));
      timers.set(id, deadline);
      model.emplace(deadline, id);
    }
  }
  for (const auto& [deadline, unused] : model) {
    ASSERT_TRUE(timers.earliest());
    ASSERT_EQ(timers.earliest()->at, deadline);
    timers.set(timers.earliest()->id, std::nullopt);
  }
  EXPECT_FALSE(timers.earliest());
}

}  // namespace timer_table_test
}  // namespace wyndrvr::runtime
