// A short text in a fixed buffer: the uid and guid of control messages; allocates nothing.
//
// Invariant: printable ASCII without quotation mark and backslash, so it can stand between the
// quotes of a JSON string as it is and is safe to show on a terminal. A Python peer, whose encoder
// escapes everything beyond ASCII, sends no other text without escapes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wyndrvr::wire {

template <std::size_t Capacity>
class SmallText {
 public:
  static_assert(Capacity <= UINT8_MAX);
  static constexpr std::size_t kCapacity = Capacity;

  SmallText() = default;

  // Nothing for a text that is longer than the capacity or has a character of any other kind.
  [[nodiscard]] static std::optional<SmallText> from(std::string_view text) {
    if (text.size() > Capacity || !std::ranges::all_of(text, is_plain)) return std::nullopt;
    SmallText result;
    std::ranges::copy(text, result.characters_.begin());
    result.size_ = static_cast<std::uint8_t>(text.size());
    return result;
  }

  [[nodiscard]] std::string_view view() const { return {characters_.data(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  bool operator==(const SmallText& other) const { return view() == other.view(); }

 private:
  static bool is_plain(char character) {
    return character >= ' ' && character <= '~' && character != '"' && character != '\\';
  }

  std::array<char, Capacity> characters_{};
  std::uint8_t size_ = 0;
};

}  // namespace wyndrvr::wire
