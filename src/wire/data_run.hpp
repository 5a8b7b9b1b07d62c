// Runs of data datagrams, of either dialect: a buffer of coalesced datagrams (UDP GRO) mostly holds
// what one call has sent, and that differs only in the sequence numbers.
//
// Says only which datagrams are like the one before them. Whether that one is in order is for the
// codecs and the engine to say. Pure.
//
// Example:
//   // 46 of 46, for one super-packet of a sender that retransmits nothing
//   data_run_length<kPathDataPrefixSize>(datagrams, 1400);
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/header.hpp"

namespace wyndrvr::wire {

// How many datagrams at the front of `datagrams`, each of `size` octets, have the same first
// `kPrefixSize` octets, but for a sequence number N that rises by one: the first one at least, and
// none that is shorter. `datagrams` holds one at least, and `size` is `kPrefixSize` or more.
template <std::size_t kPrefixSize>
[[nodiscard]] std::size_t data_run_length(ByteView datagrams, std::size_t size) {
  static_assert(kPrefixSize >= kHeaderSize);
  WYNDRVR_CHECK(size >= kPrefixSize && datagrams.size() >= size);
  const std::byte* const first = datagrams.data();
  std::uint64_t seq = base::load_big_endian(first + kHeaderSeqAt, kHeaderNumberSize);
  std::size_t count = 1;
  for (std::size_t at = size; datagrams.size() - at >= size; at += size) {
    const std::byte* const next = first + at;
    ++seq;
    const bool alike = base::load_big_endian(next + kHeaderSeqAt, kHeaderNumberSize) == seq &&
                       std::memcmp(next, first, kHeaderSeqAt) == 0 &&
                       std::memcmp(next + kHeaderOffsetAt, first + kHeaderOffsetAt,
                                   kPrefixSize - kHeaderOffsetAt) == 0;
    if (!alike) break;
    ++count;
  }
  return count;
}

}  // namespace wyndrvr::wire
