// CONTROL of dialect 1, by octets written by hand.
#include <algorithm>

#include <gtest/gtest.h>

#include "unit/wire_path_support.hpp"
#include "wire/test_command.hpp"

namespace wyndrvr::wire {
namespace {

using testing::Octets;
using testing::octets;
using testing::only_this_length_parses;
using testing::written;

// START of download 7 with one field: streams = 4.
const Octets kStartDatagram = octets(
    "86 000000 0000000000000001 0000000000000000"
    "d1d2d3d4d5d6d7d8"
    "01 00000007 02"
    "05 01 04");

Octets write(const TestCommand& command, std::size_t capacity = kTestCommandSize) {
  return written(capacity, [&](MutableByteView out) { return write_test_command(out, command); });
}

template <class Command>
TestNumber test_of(ByteView body) {
  const TestCommand command = parse_test_command(body).value();
  return std::get<Command>(command).test;
}

TEST(TestCommand, StartNamesTestAndDirectionAndHandsOnTheFields) {
  const PathPacket packet = parse_path_packet(kStartDatagram).value();
  const TestCommand command = parse_test_command(packet.body).value();
  const auto& start = std::get<StartTest>(command);
  EXPECT_EQ(start.test, TestNumber{7});
  EXPECT_EQ(start.direction, TestDirection::kDownload);
  EXPECT_TRUE(std::ranges::equal(start.fields, octets("05 01 04")));
  EXPECT_TRUE(std::ranges::equal(write(start, 9), packet.body));
}

TEST(TestCommand, TheOthersAreACommandAndATestNumber) {
  EXPECT_EQ(write(TestReady{{0x01020304}}), octets("02 01020304"));
  EXPECT_EQ(write(StopTest{{0x01020304}}), octets("03 01020304"));
  EXPECT_EQ(write(TestStopped{{0x01020304}}), octets("04 01020304"));
  EXPECT_EQ(test_of<TestReady>(octets("02 ffffffff")), TestNumber{0xffffffff});
  EXPECT_EQ(test_of<StopTest>(octets("03 00000000")), TestNumber{0});
  EXPECT_EQ(test_of<TestStopped>(octets("04 00000001")), TestNumber{1});
}

TEST(TestCommand, AnyOtherLengthIsDropped) {
  for (const char* body : {"02 01020304", "03 01020304", "04 01020304"}) {
    EXPECT_TRUE(only_this_length_parses(
        octets(body), [](ByteView octets) { return parse_test_command(octets).has_value(); }));
  }
}

TEST(TestCommand, StartMayBeWithoutFieldsButNotWithoutADirection) {
  EXPECT_TRUE(parse_test_command(octets("01 00000007 01")));
  EXPECT_EQ(parse_test_command(octets("01 00000007")).error(), DropReason::kBadBody);
  EXPECT_EQ(parse_test_command(octets("01 000007")).error(), DropReason::kBadBody);
  EXPECT_EQ(parse_test_command(octets("01")).error(), DropReason::kBadBody);
}

TEST(TestCommand, UnknownCommandsAndDirectionsAreDropped) {
  for (const char* body : {"00 00000007", "05 00000007", "ff 00000007", "01 00000007 00",
                           "01 00000007 03", "01 00000007 ff"}) {
    EXPECT_FALSE(parse_test_command(octets(body))) << body;
  }
}

TEST(TestCommand, FieldsFillThePacketAtMost) {
  Octets body = octets("01 00000007 01");
  body.resize(kMaxPacketSize - kPathPrefixSize);
  EXPECT_TRUE(parse_test_command(body));
  body.push_back({});
  EXPECT_FALSE(parse_test_command(body));
}

}  // namespace
}  // namespace wyndrvr::wire
