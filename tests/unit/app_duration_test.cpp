// Times with a unit of their own, and the progress of a test that has lasted longer than planned.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/progress.hpp"
#include "app/quantity.hpp"
#include "app/settings.hpp"

namespace wyndrvr::app {
namespace {

using ::testing::HasSubstr;

Duration set_time(Key key, std::string_view text) {
  Settings settings;
  const auto set = settings.set(key, text, Origin::option("--x"));
  EXPECT_TRUE(set.has_value()) << text << ": " << set.error().message;
  return settings.duration(key);
}

TEST(Duration, HasAUnitOfItsOwnOrTheKeys) {
  EXPECT_EQ(parse_duration("500ms", 1s), 500ms);
  EXPECT_EQ(parse_duration("1.5s", 1ms), 1500ms);
  EXPECT_EQ(parse_duration("7us", 1s), 7us);
  EXPECT_EQ(parse_duration("1m", 1s), 60s);
  EXPECT_EQ(parse_duration("2h", 1s), 7200s);
  EXPECT_EQ(parse_duration("2H", 1s), 7200s);
  EXPECT_EQ(parse_duration("9", 1ms), 9ms);
  EXPECT_EQ(parse_duration("0", 1ms), 0s);
  for (const std::string_view text : {"", "s", "-1s", "1x", "1 s", "1sm", "ms1", "inf", "1e30h"}) {
    EXPECT_EQ(parse_duration(text, 1s), std::nullopt) << text;
  }
}

TEST(Duration, EveryKeyThatIsATimeTakesOne) {
  EXPECT_EQ(set_time(Key::kDuration, "500ms"), 500ms);
  EXPECT_EQ(set_time(Key::kDuration, "10s"), 10s);
  EXPECT_EQ(set_time(Key::kDuration, "1m"), 60s);
  EXPECT_EQ(set_time(Key::kDuration, "2h"), 7200s);
  EXPECT_EQ(set_time(Key::kHeartbeatRate, "5s"), 5s);
  EXPECT_EQ(set_time(Key::kHeartbeatRate, "250"), 250ms);
  EXPECT_EQ(set_time(Key::kIncomingSleep, "3ms"), 3ms);
  EXPECT_EQ(set_time(Key::kMaxTestDuration, "1h"), 3600s);
  EXPECT_EQ(set_time(Key::kTestDelay, "1s"), 1s);
  for (const KeySpec& spec : all_keys()) {
    if (!length_of(spec.unit)) continue;
    EXPECT_EQ(set_time(spec.key, "1s"), 1s) << spec.name;
    EXPECT_THAT(describe_allowed(spec), HasSubstr("500ms, 10s, 1m or 2h"));
  }
}

TEST(Duration, OutOfRangeOrNoWholeNumberIsRefused) {
  const std::vector<std::pair<Key, std::string>> cases = {
      {Key::kHeartbeatRate, "1500us"},  // 1.5 ms
      {Key::kHeartbeatRate, "2h"},      // an hour at most
      {Key::kMaxTestDuration, "500ms"}, {Key::kDuration, "25h"},
      {Key::kDuration, "0s"},           {Key::kStreams, "5s"},
      {Key::kTestDropRate, "1s"},       {Key::kPayload, "100ms"},
  };
  for (const auto& [key, text] : cases) {
    Settings settings;
    EXPECT_FALSE(settings.set(key, text, Origin::option("--x")).has_value()) << text;
  }
}

TEST(Progress, NeverShowsMoreThanTheWholeTime) {
  engine::TestProgress late;
  late.duration = 12s;
  late.elapsed = 13s;
  ProgressMeter meter;
  EXPECT_THAT(progress_text(meter.update(late)), HasSubstr("[ 12.0/12.0 s]"));
}

}  // namespace
}  // namespace wyndrvr::app
