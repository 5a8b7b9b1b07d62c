// The main port's texts.
#include <array>
#include <string>
#include <string_view>
#include <variant>

#include <gtest/gtest.h>

#include "wire/connect.hpp"

namespace wyndrvr::wire {
namespace connect_test {

const Assignment kSample{.control = {7000}, .upload = {7001}, .download = {7002}, .key = 41877};

template <class Answer>
std::string written(const Answer& answer) {
  std::array<std::byte, kMaxConnectAnswerSize> out{};
  return std::string(as_text(ByteView(out).first(write_connect_answer(out, answer))));
}

std::expected<ConnectAnswer, DropReason> parse(std::string_view text) {
  return parse_connect_answer(as_bytes(text));
}

TEST(Connect, IsExactlySevenBytes) {
  EXPECT_TRUE(is_connect(as_bytes("CONNECT")));
  for (const std::string_view text : {"", "CONNEC", "CONNECT\n", "connect", " CONNECT", "x"}) {
    EXPECT_FALSE(is_connect(as_bytes(text))) << text;
  }
}

TEST(Connect, AssignmentIsFourNumbers) {
  EXPECT_EQ(written(kSample), "7000,7001,7002,41877");
  EXPECT_EQ(parse("7000,7001,7002,41877"), ConnectAnswer(kSample));
}

TEST(Connect, WhiteSpaceAroundAnAnswerIsAllowed) {
  EXPECT_EQ(parse(" \t7000,7001,7002,41877\r\n"), ConnectAnswer(kSample));
  EXPECT_EQ(parse("REFUSED server full\n"), ConnectAnswer(Refusal{RefusalReason::kServerFull}));
}

TEST(Connect, PortsAndKeyReachTheirLimits) {
  const Assignment limits{.control = {1}, .upload = {65535}, .download = {2}, .key = 60000};
  EXPECT_EQ(parse("1,65535,2,60000"), ConnectAnswer(limits));
  EXPECT_EQ(std::get<Assignment>(parse("1,65535,2,0").value()).key, 0U);
}

TEST(Connect, BadAssignmentsAreRefused) {
  for (const std::string_view text : {"",
                                      " ",
                                      "7000",
                                      "7000,7001,7002",
                                      "7000,7001,7002,",
                                      "7000,7001,7002,1,",
                                      ",7001,7002,1",
                                      "7000,7001,7002,1,2",
                                      "7000, 7001,7002,1",
                                      "7000,+7001,7002,1",
                                      "7000,-7001,7002,1",
                                      "0,7001,7002,1",
                                      "7000,65536,7002,1",
                                      "7000,7001,7001,1",
                                      "7000,7001,7000,1",
                                      "7000,7000,7002,1",
                                      "7000,7001,7002,60001",
                                      "7000,7001,7002,x",
                                      "07000,7001,7002,1",
                                      "7000,7001,7002,99999999999",
                                      "7000,7001,7002,0x1",
                                      "4294974296,7001,7002,1",
                                      "7000;7001;7002;1",
                                      "7000,7001,7002,1 2",
                                      "CONNECT"}) {
    EXPECT_EQ(parse(text), std::unexpected(DropReason::kBadBody)) << text;
  }
  EXPECT_FALSE(parse(std::string_view("7000,7001,7002,1\0", 17)));
}

TEST(Connect, AnOverlongAnswerIsNotRead) {
  EXPECT_EQ(parse("7000,7001,7002,1" + std::string(49, ' ')),
            std::unexpected(DropReason::kTooLong));
}

TEST(Connect, RefusalsSayWhy) {
  EXPECT_EQ(written(Refusal{RefusalReason::kNoFreePorts}), "REFUSED no free ports");
  EXPECT_EQ(written(Refusal{RefusalReason::kAddressLimit}), "REFUSED address limit");
  EXPECT_EQ(written(Refusal{RefusalReason::kServerFull}), "REFUSED server full");
  EXPECT_EQ(written(Refusal{RefusalReason::kNetworkLimit}), "REFUSED network limit");
  EXPECT_EQ(written(Refusal{RefusalReason::kNoWorker}), "REFUSED cannot start workers");
  for (const RefusalReason reason :
       {RefusalReason::kNoFreePorts, RefusalReason::kAddressLimit, RefusalReason::kServerFull,
        RefusalReason::kNetworkLimit, RefusalReason::kNoWorker, RefusalReason::kOther}) {
    EXPECT_LE(written(Refusal{reason}).size(), kMaxUnprovenAnswerSize);
    EXPECT_EQ(parse(written(Refusal{reason})), ConnectAnswer(Refusal{reason}));
  }
}

TEST(Connect, AnUnknownRefusalIsStillARefusal) {
  EXPECT_EQ(parse("REFUSED by the moon"), ConnectAnswer(Refusal{RefusalReason::kOther}));
  EXPECT_FALSE(parse("REFUSEDno free ports"));
}

// --- ENDED ---

TEST(ConnectEnded, IsItsKeyAndACause) {
  const Ended ended = make_ended(41877, "upload worker (pid 42) was killed by SIGKILL");
  EXPECT_EQ(written(ended), "ENDED 41877 upload worker (pid 42) was killed by SIGKILL");
  EXPECT_EQ(parse(written(ended)), ConnectAnswer(ended));
}

TEST(ConnectEnded, CauseMayBeEmptyAndMayHaveBlanksAnywhere) {
  for (const std::string_view cause : {"", " ", "  a  b  "}) {
    const auto parsed = parse("ENDED 0 " + std::string(cause));
    ASSERT_TRUE(parsed) << cause;
    EXPECT_EQ(std::get<Ended>(*parsed).cause.view(), cause);
    EXPECT_EQ(written(std::get<Ended>(*parsed)), "ENDED 0 " + std::string(cause));
  }
}

TEST(ConnectEnded, LongestFillsTheBufferAndLongerCausesAreCut) {
  const std::string text = written(make_ended(60000, std::string(161, 'x')));
  EXPECT_EQ(text.size(), kMaxConnectAnswerSize);
  EXPECT_EQ(text, "ENDED 60000 " + std::string(160, 'x'));
  EXPECT_TRUE(parse(text));
  EXPECT_EQ(parse(text + "x"), std::unexpected(DropReason::kTooLong));
  EXPECT_EQ(parse("ENDED 0 " + std::string(161, 'x')), std::unexpected(DropReason::kBadBody));
}

TEST(ConnectEnded, WhatIsNotPlainIsWrittenAsAQuestionMark) {
  EXPECT_EQ(written(make_ended(1, "a\n\x1b\x7f\"\\~ \xc3\xa9")), "ENDED 1 a?????~ ??");
}

TEST(ConnectEnded, OtherSpellingsAreNotRead) {
  for (const std::string_view text :
       {"ENDED", "ENDED ", "ENDED 1", "ENDED  1 x", "ENDED x 1", "ENDED 01 x", "ENDED +1 x",
        "ENDED 60001 x", "ENDED 99999999999 x", "ENDED1 x", "ended 1 x", " ENDED 1 x",
        "ENDED 1 x\n", "ENDED 1 \x1b[2J", "ENDED 1 a \"word\"", "ENDED 1 a\\b",
        "ENDED 1 \xc3\xa9"}) {
    EXPECT_EQ(parse(text), std::unexpected(DropReason::kBadBody)) << text;
  }
  EXPECT_FALSE(parse(std::string_view("ENDED 1 x\0", 10)));
}

}  // namespace connect_test
}  // namespace wyndrvr::wire
