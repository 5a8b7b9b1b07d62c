// A test's intervals against its totals: one comparison for both dialects.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/message.hpp"
#include "engine/result.hpp"

namespace wyndrvr::sim {

// The intervals follow on each other without a hole, and come to what the receiver counted.
// `equal` is told what is compared, what was reported, and what is true.
template <class Equal>
void check_intervals(const engine::TestOutcome& test, const engine::ReceiverTotals& receiver,
                     Equal equal) {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  Duration end{};
  for (const engine::Interval& interval : test.intervals) {
    bytes += interval.bytes;
    packets += interval.packets;
    equal("start of an interval in ns", static_cast<std::uint64_t>(interval.start.count()),
          static_cast<std::uint64_t>(end.count()));
    if (interval.end < interval.start) equal("order of an interval's ends", 1, 0);
    end = interval.end;
  }
  equal("octets of all intervals", bytes, receiver.bytes);
  equal("packets of all intervals", packets, receiver.packets);
}

}  // namespace wyndrvr::sim
