// Rates, octets and code points as people write them, and the keys that take them.
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/quantity.hpp"
#include "app/settings.hpp"

namespace wyndrvr::app {
namespace quantity_test {

using ::testing::HasSubstr;

TEST(Quantity, RatesAreInPowersOfTenInEitherCase) {
  const std::vector<std::pair<std::string_view, double>> cases = {
      {"10M", 10e6},   {"10m", 10e6},  {"1.5G", 1.5e9},  {"250k", 250e3},
      {"250K", 250e3}, {"1T", 1e12},   {"0", 0},         {"64000", 64e3},
      {"1e6", 1e6},    {".5M", 500e3}, {"2.25g", 2.25e9}};
  for (const auto& [text, expected] : cases) {
    const auto rate = parse_bit_rate(text);
    ASSERT_TRUE(rate.has_value()) << text;
    EXPECT_DOUBLE_EQ(rate->bps, expected) << text;
  }
}

TEST(Quantity, WhatIsNoRateIsNone) {
  for (const std::string_view text : {"", "M", "-1M", "10 M", "10Mi", "10MB", "10Mbit", "10X",
                                      "inf", "nan", "max", "1.2.3", "0x10", "10kM"}) {
    EXPECT_FALSE(parse_bit_rate(text).has_value()) << text;
  }
}

TEST(Quantity, OctetsAreInPowersOfTenOrOfTwo) {
  const std::vector<std::pair<std::string_view, std::uint64_t>> cases = {
      {"1500", 1500},
      {"1500B", 1500},
      {"2k", 2000},
      {"2Ki", 2048},
      {"2KiB", 2048},
      {"2kib", 2048},
      {"1.5M", 1'500'000},
      {"1MB", 1'000'000},
      {"1GiB", 1ULL << 30},
      {"1Ti", 1ULL << 40},
      {"0", 0},
      {"0.5", 0},
      {"33.3k", 33'300},
      {"1.001k", 1001},
      {"4.35M", 4'350'000},
      {"1000T", 1'000'000'000'000'000}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_octets(text), ByteCount{expected});
}

TEST(Quantity, WhatIsNoNumberOfOctetsIsNone) {
  for (const std::string_view text :
       {"", "B", "i", "5i", "5iB", "-5", "5 k", "5Kb/s", "5bk", "1001T", "1e300", "inf"}) {
    EXPECT_FALSE(parse_octets(text).has_value()) << text;
  }
}

TEST(Quantity, CodePointsHaveTheNamesOfTheirRegistry) {
  const std::vector<std::pair<std::string_view, unsigned>> cases = {
      {"0", 0},     {"63", 63},   {"EF", 46},   {"ef", 46},   {"CS0", 0},         {"CS1", 8},
      {"cs5", 40},  {"CS7", 56},  {"AF11", 10}, {"AF13", 14}, {"AF23", 22},       {"AF31", 26},
      {"AF42", 36}, {"AF43", 38}, {"LE", 1},    {"DF", 0},    {"VOICE-ADMIT", 44}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_dscp(text), expected) << text;
  for (const std::string_view text :
       {"", "64", "-1", "CS8", "CS", "AF14", "AF01", "AF51", "EFF", "256", "0x2e", "1.0"}) {
    EXPECT_FALSE(parse_dscp(text).has_value()) << text;
  }
}

Result<void> put(Settings& settings, Key key, std::string_view text) {
  return settings.set(key, text, Origin::option("--x"));
}

TEST(Settings, ARateIsMaxOrANumberAndABoundIsZeroOrANumber) {
  Settings settings;
  EXPECT_EQ(settings.rate(Key::kRate), std::nullopt);
  EXPECT_EQ(settings.rate(Key::kMaxRate), std::nullopt);
  ASSERT_TRUE(put(settings, Key::kRate, "10M"));
  EXPECT_EQ(settings.rate(Key::kRate), BitRate{10e6});
  ASSERT_TRUE(put(settings, Key::kRate, "MAX"));
  EXPECT_EQ(settings.rate(Key::kRate), std::nullopt);
  ASSERT_TRUE(put(settings, Key::kMaxRate, "2G"));
  EXPECT_EQ(settings.rate(Key::kMaxRate), BitRate{2e9});
  ASSERT_TRUE(put(settings, Key::kMaxRate, "0"));
  EXPECT_EQ(settings.rate(Key::kMaxRate), std::nullopt);
  EXPECT_FALSE(put(settings, Key::kRate, "0")) << "nobody can test at no rate";
  EXPECT_FALSE(put(settings, Key::kRate, "999"));
  EXPECT_TRUE(put(settings, Key::kRate, "1k"));
  EXPECT_TRUE(put(settings, Key::kRate, "1000T"));
  EXPECT_FALSE(put(settings, Key::kRate, "1001T"));
  EXPECT_FALSE(put(settings, Key::kMaxRate, "max"));
}

TEST(Settings, KeysOfDialectOneRefuseWhatTheProtocolCannotCarry) {
  const std::vector<std::pair<Key, std::string_view>> cases = {
      {Key::kPayload, "63"},
      {Key::kPayload, "65508"},
      {Key::kStreams, "0"},
      {Key::kStreams, "65"},
      {Key::kMaxStreams, "65"},
      {Key::kMaxPayload, "65508"},
      {Key::kTtl, "0"},
      {Key::kTtl, "256"},
      {Key::kDscp, "64"},
      {Key::kDialect, "2"},
      {Key::kDialect, "0.13"},
      {Key::kGso, "yes"},
      {Key::kGro, ""},
      {Key::kBind, "localhost"},
      {Key::kBind, "192.0.2.1:80"},
      {Key::kInterface, "a/b"},
      {Key::kInterface, "a b"},
      {Key::kReliable, "sometimes"},
      {Key::kAllow, "10.0.0.0/33"},
      {Key::kAllow, "10.0.0.1/8"},
      {Key::kDeny, "10.0.0.0/8,"},
      {Key::kInterface, "sixteencharacter"}};
  for (const auto& [key, text] : cases) {
    Settings settings;
    EXPECT_FALSE(put(settings, key, text).has_value()) << spec_of(key).name << "=" << text;
  }
}

TEST(Settings, KeysOfDialectOneTakeBothEndsOfTheirRanges) {
  const std::vector<std::pair<Key, std::string_view>> cases = {
      {Key::kPayload, "64"},
      {Key::kPayload, "65507"},
      {Key::kStreams, "64"},
      {Key::kTtl, "1"},
      {Key::kTtl, "255"},
      {Key::kTtl, ""},
      {Key::kBind, "::1"},
      {Key::kBind, ""},
      {Key::kInterface, "fifteencharname"},
      {Key::kDialect, "Auto"},
      {Key::kGso, "On"},
      {Key::kGro, "off"},
      {Key::kAllow, " "},
      {Key::kDeny, "192.0.2.1, 2001:db8::/32"}};
  for (const auto& [key, text] : cases) {
    Settings settings;
    EXPECT_TRUE(put(settings, key, text).has_value()) << spec_of(key).name << "=" << text;
  }
}

TEST(Settings, ErrorsOfTheNewKeysSayWhatIsAllowed) {
  Settings settings;
  const auto error = [&](Key key, std::string_view text, std::string_view option) {
    const auto set = settings.set(key, text, Origin::option(option));
    return set ? std::string("<accepted>") : set.error().message;
  };
  EXPECT_EQ(error(Key::kRate, "fast", "--rate"),
            "--rate fast: must be max, or bit/s from 1k to 1000T, as in 10M, 1.5G or 250k");
  EXPECT_EQ(error(Key::kTtl, "0", "--ttl"), "--ttl 0: must be a whole number from 1 to 255");
  EXPECT_EQ(error(Key::kDialect, "0.13", "--dialect"), "--dialect 0.13: must be auto, 1 or 0.14");
  EXPECT_EQ(error(Key::kGso, "yes", "--gso"), "--gso yes: must be auto, on or off");
  EXPECT_THAT(error(Key::kAllow, "10.0.0.1/8", "--allow"), HasSubstr("10.0.0.0/8"));
}

TEST(Settings, OnlyWhatDiffersFromTheDefaultIsChosenInAFile) {
  Settings settings;
  EXPECT_FALSE(settings.is_chosen(Key::kReliable));
  ASSERT_TRUE(settings.set(Key::kReliable, "no", Origin::file("f", 1)));
  EXPECT_FALSE(settings.is_chosen(Key::kReliable)) << "another word for the default";
  ASSERT_TRUE(settings.set(Key::kReliable, "on", Origin::file("f", 1)));
  EXPECT_TRUE(settings.is_chosen(Key::kReliable));
  ASSERT_TRUE(settings.set(Key::kReliable, "off", Origin::option("--reliable")));
  EXPECT_TRUE(settings.is_chosen(Key::kReliable));
}

}  // namespace quantity_test
}  // namespace wyndrvr::app
