#include <array>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "wire/text_writer.hpp"

namespace wyndrvr::wire {
namespace {

std::string number_text(double number) {
  std::array<std::byte, 32> out{};
  TextWriter writer(out);
  writer.put_number(number);
  return std::string(as_text(ByteView(out).first(writer.size())));
}

std::string float_text(double number) {
  std::array<std::byte, 32> out{};
  TextWriter writer(out);
  writer.put_float(number);
  return std::string(as_text(ByteView(out).first(writer.size())));
}

TEST(TextWriter, WholeNumbersBelow2To53HaveNoPoint) {
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(1), "1");
  EXPECT_EQ(number_text(30), "30");
  EXPECT_EQ(number_text(0x1p53 - 1), "9007199254740991");
}

TEST(TextWriter, OtherNumbersAreWrittenAsFloats) {
  EXPECT_EQ(number_text(0x1p53), "9007199254740992.0");
  EXPECT_EQ(number_text(-1), "-1.0");
  EXPECT_EQ(number_text(0.5), "0.5");
  EXPECT_EQ(number_text(2.25), "2.25");
}

// Python: repr(float).
TEST(TextWriter, FloatsHaveAnExponentWherePythonGivesThemOne) {
  EXPECT_EQ(float_text(0), "0.0");
  EXPECT_EQ(float_text(3), "3.0");
  EXPECT_EQ(float_text(1e-4), "0.0001");
  EXPECT_EQ(float_text(9.5e-5), "9.5e-05");
  EXPECT_EQ(float_text(1e15), "1000000000000000.0");
  EXPECT_EQ(float_text(1e16), "1e+16");
  EXPECT_EQ(float_text(-1e16), "-1e+16");
  EXPECT_EQ(float_text(-0.25), "-0.25");
}

TEST(TextWriter, LongestFloatFits) {
  EXPECT_EQ(float_text(-std::numeric_limits<double>::max()), "-1.7976931348623157e+308");
  EXPECT_EQ(float_text(std::numeric_limits<double>::denorm_min()), "5e-324");
}

TEST(TextWriter, TextAndNumbersFollowEachOther) {
  std::array<std::byte, 32> out{};
  TextWriter writer(out);
  writer.put("a").put(7U).put("b").put_number(2).put_float(2);
  EXPECT_EQ(as_text(ByteView(out).first(writer.size())), "a7b22.0");
}

}  // namespace
}  // namespace wyndrvr::wire
