#include <gtest/gtest.h>

#include "engine/stream_receiver.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace stream_receiver_test {

using namespace testing;

// As long a path as this delivers the last datagrams after the 100 ms that others get.
TEST(StreamReceiver, WaitsForARoundTripAfterItsTime) {
  StreamReceiver receiver(ChannelId{4711}, {}, 0);
  receiver.on_go({ChannelId{4711}, kStart, 10s});
  receiver.on_round_trip(600ms);
  const Instant end = kStart + 10s + DataReceiver::kFirstPatience;
  EXPECT_FALSE(receiver.poll_finished(end + 600ms - 1ns));
  EXPECT_TRUE(receiver.poll_finished(end + 600ms));
}

}  // namespace stream_receiver_test
}  // namespace wyndrvr::engine
