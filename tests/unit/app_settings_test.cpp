// Values of configuration keys: what is accepted, what is refused with which words, and where a
// value came from.
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/settings.hpp"

namespace wyndrvr::app {
namespace settings_test {

using ::testing::AllOf;
using ::testing::HasSubstr;

Result<void> set(Settings& settings, Key key, std::string_view text) {
  return settings.set(key, text, Origin::option("--x"));
}

TEST(Settings, DefaultsAreThoseOfTheProtocol) {
  const Settings settings;
  EXPECT_EQ(settings.host(Key::kBindAddr), "0.0.0.0");
  EXPECT_EQ(settings.integer(Key::kBindPort), 6711U);
  EXPECT_EQ(settings.port_ranges(Key::kPortRanges), (PortRanges{{{7000}, {8000}}}));
  EXPECT_EQ(settings.mode(Key::kPortParallelability), runtime::PlacementMode::kSingle);
  EXPECT_EQ(settings.duration(Key::kHeartbeatRate), 5s);
  EXPECT_EQ(settings.duration(Key::kAdjustmentDelay), 1s);
  EXPECT_EQ(settings.integer(Key::kFlowControlRate), 10U);
  EXPECT_EQ(settings.duration(Key::kServerBlockTime), 100ms);
  EXPECT_EQ(settings.integer(Key::kBwPacketLength), 900U);
  EXPECT_EQ(settings.duration(Key::kDuration), 30s);
  EXPECT_EQ(settings.duration(Key::kIdleTimeout), 30s);
  EXPECT_EQ(settings.duration(Key::kMaxTestDuration), 1h);
  EXPECT_FALSE(settings.boolean(Key::kTestVerbose));
  EXPECT_EQ(settings.decimal(Key::kTestDropRate), 0.0);
  EXPECT_EQ(settings.origin(Key::kDuration), Origin{});
}

TEST(Settings, UnitsOfTimeAreConverted) {
  Settings settings;
  ASSERT_TRUE(set(settings, Key::kIncomingSleep, "7"));
  ASSERT_TRUE(set(settings, Key::kUcmDelay, "7"));
  ASSERT_TRUE(set(settings, Key::kMaxTestDuration, "7"));
  ASSERT_TRUE(set(settings, Key::kDuration, "0.5"));
  EXPECT_EQ(settings.duration(Key::kIncomingSleep), 7us);
  EXPECT_EQ(settings.duration(Key::kUcmDelay), 7ms);
  EXPECT_EQ(settings.duration(Key::kMaxTestDuration), 7s);
  EXPECT_EQ(settings.duration(Key::kDuration), 500ms);
}

TEST(Settings, AcceptsBothEndsOfEveryRange) {
  const std::vector<std::pair<Key, std::string_view>> cases = {
      {Key::kHeartbeatRate, "1"},      {Key::kHeartbeatRate, "3600000"},
      {Key::kBwPacketLength, "1"},     {Key::kBwPacketLength, "1362"},
      {Key::kTestDropRate, "0"},       {Key::kTestDropRate, "1"},
      {Key::kTestDropRate, "1.0"},     {Key::kFlowControlRate, "1"},
      {Key::kFlowControlRate, "1000"}, {Key::kBindPort, "0"},
      {Key::kBindPort, "65535"},       {Key::kDuration, "86400"},
      {Key::kDuration, "0.001"},       {Key::kServerBlockTime, "0"},
  };
  for (const auto& [key, text] : cases) {
    Settings settings;
    EXPECT_TRUE(set(settings, key, text).has_value()) << spec_of(key).name << "=" << text;
  }
}

TEST(Settings, RefusesWhatIsOutsideOrMalformed) {
  const std::vector<std::pair<Key, std::string_view>> cases = {
      {Key::kHeartbeatRate, "0"},
      {Key::kHeartbeatRate, "3600001"},
      {Key::kHeartbeatRate, "-1"},
      {Key::kHeartbeatRate, "+1"},
      {Key::kHeartbeatRate, "1.5"},
      {Key::kHeartbeatRate, ""},
      {Key::kHeartbeatRate, "5x"},
      {Key::kHeartbeatRate, "0x10"},
      {Key::kHeartbeatRate, "99999999999999999999999"},
      {Key::kBwPacketLength, "0"},
      {Key::kBwPacketLength, "1363"},
      {Key::kTestDropRate, "1.01"},
      {Key::kTestDropRate, "-0.1"},
      {Key::kTestDropRate, "nan"},
      {Key::kTestDropRate, "inf"},
      {Key::kFlowControlRate, "1001"},
      {Key::kBindPort, "65536"},
      {Key::kDuration, "0"},
      {Key::kDuration, "86401"},
      {Key::kDuration, "nan"},
      {Key::kTestVerbose, "maybe"},
      {Key::kTestVerbose, ""},
      {Key::kPortParallelability, "DOUBLE"},
      {Key::kBindAddr, ""},
      {Key::kBindAddr, "a b"},
      {Key::kBindAddr, "1.2.3"},
  };
  for (const auto& [key, text] : cases) {
    Settings settings;
    EXPECT_FALSE(set(settings, key, text).has_value()) << spec_of(key).name << "=" << text;
    EXPECT_EQ(settings.text(key), spec_of(key).default_text) << "a refused value left a trace";
  }
}

TEST(Settings, BooleansAndModesAreReadInAnyCase) {
  Settings settings;
  for (const std::string_view text : {"true", "True", "YES", "yes", "1", "on"}) {
    ASSERT_TRUE(set(settings, Key::kTestVerbose, text)) << text;
    EXPECT_TRUE(settings.boolean(Key::kTestVerbose)) << text;
  }
  for (const std::string_view text : {"false", "FALSE", "No", "0", "OFF"}) {
    ASSERT_TRUE(set(settings, Key::kTestVerbose, text)) << text;
    EXPECT_FALSE(settings.boolean(Key::kTestVerbose)) << text;
  }
  ASSERT_TRUE(set(settings, Key::kPortParallelability, "process"));
  EXPECT_EQ(settings.mode(Key::kPortParallelability), runtime::PlacementMode::kProcess);
  ASSERT_TRUE(set(settings, Key::kConnectionParallelibility, "Thread"));
  EXPECT_EQ(settings.mode(Key::kConnectionParallelibility), runtime::PlacementMode::kThread);
}

TEST(Settings, PortRangesAreParsed) {
  Settings settings;
  const std::vector<std::pair<std::string_view, PortRanges>> cases = {
      {"7000-7002", {{{7000}, {7002}}}},
      {"7000-7001,9000", {{{7000}, {7001}}, {{9000}, {9000}}}},
      {"9000-9100, 7000-7100", {{{9000}, {9100}}, {{7000}, {7100}}}},
      {"1-65535", {{{1}, {65535}}}},
  };
  for (const auto& [text, expected] : cases) {
    const auto result = set(settings, Key::kPortRanges, text);
    ASSERT_TRUE(result.has_value()) << text << ": " << result.error().message;
    EXPECT_EQ(settings.port_ranges(Key::kPortRanges), expected) << text;
  }
}

TEST(Settings, SenselessPortRangesAreRefusedWithTheReason) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"8000-7000", "write 7000-8000"},    {"7000-7001", "at least 3 ports"},
      {"7000,7001", "at least 3 ports"},   {"7000-7100,7100-7200", "port 7100 stands in two"},
      {"0-100", "from 1 to 65535"},        {"65000-65536", "from 1 to 65535"},
      {"", "ranges of UDP ports"},         {"7000-7100,", "ranges of UDP ports"},
      {"7000--7100", "ranges of UDP"},     {"a-b", "ranges of UDP ports"},
      {"7000-7100-7200", "ranges of UDP"},
  };
  for (const auto& [text, reason] : cases) {
    Settings settings;
    const auto result = set(settings, Key::kPortRanges, text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_THAT(result.error().message, HasSubstr(reason)) << text;
  }
}

TEST(Settings, AnErrorNamesKeyValuePlaceAndWhatIsAllowed) {
  Settings settings;
  const auto from_file =
      settings.set(Key::kHeartbeatRate, "soon", Origin::file("/etc/w/config", 12));
  ASSERT_FALSE(from_file.has_value());
  EXPECT_EQ(from_file.error().message,
            "heartbeat_rate=soon (file /etc/w/config:12): must be a whole number from 1 to 3600000 "
            "(ms), or a time with its unit, as in 500ms, 10s, 1m or 2h");
  const auto from_option =
      settings.set(Key::kTestDropRate, "2", Origin::option("--test-drop-rate"));
  ASSERT_FALSE(from_option.has_value());
  EXPECT_EQ(from_option.error().message, "--test-drop-rate 2: must be a number from 0 to 1");
}

TEST(Settings, TheLastSettingAndItsOriginCount) {
  Settings settings;
  ASSERT_TRUE(settings.set(Key::kUcmRate, "5", Origin::file("f", 1)));
  ASSERT_TRUE(settings.set(Key::kUcmRate, "6", Origin::option("--ucm-rate")));
  EXPECT_EQ(settings.integer(Key::kUcmRate), 6U);
  EXPECT_EQ(settings.describe(Key::kUcmRate), "ucm_rate=6 (option --ucm-rate)");
}

TEST(SettingTable, HoldsEveryKeyOfTheProtocol) {
  for (const std::string_view key : {"bind_addr",
                                     "bind_port",
                                     "port_ranges",
                                     "connection_parallelibility",
                                     "port_parallelability",
                                     "incoming_blocking_level",
                                     "incoming_sleep",
                                     "send_sleep",
                                     "max_send_time",
                                     "heartbeat_rate",
                                     "adjustment_delay",
                                     "flow_control_rate",
                                     "server_block_time",
                                     "client_block_time",
                                     "ucm_delay",
                                     "ucm_rate",
                                     "bw_packet_length",
                                     "duration",
                                     "test_verbose",
                                     "test_delay",
                                     "test_drop_rate"}) {
    EXPECT_TRUE(find_key(key).has_value()) << key;
  }
  EXPECT_FALSE(find_key("Heartbeat_Rate").has_value());
  EXPECT_FALSE(find_key("").has_value());
}

TEST(SettingTable, OptionsAreTheKeysWithDashes) {
  EXPECT_EQ(option_name(spec_of(Key::kMaxUnprovenSessions)), "--max-unproven-sessions");
}

}  // namespace settings_test
}  // namespace wyndrvr::app
