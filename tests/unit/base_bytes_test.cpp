#include <array>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace wyndrvr::base {
namespace bytes_test {

TEST(Bytes, StoresMostSignificantOctetFirst) {
  std::array<std::byte, 3> out{};
  store_big_endian(out.data(), 0x010203, 3);
  EXPECT_EQ(out, (std::array{std::byte{1}, std::byte{2}, std::byte{3}}));
}

TEST(Bytes, LoadsWhatWasStoredAtEveryWidth) {
  for (std::size_t width = 1; width <= 8; ++width) {
    const std::uint64_t value = 0xf1e2d3c4b5a69788U >> (64 - 8 * width);
    std::array<std::byte, 8> out{};
    store_big_endian(out.data(), value, width);
    EXPECT_EQ(load_big_endian(out.data(), width), value) << width;
  }
}

TEST(Bytes, TextAndOctetsAreTwoViewsOfTheSame) {
  const std::string text = "CONNECT";
  EXPECT_EQ(as_text(as_bytes(text)), text);
}

TEST(ByteReader, TakesInOrderAndStopsAtTheEnd) {
  const std::string octets("\x01\x02\x03zz", 5);
  ByteReader reader(as_bytes(octets));
  EXPECT_EQ(reader.take(1), 1U);
  EXPECT_EQ(reader.take(2), 0x0203U);
  EXPECT_FALSE(reader.take(3));
  EXPECT_EQ(as_text(reader.rest()), "zz") << "a refused read takes nothing";
  EXPECT_EQ(as_text(*reader.take_bytes(2)), "zz");
  EXPECT_FALSE(reader.take_bytes(1));
  EXPECT_TRUE(reader.take_bytes(0));
}

TEST(ByteWriter, AppendsNumbersAndOctets) {
  std::array<std::byte, 6> out{};
  ByteWriter writer(out);
  writer.put(0x4142, 2);
  writer.put_bytes(as_bytes("xyz"));
  EXPECT_EQ(writer.size(), 5U);
  EXPECT_EQ(as_text(writer.written()), "ABxyz");
}

TEST(ByteWriterDeathTest, WritingPastTheEndAborts) {
  std::array<std::byte, 2> out{};
  ByteWriter writer(out);
  writer.put(1, 1);
  EXPECT_DEATH(writer.put(1, 2), "bug at");
  EXPECT_DEATH(writer.put_bytes(as_bytes("ab")), "bug at");
}

}  // namespace bytes_test
}  // namespace wyndrvr::base
