// Body of FLOW_CONTROL: the sequence spans that the receiver still misses (protocol 0.14
// section 4). Binary, unlike all other bodies.
//
// On the wire a range is closed, [begin, end], both ends missing; `seq` keeps half-open ranges, and
// the engine converts. Allocates nothing: the caller owns the ranges.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------------------------------------------------------+
//   |                   number of ranges, 0 to 86                   |
//   +---------------------------------------------------------------+
//   |                 begin of the first range, 64 bits             |
//   |                                                               |
//   +---------------------------------------------------------------+
//   |                 end of the first range, 64 bits               |
//   |                                                               |
//   +---------------------------------------------------------------+
//   |                 begin of the second range ...
//   +----------------------------------------------
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "base/bytes.hpp"
#include "wire/drop_reason.hpp"
#include "wire/header.hpp"

namespace wyndrvr::wire {

inline constexpr std::size_t kFlowControlCountSize = 4;
inline constexpr std::size_t kFlowControlRangeSize = 16;
// What fits into one packet.
inline constexpr std::size_t kMaxRanges =
    (kMaxBodySize - kFlowControlCountSize) / kFlowControlRangeSize;
static_assert(kMaxRanges == 86);

struct ClosedRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // included
  bool operator==(const ClosedRange&) const = default;
};

[[nodiscard]] constexpr std::size_t flow_control_size(std::size_t range_count) {
  return kFlowControlCountSize + kFlowControlRangeSize * range_count;
}

// Parses into `out` and returns the part of it that was filled: ascending, disjoint ranges, which
// may touch. Error: kBadBody, also for a length that is not exactly that of the count; `out` is
// then in no particular state.
[[nodiscard]] std::expected<std::span<const ClosedRange>, DropReason> parse_flow_control(
    ByteView body, std::span<ClosedRange, kMaxRanges> out);

// Returns the number of octets written. At most kMaxRanges ascending, disjoint ranges; `out` holds
// at least flow_control_size(ranges.size()).
std::size_t write_flow_control(MutableByteView out, std::span<const ClosedRange> ranges);

}  // namespace wyndrvr::wire
