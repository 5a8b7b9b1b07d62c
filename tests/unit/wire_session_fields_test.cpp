// The fields of OPEN and GRANT, octet by octet.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "unit/allocation_counter.hpp"
#include "wire/session_fields.hpp"

namespace wyndrvr::wire {
namespace session_fields_test {

using namespace std::string_view_literals;

// Every field, in the order of the document.
constexpr std::string_view kAll =
    "\x01\x01\x03"                              // both directions
    "\x02\x04\x00\x00\x75\x30"                  // 30 000 ms
    "\x03\x08\x00\x00\x00\x00\x05\xf5\xe1\x00"  // 100 000 000 bit/s
    "\x04\x02\x05\x78"                          // 1400 octets
    "\x05\x01\x10"                              // 16 streams
    "\x06\x01\x01"                              // reliable
    "\x07\x08\x00\x00\x00\x01\x00\x00\x00\x00"  // 4 294 967 296 octets
    "\x08\x01\x00"                              // three ports
    "\x09\x01\x01"                              // tags
    "\x0a\x01\x01"                              // fragments
    "\x0b\x01\xb9"sv;                           // DSCP 46 (EF), ECT(1)

const SessionFields kAllFields{.directions = Directions::kBoth,
                               .duration = 30s,
                               .rate = WantedRate{.fixed = BitRate{100e6}},
                               .payload = ByteCount{1400},
                               .streams = std::uint8_t{16},
                               .reliable = true,
                               .octets = ByteCount{4'294'967'296},
                               .single_port = false,
                               .data_tags = true,
                               .fragment = true,
                               .traffic_class = std::uint8_t{46 << 2 | 1}};

std::string written(const SessionFields& fields) {
  std::array<std::byte, kMaxSessionFieldsSize> out{};
  return std::string(as_text(ByteView(out).first(write_session_fields(out, fields))));
}

std::expected<SessionFields, DropReason> parse(std::string_view octets) {
  return parse_session_fields(as_bytes(octets));
}

void expect_refused(std::string_view octets) {
  EXPECT_EQ(parse(octets), std::unexpected(DropReason::kBadBody))
      << ::testing::PrintToString(octets);
}

TEST(SessionFields, AllOfThemAreAsTheDocumentHasThem) {
  EXPECT_EQ(written(kAllFields), kAll);
  EXPECT_EQ(parse(kAll), kAllFields);
  EXPECT_EQ(kAll.size(), kMaxSessionFieldsSize);
}

TEST(SessionFields, NoneIsNoOctetAtAll) {
  EXPECT_EQ(written({}), "");
  EXPECT_EQ(parse(""), SessionFields{});
}

TEST(SessionFields, OneAloneLeavesTheOthersEmpty) {
  SessionFields streams;
  streams.streams = std::uint8_t{2};
  EXPECT_EQ(written(streams), "\x05\x01\x02"sv);
  EXPECT_EQ(parse("\x05\x01\x02"sv), streams);
}

TEST(SessionFields, DirectionsHaveTheNumbersOfTheDocument) {
  EXPECT_EQ(parse("\x01\x01\x00"sv)->directions, Directions::kLatencyOnly);
  EXPECT_EQ(parse("\x01\x01\x01"sv)->directions, Directions::kUpload);
  EXPECT_EQ(parse("\x01\x01\x02"sv)->directions, Directions::kDownload);
  EXPECT_EQ(parse("\x01\x01\x03"sv)->directions, Directions::kBoth);
  expect_refused("\x01\x01\x04"sv);
  expect_refused("\x01\x01\xff"sv);
}

TEST(SessionFields, ARateOfZeroIsAsFastAsItGoes) {
  SessionFields fields;
  fields.rate = WantedRate{};
  EXPECT_EQ(written(fields), "\x03\x08\0\0\0\0\0\0\0\0"sv);
  EXPECT_EQ(parse("\x03\x08\0\0\0\0\0\0\0\0"sv), fields);
}

TEST(SessionFields, RatesAreExactUpToTwoToThe53) {
  EXPECT_EQ(parse("\x03\x08\0\0\0\0\0\0\0\x01"sv)->rate->fixed, BitRate{1});
  EXPECT_EQ(parse("\x03\x08\x00\x1f\xff\xff\xff\xff\xff\xff"sv)->rate->fixed,
            BitRate{9'007'199'254'740'991.0});
  EXPECT_EQ(parse("\x03\x08\x00\x20\0\0\0\0\0\0"sv)->rate->fixed, SessionFields::kMaxRate);
  expect_refused("\x03\x08\x00\x20\0\0\0\0\0\x01"sv);
  expect_refused("\x03\x08\xff\xff\xff\xff\xff\xff\xff\xff"sv);
}

TEST(SessionFields, TimesAndOctetsReachTheEndOfTheirWidth) {
  EXPECT_EQ(parse("\x02\x04\xff\xff\xff\xff"sv)->duration, 4'294'967'295ms);
  EXPECT_EQ(SessionFields::kMaxDuration, 4'294'967'295ms);
  EXPECT_EQ(parse("\x07\x08\xff\xff\xff\xff\xff\xff\xff\xff"sv)->octets,
            ByteCount{18'446'744'073'709'551'615U});
}

TEST(SessionFields, ATrafficClassMayBeAnyOctet) {
  for (unsigned value = 0; value <= 0xff; ++value) {
    const std::string field = {'\x0b', '\x01', static_cast<char>(value)};
    SessionFields fields;
    fields.traffic_class = static_cast<std::uint8_t>(value);
    EXPECT_EQ(parse(field), fields);
    EXPECT_EQ(written(fields), field);
  }
}

TEST(SessionFields, ValuesBelowTheirLeastAreRefused) {
  expect_refused("\x02\x04\0\0\0\0"sv);
  EXPECT_EQ(parse("\x02\x04\0\0\0\x01"sv)->duration, 1ms);
  expect_refused("\x04\x02\x00\x3f"sv);
  EXPECT_EQ(parse("\x04\x02\x00\x40"sv)->payload, ByteCount{64});
  expect_refused("\x05\x01\x00"sv);
  EXPECT_EQ(parse("\x05\x01\x01"sv)->streams, 1);
  expect_refused("\x07\x08\0\0\0\0\0\0\0\0"sv);
  EXPECT_EQ(parse("\x07\x08\0\0\0\0\0\0\0\x01"sv)->octets, ByteCount{1});
}

TEST(SessionFields, ValuesAboveTheirMostAreRefused) {
  EXPECT_EQ(parse("\x04\x02\xff\xe3"sv)->payload, ByteCount{65'507});
  expect_refused("\x04\x02\xff\xe4"sv);
  EXPECT_EQ(parse("\x05\x01\x40"sv)->streams, 64);
  expect_refused("\x05\x01\x41"sv);
}

TEST(SessionFields, FlagsAreZeroOrOne) {
  EXPECT_EQ(parse("\x06\x01\x00"sv)->reliable, false);
  EXPECT_EQ(parse("\x06\x01\x01"sv)->reliable, true);
  EXPECT_EQ(parse("\x08\x01\x01"sv)->single_port, true);
  EXPECT_EQ(parse("\x09\x01\x00"sv)->data_tags, false);
  EXPECT_EQ(parse("\x0a\x01\x00"sv)->fragment, false);
  EXPECT_EQ(parse("\x0a\x01\x01"sv)->fragment, true);
  expect_refused("\x06\x01\x02"sv);
  expect_refused("\x08\x01\x02"sv);
  expect_refused("\x09\x01\xff"sv);
  expect_refused("\x0a\x01\x02"sv);
}

TEST(SessionFields, EachTypeComesOnceAndInAscendingOrder) {
  expect_refused("\x05\x01\x02\x05\x01\x02"sv);
  expect_refused("\x06\x01\x01\x05\x01\x02"sv);
  expect_refused("\x80\x00\x80\x00"sv);
  expect_refused("\x81\x00\x80\x00"sv);
  expect_refused("\x80\x00\x05\x01\x02"sv);
}

TEST(SessionFields, UnknownTypesFrom128OnAreIgnored) {
  const auto fields = parse("\x05\x01\x02\x80\x00\x81\x03\x01\x02\x03\xff\x01\x00"sv);
  SessionFields streams;
  streams.streams = std::uint8_t{2};
  EXPECT_EQ(fields, streams);
}

TEST(SessionFields, UnknownTypesBelow128AreRefused) {
  expect_refused(std::string_view("\x00\x00", 2));
  expect_refused("\x00\x01\x01"sv);
  expect_refused("\x0c\x00"sv);
  expect_refused("\x0c\x01\x00"sv);
  expect_refused("\x05\x01\x02\x7f\x01\x00"sv);
}

TEST(SessionFields, ALengthThatIsNotTheTypesIsRefused) {
  expect_refused("\x01\x00"sv);
  expect_refused("\x01\x02\x00\x01"sv);
  expect_refused("\x02\x03\x00\x00\x01"sv);
  expect_refused("\x03\x04\x00\x00\x00\x01"sv);
  expect_refused("\x04\x01\x40"sv);
  expect_refused("\x07\x04\x00\x07\xa1\x20"sv);
  expect_refused("\x0a\x04\x00\x00\x03\xe8"sv);
  expect_refused("\x0b\x02\x00\x00"sv);
}

TEST(SessionFields, ALengthBeyondTheEndIsRefused) {
  expect_refused("\x01\x01"sv);
  expect_refused("\x01"sv);
  expect_refused("\x80"sv);
  expect_refused("\x80\x01"sv);
  expect_refused("\x80\xff\x01"sv);
}

TEST(SessionFields, SixteenAreTakenAndSeventeenAreNot) {
  std::string fields;
  for (int type = 0x80; type < 0x90; ++type) fields += {static_cast<char>(type), '\0'};
  EXPECT_EQ(parse(fields), SessionFields{});
  fields += "\x90\x00"sv;
  expect_refused(fields);
}

TEST(SessionFields, WhatIsFinerThanTheUnitIsCutOff) {
  SessionFields fields;
  fields.duration = 1ms + 999'999ns;
  fields.rate = WantedRate{.fixed = BitRate{1.9}};
  EXPECT_EQ(written(fields), "\x02\x04\0\0\0\x01\x03\x08\0\0\0\0\0\0\0\x01"sv);
}

TEST(SessionFieldsDeathTest, ValuesOutOfRangeAreOurOwnBug) {
  SessionFields fields;
  fields.duration = 999us;
  EXPECT_DEATH(written(fields), "bug at");
  fields.duration = -1s;
  EXPECT_DEATH(written(fields), "bug at");
  fields = {};
  fields.rate = WantedRate{.fixed = BitRate{0.5}};  // would be "as fast as it goes"
  EXPECT_DEATH(written(fields), "bug at");
  fields = {};
  fields.payload = ByteCount{65'508};
  EXPECT_DEATH(written(fields), "bug at");
  fields = {};
  fields.octets = ByteCount{0};
  EXPECT_DEATH(written(fields), "bug at");
}

TEST(SessionFields, NeedNoAllocation) {
  std::array<std::byte, kMaxSessionFieldsSize> out{};
  bool parsed = false;
  EXPECT_EQ(wyndrvr::testing::allocations_during([&] {
              const std::size_t size = write_session_fields(out, kAllFields);
              parsed = parse_session_fields(ByteView(out).first(size)).has_value();
            }),
            0U);
  EXPECT_TRUE(parsed);
}

}  // namespace session_fields_test
}  // namespace wyndrvr::wire
