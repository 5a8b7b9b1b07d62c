// The codecs of dialect 1 on the three ports allocate nothing.
#include <array>
#include <cstddef>

#include <gtest/gtest.h>

#include "unit/allocation_counter.hpp"
#include "wire/path_data.hpp"
#include "wire/path_heartbeat.hpp"
#include "wire/path_packet.hpp"
#include "wire/receiver_report.hpp"
#include "wire/test_command.hpp"

namespace wyndrvr::wire {
namespace path_allocation_test {

using wyndrvr::testing::allocations_during;

TEST(WirePathAllocation, NoPacketNeedsAny) {
  std::array<std::byte, kMaxPacketSize> packet{};
  std::array<ClosedRange, kMaxReportRanges> ranges{};
  const MutableByteView body = MutableByteView(packet).subspan(kPathPrefixSize);
  bool parsed = true;
  EXPECT_EQ(allocations_during([&] {
              write_data_template(packet, {1});
              set_data_header(packet.data(), {1}, {5}, 0);
              set_data_time(packet.data(), 5);
              const auto data = parse_path_packet(packet);
              parsed &= data && data_time_ns(data->body) == 5;
              std::size_t size = write_path_heartbeat1(body, {.client_time_ns = 5});
              parsed &= parse_path_heartbeat1(body.first(size)).has_value();
              const ClosedRange range{.begin = 5, .end = 6};
              size = write_receiver_report(body, {.valid_for = 250ms, .ranges = {&range, 1}});
              parsed &= parse_receiver_report(body.first(size), ranges).has_value();
              size = write_result_message(body, ReceiverResult{.test = {5}});
              parsed &= parse_result_message(body.first(size)).has_value();
              size = write_result_message(body, ResultReceived{{5}, SenderFigures{}});
              parsed &= parse_result_message(body.first(size)).has_value();
              size = write_test_command(body, StartTest{.test = {5}, .duration = 1s});
              parsed &= parse_test_command(body.first(size)).has_value();
            }),
            0U);
  EXPECT_TRUE(parsed);
}

}  // namespace path_allocation_test
}  // namespace wyndrvr::wire
