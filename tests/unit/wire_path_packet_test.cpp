// What all packets of dialect 1 on the three ports begin with, and the DATA template.
#include <algorithm>
#include <cstdint>
#include <set>

#include <gtest/gtest.h>

#include "unit/wire_path_support.hpp"
#include "wire/path_data.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::wire {
namespace path_packet_test {

using testing::Octets;
using testing::octets;

constexpr std::uint8_t kDataOctet = 0x84;
constexpr std::size_t kShortestData = 64 - 8;  // without its tag

// The shortest packet of this type and channel.
Octets shortest_of(std::uint8_t type, std::uint8_t channel) {
  Octets out(type == kDataOctet ? kShortestData : 28);
  out[0] = std::byte{type};
  out[3] = std::byte{channel};
  return out;
}

DropReason reason(const Octets& datagram) {
  const auto packet = parse_path_packet(datagram);
  return packet ? DropReason::kCount : packet.error();
}
constexpr DropReason kNone = DropReason::kCount;

TEST(PathPacket, HasTypeChannelNumbersAndNonceInBigEndian) {
  Octets datagram = octets(
      "84 00000f 0102030405060708 0000000000000009 a1a2a3a4a5a6a7a8"
      "00000002540be400 c0ffee");
  datagram.resize(64);
  const auto packet = parse_path_packet(datagram);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->header.type, PathType::kData);
  EXPECT_EQ(packet->header.channel, ChannelId{15});
  EXPECT_EQ(packet->header.seq, SeqNo{0x0102030405060708});
  EXPECT_EQ(packet->header.offset, 9U);
  EXPECT_EQ(packet->nonce, PathNonce{0xa1a2a3a4a5a6a7a8});
  EXPECT_TRUE(std::ranges::equal(packet->body, ByteView(datagram).subspan(28)));
  EXPECT_EQ(data_time_ns(packet->body), 10'000'000'000U);
  EXPECT_EQ(represented_seq(packet->header), SeqNo{0x01020304050606ff});

  Octets again(28);
  write_path_prefix(again.data(), packet->header, packet->nonce);
  EXPECT_TRUE(std::ranges::equal(again, ByteView(datagram).first(28)));
}

TEST(PathPacket, KnowsTheSevenTypesAndNoneOfTheOlderDialect) {
  const std::set<int> known = {0x80, 0x81, 0x82, 0x83, 0x84, 0x86, 0x87};
  for (int type = 0; type <= 0xff; ++type) {
    Octets datagram = shortest_of(static_cast<std::uint8_t>(type), 0);
    if (type == 0x83 || type == 0x84) datagram[3] = std::byte{1};
    const bool is_known = known.contains(type);
    EXPECT_EQ(reason(datagram), is_known ? kNone : DropReason::kUnknownType) << type;
    EXPECT_EQ(path_type(datagram).has_value(), is_known) << type;
  }
  EXPECT_EQ(path_type({}), std::unexpected(DropReason::kTooShort));
}

TEST(PathPacket, TheOlderDialectTakesNoneOfItsTypes) {
  for (int type = 0x80; type <= 0x87; ++type) {
    EXPECT_FALSE(parse_packet(shortest_of(static_cast<std::uint8_t>(type), 1))) << type;
  }
}

TEST(PathPacket, IsDroppedWhenShorterThanItsPrefix) {
  for (const int type : {0x80, 0x81, 0x82, 0x83, 0x86, 0x87}) {
    const Octets datagram =
        shortest_of(static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(type == 0x83));
    EXPECT_EQ(reason(datagram), kNone) << type;
    for (std::size_t size = 0; size < datagram.size(); ++size) {
      EXPECT_EQ(parse_path_packet(ByteView(datagram).first(size)).error(), DropReason::kTooShort);
    }
  }
}

TEST(PathPacket, DataIsDroppedWhenShorterThan64OctetsLessATag) {
  const Octets datagram = shortest_of(kDataOctet, 1);
  ASSERT_EQ(datagram.size(), 56U);
  EXPECT_EQ(reason(datagram), kNone);
  for (std::size_t size = 0; size < datagram.size(); ++size) {
    EXPECT_EQ(parse_path_packet(ByteView(datagram).first(size)).error(), DropReason::kTooShort);
  }
}

TEST(PathPacket, OnlyDataIsLongerThan1400Octets) {
  for (const int type : {0x80, 0x81, 0x82, 0x83, 0x86, 0x87}) {
    Octets datagram = shortest_of(static_cast<std::uint8_t>(type), type == 0x83 ? 1 : 0);
    datagram.resize(1400);
    EXPECT_EQ(reason(datagram), kNone) << type;
    datagram.resize(1401);
    EXPECT_EQ(reason(datagram), DropReason::kTooLong) << type;
  }
  Octets data = shortest_of(0x84, 1);
  data.resize(65'507);
  EXPECT_EQ(reason(data), kNone);
  data.resize(65'508);
  EXPECT_EQ(reason(data), DropReason::kTooLong);
}

TEST(PathPacket, AStreamsChannelIsNotThatOfOthers) {
  for (const int type : {0x83, 0x84}) {
    const auto stream = static_cast<std::uint8_t>(type);
    EXPECT_EQ(reason(shortest_of(stream, 0)), DropReason::kWrongChannel);
    EXPECT_EQ(reason(shortest_of(stream, 1)), kNone);
    EXPECT_EQ(reason(shortest_of(stream, 64)), kNone);
    EXPECT_EQ(reason(shortest_of(stream, 65)), DropReason::kWrongChannel);
  }
  for (const int type : {0x86, 0x87}) {
    EXPECT_EQ(reason(shortest_of(static_cast<std::uint8_t>(type), 1)), DropReason::kWrongChannel);
  }
  for (const int type : {0x80, 0x81, 0x82}) {
    const auto heartbeat = static_cast<std::uint8_t>(type);
    EXPECT_EQ(reason(shortest_of(heartbeat, 2)), kNone);
    EXPECT_EQ(reason(shortest_of(heartbeat, 3)), DropReason::kWrongChannel);
    Octets high = shortest_of(heartbeat, 0);
    high[1] = std::byte{1};
    EXPECT_EQ(reason(high), DropReason::kWrongChannel);
  }
}

TEST(PathPacket, OnlyDataHasAnOffset) {
  for (const int type : {0x80, 0x81, 0x82, 0x83, 0x84, 0x86, 0x87}) {
    const bool stream = type == 0x83 || type == 0x84;
    Octets datagram = shortest_of(static_cast<std::uint8_t>(type), stream ? 1 : 0);
    datagram[12] = std::byte{0x80};
    EXPECT_EQ(reason(datagram), type == 0x84 ? kNone : DropReason::kBadSequence) << type;
  }
}

TEST(PathDataTemplate, LeavesHeaderAndTimeAndFillsTheRest) {
  Octets datagram(101, std::byte{0xee});
  write_data_template(datagram, {0x0102030405060708});
  const ByteView view(datagram);
  EXPECT_TRUE(
      std::ranges::all_of(view.first(20), [](std::byte b) { return b == std::byte{0xee}; }));
  EXPECT_TRUE(std::ranges::equal(view.subspan(20, 8), octets("0102030405060708")));
  EXPECT_TRUE(std::ranges::equal(view.subspan(28, 8), octets("eeeeeeeeeeeeeeee")));

  Octets other(101, std::byte{0x11});
  write_data_template(other, {0x0102030405060708});
  EXPECT_TRUE(std::ranges::equal(view.subspan(36), ByteView(other).subspan(36)));
}

TEST(PathDataTemplate, HeaderTimeAndNonceAreSetInTheirPlacesAlone) {
  Octets datagram(80);
  write_data_template(datagram, {1});
  const Octets before = datagram;
  set_data_header(datagram.data(), {15}, {0x0102030405060708}, 9);
  set_data_time(datagram.data(), 10'000'000'000);
  set_data_nonce(datagram.data(), {0xa1a2a3a4a5a6a7a8});
  const ByteView view(datagram);
  EXPECT_TRUE(std::ranges::equal(view.first(36), octets("84 00000f 0102030405060708"
                                                        "0000000000000009 a1a2a3a4a5a6a7a8"
                                                        "00000002540be400")));
  EXPECT_TRUE(std::ranges::equal(view.subspan(36), ByteView(before).subspan(36)));
}

TEST(PathDataTemplateDeathTest, ADatagramOfNoStreamIsABug) {
  Octets datagram(64);
  EXPECT_DEATH(set_data_header(datagram.data(), {0}, {1}, 0), "bug at");
  EXPECT_DEATH(set_data_header(datagram.data(), {65}, {1}, 0), "bug at");
}

TEST(PathDataTemplateDeathTest, ALengthThatFieldFourDoesNotHaveIsABug) {
  Octets datagram(63);
  EXPECT_DEATH(write_data_template(datagram, {1}), "bug at");
  datagram.resize(65'508);
  EXPECT_DEATH(write_data_template(datagram, {1}), "bug at");
}

TEST(PathDataTemplate, FillingOfTheLongestDatagramHasNoSmallPeriod) {
  Octets datagram(kMaxPathDataSize);
  write_data_template(datagram, {1});
  const ByteView filling = ByteView(datagram).subspan(36);
  for (std::size_t period = 1; period <= 4096; ++period) {
    EXPECT_FALSE(std::ranges::equal(filling.first(64), filling.subspan(period, 64))) << period;
  }
  std::set<std::byte> values(filling.begin(), filling.end());
  EXPECT_EQ(values.size(), 256U);
}

}  // namespace path_packet_test
}  // namespace wyndrvr::wire
