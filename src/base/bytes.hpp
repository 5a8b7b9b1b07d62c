// Views of octets and big-endian access to them.
//
// Reader and writer check bounds: a read past the end yields nothing, a write past the end is our
// own bug (the buffers are sized by the protocol's constants) and aborts.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/check.hpp"

namespace wyndrvr {

using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

namespace base {

// From or to the machine's own order. Spelled out, since compilers do not always make one
// instruction of eight octets in a loop.
[[nodiscard]] constexpr std::uint64_t big_endian(std::uint64_t value) {
  return std::endian::native == std::endian::big ? value : std::byteswap(value);
}

// Stores the low `width` octets of `value`, most significant first. `out` holds at least `width`.
inline void store_big_endian(std::byte* out, std::uint64_t value, std::size_t width) {
  if (width == sizeof(value)) {
    const std::uint64_t octets = big_endian(value);
    std::memcpy(out, &octets, sizeof(octets));
    return;
  }
  for (std::size_t i = 0; i < width; ++i) {
    out[i] = static_cast<std::byte>(value >> (8 * (width - 1 - i)));
  }
}

// Loads `width` (1-8) octets, most significant first.
[[nodiscard]] inline std::uint64_t load_big_endian(const std::byte* in, std::size_t width) {
  std::uint64_t value = 0;
  if (width == sizeof(value)) {
    std::memcpy(&value, in, sizeof(value));
    return big_endian(value);
  }
  for (std::size_t i = 0; i < width; ++i)
    value = value << 8U | std::to_integer<std::uint64_t>(in[i]);
  return value;
}

// Reads forward through a view; every read says whether the octets were there.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  [[nodiscard]] std::optional<std::uint64_t> take(std::size_t width) {
    if (rest_.size() < width) return std::nullopt;
    const std::uint64_t value = load_big_endian(rest_.data(), width);
    rest_ = rest_.subspan(width);
    return value;
  }
  [[nodiscard]] std::optional<ByteView> take_bytes(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    const ByteView bytes = rest_.first(count);
    rest_ = rest_.subspan(count);
    return bytes;
  }
  [[nodiscard]] ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

// Appends to a caller's buffer.
class ByteWriter {
 public:
  explicit ByteWriter(MutableByteView out) : out_(out) {}

  void put(std::uint64_t value, std::size_t width) {
    WYNDRVR_CHECK(out_.size() - used_ >= width);
    store_big_endian(out_.data() + used_, value, width);
    used_ += width;
  }
  void put_bytes(ByteView bytes) {
    WYNDRVR_CHECK(out_.size() - used_ >= bytes.size());
    if (!bytes.empty()) std::memcpy(out_.data() + used_, bytes.data(), bytes.size());
    used_ += bytes.size();
  }
  [[nodiscard]] std::size_t size() const { return used_; }
  [[nodiscard]] ByteView written() const { return ByteView(out_).first(used_); }

 private:
  MutableByteView out_;
  std::size_t used_ = 0;
};

}  // namespace base
}  // namespace wyndrvr
