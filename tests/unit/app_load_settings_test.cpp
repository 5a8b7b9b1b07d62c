// Finding, merging and writing the configuration file, in a folder of its own.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/create_config.hpp"
#include "app/load_settings.hpp"
#include "os/entropy.hpp"

namespace wyndrvr::app {
namespace load_settings_test {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    // Another run of these tests may be under way.
    folder_ = ::testing::TempDir() + fmt::format("load_settings_test_{:016x}", os::entropy64());
    ASSERT_TRUE(std::filesystem::create_directory(folder_));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name), std::ios::binary).rdbuf();
    return text.str();
  }
  [[nodiscard]] ConfigPath named(const std::string& name) const {
    const auto found = find_config(path(name), "");
    EXPECT_TRUE(found.has_value()) << found.error().message;
    return found.value_or(ConfigPath{});
  }

  std::string folder_;
};

using FindConfig = ConfigFolder;
using LoadSettings = ConfigFolder;
using CreateConfig = ConfigFolder;

class LoadKeys : public ConfigFolder {
 protected:
  [[nodiscard]] Settings naming_keys() const {
    Settings settings;
    EXPECT_TRUE(settings.set(Key::kKeyFile, path("keys"), Origin::option("--key-file")));
    return settings;
  }
};

TEST_F(FindConfig, TheDefaultLiesBelowHomeAndMayBeMissing) {
  const auto found = find_config(std::nullopt, folder_);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->path, path(".wyndrvr/config"));
  EXPECT_FALSE(found->exists);
  EXPECT_TRUE(load_settings(CommandLine{}, *found).has_value());
}

TEST_F(FindConfig, AFolderHoldsConfig) {
  write("config", "");
  EXPECT_EQ(named("").path, path("config"));
  EXPECT_TRUE(named("").exists);
  EXPECT_EQ(named("new/").path, path("new/config"));
  EXPECT_EQ(named("new").path, path("new"));
  EXPECT_FALSE(named("new").exists);
}

TEST_F(LoadSettings, ANamedFileMustExist) {
  const auto loaded = load_settings(CommandLine{}, named("absent"));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().message, AllOf(HasSubstr(path("absent")), HasSubstr("--create")));
}

TEST_F(LoadSettings, TheCommandLineGoesBeforeTheFileAndThatBeforeTheDefaults) {
  write("c", "duration=7\nucm_rate=8\nold=1\n");
  CommandLine command;
  command.values = {{Key::kDuration, "9", "--duration"}};
  const auto loaded = load_settings(command, named("c"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->settings.describe(Key::kDuration), "duration=9 (option --duration)");
  EXPECT_EQ(loaded->settings.describe(Key::kUcmRate), "ucm_rate=8 (file " + path("c") + ":2)");
  EXPECT_EQ(loaded->settings.describe(Key::kUcmDelay), "ucm_delay=100 (default)");
  EXPECT_THAT(loaded->warnings, ElementsAre(HasSubstr("old")));
}

TEST_F(LoadSettings, ABadOptionIsRefused) {
  CommandLine command;
  command.values = {{Key::kDuration, "x", "--duration"}};
  const auto loaded = load_settings(command, ConfigPath{});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().message, HasSubstr("--duration x"));
}

TEST_F(LoadKeys, WithoutAFileThereAreNone) {
  const auto keys = load_keys(Settings());
  ASSERT_TRUE(keys.has_value()) << keys.error().message;
  EXPECT_THAT(*keys, IsEmpty());
}

TEST_F(LoadKeys, TheFilesKeysComeInItsOrder) {
  write("keys", "7 " + std::string(64, 'a') + "\n3 " + std::string(64, 'b') + "\n");
  using std::filesystem::perms;
  std::filesystem::permissions(path("keys"), perms::owner_read);
  const auto keys = load_keys(naming_keys());
  ASSERT_TRUE(keys.has_value()) << keys.error().message;
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ(keys->front().id, 7U);
  EXPECT_EQ(keys->back().id, 3U);
}

TEST_F(LoadKeys, AFileThatOthersCanReadIsRefusedNamingTheOption) {
  write("keys", "7 " + std::string(64, 'a') + "\n");
  using std::filesystem::perms;
  std::filesystem::permissions(path("keys"), perms::owner_read | perms::others_read);
  const auto keys = load_keys(naming_keys());
  ASSERT_FALSE(keys.has_value());
  EXPECT_THAT(keys.error().message, AllOf(HasSubstr("key_file="), HasSubstr("option --key-file")));
}

TEST_F(CreateConfig, WritesTheDefaultsInNewFolders) {
  const auto created = create_config(named("a/b/c"), {});
  ASSERT_TRUE(created.has_value()) << created.error().message;
  EXPECT_THAT(created->lines, ElementsAre("Created default configuration file: " + path("a/b/c")));
  const auto loaded = load_settings(CommandLine{}, named("a/b/c"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST_F(CreateConfig, WritesGivenValues) {
  const std::vector<GivenValue> values = {{Key::kDuration, "5", "--duration"}};
  const auto created = create_config(named("c"), values);
  ASSERT_TRUE(created.has_value()) << created.error().message;
  EXPECT_THAT(created->lines, ElementsAre("Created new configuration file: " + path("c")));
  EXPECT_THAT(read("c"), HasSubstr("\nduration=5\n"));
}

TEST_F(CreateConfig, EditsAnExistingFileAndListsTheChanges) {
  write("c", "# mine\nduration=30 # s\n");
  const std::vector<GivenValue> values = {{Key::kDuration, "5", "--duration"},
                                          {Key::kUcmRate, "6", "--ucm-rate"}};
  const auto created = create_config(named("c"), values);
  ASSERT_TRUE(created.has_value()) << created.error().message;
  EXPECT_THAT(created->lines,
              ElementsAre("WARNING: Edited existing configuration file: " + path("c"),
                          "duration: 30 -> 5", "ucm_rate: (not set) -> 6"));
  EXPECT_EQ(read("c"), "# mine\nduration=5 # s\nucm_rate=6\n");
  const auto again = create_config(named("c"), values);
  ASSERT_TRUE(again.has_value());
  EXPECT_THAT(again->lines, ElementsAre("Configuration file unchanged: " + path("c")));
}

TEST_F(CreateConfig, ShowsAnEmptyListAsSuch) {
  write("c", "cpu= # all\n");
  const std::vector<GivenValue> some = {{Key::kCpu, "0-3,6", "--cpu"}};
  const auto set = create_config(named("c"), some);
  ASSERT_TRUE(set.has_value()) << set.error().message;
  EXPECT_THAT(set->lines, Contains("cpu: (empty) -> 0-3,6"));
  EXPECT_EQ(read("c"), "cpu= 0-3,6 # all\n");
  const std::vector<GivenValue> none = {{Key::kCpu, "", "--cpu"}};
  const auto cleared = create_config(named("c"), none);
  ASSERT_TRUE(cleared.has_value()) << cleared.error().message;
  EXPECT_THAT(cleared->lines, Contains("cpu: 0-3,6 -> (empty)"));
  EXPECT_THAT(load_settings(CommandLine{}, named("c"))->settings.cpus(Key::kCpu), IsEmpty());
}

TEST_F(CreateConfig, RefusesABadValueByItsOption) {
  const std::vector<GivenValue> values = {{Key::kDuration, "x", "--duration"}};
  const auto created = create_config(named("c"), values);
  ASSERT_FALSE(created.has_value());
  EXPECT_THAT(created.error().message, HasSubstr("--duration x"));
  EXPECT_FALSE(std::filesystem::exists(path("c")));
}

TEST_F(CreateConfig, LeavesAFileAloneThatWouldNotLoad) {
  write("c", "adjustment_delay=20\n");
  const std::vector<GivenValue> values = {{Key::kFlowControlRate, "100", "--flow-control-rate"}};
  const auto created = create_config(named("c"), values);
  ASSERT_FALSE(created.has_value());
  EXPECT_THAT(created.error().message, HasSubstr("adjustment_delay=20"));
  EXPECT_EQ(read("c"), "adjustment_delay=20\n");
}

TEST_F(CreateConfig, RepairsABadValue) {
  write("c", "duration=long\n");
  const std::vector<GivenValue> values = {{Key::kDuration, "5", "--duration"}};
  const auto created = create_config(named("c"), values);
  ASSERT_TRUE(created.has_value()) << created.error().message;
  EXPECT_EQ(read("c"), "duration=5\n");
}

}  // namespace load_settings_test
}  // namespace wyndrvr::app
