// The configuration file's text: reading, editing byte for byte, and writing a new one.
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_edit.hpp"
#include "app/config_file.hpp"

namespace wyndrvr::app {
namespace config_file_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string value_in(std::string_view line) {
  const auto lines = scan_config(line, "f");
  if (!lines || lines->size() != 1) return "<not one assignment>";
  return std::string(lines->front().key) + "|" + std::string(lines->front().value);
}

TEST(ConfigFile, ReadsEveryFormOfAnAssignment) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"a=b", "a|b"},
      {"  a  =  b  ", "a|b"},
      {"\ta\t=\tb\t", "a|b"},
      {"a=b # c", "a|b"},
      {"a=b\t#c", "a|b"},
      {"a=b#c", "a|b#c"},
      {"a=", "a|"},
      {"a= # c", "a|"},
      {"a=b c", "a|b c"},
      {"a=b=c", "a|b=c"},
      {"a=\"b # c\"", "a|b # c"},
      {"a='b'", "a|b"},
      {"a='b' # c", "a|b"},
      {"a=\"b'", "a|\"b'"},
      {"a='b'c", "a|'b'c"},
      {"a=b\r\n", "a|b"},
      {"\xef\xbb\xbf"
       "a=b",
       "a|b"},
      {"\n\n# x\n a=b\n   \n", "a|b"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(value_in(text), expected) << text;
}

TEST(ConfigFile, ALineThatIsNoneIsAnErrorWithItsPlace) {
  for (const std::string_view text : {"# x\nheartbeat_rate\n", "\n=5", "a=b\n[section]"}) {
    const auto lines = scan_config(text, "/etc/w");
    ASSERT_FALSE(lines.has_value()) << text;
    EXPECT_THAT(lines.error().message, AllOf(HasSubstr("/etc/w:2"), HasSubstr("key=value")));
  }
}

TEST(ConfigFile, SetsValuesWithTheirLine) {
  Settings settings;
  const auto warnings = apply_config(settings, "# old\r\nheartbeat_rate = 10 # ms\r\n", "/c");
  ASSERT_TRUE(warnings.has_value()) << warnings.error().message;
  EXPECT_THAT(*warnings, IsEmpty());
  EXPECT_EQ(settings.duration(Key::kHeartbeatRate), 10ms);
  EXPECT_EQ(settings.origin(Key::kHeartbeatRate).describe(), "file /c:2");
}

TEST(ConfigFile, AnUnknownKeyIsAWarningAndTheRestIsRead) {
  Settings settings;
  const auto warnings = apply_config(settings, "old_key=1\nheartbeat_rat=3\nucm_rate=7", "/c");
  ASSERT_TRUE(warnings.has_value());
  EXPECT_THAT(*warnings, ElementsAre(AllOf(HasSubstr("/c:1"), HasSubstr("'old_key'")),
                                     AllOf(HasSubstr("/c:2"), HasSubstr("heartbeat_rate"))));
  EXPECT_EQ(settings.integer(Key::kUcmRate), 7U);
}

TEST(ConfigFile, OfADuplicateTheLastCountsWithAWarning) {
  Settings settings;
  const auto warnings = apply_config(settings, "duration=1\nduration=2\n", "/c");
  ASSERT_TRUE(warnings.has_value());
  EXPECT_EQ(settings.duration(Key::kDuration), 2s);
  EXPECT_THAT(*warnings,
              ElementsAre(AllOf(HasSubstr("/c:2"), HasSubstr("duration"), HasSubstr("line 1"))));
}

TEST(ConfigFile, ABadValueOfAKnownKeyIsAnErrorWithItsPlace) {
  Settings settings;
  const auto result = apply_config(settings, "\nduration=long\n", "/c");
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("/c:2"), HasSubstr("duration=long")));
}

TEST(ConfigFile, IsBoundedInSize) {
  EXPECT_TRUE(scan_config(std::string(kMaxConfigSize, '\n'), "f").has_value());
  EXPECT_FALSE(scan_config(std::string(kMaxConfigSize + 1, '\n'), "f").has_value());
}

std::string edited(std::string_view text, std::vector<KeyText> values) {
  const auto edit = edit_config(text, "f", values);
  return edit ? edit->text : "error: " + edit.error().message;
}

TEST(ConfigEdit, ChangesOnlyTheValue) {
  EXPECT_EQ(edited("# top\n  duration =  30   # s\nother=1\n\nucm_rate=5", {{Key::kDuration, "5"}}),
            "# top\n  duration =  5   # s\nother=1\n\nucm_rate=5");
  EXPECT_EQ(edited("duration='30'\r\n", {{Key::kDuration, "5"}}), "duration='5'\r\n");
  EXPECT_EQ(edited("\xef\xbb\xbf"
                   "duration=30",
                   {{Key::kDuration, "5"}}),
            "\xef\xbb\xbf"
            "duration=5");
}

TEST(ConfigEdit, AnEmptyValueIsFilledInBeforeItsComment) {
  EXPECT_EQ(edited("duration= # s\n", {{Key::kDuration, "5"}}), "duration= 5 # s\n");
  EXPECT_EQ(edited("duration=\n", {{Key::kDuration, "5"}}), "duration=5\n");
}

TEST(ConfigEdit, AppendsMissingKeysWithTheFilesLineEnds) {
  EXPECT_EQ(edited("a=1", {{Key::kDuration, "5"}, {Key::kUcmRate, "6"}}),
            "a=1\nduration=5\nucm_rate=6\n");
  EXPECT_EQ(edited("a=1\r\n", {{Key::kDuration, "5"}}), "a=1\r\nduration=5\r\n");
  EXPECT_EQ(edited("", {{Key::kDuration, "5"}}), "duration=5\n");
}

TEST(ConfigEdit, OfADuplicateTheLineThatCountsIsChanged) {
  EXPECT_EQ(edited("duration=1\nduration=2\n", {{Key::kDuration, "5"}}),
            "duration=1\nduration=5\n");
}

TEST(ConfigEdit, TellsWhatWasChanged) {
  const std::vector<KeyText> values = {
      {Key::kDuration, "5"}, {Key::kTestVerbose, "true"}, {Key::kUcmRate, "6"}};
  const auto edit = edit_config("duration=30.0\ntest_verbose=YES\n", "f", values);
  ASSERT_TRUE(edit.has_value());
  ASSERT_EQ(edit->changes.size(), 2U) << "YES means true already";
  EXPECT_EQ(edit->changes[0].key, "duration");
  EXPECT_EQ(edit->changes[0].old_text, "30.0");
  EXPECT_EQ(edit->changes[0].new_text, "5");
  EXPECT_EQ(edit->changes[1].key, "ucm_rate");
  EXPECT_FALSE(edit->changes[1].old_text.has_value());
  EXPECT_EQ(edit->text, "duration=5\ntest_verbose=YES\nucm_rate=6\n");
}

TEST(ConfigEdit, RefusesAFileThatCannotBeRead) {
  EXPECT_THAT(edited("nonsense\n", {{Key::kDuration, "5"}}), HasSubstr("f:1"));
}

TEST(ConfigEdit, ANewFileLoadsWithoutAWarningAndHoldsEveryKey) {
  const std::vector<KeyText> values = {{Key::kDuration, "5"}};
  const std::string text = new_config_text(values);
  Settings settings;
  const auto warnings = apply_config(settings, text, "f");
  ASSERT_TRUE(warnings.has_value()) << warnings.error().message;
  EXPECT_THAT(*warnings, IsEmpty());
  for (const KeySpec& spec : all_keys()) {
    EXPECT_EQ(settings.origin(spec.key).kind, Origin::Kind::kFile) << spec.name;
    const std::string_view expected = spec.key == Key::kDuration ? "5" : spec.default_text;
    EXPECT_EQ(settings.text(spec.key), expected) << spec.name;
    EXPECT_THAT(text, HasSubstr(spec.meaning));
  }
}

}  // namespace config_file_test
}  // namespace wyndrvr::app
