// Whose an option is: refused on the command line of the other end, a warning in a file.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/command_line.hpp"
#include "app/config_file.hpp"
#include "app/load_settings.hpp"
#include "app/option_table.hpp"

namespace wyndrvr::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The option with a value that it takes.
std::string valid(const OptionSpec& option) {
  if (option.argument == Argument::kNone) return option.name;
  if (option.key) return option.name + "=" + std::string(spec_of(*option.key).default_text);
  return option.name + (option.name == "--interval" ? "=500" : "=1");
}

std::string outcome_of(const std::vector<std::string>& words) {
  const auto command = parse_command_line(words);
  return command ? "<accepted>" : command.error().message;
}

TEST(OptionRole, EveryOptionOfTheOtherEndIsRefusedAndNamed) {
  for (const OptionSpec& option : all_options()) {
    if (option.name == "--server") continue;
    const std::string at_client = outcome_of({valid(option)});
    const std::string at_server = outcome_of({"--server", valid(option)});
    const std::string of_server = option.name + " is a server's option, and this is a client";
    const std::string of_client = option.name + " is a client's option, and this is a server";
    if (option.role == Role::kServer) {
      EXPECT_THAT(at_client, HasSubstr(of_server));
    } else {
      EXPECT_EQ(at_client, "<accepted>") << option.name;
    }
    if (option.role == Role::kClient) {
      EXPECT_THAT(at_server, HasSubstr(of_client));
    } else {
      EXPECT_EQ(at_server, "<accepted>") << option.name;
    }
  }
}

TEST(OptionRole, WhatTheOtherEndHasInItsPlaceIsSaid) {
  EXPECT_THAT(outcome_of({"--server", "--bind", "192.0.2.1"}),
              HasSubstr("a server's is --bind-addr"));
  EXPECT_THAT(outcome_of({"host", "--bind-addr", "192.0.2.1"}), HasSubstr("a client's is --bind"));
  EXPECT_THAT(outcome_of({"--server", "-t", "5"}), HasSubstr("a server's is --max-test-duration"));
  EXPECT_THAT(outcome_of({"host", "--max-sessions", "5"}),
              HasSubstr("or be the server with --server"));
}

TEST(OptionRole, AnInterfaceIsEitherEnds) {
  EXPECT_EQ(outcome_of({"--server", "--interface", "lo"}), "<accepted>");
  EXPECT_EQ(outcome_of({"host", "--interface", "lo"}), "<accepted>");
}

TEST(OptionRole, AConfigurationFileIsForBothEnds) {
  const auto command =
      parse_command_line({"--create-config", "--rate", "1M", "--max-rate", "2M", "--count", "3"});
  ASSERT_TRUE(command.has_value()) << command.error().message;
  EXPECT_EQ(command->values.size(), 2U);
  EXPECT_THAT(command->warnings, ElementsAre(HasSubstr("--count is no key of the file")));
}

TEST(OptionRole, ATestsOptionWithoutATestIsAWarning) {
  const auto command = parse_command_line({"host", "--rate", "1M", "--dscp", "EF", "--ecn"});
  ASSERT_TRUE(command.has_value()) << command.error().message;
  EXPECT_THAT(command->warnings,
              ElementsAre(HasSubstr("--rate is not used without a test"), HasSubstr("--ecn")));
  for (const char* test : {"--bwup", "--bwdown", "--bwboth"}) {
    EXPECT_THAT(parse_command_line({"host", "--rate", "1M", test})->warnings, IsEmpty());
  }
}

std::vector<std::string> warnings_of(std::string_view file, Role role) {
  Settings settings;
  EXPECT_TRUE(apply_config(settings, file, "f").has_value());
  return unused_keys(settings, role);
}

TEST(OptionRole, AFilesKeyOfTheOtherEndIsAWarning) {
  constexpr std::string_view kFile = "rate=5M\nmax_rate=5M\ninterface=lo\nheartbeat_rate=9\n";
  EXPECT_THAT(warnings_of(kFile, Role::kServer),
              ElementsAre("f:1: rate is a client's option; a server does not use it"));
  EXPECT_THAT(warnings_of(kFile, Role::kClient),
              ElementsAre("f:2: max_rate is a server's option; a client does not use it"));
}

TEST(OptionRole, AFileThatSpellsTheDefaultsOutIsQuiet) {
  std::string file;
  for (const KeySpec& spec : all_keys()) {
    file += std::string(spec.name) + "=" + std::string(spec.default_text) + "\n";
  }
  EXPECT_THAT(warnings_of(file, Role::kServer), IsEmpty());
  EXPECT_THAT(warnings_of(file, Role::kClient), IsEmpty());
}

}  // namespace
}  // namespace wyndrvr::app
