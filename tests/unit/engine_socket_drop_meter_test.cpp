#include <gtest/gtest.h>

#include "engine/socket_drop_meter.hpp"

namespace wyndrvr::engine {
namespace socket_drop_meter_test {

TEST(SocketDropMeter, CountsFromTheFirstLook) {
  SocketDropMeter meter;
  EXPECT_EQ(meter.take(5, 1), 0U) << "before the test";
  EXPECT_EQ(meter.take(8, 1), 3U);
  EXPECT_EQ(meter.take(7, 1), 0U);
}

TEST(SocketDropMeter, ADroppedBufferCountsForAsManyDatagramsAsTheNextOneHolds) {
  SocketDropMeter meter;
  EXPECT_EQ(meter.take(5, 40), 0U);
  EXPECT_EQ(meter.take(7, 40), 80U);
}

}  // namespace socket_drop_meter_test
}  // namespace wyndrvr::engine
