// CONTROL of dialect 1, by octets written by hand.
#include <algorithm>

#include <gtest/gtest.h>

#include "unit/wire_path_support.hpp"
#include "wire/test_command.hpp"

namespace wyndrvr::wire {
namespace test_command_test {

using testing::Octets;
using testing::octets;
using testing::only_this_length_parses;
using testing::written;

// START of download 7, for 30 s.
const Octets kStartDatagram = octets(
    "86 000000 0000000000000001 0000000000000000"
    "d1d2d3d4d5d6d7d8"
    "01 00000007 02 00007530");

Octets write(const TestCommand& command) {
  return written(kMaxTestCommandSize,
                 [&](MutableByteView out) { return write_test_command(out, command); });
}

StartTest start_for(Duration duration) {
  return {.test = {7}, .direction = TestDirection::kUpload, .duration = duration};
}

TEST(TestCommand, StartNamesTestDirectionAndDuration) {
  const PathPacket packet = parse_path_packet(kStartDatagram).value();
  const TestCommand start =
      StartTest{.test = {7}, .direction = TestDirection::kDownload, .duration = 30s};
  EXPECT_EQ(parse_test_command(packet.body), start);
  EXPECT_TRUE(std::ranges::equal(write(start), packet.body));
}

TEST(TestCommand, StopNamesTestAndReason) {
  const TestNumber test{0x01020304};
  EXPECT_EQ(write(StopTest{test, StopReason::kWanted}), octets("03 01020304 01"));
  EXPECT_EQ(write(StopTest{test, StopReason::kSustainedLoss}), octets("03 01020304 02"));
  EXPECT_EQ(write(StopTest{test, StopReason::kNoData}), octets("03 01020304 03"));
  EXPECT_EQ(parse_test_command(octets("03 00000000 01")),
            TestCommand(StopTest{{0}, StopReason::kWanted}));
  EXPECT_EQ(parse_test_command(octets("03 00000001 02")),
            TestCommand(StopTest{{1}, StopReason::kSustainedLoss}));
  EXPECT_EQ(parse_test_command(octets("03 ffffffff 03")),
            TestCommand(StopTest{{0xffffffff}, StopReason::kNoData}));
}

TEST(TestCommand, ReadyAndStoppedAreACommandAndATestNumber) {
  EXPECT_EQ(write(TestReady{{0x01020304}}), octets("02 01020304"));
  EXPECT_EQ(write(TestStopped{{0x01020304}}), octets("04 01020304"));
  EXPECT_EQ(parse_test_command(octets("02 ffffffff")), TestCommand(TestReady{{0xffffffff}}));
  EXPECT_EQ(parse_test_command(octets("04 00000001")), TestCommand(TestStopped{{1}}));
}

TEST(TestCommand, AnyOtherLengthIsDropped) {
  for (const char* body :
       {"01 01020304 01 00000001", "02 01020304", "03 01020304 01", "04 01020304"}) {
    EXPECT_TRUE(only_this_length_parses(octets(body), [](ByteView octets) {
      return parse_test_command(octets).has_value();
    })) << body;
  }
}

TEST(TestCommand, UnknownCommandsDirectionsAndReasonsAreDropped) {
  for (const char* body : {"00 00000007", "05 00000007", "ff 00000007", "01 00000007 00 00000001",
                           "01 00000007 03 00000001", "01 00000007 ff 00000001", "03 00000007 00",
                           "03 00000007 04", "03 00000007 ff"}) {
    EXPECT_EQ(parse_test_command(octets(body)), std::unexpected(DropReason::kBadBody)) << body;
  }
}

TEST(TestCommand, ADurationIsAtLeastOneMillisecond) {
  EXPECT_EQ(parse_test_command(octets("01 00000007 01 00000000")),
            std::unexpected(DropReason::kBadBody));
  EXPECT_EQ(parse_test_command(octets("01 00000007 01 00000001")), TestCommand(start_for(1ms)));
  EXPECT_EQ(parse_test_command(octets("01 00000007 01 ffffffff")),
            TestCommand(start_for(4'294'967'295ms)));
}

TEST(TestCommand, WhatIsFinerThanAMillisecondIsCutOff) {
  EXPECT_EQ(write(start_for(1ms + 999'999ns)), octets("01 00000007 01 00000001"));
}

TEST(TestCommandDeathTest, ADurationOutOfRangeIsOurOwnBug) {
  EXPECT_DEATH(write(start_for(999us)), "bug at");
  EXPECT_DEATH(write(start_for(-1s)), "bug at");
  EXPECT_DEATH(write(start_for(4'294'967'296ms)), "bug at");
}

}  // namespace test_command_test
}  // namespace wyndrvr::wire
