// Short options, other tools' habits, and slips of the pen: taken where they mean something here,
// else refused with what to write.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/command_line.hpp"
#include "app/option_table.hpp"

namespace wyndrvr::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Words = std::vector<std::string>;

std::string refusal_of(const Words& words) {
  const auto command = parse_command_line(words);
  return command ? "<accepted>" : command.error().message;
}

CommandLine accepted(const Words& words) {
  const auto command = parse_command_line(words);
  EXPECT_TRUE(command.has_value()) << command.error().message;
  return command.value_or(CommandLine{});
}

TEST(ShortOptions, StandForTheLongOnes) {
  EXPECT_EQ(accepted({"-h"}).action, Action::kHelp);
  EXPECT_EQ(accepted({"-V"}).action, Action::kVersion);
  EXPECT_EQ(accepted({"-4", "host"}).family, IpAddress::Family::kV4);
  EXPECT_EQ(accepted({"host", "-6"}).family, IpAddress::Family::kV6);
  EXPECT_EQ(accepted({"host", "-p", "7"}).target.port, Port{7});
  EXPECT_THAT(accepted({"host", "-t", "10"}).values,
              ElementsAre(GivenValue{Key::kDuration, "10", "-t"}));
}

TEST(ShortOptions, JsonTakesNoWordSoTheHostStaysTheTarget) {
  const CommandLine command = accepted({"-J", "192.0.2.7"});
  EXPECT_TRUE(command.json);
  EXPECT_FALSE(command.json_path.has_value());
  EXPECT_EQ(command.target.host, "192.0.2.7");
}

TEST(ShortOptions, IntervalTakesSeconds) {
  EXPECT_EQ(accepted({"-i", "1"}).progress_interval, 1s);
  EXPECT_EQ(accepted({"-i0.5"}).progress_interval, 500ms);
  EXPECT_EQ(accepted({"-i", "250ms"}).progress_interval, 250ms);
  EXPECT_EQ(accepted({"--interval", "250"}).progress_interval, 250ms);
  EXPECT_EQ(accepted({"--interval", "2s"}).progress_interval, 2s);
  EXPECT_THAT(refusal_of({"-i", "0"}), HasSubstr("-i 0: must be a number from 0.1 to 60 (s)"));
  EXPECT_EQ(refusal_of({"-i"}), "-i needs a value: -i S");
}

TEST(ShortOptions, StandTogetherAndTakeJoinedValues) {
  const CommandLine command = accepted({"-4Jt10", "-p7", "host"});
  EXPECT_EQ(command.family, IpAddress::Family::kV4);
  EXPECT_TRUE(command.json);
  EXPECT_EQ(command.target.port, Port{7});
  EXPECT_THAT(command.values, ElementsAre(GivenValue{Key::kDuration, "10", "-t"}));
  EXPECT_EQ(accepted({"-t=10"}).values.front().text, "10");
}

TEST(ShortOptions, OfTheSameOptionTheLastCounts) {
  EXPECT_THAT(accepted({"--duration", "5", "-t", "6"}).values,
              ElementsAre(GivenValue{Key::kDuration, "6", "-t"}));
}

TEST(ShortOptions, AreAllInTheHelp) {
  const std::string help = help_text();
  for (const char letter : std::string("46hiJptV")) {
    EXPECT_NE(find_option(letter), nullptr) << letter;
    EXPECT_THAT(help, HasSubstr(std::string("  -") + letter + ", --"));
  }
}

TEST(MainPort, IsTheTargetsOrTheServersOwn) {
  EXPECT_THAT(accepted({"--server", "-p", "7"}).values,
              ElementsAre(GivenValue{Key::kBindPort, "7", "-p"}));
  EXPECT_EQ(accepted({"-p", "7"}).target.port, Port{7});
  EXPECT_EQ(accepted({"host:7", "-p", "7"}).target.port, Port{7});
  EXPECT_THAT(refusal_of({"host:8", "-p", "7"}), HasSubstr("do not go together"));
  EXPECT_THAT(refusal_of({"--server", ":8", "-p", "7"}), HasSubstr("do not go together"));
  EXPECT_THAT(refusal_of({"--server", "-p", "7", "--bind-port", "8"}),
              HasSubstr("do not go together"));
  EXPECT_THAT(refusal_of({"host", "-p", "0"}), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(refusal_of({"host", "-p", "x"}), HasSubstr("-p x: must be a whole number"));
}

TEST(Family, IsOneAtMost) {
  EXPECT_THAT(refusal_of({"-4", "-6"}), HasSubstr("--ipv4 and --ipv6 do not go together"));
  EXPECT_EQ(accepted({"host"}).family, std::nullopt);
}

TEST(OtherHabits, AreAnsweredWithOurOwnOption) {
  const std::vector<std::pair<Words, std::string>> cases = {{{"-u", "host"}, "leave it out"},
                                                            {{"-c", "host"}, "wyndrvr HOST"},
                                                            {{"-s"}, "--server"},
                                                            {{"host", "-b", "10M"}, "--rate"},
                                                            {{"host", "-b10M"}, "--rate"},
                                                            {{"host", "-R"}, "--bwdown"},
                                                            {{"host", "-P", "4"}, "--streams"},
                                                            {{"host", "-d"}, "--bwboth"},
                                                            {{"host", "-l", "200"}, "--payload"},
                                                            {{"host", "-n", "1M"}, "--bytes"},
                                                            {{"host", "-B", "::1"}, "--bind"},
                                                            {{"host", "-S", "8"}, "--dscp"},
                                                            {{"host", "-v"}, "--version"},
                                                            {{"host", "--bitrate=1M"}, "--rate"},
                                                            {{"host", "--bidir"}, "--bwboth"},
                                                            {{"host", "--reverse"}, "--bwdown"},
                                                            {{"host", "--parallel"}, "--streams"}};
  for (const auto& [words, advice] : cases) {
    EXPECT_THAT(refusal_of(words), AllOf(HasSubstr("unknown option"), HasSubstr(advice)));
  }
}

TEST(OtherHabits, AnyOtherLetterIsToldOurs) {
  EXPECT_EQ(refusal_of({"-x"}),
            "unknown option -x (short ones are -J (--json), -i (--interval), -p (--port), -4 "
            "(--ipv4), -6 (--ipv6), -V (--version), -h (--help), -t (--duration))");
  EXPECT_EQ(refusal_of({"-heartbeat-rate", "5"}),
            "unknown option -heartbeat-rate (did you mean --heartbeat-rate?)");
}

TEST(Slips, AUnitOfItsOwnIsToBeJoined) {
  EXPECT_THAT(refusal_of({"host", "--rate", "10", "M"}), HasSubstr("say --rate 10M"));
  EXPECT_THAT(refusal_of({"host", "--rate=10", "M"}), HasSubstr("say --rate 10M"));
  EXPECT_THAT(refusal_of({"--rate", "10", "M"}), HasSubstr("say --rate 10M"));
  EXPECT_THAT(refusal_of({"--rate", "10", "Mbit/s"}), HasSubstr("say --rate 10M"));
  EXPECT_THAT(refusal_of({"host", "--bytes", "2", "GiB"}), HasSubstr("say --bytes 2GiB"));
  EXPECT_THAT(refusal_of({"host", "-t", "500", "ms"}), HasSubstr("say -t 500ms"));
  EXPECT_THAT(refusal_of({"host", "--interval", "1", "s"}), HasSubstr("say --interval 1s"));
  EXPECT_EQ(accepted({"M", "--rate", "10"}).target.host, "M") << "a name before the options is one";
  EXPECT_EQ(accepted({"--streams", "4", "M"}).target.host, "M") << "4M is no number of streams";
}

TEST(Slips, BehindTwoDashesEveryWordIsATarget) {
  const std::string only = refusal_of({"--", "--count"});
  EXPECT_THAT(only, AllOf(HasSubstr("after -- every word is a target"), HasSubstr("--count")));
  for (const Words& words : {Words{"--", "--count", "2"}, Words{"host", "--", "--count", "2"}}) {
    EXPECT_THAT(refusal_of(words),
                AllOf(HasSubstr("one word too many"), HasSubstr("options go before it"),
                      ::testing::Not(HasSubstr("did you mean"))));
  }
}

}  // namespace
}  // namespace wyndrvr::app
