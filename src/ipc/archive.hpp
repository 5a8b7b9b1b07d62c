// Writes values to bytes and reads them back, with one description of each type for both ways
// (ipc/message_fields.hpp, report_fields.hpp, setup_fields.hpp).
//
// Fixed-width big-endian integers; doubles as their IEEE 754 bits; an optional as one octet and the
// value; a variant as its index (one octet) and the alternative; texts and vectors as a count (two
// octets) and their elements, bounded. The reader believes nothing: `ok()` is false from the first
// octet on that is missing or out of range. Not a storage format: both ends are the same build.
//
// Example, a type of one's own, in its own namespace:
//   template <class Archive>
//   void transfer(Archive& archive, Hello& v) { ipc::transfer_all(archive, v.version, v.pid); }
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "wire/small_text.hpp"

namespace wyndrvr::ipc {

// A longer text is cut when it is written, and refused when it is read. Octets.
inline constexpr std::size_t kMaxTextSize = 512;
// Elements; a longer vector is our own bug when it is written, and refused when it is read.
inline constexpr std::size_t kMaxVectorSize = 1024;

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

template <class Archive>
void transfer(Archive& archive, Port& value) {
  archive.integer(value.value);
}

template <class Archive>
void transfer(Archive& archive, ByteCount& value) {
  archive.integer(value.value);
}

template <class Archive>
void transfer(Archive& archive, BitRate& value) {
  transfer(archive, value.bps);
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

// What says all by its kind.
template <class T>
concept Bare = std::is_empty_v<T>;
template <class Archive, Bare T>
void transfer(Archive& /*archive*/, T& /*value*/) {}

template <class Archive, class... Fields>
void transfer_all(Archive& archive, Fields&... fields) {
  (transfer(archive, fields), ...);
}

template <class Archive, class T>
void transfer(Archive& archive, std::optional<T>& value) {
  bool present = value.has_value();
  transfer(archive, present);
  if constexpr (Archive::kReading) {
    if (!present) return value.reset();
    transfer(archive, value.emplace());
  } else {
    if (present) transfer(archive, *value);
  }
}

template <class Archive, class T, std::size_t Size>
void transfer(Archive& archive, std::array<T, Size>& values) {
  for (T& value : values) transfer(archive, value);
}

template <class Archive>
void transfer(Archive& archive, std::string& value) {
  auto size = static_cast<std::uint16_t>(std::min(value.size(), kMaxTextSize));
  archive.integer(size);
  if constexpr (Archive::kReading) {
    if (size > kMaxTextSize) return archive.fail();
    value = archive.text(size);
  } else {
    archive.text(std::string_view(value).substr(0, size));
  }
}

template <class Archive, class T>
void transfer(Archive& archive, std::vector<T>& values) {
  auto count = static_cast<std::uint16_t>(values.size());
  if constexpr (Archive::kReading) {
    archive.integer(count);
    if (count > kMaxVectorSize) return archive.fail();
    values.clear();
    // Grows with what is really there, not with what the count says.
    while (archive.ok() && values.size() < count) transfer(archive, values.emplace_back());
  } else {
    WYNDRVR_CHECK(values.size() <= kMaxVectorSize);
    archive.integer(count);
    for (T& value : values) transfer(archive, value);
  }
}

// The alternative of that index, with default values; false where there is none.
template <class Variant>
[[nodiscard]] bool emplace_by_index(Variant& value, std::size_t index) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    return ((index == Index && (value.template emplace<Index>(), true)) || ...);
  }(std::make_index_sequence<std::variant_size_v<Variant>>{});
}

template <class Archive, class... Alternatives>
void transfer_variant(Archive& archive, std::variant<Alternatives...>& value) {
  auto index = static_cast<std::uint8_t>(value.index());
  archive.integer(index);
  if constexpr (Archive::kReading) {
    if (!archive.ok() || !emplace_by_index(value, index)) return archive.fail();
  }
  std::visit([&](auto& alternative) { transfer(archive, alternative); }, value);
}
template <class Archive, class... Alternatives>
void transfer(Archive& archive, std::variant<Alternatives...>& value) {
  transfer_variant(archive, value);
}

// Replaces the contents of `frame`. Reading and writing share one description, which changes the
// fields: hence the copy.
template <class T>
void write_frame(T value, std::vector<std::byte>& frame) {
  frame.clear();
  Writer writer(frame);
  transfer(writer, value);
}

// Nothing where the octets are not one whole T and nothing else.
template <class T>
[[nodiscard]] std::optional<T> read_frame(ByteView frame) {
  Reader reader(frame);
  std::optional<T> value(std::in_place);
  transfer(reader, *value);
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return value;
}

}  // namespace wyndrvr::ipc
