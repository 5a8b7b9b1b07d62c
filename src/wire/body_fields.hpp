// Members that several JSON bodies have in common: reading and writing them, for the codecs alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/units.hpp"
#include "wire/json_reader.hpp"
#include "wire/small_text.hpp"
#include "wire/text_writer.hpp"

namespace wyndrvr::wire {

// Room for a UUID (36 characters) and for what another implementation may use instead.
using IdText = SmallText<64>;

// A count of a body and where it is kept in `Body`.
template <class Body>
struct CountField {
  std::string_view key;
  std::uint64_t Body::* member;
};

// The test's data channel: 1 to 2^24 - 1 (0 is not a test's).
[[nodiscard]] inline std::optional<ChannelId> find_channel(const FlatObject& object) {
  const auto channel = object.find_uint64("channel");
  if (!channel || *channel == 0 || *channel > ChannelId::kMax) return std::nullopt;
  return ChannelId{static_cast<std::uint32_t>(*channel)};
}

[[nodiscard]] inline std::optional<IdText> find_id(const FlatObject& object, std::string_view key) {
  return object.find_string(key).and_then(IdText::from);
}

// All of the counts, or nothing when one is missing or is no whole number.
template <class Body, std::size_t Count>
[[nodiscard]] std::optional<Body> find_counts(const FlatObject& object,
                                              const CountField<Body> (&fields)[Count]) {
  Body body{};
  for (const CountField<Body>& field : fields) {
    const auto count = object.find_uint64(field.key);
    if (!count) return std::nullopt;
    body.*field.member = *count;
  }
  return body;
}

// Writes `,"key":count` for each.
template <class Body, std::size_t Count>
void put_counts(TextWriter& writer, const CountField<Body> (&fields)[Count], const Body& body) {
  for (const CountField<Body>& field : fields) {
    writer.put(",\"").put(field.key).put("\":").put(body.*field.member);
  }
}

}  // namespace wyndrvr::wire
