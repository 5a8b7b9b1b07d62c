// Octets written by hand, for the tests of dialect 1's codecs.
#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace wyndrvr::wire::testing {

using Octets = std::vector<std::byte>;

// "80 0000ff" is three octets: hexadecimal digits in pairs, spaces for the reader.
inline Octets octets(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits(text);
  std::erase(digits, ' ');
  if (digits.size() % 2 != 0) throw std::invalid_argument("half an octet");
  Octets out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const std::size_t high = kDigits.find(digits[i]);
    const std::size_t low = kDigits.find(digits[i + 1]);
    if (high > 15 || low > 15) throw std::invalid_argument("not hexadecimal");
    out.push_back(static_cast<std::byte>(16 * high + low));
  }
  return out;
}

// What `write(buffer)` writes, into a buffer on the heap of exactly `capacity` octets, so that a
// sanitizer sees one beyond it.
template <class Write>
Octets written(std::size_t capacity, Write write) {
  Octets out(capacity);
  out.resize(write(MutableByteView(out)));
  return out;
}

// Whether `parses(body)` is false for all shorter bodies and for one octet more.
template <class Parses>
bool only_this_length_parses(const Octets& body, Parses parses) {
  for (std::size_t size = 0; size < body.size(); ++size) {
    const Octets shorter(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    if (parses(ByteView(shorter))) return false;
  }
  Octets longer = body;
  longer.push_back({});
  return parses(ByteView(body)) && !parses(ByteView(longer));
}

}  // namespace wyndrvr::wire::testing
