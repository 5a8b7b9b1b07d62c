#include "wire/json_scanner.hpp"

#include <cstdint>

namespace wyndrvr::wire {
namespace {

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

// The well-formed sequences of two to four octets, by their first octet (RFC 3629 section 4). All
// octets after the second are 80-BF.
struct Utf8Form {
  std::uint8_t first_low;
  std::uint8_t first_high;
  std::uint8_t second_low;
  std::uint8_t second_high;
  std::uint8_t length;
};
constexpr Utf8Form kUtf8Forms[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

std::uint8_t octet_at(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

bool matches(const Utf8Form& form, std::string_view text) {
  if (text.size() < form.length) return false;
  if (octet_at(text, 1) < form.second_low || octet_at(text, 1) > form.second_high) return false;
  for (std::size_t i = 2; i < form.length; ++i) {
    if (octet_at(text, i) < 0x80 || octet_at(text, i) > 0xBF) return false;
  }
  return true;
}

// The part of `text` before `rest`, which is its tail.
std::string_view taken_from(std::string_view text, std::string_view rest) {
  return text.substr(0, text.size() - rest.size());
}

}  // namespace

void JsonScanner::skip_blanks() {
  const std::size_t end = rest_.find_first_not_of(" \t\n\r");
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
}

bool JsonScanner::take(char wanted) {
  if (rest_.empty() || rest_.front() != wanted) return false;
  rest_.remove_prefix(1);
  return true;
}

bool JsonScanner::take_word(std::string_view word) {
  if (!rest_.starts_with(word)) return false;
  rest_.remove_prefix(word.size());
  return true;
}

// One digit or more.
bool JsonScanner::take_digits() {
  const std::size_t before = rest_.size();
  while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
  return rest_.size() < before;
}

std::optional<std::string_view> JsonScanner::take_number() {
  const std::string_view start = rest_;
  (void)take('-');
  if (!take('0') && !take_digits()) return std::nullopt;
  if (take('.') && !take_digits()) return std::nullopt;
  if (take('e') || take('E')) {
    if (!take('+')) (void)take('-');
    if (!take_digits()) return std::nullopt;
  }
  return taken_from(start, rest_);
}

std::optional<std::string_view> JsonScanner::take_string() {
  if (!take('"')) return std::nullopt;
  const std::string_view start = rest_;
  while (!rest_.empty()) {
    const std::uint8_t octet = octet_at(rest_, 0);
    if (octet == '"') {
      const std::string_view content = taken_from(start, rest_);
      rest_.remove_prefix(1);
      return content;
    }
    if (octet < 0x20) return std::nullopt;
    if (octet == '\\') {
      if (!take_escape()) return std::nullopt;
    } else if (octet < 0x80) {
      rest_.remove_prefix(1);
    } else if (!take_multibyte_character()) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

bool JsonScanner::take_multibyte_character() {
  const std::uint8_t first = octet_at(rest_, 0);
  for (const Utf8Form& form : kUtf8Forms) {
    if (first < form.first_low || first > form.first_high) continue;
    if (!matches(form, rest_)) return false;
    rest_.remove_prefix(form.length);
    return true;
  }
  return false;
}

bool JsonScanner::take_escape() {
  rest_.remove_prefix(1);
  if (rest_.empty()) return false;
  const char escaped = rest_.front();
  rest_.remove_prefix(1);
  if (escaped != 'u') return std::string_view("\"\\/bfnrt").contains(escaped);
  const auto unit = take_four_hex_digits();
  if (!unit) return false;
  if (*unit < 0xD800 || *unit > 0xDFFF) return true;
  // A UTF-16 surrogate: only the high one followed by the low one makes a character.
  if (*unit > 0xDBFF || !take_word("\\u")) return false;
  const auto low = take_four_hex_digits();
  return low && *low >= 0xDC00 && *low <= 0xDFFF;
}

std::optional<unsigned> JsonScanner::take_four_hex_digits() {
  constexpr std::size_t kDigits = 4;
  if (rest_.size() < kDigits) return std::nullopt;
  unsigned value = 0;
  for (const char digit : rest_.substr(0, kDigits)) {
    unsigned nibble = 0;
    if (is_digit(digit)) {
      nibble = static_cast<unsigned>(digit - '0');
    } else if (digit >= 'a' && digit <= 'f') {
      nibble = static_cast<unsigned>(digit - 'a') + 10;
    } else if (digit >= 'A' && digit <= 'F') {
      nibble = static_cast<unsigned>(digit - 'A') + 10;
    } else {
      return std::nullopt;
    }
    value = value << 4U | nibble;
  }
  rest_.remove_prefix(kDigits);
  return value;
}

std::optional<JsonValue> JsonScanner::take_value(std::size_t depth) {
  using Kind = JsonValue::Kind;
  if (rest_.empty()) return std::nullopt;
  const std::string_view start = rest_;
  switch (rest_.front()) {
    case '"': {
      const auto content = take_string();
      if (!content) return std::nullopt;
      return JsonValue{.kind = Kind::kString, .raw = *content};
    }
    case '{':
    case '[':
      if (!take_composite(depth)) return std::nullopt;
      return JsonValue{.kind = Kind::kComposite, .raw = taken_from(start, rest_)};
    case 't':
      if (!take_word("true")) return std::nullopt;
      return JsonValue{.kind = Kind::kTrue, .raw = taken_from(start, rest_)};
    case 'f':
      if (!take_word("false")) return std::nullopt;
      return JsonValue{.kind = Kind::kFalse, .raw = taken_from(start, rest_)};
    case 'n':
      if (!take_word("null")) return std::nullopt;
      return JsonValue{.kind = Kind::kNull, .raw = taken_from(start, rest_)};
    default: {
      const auto number = take_number();
      if (!number) return std::nullopt;
      return JsonValue{.kind = Kind::kNumber, .raw = *number};
    }
  }
}

bool JsonScanner::take_composite(std::size_t depth) {
  if (depth >= kMaxJsonDepth) return false;
  if (take('{')) return take_rest_of_object(depth + 1);
  return take('[') && take_rest_of_array(depth + 1);
}

std::optional<JsonMember> JsonScanner::take_member(std::size_t depth) {
  skip_blanks();
  const auto key = take_string();
  if (!key) return std::nullopt;
  skip_blanks();
  if (!take(':')) return std::nullopt;
  skip_blanks();
  const auto value = take_value(depth);
  if (!value) return std::nullopt;
  skip_blanks();
  return JsonMember{.key = *key, .value = *value};
}

bool JsonScanner::take_rest_of_object(std::size_t depth) {
  skip_blanks();
  if (take('}')) return true;
  do {
    if (!take_member(depth)) return false;
  } while (take(','));
  return take('}');
}

bool JsonScanner::take_rest_of_array(std::size_t depth) {
  skip_blanks();
  if (take(']')) return true;
  do {
    skip_blanks();
    if (!take_value(depth)) return false;
    skip_blanks();
  } while (take(','));
  return take(']');
}

}  // namespace wyndrvr::wire
