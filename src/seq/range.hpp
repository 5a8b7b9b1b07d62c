// Half-open ranges of sequence numbers, and the algebra on sorted lists of them.
//
// A *span set* here is a sorted list of disjoint, non-empty ranges. On the wire ranges are closed
// (protocol 0.14, section 4); inside they are half-open. The wire's "all the rest", [b, 2^64-1], is
// [b, kEnd): the number 2^64-1 itself is never used, so that every range has an `end`, and a length
// that fits in 64 bits.
//
// Pure functions; thread-safe. They allocate what they return, so they belong to the work per
// report, not to the work per datagram. Except for `canonical`, all arguments must be span sets;
// what comes from a peer goes through `canonical` first.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace wyndrvr::seq {

// The end of a range without a bound; not itself a sequence number.
inline constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();

// The numbers n with begin <= n < end; empty where end <= begin.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  bool operator==(const Range&) const = default;
  [[nodiscard]] constexpr bool empty() const { return end <= begin; }
  [[nodiscard]] constexpr std::uint64_t size() const { return empty() ? 0 : end - begin; }
};

// Any ranges, in any order, as a span set: sorted, empty ones dropped, overlapping and adjacent
// ones made one.
[[nodiscard]] std::vector<Range> canonical(std::span<const Range> ranges);

// The numbers in both.
[[nodiscard]] std::vector<Range> intersect(std::span<const Range> a, std::span<const Range> b);
// The numbers in either; overlapping and adjacent ranges become one.
[[nodiscard]] std::vector<Range> merge(std::span<const Range> a, std::span<const Range> b);
// The numbers in `a` that are not in `b`.
[[nodiscard]] std::vector<Range> subtract(std::span<const Range> a, std::span<const Range> b);
// The numbers below `limit`.
[[nodiscard]] std::vector<Range> clamp_below(std::span<const Range> ranges, std::uint64_t limit);
// How many numbers there are.
[[nodiscard]] std::uint64_t total(std::span<const Range> ranges);

}  // namespace wyndrvr::seq
