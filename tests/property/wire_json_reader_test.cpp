// The JSON reader against nlohmann::json: the same verdict and the same values, for random
// documents and for damaged ones.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "wire/json_reader.hpp"

namespace wyndrvr::wire {
namespace json_reader_test {

using Json = nlohmann::json;
using Kind = JsonValue::Kind;

// What nlohmann makes of a text. Its one number that ours leaves to the user of the value is one
// beyond the range of a double.
struct Verdict {
  bool valid = false;
  bool number_overflow = false;
  Json document;
};

Verdict judge(const std::string& text) {
  constexpr int kNumberOverflow = 406;
  // nlohmann skips a byte order mark and takes a NUL for the end of the text; RFC 8259 does not.
  if (text.starts_with("\xEF\xBB\xBF") || text.contains('\0')) return {};
  try {
    Json document = Json::parse(text);
    return {.valid = document.is_object(), .number_overflow = false, .document = document};
  } catch (const Json::out_of_range& error) {
    return {.valid = false, .number_overflow = error.id == kNumberOverflow, .document = {}};
  } catch (const Json::parse_error&) {
    return {};
  }
}

std::size_t depth_of(const Json& value) {
  if (!value.is_structured()) return 0;
  std::size_t deepest = 0;
  for (const Json& element : value) deepest = std::max(deepest, depth_of(element));
  return deepest + 1;
}

// The raw text of a key or string with its escapes decoded, by nlohmann.
std::string decoded(std::string_view raw) {
  return Json::parse("\"" + std::string(raw) + "\"").get<std::string>();
}

void expect_same_value(const JsonValue& ours, const Json& theirs) {
  switch (ours.kind) {
    case Kind::kString:
      RC_ASSERT(theirs.is_string());
      RC_ASSERT(decoded(ours.raw) == theirs.get<std::string>());
      RC_ASSERT(ours.as_string_view().has_value() == !ours.raw.contains('\\'));
      break;
    case Kind::kNumber:
      RC_ASSERT(theirs.is_number());
      // Too small for a double: nlohmann makes it 0, ours nothing or 0.
      if (theirs.get<double>() != 0) RC_ASSERT(ours.as_double() == theirs.get<double>());
      if (theirs.is_number_unsigned()) RC_ASSERT(ours.as_uint64() == theirs.get<std::uint64_t>());
      break;
    case Kind::kTrue:
    case Kind::kFalse:
      RC_ASSERT(theirs.is_boolean());
      RC_ASSERT((ours.kind == Kind::kTrue) == theirs.get<bool>());
      break;
    case Kind::kNull:
      RC_ASSERT(theirs.is_null());
      break;
    case Kind::kComposite:
      RC_ASSERT(theirs.is_structured());
      RC_ASSERT(Json::parse(ours.raw) == theirs);
      break;
  }
}

void expect_same_members(const FlatObject& ours, const Json& theirs) {
  FlatObject::Members members = ours.members();
  std::set<std::string> keys;
  while (const auto member = members.next()) {
    const std::string key = decoded(member->key);
    keys.insert(key);
    RC_ASSERT(theirs.contains(key));
  }
  RC_ASSERT(keys.size() == theirs.size());
  for (const auto& [key, value] : theirs.items()) {
    // A key that some spelling with an escape overrides is not comparable by its plain spelling.
    const auto found = ours.find(key);
    FlatObject::Members all = ours.members();
    std::optional<JsonMember> last;
    while (const auto member = all.next()) {
      if (decoded(member->key) == key) last = member;
    }
    RC_ASSERT(last.has_value());
    expect_same_value(last->value, value);
    if (last->key == key) RC_ASSERT(found && found->raw == last->value.raw);
  }
}

void expect_agreement(const std::string& text) {
  const Verdict verdict = judge(text);
  const auto ours = FlatObject::parse(as_bytes(text));
  if (verdict.number_overflow) return;  // what a number is good for, ours leaves to as_double
  if (verdict.valid && depth_of(verdict.document) > kMaxJsonDepth + 1) {
    RC_ASSERT(!ours);
    return;
  }
  RC_ASSERT(ours.has_value() == verdict.valid);
  if (ours) expect_same_members(*ours, verdict.document);
}

rc::Gen<std::string> number_text() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                   [](std::uint64_t n) { return std::to_string(n); }),
      rc::gen::map(rc::gen::arbitrary<std::int32_t>(),
                   [](std::int32_t n) { return std::to_string(n); }),
      rc::gen::map(rc::gen::arbitrary<double>(), [](double n) { return Json(n).dump(); }),
      rc::gen::elementOf(std::vector<std::string>{"0", "-0", "-0.0", "5.0", "5e0", "1E+2", "1e-300",
                                                  "1.5e-07", "18446744073709551616", "1e308"}));
}

rc::Gen<std::string> string_content() {
  const auto piece = rc::gen::oneOf(
      rc::gen::map(rc::gen::inRange(0x23, 0x5B), [](int c) { return std::string(1, char(c)); }),
      rc::gen::elementOf(std::vector<std::string>{
          "\\n", "\\\\", "\\\"", "\\/", "\\u0041", "\\ud83d\\ude00", "\\u00e9", "\xC3\xA9",
          "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x7F", " ", "a", "b", "key", "\\u0000"}));
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece), [](const auto& pieces) {
    std::string text;
    for (const std::string& part : pieces) text += part;
    return text;
  });
}

std::string quoted(const std::string& content) {
  return "\"" + content + "\"";
}

// A random document, drawn during a property; `levels` bounds its depth.
std::string draw_value(int levels);

std::string draw_blanks() {
  return *rc::gen::elementOf(std::vector<std::string>{"", "", "", " ", "\n\t", "\r "});
}

std::string draw_object(int levels) {
  const int count = *rc::gen::inRange(0, 4);
  std::string text = "{" + draw_blanks();
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += "," + draw_blanks();
    text += quoted(*string_content()) + draw_blanks() + ":" + draw_blanks();
    text += draw_value(levels - 1) + draw_blanks();
  }
  return text + "}";
}

std::string draw_array(int levels) {
  const int count = *rc::gen::inRange(0, 3);
  std::string text = "[" + draw_blanks();
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += "," + draw_blanks();
    text += draw_value(levels - 1) + draw_blanks();
  }
  return text + "]";
}

std::string draw_value(int levels) {
  switch (*rc::gen::inRange(0, levels > 0 ? 7 : 5)) {
    case 0:
    case 1:
      return *number_text();
    case 2:
    case 3:
      return quoted(*string_content());
    case 4:
      return *rc::gen::elementOf(std::vector<std::string>{"true", "false", "null"});
    case 5:
      return draw_array(levels);
    default:
      return draw_object(levels);
  }
}

std::string draw_document() {
  return draw_blanks() + draw_object(3) + draw_blanks();
}

// Inserts, overwrites, removes or doubles a piece, preferring what means something in JSON.
std::string damaged(std::string text) {
  static const std::string kMeaningful = "{}[]\",:\\0123456789.eE+-untrfals \n\x01\x7F\x80\xC3\xED";
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
  const char octet = *rc::gen::oneOf(rc::gen::elementOf(kMeaningful), rc::gen::arbitrary<char>());
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return text.insert(at, 1, octet);
    case 1:
      if (at < text.size()) text[at] = octet;
      return text;
    case 2:
      return text.erase(at, *rc::gen::inRange<std::size_t>(1, 4));
    default:
      return text + text.substr(at);
  }
}

// Each of RapidCheck's 100 cases tries this many texts.
constexpr int kTextsPerCase = 50;

RC_GTEST_PROP(JsonReaderProperty, AgreesOnRandomDocuments, ()) {
  for (int i = 0; i < kTextsPerCase; ++i) {
    const std::string text = draw_document();
    RC_ASSERT(FlatObject::parse(as_bytes(text)).has_value());
    expect_agreement(text);
  }
}

RC_GTEST_PROP(JsonReaderProperty, AgreesOnDamagedDocuments, ()) {
  for (int i = 0; i < kTextsPerCase; ++i) {
    std::string text = draw_document();
    const int count = *rc::gen::inRange(1, 4);
    for (int k = 0; k < count; ++k) text = damaged(text);
    expect_agreement(text);
  }
}

RC_GTEST_PROP(JsonReaderProperty, AgreesOnStringsOfRandomOctets, ()) {
  const auto octet =
      rc::gen::oneOf(rc::gen::arbitrary<char>(), rc::gen::elementOf(std::string("\\u09afdD8C")),
                     rc::gen::elementOf(std::string("\xC3\xA0\xED\x9F\xF0\x90\xF4\x8F")));
  for (int i = 0; i < kTextsPerCase; ++i) {
    const auto length = *rc::gen::inRange<std::size_t>(0, 9);
    expect_agreement("{\"a\":\"" + *rc::gen::container<std::string>(length, octet) + "\"}");
  }
}

RC_GTEST_PROP(JsonReaderProperty, AgreesOnNumbersOfRandomCharacters, ()) {
  const auto character = rc::gen::elementOf(std::string("001234567895..eE+-"));
  for (int i = 0; i < kTextsPerCase; ++i) {
    const auto length = *rc::gen::inRange<std::size_t>(1, 8);
    expect_agreement("{\"a\":" + *rc::gen::container<std::string>(length, character) + "}");
  }
}

}  // namespace json_reader_test
}  // namespace wyndrvr::wire
