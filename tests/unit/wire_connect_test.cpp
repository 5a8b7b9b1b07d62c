// The main port's texts.
#include <array>
#include <string>
#include <string_view>
#include <variant>

#include <gtest/gtest.h>

#include "wire/connect.hpp"

namespace wyndrvr::wire {
namespace {

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
  for (const RefusalReason reason : {RefusalReason::kNoFreePorts, RefusalReason::kAddressLimit,
                                     RefusalReason::kServerFull, RefusalReason::kOther}) {
    EXPECT_EQ(parse(written(Refusal{reason})), ConnectAnswer(Refusal{reason}));
  }
}

TEST(Connect, AnUnknownRefusalIsStillARefusal) {
  EXPECT_EQ(parse("REFUSED by the moon"), ConnectAnswer(Refusal{RefusalReason::kOther}));
  EXPECT_FALSE(parse("REFUSEDno free ports"));
}

}  // namespace
}  // namespace wyndrvr::wire
