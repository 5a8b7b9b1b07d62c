#include "wire/json_reader.hpp"

#include <charconv>
#include <cmath>

#include "wire/json_scanner.hpp"

namespace wyndrvr::wire {
namespace {

std::optional<std::uint64_t> whole_number_of(double number) {
  constexpr double kExactLimit = 0x1p53;
  if (number < 0 || number > kExactLimit || number != std::trunc(number)) return std::nullopt;
  return static_cast<std::uint64_t>(number);
}

}  // namespace

std::optional<double> JsonValue::as_double() const {
  if (kind != Kind::kNumber) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (error != std::errc{} || end != raw.data() + raw.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::uint64_t> JsonValue::as_uint64() const {
  if (kind != Kind::kNumber) return std::nullopt;
  if (raw.find_first_of(".eE") != std::string_view::npos) {
    return as_double().and_then(whole_number_of);
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (error != std::errc{} || end != raw.data() + raw.size()) return std::nullopt;
  return number;
}

std::optional<std::string_view> JsonValue::as_string_view() const {
  if (kind != Kind::kString || raw.contains('\\')) return std::nullopt;
  return raw;
}

std::optional<JsonMember> FlatObject::Members::next() {
  JsonScanner scanner(rest_);
  scanner.skip_blanks();
  if (scanner.rest().starts_with('}')) return std::nullopt;
  (void)scanner.take(',');
  auto member = scanner.take_member(0);
  rest_ = scanner.rest();
  return member;
}

std::optional<FlatObject> FlatObject::parse(ByteView document) {
  JsonScanner scanner(as_text(document));
  scanner.skip_blanks();
  if (!scanner.take('{')) return std::nullopt;
  const std::string_view text = scanner.rest();
  if (!scanner.take_rest_of_object(0)) return std::nullopt;
  scanner.skip_blanks();
  if (!scanner.at_end()) return std::nullopt;
  return FlatObject(text);
}

std::optional<JsonValue> FlatObject::find(std::string_view key) const {
  std::optional<JsonValue> found;
  Members rest = members();
  while (const auto member = rest.next()) {
    if (member->key == key) found = member->value;
  }
  return found;
}

std::optional<double> FlatObject::find_double(std::string_view key) const {
  const auto value = find(key);
  return value ? value->as_double() : std::nullopt;
}

std::optional<std::uint64_t> FlatObject::find_uint64(std::string_view key) const {
  const auto value = find(key);
  return value ? value->as_uint64() : std::nullopt;
}

std::optional<std::string_view> FlatObject::find_string(std::string_view key) const {
  const auto value = find(key);
  return value ? value->as_string_view() : std::nullopt;
}

bool is_json_number(std::string_view text) {
  JsonScanner scanner(text);
  return scanner.take_number() && scanner.at_end();
}

}  // namespace wyndrvr::wire
