// argv to what was asked for, or the exact sentence that refuses it.
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/command_line.hpp"
#include "app/nearest.hpp"
#include "app/option_table.hpp"

namespace wyndrvr::app {
namespace command_line_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Arguments = std::vector<std::string>;

std::string error_of(const Arguments& arguments) {
  const auto command = parse_command_line(arguments);
  return command ? "<accepted>" : command.error().message;
}

CommandLine parsed(const Arguments& arguments) {
  const auto command = parse_command_line(arguments);
  EXPECT_TRUE(command.has_value()) << command.error().message;
  return command.value_or(CommandLine{});
}

TEST(CommandLine, NothingAtAllIsALatencyRunAgainstTheDefaults) {
  const CommandLine command = parsed({});
  EXPECT_EQ(command.action, Action::kClient);
  EXPECT_EQ(command.target, Target{});
  EXPECT_EQ(command.directions, wire::Directions::kLatencyOnly);
  EXPECT_FALSE(command.json);
  EXPECT_TRUE(command.values.empty());
  EXPECT_EQ(command.progress_interval, 1s);
}

TEST(CommandLine, AnUploadTestWithEverything) {
  const CommandLine command =
      parsed({"--bwup", "--duration", "2.5", "[::1]:7", "--interval=250", "--json=a b.json",
              "--config", "/etc/w", "--heartbeat-rate", "10", "--test-verbose"});
  EXPECT_EQ(command.action, Action::kClient);
  EXPECT_EQ(command.target, (Target{.host = "::1", .port = Port{7}}));
  EXPECT_EQ(command.directions, wire::Directions::kUpload);
  EXPECT_TRUE(command.json);
  EXPECT_EQ(command.json_path, "a b.json");
  EXPECT_EQ(command.config_path, "/etc/w");
  EXPECT_EQ(command.progress_interval, 250ms);
  EXPECT_THAT(command.values, ElementsAre(GivenValue{Key::kHeartbeatRate, "10", "--heartbeat-rate"},
                                          GivenValue{Key::kDuration, "2.5", "--duration"},
                                          GivenValue{Key::kTestVerbose, "true", "--test-verbose"}));
}

TEST(CommandLine, TestsGoInEitherDirectionOrBoth) {
  EXPECT_EQ(parsed({"--bwdown", "host"}).directions, wire::Directions::kDownload);
  EXPECT_EQ(parsed({"host", "--bwboth"}).directions, wire::Directions::kBoth);
  EXPECT_EQ(parsed({"--bwup", "--bwup"}).directions, wire::Directions::kUpload);
}

TEST(CommandLine, TwoTestsAtOnceAreAskedForWithOneOption) {
  const std::vector<Arguments> pairs = {
      {"--bwup", "--bwdown"}, {"--bwdown", "--bwboth"}, {"--bwboth", "--bwup", "host"}};
  for (const Arguments& arguments : pairs) {
    EXPECT_THAT(error_of(arguments),
                AllOf(HasSubstr("do not go together"), HasSubstr("are --bwboth alone")));
  }
}

TEST(CommandLine, BareSwitchesLeaveTheTargetAlone) {
  const CommandLine command =
      parsed({"--ecn", "--fragment", "--single-port", "--data-tags", "host"});
  EXPECT_EQ(command.target.host, "host");
  EXPECT_THAT(command.values, ElementsAre(GivenValue{Key::kFragment, "true", "--fragment"},
                                          GivenValue{Key::kDataTags, "true", "--data-tags"},
                                          GivenValue{Key::kEcn, "true", "--ecn"},
                                          GivenValue{Key::kSinglePort, "true", "--single-port"}));
}

TEST(CommandLine, ReliableIsToldOnOrOff) {
  EXPECT_THAT(parsed({"--reliable", "off", "host"}).values,
              ElementsAre(GivenValue{Key::kReliable, "off", "--reliable"}));
  EXPECT_EQ(error_of({"--reliable"}), "--reliable needs a value: --reliable on|off");
}

TEST(CommandLine, AnAddressToBindIsTheClientsOrTheServers) {
  EXPECT_THAT(parsed({"host", "--bind", "192.0.2.1"}).values,
              ElementsAre(GivenValue{Key::kBind, "192.0.2.1", "--bind"}));
  EXPECT_THAT(
      error_of({"--server", ":7000", "--bind", "192.0.2.1"}),
      AllOf(HasSubstr("--bind is a client's option"), HasSubstr("a server's is --bind-addr")));
}

TEST(CommandLine, EveryConfigurationKeyIsAnOption) {
  for (const KeySpec& spec : all_keys()) {
    Arguments arguments = {option_name(spec) + "=" + std::string(spec.default_text)};
    if (role_of(spec) == Role::kServer) arguments.emplace_back("--server");
    const CommandLine command = parsed(arguments);
    EXPECT_THAT(command.values, ElementsAre(GivenValue{spec.key, std::string(spec.default_text),
                                                       option_name(spec)}));
  }
}

TEST(CommandLine, AnEmptyCpuListIsAValue) {
  const auto expected =
      ElementsAre(GivenValue{Key::kCpu, "", "--cpu"}, GivenValue{Key::kUcmRate, "5", "--ucm-rate"});
  EXPECT_THAT(parsed({"--cpu=", "--ucm-rate", "5"}).values, expected);
  EXPECT_THAT(parsed({"--cpu", "", "--ucm-rate", "5"}).values, expected);
  EXPECT_THAT(parsed({"--cpu", "0-3,6"}).values,
              ElementsAre(GivenValue{Key::kCpu, "0-3,6", "--cpu"}));
  EXPECT_EQ(error_of({"--cpu"}), "--cpu needs a value: --cpu LIST");
}

TEST(CommandLine, OfARepeatedOptionTheLastCounts) {
  const CommandLine command = parsed({"--ucm-rate", "1", "--ucm-rate=2", "--json", "--json=f"});
  EXPECT_THAT(command.values, ElementsAre(GivenValue{Key::kUcmRate, "2", "--ucm-rate"}));
  EXPECT_EQ(command.json_path, "f");
}

TEST(CommandLine, TheServersAddressIsOptionalInEveryPart) {
  EXPECT_EQ(parsed({"--server"}).action, Action::kServer);
  EXPECT_TRUE(parsed({"--server"}).values.empty());
  EXPECT_THAT(parsed({"--server", ":7000"}).values,
              ElementsAre(GivenValue{Key::kBindPort, "7000", "--server"}));
  EXPECT_THAT(parsed({"--server=::1"}).values,
              ElementsAre(GivenValue{Key::kBindAddr, "::1", "--server"}));
  EXPECT_THAT(parsed({"--server", "127.0.0.1:0", "--idle-timeout", "9"}).values,
              ElementsAre(GivenValue{Key::kBindAddr, "127.0.0.1", "--server"},
                          GivenValue{Key::kBindPort, "0", "--server"},
                          GivenValue{Key::kIdleTimeout, "9", "--idle-timeout"}));
  EXPECT_EQ(parsed({"--server", "--test-verbose"}).action, Action::kServer);
}

TEST(CommandLine, BareTestDelayTakesANumberOnly) {
  const CommandLine bare = parsed({"--test-delay", "127.0.0.1"});
  EXPECT_EQ(bare.target.host, "127.0.0.1");
  EXPECT_THAT(bare.values, ElementsAre(GivenValue{Key::kTestDelay, "100", "--test-delay"}));
  const CommandLine given = parsed({"--test-delay", "50", "host"});
  EXPECT_EQ(given.target.host, "host");
  EXPECT_THAT(given.values, ElementsAre(GivenValue{Key::kTestDelay, "50", "--test-delay"}));
  EXPECT_THAT(parsed({"--test-delay", "-5"}).values,
              ElementsAre(GivenValue{Key::kTestDelay, "-5", "--test-delay"}));
  EXPECT_EQ(parsed({"--test-delay", "inf"}).target.host, "inf");
}

TEST(CommandLine, BareTestVerboseTakesATruthValueOnly) {
  EXPECT_THAT(parsed({"--test-verbose", "no"}).values,
              ElementsAre(GivenValue{Key::kTestVerbose, "no", "--test-verbose"}));
  EXPECT_EQ(parsed({"--test-verbose", "host"}).target.host, "host");
}

TEST(CommandLine, JsonTakesAFileOrGoesToStdout) {
  EXPECT_TRUE(parsed({"--json"}).json);
  EXPECT_FALSE(parsed({"--json"}).json_path.has_value());
  EXPECT_FALSE(parsed({"--json=-"}).json_path.has_value());
  EXPECT_FALSE(parsed({"host", "--json"}).json_path.has_value());
  EXPECT_FALSE(parsed({"--json", "--bwup"}).json_path.has_value());
  EXPECT_EQ(parsed({"--json", "out.json"}).json_path, "out.json");
  EXPECT_EQ(parsed({"--json", "/tmp/out"}).json_path, "/tmp/out");
  EXPECT_EQ(parsed({"--json", "out", "host"}).json_path, "out");
  EXPECT_EQ(parsed({"host", "--json", "out"}).json_path, "out");
  EXPECT_EQ(parsed({"--json=out"}).json_path, "out");
}

TEST(CommandLine, JsonBeforeTheOnlyHostIsExplained) {
  EXPECT_EQ(error_of({"--json", "192.0.2.7"}),
            "--json 192.0.2.7: is 192.0.2.7 the server? Then write wyndrvr 192.0.2.7 --json; else "
            "--json=192.0.2.7");
}

TEST(CommandLine, CountGoesWithDuration) {
  const CommandLine command = parsed({"--count", "20", "--duration", "3"});
  EXPECT_EQ(command.count, 20U);
  EXPECT_EQ(command.values.size(), 1U);
}

TEST(CommandLine, HelpAndVersion) {
  EXPECT_EQ(parsed({"--help"}).action, Action::kHelp);
  EXPECT_EQ(parsed({"-h"}).action, Action::kHelp);
  EXPECT_EQ(parsed({"--version"}).action, Action::kVersion);
  EXPECT_EQ(parsed({"--create-config", "--server", ":7"}).action, Action::kCreateConfig);
}

TEST(CommandLine, TwoDashesEndTheOptions) {
  EXPECT_EQ(parsed({"--", "host"}).target.host, "host");
  EXPECT_THAT(error_of({"--", "--bwup"}), HasSubstr("not a host name"));
}

TEST(CommandLine, UnknownOptionsAreNamedWithTheNearest) {
  EXPECT_EQ(error_of({"--bwpu"}), "unknown option --bwpu (did you mean --bwup?)");
  EXPECT_EQ(error_of({"--heartbeat_rate=5", "h"}),
            "unknown option --heartbeat_rate (did you mean --heartbeat-rate?)");
  EXPECT_EQ(error_of({"--qqqqqqqq"}), "unknown option --qqqqqqqq");
}

TEST(CommandLine, BadUsageIsRefusedInOneSentence) {
  const std::vector<std::pair<Arguments, std::string>> cases = {
      {{"a", "b"}, "'b' is one word too many: there is one target only"},
      {{"--duration"}, "--duration needs a value: --duration S"},
      {{"--duration", "--bwup"}, "--duration needs a value: --duration S"},
      {{"--duration="}, "--duration needs a value behind the ="},
      {{"--bwup=yes"}, "--bwup takes no value"},
      {{"--count", "0"}, "--count 0: must be a whole number from 1 to 1000000000"},
      {{"--count", "-3"}, "--count -3: must be a whole number from 1 to 1000000000"},
      {{"--interval", "99"},
       "--interval 99: must be a number from 100 to 60000 (ms), or a time with its unit, as in "
       "500ms or 10s"},
      {{"--interval", "61s"},
       "--interval 61s: must be a number from 100 to 60000 (ms), or a time with its unit, as in "
       "500ms or 10s"},
      {{"host:0"}, "host:0: port 0 cannot be sent to; must be from 1 to 65535"},
      {{"--server", "x:y"}, "--server x:y: 'y' is not a port: must be a whole number up to 65535"},
  };
  for (const auto& [arguments, expected] : cases) EXPECT_EQ(error_of(arguments), expected);
}

TEST(CommandLine, ContradictionsNameBothSides) {
  const std::vector<std::pair<Arguments, std::pair<std::string, std::string>>> cases = {
      {{"--server", ":1", "host"}, {"--server", "host"}},
      {{"--count", "3", "--bwup"}, {"--count", "--bwup"}},
      {{"--count", "3", "--bwboth"}, {"--count", "--bwboth"}},
      {{"--payload", "999", "--bw-packet-length", "9"}, {"--payload", "--bw-packet-length"}},
      {{"--server", "h:1", "--bind-addr", "g"}, {"--server h:1", "--bind-addr"}},
      {{"--server", "h:1", "--bind-port", "2"}, {"--server h:1", "--bind-port"}},
  };
  for (const auto& [arguments, sides] : cases) {
    EXPECT_THAT(error_of(arguments), AllOf(HasSubstr(sides.first), HasSubstr(sides.second),
                                           HasSubstr("do not go together")));
  }
  EXPECT_EQ(parsed({"--server", ":1", "--bind-addr", "g"}).values.size(), 2U)
      << "address and port from different options do not contradict";
}

TEST(CommandLine, ForeignTextInErrorsIsMadePrintable) {
  const std::string error = error_of({"--x\x1b[31m\n"});
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

TEST(HelpText, ShowsEveryOptionWithItsDefaultInLinesThatFit) {
  const std::string help = help_text();
  for (const OptionSpec& option : all_options()) EXPECT_THAT(help, HasSubstr(" " + option.name));
  EXPECT_THAT(help, AllOf(HasSubstr("5000"), HasSubstr("1362"), HasSubstr("--json [FILE]")));
  for (std::size_t start = 0; start < help.size();) {
    const std::size_t end = help.find('\n', start);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - start, 100U) << help.substr(start, end - start);
    start = end + 1;
  }
}

TEST(Nearest, CountsSwappedNeighboursAsOneSlip) {
  const std::vector<std::string> known = {"--bwup", "--json", "--server"};
  EXPECT_EQ(nearest("--bwpu", known), "--bwup");
  EXPECT_EQ(nearest("--jsn", known), "--json");
  EXPECT_EQ(nearest("--sever", known), "--server");
  EXPECT_EQ(nearest("--cpuset-list", known), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000, 'x'), known), std::nullopt);
}

}  // namespace command_line_test
}  // namespace wyndrvr::app
