// FLOW_CONTROL bodies, and the BANDWIDTH_TEST filling.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "wire/data_body.hpp"
#include "wire/flow_control.hpp"

namespace wyndrvr::wire {
namespace flow_control_test {

using Ranges = std::vector<ClosedRange>;

// Assembled by hand, so that bodies can be built that the writer refuses to write.
std::vector<std::byte> body_of(std::uint64_t count, const Ranges& ranges) {
  std::vector<std::byte> body(4 + 16 * ranges.size());
  base::ByteWriter writer(body);
  writer.put(count, 4);
  for (const ClosedRange& range : ranges) {
    writer.put(range.begin, 8);
    writer.put(range.end, 8);
  }
  return body;
}

std::expected<Ranges, DropReason> parse(ByteView body) {
  std::array<ClosedRange, kMaxRanges> out{};
  const auto ranges = parse_flow_control(body, out);
  if (!ranges) return std::unexpected(ranges.error());
  return Ranges(ranges->begin(), ranges->end());
}

Ranges many_ranges(std::size_t count) {
  Ranges ranges;
  for (std::uint64_t i = 0; i < count; ++i) ranges.push_back({.begin = 10 * i, .end = 10 * i + 4});
  return ranges;
}

TEST(FlowControl, IsACountAndClosedRangesInBigEndian) {
  std::array<std::byte, flow_control_size(1)> out{};
  const Ranges ranges = {{.begin = 0x0102, .end = UINT64_MAX}};
  ASSERT_EQ(write_flow_control(out, ranges), out.size());
  EXPECT_EQ(as_text(out),
            std::string_view("\0\0\0\x01\0\0\0\0\0\0\x01\x02\xff\xff\xff\xff\xff\xff\xff\xff", 20));
}

TEST(FlowControl, NoRangeAndTheFullPacketAreValid) {
  std::array<std::byte, kMaxBodySize> out{};
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, kMaxRanges}) {
    const Ranges ranges = many_ranges(count);
    const std::size_t size = write_flow_control(out, ranges);
    EXPECT_EQ(parse(ByteView(out).first(size)), ranges);
  }
  EXPECT_EQ(flow_control_size(kMaxRanges), kMaxBodySize);
}

TEST(FlowControl, RangesOfOneNumberMayTouch) {
  const Ranges ranges = {{.begin = 0, .end = 0}, {.begin = 1, .end = 1}, {.begin = 2, .end = 9}};
  EXPECT_EQ(parse(body_of(3, ranges)), ranges);
}

TEST(FlowControl, TheLengthMustBeThatOfTheCount) {
  const std::unexpected bad(DropReason::kBadBody);
  EXPECT_EQ(parse({}), bad);
  EXPECT_EQ(parse(ByteView(body_of(0, {})).first(3)), bad);
  EXPECT_EQ(parse(body_of(1, {})), bad);
  EXPECT_EQ(parse(body_of(2, many_ranges(1))), bad);
  EXPECT_EQ(parse(body_of(1, many_ranges(2))), bad);
  std::vector<std::byte> longer = body_of(1, many_ranges(1));
  longer.push_back({});
  EXPECT_EQ(parse(longer), bad);
  EXPECT_EQ(parse(body_of(UINT32_MAX, many_ranges(1))), bad);
  // 2^28 ranges have a size whose low 32 bits are those of none.
  EXPECT_EQ(parse(body_of(1U << 28U, {})), bad);
}

TEST(FlowControl, MoreRangesThanFitIntoAPacketAreRefused) {
  EXPECT_FALSE(parse(body_of(kMaxRanges + 1, many_ranges(kMaxRanges + 1))));
}

TEST(FlowControl, UnsortedOverlappingAndReversedRangesAreRefused) {
  EXPECT_FALSE(parse(body_of(1, {{.begin = 5, .end = 4}})));
  EXPECT_FALSE(parse(body_of(2, {{.begin = 5, .end = 6}, {.begin = 0, .end = 1}})));
  EXPECT_FALSE(parse(body_of(2, {{.begin = 5, .end = 6}, {.begin = 6, .end = 8}})));
  EXPECT_FALSE(parse(body_of(2, {{.begin = 5, .end = UINT64_MAX}, {.begin = 0, .end = 1}})));
}

TEST(DataBody, IsTheOriginalsWithNCharacters) {
  std::array<std::byte, kMaxBodySize> out{};
  EXPECT_EQ(as_text(ByteView(out).first(write_data_body(out, 0))), R"({"dummy_data": ""})");
  EXPECT_EQ(as_text(ByteView(out).first(write_data_body(out, 3))), R"({"dummy_data": "ABC"})");
}

TEST(DataBody, TheDefaultLengthMakesAPacketOf938Octets) {
  EXPECT_EQ(data_packet_size(900), 938U);
}

TEST(DataBody, TheLongestFillingMakesTheLongestPacket) {
  EXPECT_EQ(data_packet_size(kMaxPayload), kMaxPacketSize);
  std::array<std::byte, kMaxBodySize> out{};
  EXPECT_EQ(write_data_body(out, kMaxPayload), kMaxBodySize);
  const std::string_view text = as_text(out);
  EXPECT_TRUE(text.ends_with("\"}"));
  const std::string_view filling = text.substr(16, kMaxPayload);
  for (const char character : filling) {
    EXPECT_TRUE(character > ' ' && character <= '~' && character != '"' && character != '\\');
  }
}

}  // namespace flow_control_test
}  // namespace wyndrvr::wire
