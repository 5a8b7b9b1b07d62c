// Between the half-open ranges of `seq` and the closed ranges of FLOW_CONTROL.
//
// The wire's [b, 2^64-1] and seq's [b, kEnd) are both "everything from b on".
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/check.hpp"
#include "seq/range.hpp"
#include "wire/flow_control.hpp"

namespace wyndrvr::engine {

// Converts into `out`, which must have room for all of them.
inline std::span<const wire::ClosedRange> to_wire(std::span<const seq::Range> ranges,
                                                  std::span<wire::ClosedRange> out) {
  WYNDRVR_CHECK(out.size() >= ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    out[i] = {ranges[i].begin, ranges[i].end == seq::kEnd ? seq::kEnd : ranges[i].end - 1};
  }
  return out.first(ranges.size());
}

inline std::span<const seq::Range> from_wire(std::span<const wire::ClosedRange> ranges,
                                             std::span<seq::Range> out) {
  WYNDRVR_CHECK(out.size() >= ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    out[i] = {ranges[i].begin, ranges[i].end == seq::kEnd ? seq::kEnd : ranges[i].end + 1};
  }
  return out.first(ranges.size());
}

}  // namespace wyndrvr::engine
