// Body of BANDWIDTH_TEST: filling of a chosen length (protocol 0.14 section 5).
//
//   {"dummy_data": "<n printable ASCII characters>"}
//
// A receiver counts the packet's octets and does not read the filling, so there is no parser. The
// filling is always the same: a sender writes it once into each of its buffers, and afterwards
// only the headers' two numbers.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/header.hpp"

namespace wyndrvr::wire {

inline constexpr std::string_view kDataBodyPrefix = R"({"dummy_data": ")";
inline constexpr std::string_view kDataBodySuffix = R"("})";

[[nodiscard]] constexpr std::size_t data_body_size(std::size_t payload) {
  return kDataBodyPrefix.size() + payload + kDataBodySuffix.size();
}
// The whole packet, header included, whose filling has `payload` characters.
[[nodiscard]] constexpr std::size_t data_packet_size(std::size_t payload) {
  return kHeaderSize + data_body_size(payload);
}

// The filling of the longest packet.
inline constexpr std::size_t kMaxPayload = kMaxPacketSize - data_packet_size(0);

// Returns the number of octets written, data_body_size(payload), which `out` holds at least;
// `payload` is at most kMaxPayload.
std::size_t write_data_body(MutableByteView out, std::size_t payload);

}  // namespace wyndrvr::wire
