// CPU lists: what is read, what is refused with which words, and how they are written.
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_edit.hpp"
#include "app/cpu_list.hpp"
#include "app/settings.hpp"

namespace wyndrvr::app {
namespace cpu_list_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(CpuList, NumbersAndRangesKeepTheirOrder) {
  const std::vector<std::pair<std::string_view, CpuList>> cases = {
      {"0", {0}},
      {"0-3,6", {0, 1, 2, 3, 6}},
      {"6,0-2", {6, 0, 1, 2}},
      {"5-5", {5}},
      {" 1 , 2 - 3\t", {1, 2, 3}},
      {"8191", {8191}},
      {"", {}},
      {" \t", {}},
      {"0003", {3}},
  };
  for (const auto& [text, expected] : cases) {
    const auto cpus = parse_cpu_list(text);
    ASSERT_TRUE(cpus.has_value()) << text << ": " << cpus.error().message;
    EXPECT_EQ(*cpus, expected) << text;
  }
}

TEST(CpuList, IsBoundedInLength) {
  const auto cpus = parse_cpu_list("100-1123");
  ASSERT_TRUE(cpus.has_value());
  EXPECT_EQ(cpus->size(), 1024U);
  EXPECT_EQ(cpus->back(), 1123U);
  const auto one_more = parse_cpu_list("100-1123,5");
  ASSERT_FALSE(one_more.has_value());
  EXPECT_THAT(one_more.error().message, HasSubstr("more than 1024 CPUs"));
}

TEST(CpuList, WhatIsWrongIsSaid) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"x", "'x' is neither a CPU's number"},
      {"0,two", "'two' is neither"},
      {"-1", "'-1' is neither"},
      {"1-", "'1-' is neither"},
      {"1-2-3", "'1-2-3' is neither"},
      {"1.5", "'1.5' is neither"},
      {"+1", "'+1' is neither"},
      {"1 2", "'1 2' is neither"},
      {"8192", "number (0 to 8191)"},
      {"0-8192", "number (0 to 8191)"},
      {"0-8191", "more than 1024 CPUs"},
      {"0-4294967295", "'0-4294967295' is neither"},
      {"99999999999999999999", "is neither"},
      {"3-1", "the range 3-1 ends before it begins: write 1-3"},
      {"1,1", "CPU 1 stands in the list twice"},
      {"0-3,2", "CPU 2 stands in the list twice"},
      {"2-4,1-2", "CPU 2 stands in the list twice"},
      {",", "an item of the list is empty"},
      {"1,,2", "an item of the list is empty"},
      {"1,", "an item of the list is empty"},
      {"1, ", "an item of the list is empty"},
      {",1", "an item of the list is empty"},
  };
  for (const auto& [text, reason] : cases) {
    const auto cpus = parse_cpu_list(text);
    ASSERT_FALSE(cpus.has_value()) << text;
    EXPECT_THAT(cpus.error().message, HasSubstr(reason)) << text;
  }
}

TEST(CpuList, ForeignTextInAnErrorIsMadePrintable) {
  const auto cpus = parse_cpu_list("1,\x1b[2J\n");
  ASSERT_FALSE(cpus.has_value());
  EXPECT_THAT(cpus.error().message, AllOf(HasSubstr("\\x1b[2J\\x0a"), Not(HasSubstr("\x1b"))));
}

TEST(CpuList, IsWrittenAscendingAndWithRanges) {
  EXPECT_EQ(format_cpu_list({}), "none");
  EXPECT_EQ(format_cpu_list({7}), "7");
  EXPECT_EQ(format_cpu_list({1, 0}), "0-1");
  EXPECT_EQ(format_cpu_list({6, 0, 1, 2, 3}), "0-3,6");
  EXPECT_EQ(format_cpu_list({0, 2, 4}), "0,2,4");
  EXPECT_EQ(format_cpu_list({8, 9, 10, 1022, 1023}), "8-10,1022-1023");
}

TEST(CpuList, WhatIsWrittenReadsTheSame) {
  const CpuList cpus = {0, 1, 5, 7, 8, 9, 1023};
  const auto read = parse_cpu_list(format_cpu_list(cpus));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, cpus);
}

TEST(CpuKey, IsEmptyUnlessGiven) {
  Settings settings;
  EXPECT_THAT(settings.cpus(Key::kCpu), IsEmpty());
  ASSERT_TRUE(settings.set(Key::kCpu, "4,0-1", Origin::file("config", 3)));
  EXPECT_THAT(settings.cpus(Key::kCpu), ElementsAre(4U, 0U, 1U));
  ASSERT_TRUE(settings.set(Key::kCpu, "", Origin::option("--cpu")));
  EXPECT_THAT(settings.cpus(Key::kCpu), IsEmpty());
}

TEST(CpuKey, AnErrorNamesTheOptionOrTheLine) {
  Settings settings;
  const auto option = settings.set(Key::kCpu, "3-1", Origin::option("--cpu"));
  ASSERT_FALSE(option.has_value());
  EXPECT_EQ(option.error().message, "--cpu 3-1: the range 3-1 ends before it begins: write 1-3");
  const auto line = settings.set(Key::kCpu, "1,1", Origin::file("/c", 7));
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().message, "cpu=1,1 (file /c:7): CPU 1 stands in the list twice");
}

TEST(CpuKey, IsWrittenToANewFileWithItsMeaning) {
  EXPECT_THAT(new_config_text({}),
              AllOf(HasSubstr("CPUs that loops are pinned to"), HasSubstr("\ncpu=\n")));
  const std::vector<KeyText> values = {{Key::kCpu, "0-3,6"}};
  EXPECT_THAT(new_config_text(values), HasSubstr("\ncpu=0-3,6\n"));
}

TEST(CpuKey, AnEditKeepsAListThatMeansTheSame) {
  const std::vector<KeyText> same = {{Key::kCpu, "0,1,2"}};
  const auto kept = edit_config("cpu=0-2 # mine\n", "f", same);
  ASSERT_TRUE(kept.has_value());
  EXPECT_THAT(kept->changes, IsEmpty());
  const std::vector<KeyText> other = {{Key::kCpu, "2,1,0"}};
  const auto edited = edit_config("cpu=0-2 # mine\n", "f", other);
  ASSERT_TRUE(edited.has_value());
  EXPECT_EQ(edited->text, "cpu=2,1,0 # mine\n") << "the order is the order of pinning";
}

}  // namespace cpu_list_test
}  // namespace wyndrvr::app
