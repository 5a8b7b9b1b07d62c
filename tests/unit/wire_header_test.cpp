// The packet header: layout, and what is refused.
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "wire/drop_reason.hpp"
#include "wire/header.hpp"

namespace wyndrvr::wire {
namespace header_test {

std::vector<std::byte> packet_of_type(std::uint8_t type, std::size_t size) {
  std::vector<std::byte> packet(size);
  packet.at(0) = static_cast<std::byte>(type);
  return packet;
}

TEST(Header, IsBigEndianInTheOrderTypeChannelSeqOffset) {
  std::array<std::byte, kHeaderSize> out{};
  write_header(out.data(), {.type = MessageType::kControl,
                            .channel = {0x010203},
                            .seq = {0x1112131415161718},
                            .offset = 0x2122232425262728});
  const std::string_view expected(
      "\x06\x01\x02\x03\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\x25\x26\x27\x28");
  EXPECT_EQ(as_text(out), expected);
}

TEST(Header, ReadsBackWhatWasWrittenAtTheLimits) {
  const Header header{.type = MessageType::kTestResult,
                      .channel = {ChannelId::kMax},
                      .seq = {UINT64_MAX},
                      .offset = UINT64_MAX};
  std::array<std::byte, kHeaderSize> out{};
  write_header(out.data(), header);
  const auto packet = parse_packet(out);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->header, header);
  EXPECT_TRUE(packet->body.empty());
}

TEST(Header, BodyIsTheRestOfTheDatagram) {
  auto datagram = packet_of_type(4, 23);
  datagram.at(20) = std::byte{'x'};
  datagram.at(22) = std::byte{'z'};
  const auto packet = parse_packet(datagram);
  ASSERT_TRUE(packet);
  EXPECT_EQ(as_text(packet->body), std::string_view("x\0z", 3));
  EXPECT_EQ(packet->body.data(), datagram.data() + 20);
}

TEST(Header, SizesOutsideOf20To1400AreRefused) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{19}}) {
    EXPECT_EQ(parse_packet(packet_of_type(0, size)).error(), DropReason::kTooShort) << size;
  }
  EXPECT_EQ(parse_packet({}).error(), DropReason::kTooShort);
  EXPECT_TRUE(parse_packet(packet_of_type(0, 20)));
  EXPECT_TRUE(parse_packet(packet_of_type(0, 1400)));
  EXPECT_EQ(parse_packet(packet_of_type(0, 1401)).error(), DropReason::kTooLong);
}

TEST(Header, TypesBeyondTheEightOfTheProtocolAreRefused) {
  for (unsigned type = 0; type <= 255; ++type) {
    const auto packet = parse_packet(packet_of_type(static_cast<std::uint8_t>(type), 20));
    if (type <= 7) {
      ASSERT_TRUE(packet) << type;
      EXPECT_EQ(static_cast<unsigned>(packet->header.type), type);
    } else {
      EXPECT_EQ(packet.error(), DropReason::kUnknownType) << type;
    }
  }
}

TEST(Header, ARetransmissionStandsForTheNumberThatWasLost) {
  EXPECT_EQ(represented_seq(Header{.seq = {100}, .offset = 0}), SeqNo{100});
  EXPECT_EQ(represented_seq(Header{.seq = {100}, .offset = 93}), SeqNo{7});
  // Numbers wrap: the third datagram sent again what was sent just before the wrap.
  EXPECT_EQ(represented_seq(Header{.seq = {2}, .offset = 5}), SeqNo{UINT64_MAX - 2});
}

TEST(DropReason, EveryReasonHasANameOfItsOwnInSnakeCase) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    const std::string_view text = name(static_cast<DropReason>(i));
    EXPECT_NE(text, name(DropReason::kCount));
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    names.insert(text);
  }
  EXPECT_EQ(names.size(), kDropReasonCount);
}

TEST(DropReason, OfDialect1HasTheNameOfTheDocument) {
  EXPECT_EQ(name(DropReason::kWrongNonce), "wrong_nonce");
  EXPECT_EQ(name(DropReason::kWrongMac), "wrong_mac");
  EXPECT_EQ(name(DropReason::kReplayed), "replayed");
}

}  // namespace header_test
}  // namespace wyndrvr::wire
