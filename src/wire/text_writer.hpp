// Appends text and numbers to a caller's octets, for the bodies that are text; allocates nothing.
//
// The buffers are sized by the protocol's constants, so running past the end is our own bug and
// aborts. Escapes nothing: what is put between quotes must need no escape.
//
// Example:
//   TextWriter writer(out);
//   writer.put("{\"cmd\":\"BWUP\",\"channel\":").put(channel.value).put("}");
//   return writer.size();
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace wyndrvr::wire {

class TextWriter {
 public:
  explicit TextWriter(MutableByteView out) : writer_(out) {}

  TextWriter& put(std::string_view text) {
    writer_.put_bytes(as_bytes(text));
    return *this;
  }
  TextWriter& put(std::unsigned_integral auto number) { return put_unsigned(number); }
  // The shortest text that reads back as the same number, always with a decimal point or an
  // exponent, as Python writes a float: 3.0, 0.5, 1e+16. `number` must be finite.
  TextWriter& put_float(double number);
  // As put_float, but a whole number that is less than 2^53 has no decimal point: 5.
  TextWriter& put_number(double number);

  [[nodiscard]] std::size_t size() const { return writer_.size(); }

 private:
  TextWriter& put_unsigned(std::uint64_t number);

  base::ByteWriter writer_;
};

}  // namespace wyndrvr::wire
