// A strict reader (RFC 8259) for one flat JSON object in a caller's octets; allocates nothing.
//
// Made for the protocol's bodies: a few members whose values are numbers and plain strings. It
// checks the whole document first, then looks members up by scanning again, which for at most
// 1380 octets is cheaper than an index. It decodes no escapes: keys are compared and strings are
// handed out as they stand in the text, so a key that is spelt with escapes is never found. Nested
// arrays and objects are checked and can be passed over, not read.
//
// Stricter than the grammar in two points, both of which section 8.2 of the RFC and its
// implementation notes leave open: nesting deeper than kMaxJsonDepth and escaped lone surrogates
// are refused. Nothing may precede or follow the object but white space.
//
// Invariant: a FlatObject exists only for a valid document. It points into the octets that it was
// parsed from and must not outlive them.
//
// Example:
//   const auto object = FlatObject::parse(packet.body);
//   if (!object) return std::unexpected(DropReason::kBadBody);
//   const std::optional<std::uint64_t> channel = object->find_uint64("channel");
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"

namespace wyndrvr::wire {

// Levels of arrays and objects inside of the outermost object; bounds the reader's stack.
inline constexpr std::size_t kMaxJsonDepth = 16;

struct JsonValue {
  enum class Kind : std::uint8_t { kString, kNumber, kTrue, kFalse, kNull, kComposite };

  Kind kind = Kind::kNull;
  std::string_view raw;  // the text of the value; of a string, what is between its quotes

  // A number within the range of a double; nothing for one that overflows it.
  [[nodiscard]] std::optional<double> as_double() const;
  // A whole number from 0 to 2^64 - 1. Python peers may send 5 as 5.0 or 5e0: with a point or an
  // exponent the number must be whole and at most 2^53, up to where a double counts exactly.
  [[nodiscard]] std::optional<std::uint64_t> as_uint64() const;
  // A string without escapes; nothing for one that has any.
  [[nodiscard]] std::optional<std::string_view> as_string_view() const;
};

struct JsonMember {
  std::string_view key;  // between its quotes, escapes not decoded
  JsonValue value;
};

class FlatObject {
 public:
  // Yields the members in the order of the text, then nothing.
  class Members {
   public:
    [[nodiscard]] std::optional<JsonMember> next();

   private:
    friend class FlatObject;
    explicit Members(std::string_view rest) : rest_(rest) {}

    std::string_view rest_;  // starts at a member, at a comma or at the closing brace
  };

  // Nothing unless all of `document` is one valid JSON object.
  [[nodiscard]] static std::optional<FlatObject> parse(ByteView document);

  [[nodiscard]] Members members() const { return Members(text_); }
  // The value of `key`; of several, the last one, as in Python.
  [[nodiscard]] std::optional<JsonValue> find(std::string_view key) const;

  // `find` and the conversion of the same name; nothing where either yields nothing.
  [[nodiscard]] std::optional<double> find_double(std::string_view key) const;
  [[nodiscard]] std::optional<std::uint64_t> find_uint64(std::string_view key) const;
  [[nodiscard]] std::optional<std::string_view> find_string(std::string_view key) const;

 private:
  explicit FlatObject(std::string_view text) : text_(text) {}

  std::string_view text_;  // what follows the opening brace
};

// Whether `text` is a JSON number and nothing else.
[[nodiscard]] bool is_json_number(std::string_view text);

}  // namespace wyndrvr::wire
