// Writes values to bytes and reads them back, with one description of each type for both ways
// (ipc/message_fields.hpp).
//
// Fixed-width big-endian integers; doubles as their IEEE 754 bits; an optional as one octet and the
// value. The reader believes nothing: it stops at the first octet that is missing or out of range
// and `ok()` is false from then on. Not a storage format: both ends are the same build.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "wire/small_text.hpp"

namespace wyndrvr::ipc {

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& out) : out_(out) {}

  static constexpr bool kReading = false;

  template <std::integral T>
  void integer(T& value) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof(T));
    base::store_big_endian(out_.data() + at, static_cast<std::uint64_t>(value), sizeof(T));
  }
  void text(std::string_view bytes) {
    const ByteView view = as_bytes(bytes);
    out_.insert(out_.end(), view.begin(), view.end());
  }

 private:
  std::vector<std::byte>& out_;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : in_(bytes) {}

  static constexpr bool kReading = true;

  template <std::integral T>
  void integer(T& value) {
    const std::optional<std::uint64_t> raw = in_.take(sizeof(T));
    if (!raw) return fail();
    value = static_cast<T>(*raw);
  }
  [[nodiscard]] std::string_view text(std::size_t size) {
    const std::optional<ByteView> bytes = in_.take_bytes(size);
    if (!bytes) fail();
    return bytes ? as_text(*bytes) : std::string_view{};
  }
  void fail() { ok_ = false; }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return in_.rest().empty(); }

 private:
  base::ByteReader in_;
  bool ok_ = true;
};

template <class Archive, std::integral T>
void transfer(Archive& archive, T& value) {
  if constexpr (std::same_as<T, bool>) {
    std::uint8_t octet = value ? 1 : 0;
    archive.integer(octet);
    if constexpr (Archive::kReading) {
      if (octet > 1) archive.fail();
    }
    value = octet == 1;
  } else {
    archive.integer(value);
  }
}

template <class Archive>
void transfer(Archive& archive, double& value) {
  auto bits = std::bit_cast<std::uint64_t>(value);
  archive.integer(bits);
  value = std::bit_cast<double>(bits);
}

template <class Archive>
void transfer(Archive& archive, Duration& value) {
  Duration::rep count = value.count();
  archive.integer(count);
  value = Duration(count);
}

template <class Archive>
void transfer(Archive& archive, Instant& value) {
  Duration since = value.time_since_epoch();
  transfer(archive, since);
  value = Instant(since);
}

template <class Archive>
void transfer(Archive& archive, ChannelId& value) {
  archive.integer(value.value);
  if constexpr (Archive::kReading) {
    if (value.value > ChannelId::kMax) archive.fail();
  }
}

template <class Archive, std::size_t Capacity>
void transfer(Archive& archive, wire::SmallText<Capacity>& value) {
  auto size = static_cast<std::uint8_t>(value.view().size());
  archive.integer(size);
  if constexpr (Archive::kReading) {
    const auto text = wire::SmallText<Capacity>::from(archive.text(size));
    if (!text) return archive.fail();
    value = *text;
  } else {
    archive.text(value.view());
  }
}

// An enum travels as one octet; `last` is its greatest value.
template <class Archive, class Enum>
  requires std::is_enum_v<Enum>
void transfer_enum(Archive& archive, Enum& value, Enum last) {
  auto octet = static_cast<std::uint8_t>(value);
  archive.integer(octet);
  if constexpr (Archive::kReading) {
    if (octet > static_cast<std::uint8_t>(last)) return archive.fail();
  }
  value = static_cast<Enum>(octet);
}

}  // namespace wyndrvr::ipc
