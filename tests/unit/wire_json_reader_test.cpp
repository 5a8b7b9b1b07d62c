// The JSON reader: what it accepts, what it refuses, and how values convert.
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "wire/json_reader.hpp"

namespace wyndrvr::wire {
namespace json_reader_test {

using Kind = JsonValue::Kind;

std::optional<FlatObject> parse(std::string_view text) {
  return FlatObject::parse(as_bytes(text));
}

JsonValue number(std::string_view text) {
  return {.kind = Kind::kNumber, .raw = text};
}

std::string nested(std::size_t levels) {
  return "{\"a\":" + std::string(levels, '[') + std::string(levels, ']') + "}";
}

TEST(FlatObject, YieldsMembersInTheOrderOfTheText) {
  const auto object = parse(
      " {\"s\" : \"text\",\n\t\"n\":-1.5e3, \"t\":true,\"f\":false,\"z\":null,"
      "\"c\":[1,{\"x\":[]}], \"\":{}}\r\n");
  ASSERT_TRUE(object);
  const std::vector<std::tuple<std::string_view, Kind, std::string_view>> expected = {
      {"s", Kind::kString, "text"}, {"n", Kind::kNumber, "-1.5e3"},
      {"t", Kind::kTrue, "true"},   {"f", Kind::kFalse, "false"},
      {"z", Kind::kNull, "null"},   {"c", Kind::kComposite, "[1,{\"x\":[]}]"},
      {"", Kind::kComposite, "{}"},
  };
  FlatObject::Members members = object->members();
  for (const auto& [key, kind, raw] : expected) {
    const auto member = members.next();
    ASSERT_TRUE(member) << key;
    EXPECT_EQ(member->key, key);
    EXPECT_EQ(member->value.kind, kind);
    EXPECT_EQ(member->value.raw, raw);
  }
  EXPECT_FALSE(members.next());
  EXPECT_FALSE(members.next());
}

TEST(FlatObject, AnEmptyObjectHasNoMembers) {
  const auto object = parse(" { \n } ");
  ASSERT_TRUE(object);
  EXPECT_FALSE(object->members().next());
  EXPECT_FALSE(object->find(""));
}

TEST(FlatObject, TheLastOfDuplicateKeysWins) {
  const auto object = parse(R"({"a":1,"b":2,"a":3})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->find_uint64("a"), 3U);
}

TEST(FlatObject, KeysInsideOfNestedValuesAreNotFound) {
  const auto object = parse(R"({"a":{"b":1},"c":[{"b":2}]})");
  ASSERT_TRUE(object);
  EXPECT_FALSE(object->find("b"));
}

TEST(FlatObject, AKeySpeltWithEscapesIsNotFound) {
  const auto object = parse(R"({"\u0061":1})");
  ASSERT_TRUE(object);
  EXPECT_FALSE(object->find("a"));
  EXPECT_TRUE(object->find(R"(\u0061)"));
}

TEST(FlatObject, AnythingButOneWholeObjectIsRefused) {
  for (const std::string_view text : {"",
                                      " ",
                                      "null",
                                      "1",
                                      "\"a\"",
                                      "[]",
                                      "[{}]",
                                      "{",
                                      "}",
                                      "{}}",
                                      "{}{}",
                                      "{} x",
                                      "{},",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{,\"a\":1}",
                                      "{\"a\":1 \"b\":2}",
                                      "{\"a\" 1}",
                                      "{a:1}",
                                      "{'a':1}",
                                      "{1:1}",
                                      "{\"a\":1",
                                      "{\"a\":[}",
                                      "{\"a\":[1,]}",
                                      "{\"a\":[1}",
                                      "{\"a\":{]}",
                                      "{\"a\":[,]}",
                                      "{\"a\":tru}",
                                      "{\"a\":True}",
                                      "{\"a\":NaN}",
                                      "{\"a\":Infinity}",
                                      "{\"a\":nul",
                                      "{\"a\":1}/**/",
                                      "\xEF\xBB\xBF{}",
                                      "\v{}",
                                      "{\f}"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
  EXPECT_FALSE(parse(std::string_view("{}\0", 3)));
}

TEST(FlatObject, MalformedNumbersAreRefused) {
  for (const std::string_view text : {"01", "-", "+1", ".5", "5.", "1.e3", "1e", "1e+", "-01",
                                      "0x10", "1_000", "--1", "1.2.3", "1e1.5", "00", "-a"}) {
    EXPECT_FALSE(parse("{\"a\":" + std::string(text) + "}")) << text;
    EXPECT_FALSE(is_json_number(text)) << text;
  }
  for (const std::string_view text : {"0", "-0", "10", "0.5", "-1.25E+3", "1e-07", "1E400"}) {
    EXPECT_TRUE(parse("{\"a\":" + std::string(text) + "}")) << text;
    EXPECT_TRUE(is_json_number(text)) << text;
  }
  EXPECT_FALSE(is_json_number("1 "));
  EXPECT_FALSE(is_json_number(""));
}

TEST(FlatObject, MalformedStringsAreRefused) {
  for (const std::string_view text : {"\x1f",
                                      "\n",
                                      "\\",
                                      "\\x",
                                      "\\u12",
                                      "\\u123g",
                                      "\\'",
                                      "\\ud800",
                                      "\\ud800x",
                                      "\\udc00",
                                      "\\ud800\\u0041",
                                      "\\ud800\\ud800",
                                      "\\ud800\\ue000",
                                      "\\udc00\\udc00",
                                      "\x80",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xEF\xBF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "\xE2\x82x",
                                      "\xF1\x80\x80"}) {
    EXPECT_FALSE(parse("{\"a\":\"" + std::string(text) + "\"}")) << ::testing::PrintToString(text);
    EXPECT_FALSE(parse("{\"" + std::string(text) + "\":1}")) << ::testing::PrintToString(text);
  }
  for (const std::string_view text :
       {"\\\"", "\\\\\\/\\b\\f\\n\\r\\t", "\\u0000", "\\uD83D\\uDE00", "\x7F", "\xC2\x80",
        "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(parse("{\"a\":\"" + std::string(text) + "\"}")) << ::testing::PrintToString(text);
  }
}

TEST(FlatObject, NestingIsBounded) {
  EXPECT_TRUE(parse(nested(kMaxJsonDepth)));
  EXPECT_FALSE(parse(nested(kMaxJsonDepth + 1)));
  EXPECT_FALSE(parse("{\"a\":" + std::string(1300, '[')));
}

TEST(JsonValue, WholeNumbersMayBeSpeltAsFloats) {
  EXPECT_EQ(number("5").as_uint64(), 5U);
  EXPECT_EQ(number("5.0").as_uint64(), 5U);
  EXPECT_EQ(number("5e0").as_uint64(), 5U);
  EXPECT_EQ(number("0.5E1").as_uint64(), 5U);
  EXPECT_EQ(number("18446744073709551615").as_uint64(), UINT64_MAX);
  EXPECT_EQ(number("9007199254740992.0").as_uint64(), 1ULL << 53U);
}

TEST(JsonValue, WhatIsNoWholeNumberFrom0To64BitsIsNone) {
  for (const std::string_view text :
       {"-1", "-1.0", "-1e0", "5.5", "18446744073709551616", "1e300", "1e400", "-0.5", "1e-3",
        "9007199254740994.0", "18446744073709551616.0"}) {
    EXPECT_FALSE(number(text).as_uint64()) << text;
  }
  EXPECT_FALSE((JsonValue{.kind = Kind::kString, .raw = "5"}).as_uint64());
}

TEST(JsonValue, DoublesAreFinite) {
  EXPECT_EQ(number("-1.5e3").as_double(), -1500.0);
  EXPECT_EQ(number("1e308").as_double(), 1e308);
  EXPECT_FALSE(number("1e309").as_double());
  EXPECT_FALSE(number("-1e999999999999").as_double());
  EXPECT_FALSE((JsonValue{.kind = Kind::kString, .raw = "5"}).as_double());
  EXPECT_FALSE((JsonValue{.kind = Kind::kTrue, .raw = "true"}).as_double());
}

TEST(JsonValue, StringsWithEscapesAreNotHandedOut) {
  EXPECT_EQ((JsonValue{.kind = Kind::kString, .raw = "BWUP"}).as_string_view(), "BWUP");
  EXPECT_FALSE((JsonValue{.kind = Kind::kString, .raw = "BW\\u0055P"}).as_string_view());
  EXPECT_FALSE(number("5").as_string_view());
}

}  // namespace json_reader_test
}  // namespace wyndrvr::wire
