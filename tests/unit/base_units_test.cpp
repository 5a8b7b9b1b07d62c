#include <type_traits>

#include <gtest/gtest.h>

#include "base/units.hpp"

namespace wyndrvr {
namespace units_test {

TEST(Units, RateIsEightBitsAnOctetPerSecond) {
  EXPECT_DOUBLE_EQ(rate_of({125'000}, 1s).bps, 1e6);
  EXPECT_DOUBLE_EQ(rate_of({125'000}, 500ms).bps, 2e6);
}

TEST(Units, RateOverNoTimeIsZero) {
  EXPECT_DOUBLE_EQ(rate_of({125'000}, 0s).bps, 0);
  EXPECT_DOUBLE_EQ(rate_of({125'000}, -1s).bps, 0);
}

TEST(Units, ByteCountsAddAndCompare) {
  ByteCount count{3};
  count += {4};
  EXPECT_EQ(count, ByteCount{7});
  EXPECT_EQ(count + ByteCount{1}, ByteCount{8});
  EXPECT_EQ(count - ByteCount{7}, ByteCount{0});
  EXPECT_LT(ByteCount{1}, ByteCount{2});
}

TEST(Units, QuantitiesAreNotTakenForOneAnother) {
  EXPECT_FALSE((std::is_convertible_v<SeqNo, ByteCount>));
  EXPECT_FALSE((std::is_convertible_v<std::uint32_t, ChannelId>));
  EXPECT_FALSE((std::is_convertible_v<Port, ChannelId>));
}

TEST(Units, ChannelHas24Bits) {
  EXPECT_EQ(ChannelId::kMax, 16'777'215U);
}

}  // namespace units_test
}  // namespace wyndrvr
