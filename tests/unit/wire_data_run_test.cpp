#include <cstddef>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "wire/data_run.hpp"
#include "wire/path_data.hpp"

namespace wyndrvr::wire {
namespace data_run_test {

constexpr std::size_t kSize = 64;

// DATA of stream 1 with numbers from `first` on, each of kSize octets.
std::string data_with_numbers(std::uint64_t first, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) {
    std::string one(kSize, 'x');
    const MutableByteView octets = std::as_writable_bytes(std::span(one));
    write_data_template(octets, {0x1122334455667788});
    set_data_header(octets.data(), {1}, {first + i}, 5);
    set_data_time(octets.data(), 42);
    result += one;
  }
  return result;
}

std::size_t run_of(const std::string& datagrams) {
  return data_run_length<kPathDataPrefixSize>(as_bytes(datagrams), kSize);
}

TEST(DataRunLength, CountsConsecutiveNumbers) {
  EXPECT_EQ(run_of(data_with_numbers(7, 1)), 1U);
  EXPECT_EQ(run_of(data_with_numbers(7, 46)), 46U);
  EXPECT_EQ(run_of(data_with_numbers(0xff, 3)), 3U);
}

TEST(DataRunLength, EndsAtAGapACopyAndAStepBack) {
  EXPECT_EQ(run_of(data_with_numbers(7, 3) + data_with_numbers(11, 3)), 3U);
  EXPECT_EQ(run_of(data_with_numbers(7, 3) + data_with_numbers(9, 3)), 3U);
  EXPECT_EQ(run_of(data_with_numbers(7, 3) + data_with_numbers(6, 3)), 3U);
}

TEST(DataRunLength, LeavesOutTheShorterLast) {
  const std::string datagrams = data_with_numbers(7, 3);
  EXPECT_EQ(run_of(datagrams.substr(0, 3 * kSize - 1)), 2U);
  EXPECT_EQ(run_of(datagrams.substr(0, 2 * kSize + 1)), 2U);
}

TEST(DataRunLength, EndsWhereAnyOctetOfThePrefixDiffers) {
  for (std::size_t octet = 0; octet < kSize; ++octet) {
    std::string datagrams = data_with_numbers(7, 4);
    datagrams[2 * kSize + octet] ^= 1;
    EXPECT_EQ(run_of(datagrams), octet < kPathDataPrefixSize ? 2U : 4U) << octet;
    const std::size_t header_only = data_run_length<kHeaderSize>(as_bytes(datagrams), kSize);
    EXPECT_EQ(header_only, octet < kHeaderSize ? 2U : 4U) << octet;
  }
}

}  // namespace data_run_test
}  // namespace wyndrvr::wire
