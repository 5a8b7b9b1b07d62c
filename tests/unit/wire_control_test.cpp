// CONTROL bodies: exact bytes, and what is refused.
#include <array>
#include <string>
#include <string_view>
#include <variant>

#include <gtest/gtest.h>

#include "wire/control.hpp"
#include "wire/header.hpp"

namespace wyndrvr::wire {
namespace control_test {

constexpr std::string_view kUuid = "3f2b8c1e-9d4a-4f6b-8e21-0a1b2c3d4e5f";

template <class Body>
std::string written(const Body& body) {
  std::array<std::byte, kMaxControlBodySize> out{};
  return std::string(as_text(ByteView(out).first(write_control(out, body))));
}

std::expected<ControlBody, DropReason> parse(std::string_view body) {
  return parse_control(as_bytes(body));
}

TEST(Control, RequestHasTheOriginalsBytes) {
  EXPECT_EQ(written(Bwup{.channel = {77}, .duration_s = 30, .progress_ms = {}}),
            R"({"cmd":"BWUP","channel":77,"duration":30})");
  EXPECT_EQ(written(Bwup{.channel = {77}, .duration_s = 2.5, .progress_ms = 100}),
            R"({"cmd":"BWUP","channel":77,"duration":2.5,"progress":100})");
}

TEST(Control, AcknowledgementHasTheOriginalsBytes) {
  EXPECT_EQ(written(BwupAck{
                .channel = {16777215}, .duration_s = 1e-05, .uid = IdText::from(kUuid).value()}),
            R"({"cmd":"BWUP","ack":0,"channel":16777215,"duration":1e-05,"uid":")" +
                std::string(kUuid) + "\"}");
}

TEST(Control, LongestAcknowledgementFitsItsBound) {
  EXPECT_LE(written(BwupAck{.channel = {ChannelId::kMax},
                            .duration_s = 1.2345678901234567e-308,
                            .uid = IdText::from(kUuid).value()})
                .size(),
            kMaxBwupAckSize);
}

TEST(Control, ProgressNamesEveryCount) {
  const Progress progress{.channel = {9},
                          .elapsed_ns = 1,
                          .bytes = 2,
                          .packets = 3,
                          .unique = 4,
                          .duplicate = 5,
                          .reordered = 6,
                          .highest = 7,
                          .written_off = 8,
                          .socket_drops = 9};
  EXPECT_EQ(written(progress),
            R"({"cmd":"PROGRESS","channel":9,"elapsed_ns":1,"bytes":2,"packets":3,"unique":4,)"
            R"("duplicate":5,"reordered":6,"highest":7,"written_off":8,"socket_drops":9})");
  EXPECT_EQ(parse(written(progress)), ControlBody(progress));
}

TEST(Control, ProgressMayGrant) {
  Progress progress;
  progress.channel = {9};
  progress.granted = ByteCount{10};
  EXPECT_EQ(written(progress),
            R"({"cmd":"PROGRESS","channel":9,"elapsed_ns":0,"bytes":0,"packets":0,"unique":0,)"
            R"("duplicate":0,"reordered":0,"highest":0,"written_off":0,"socket_drops":0,)"
            R"("granted":10})");
  EXPECT_EQ(parse(written(progress)), ControlBody(progress));
}

TEST(Control, TheLongestBodiesFitIntoAPacket) {
  constexpr std::uint64_t kHuge = UINT64_MAX;
  const Progress progress{
      {ChannelId::kMax}, kHuge, kHuge, kHuge, kHuge, kHuge, kHuge, kHuge, kHuge, kHuge,
      ByteCount{kHuge}};
  EXPECT_EQ(parse(written(progress)), ControlBody(progress));
  const BwupAck ack{.channel = {ChannelId::kMax},
                    .duration_s = 0.1 + 0.2,
                    .uid = IdText::from(std::string(64, 'u')).value()};
  EXPECT_EQ(parse(written(ack)), ControlBody(ack));
  EXPECT_LE(kMaxControlBodySize, kMaxBodySize);
}

TEST(Control, PythonsSpellingIsUnderstood) {
  const auto request = parse(R"({"duration": 5.0, "channel": 12, "cmd": "BWUP", "more": [1]})");
  EXPECT_EQ(request,
            ControlBody(Bwup{.channel = {12}, .duration_s = 5, .progress_ms = std::nullopt}));
}

TEST(Control, AckTellsRequestFromAcknowledgement) {
  const std::string rest = R"("channel":12,"duration":5,"uid":"u"})";
  EXPECT_TRUE(std::holds_alternative<Bwup>(parse(R"({"cmd":"BWUP",)" + rest).value()));
  EXPECT_TRUE(std::holds_alternative<Bwup>(parse(R"({"cmd":"BWUP","ack":1,)" + rest).value()));
  const auto ack = parse(R"({"cmd":"BWUP","ack":0,)" + rest);
  EXPECT_EQ(ack, ControlBody(
                     BwupAck{.channel = {12}, .duration_s = 5, .uid = IdText::from("u").value()}));
}

TEST(Control, BadBodiesAreRefused) {
  for (const std::string_view body : {
           R"()",
           R"({})",
           R"({"cmd":"BWDOWN","channel":1,"duration":5})",
           R"({"cmd":7,"channel":1,"duration":5})",
           R"({"cmd":"BWUP","duration":5})",
           R"({"cmd":"BWUP","channel":0,"duration":5})",
           R"({"cmd":"BWUP","channel":16777216,"duration":5})",
           R"({"cmd":"BWUP","channel":-1,"duration":5})",
           R"({"cmd":"BWUP","channel":"1","duration":5})",
           R"({"cmd":"BWUP","channel":1})",
           R"({"cmd":"BWUP","channel":1,"duration":0})",
           R"({"cmd":"BWUP","channel":1,"duration":-5})",
           R"({"cmd":"BWUP","channel":1,"duration":1000001})",
           R"({"cmd":"BWUP","channel":1,"duration":1e999})",
           R"({"cmd":"BWUP","channel":1,"duration":"5"})",
           R"({"cmd":"BWUP","channel":1,"duration":5,"progress":0})",
           R"({"cmd":"BWUP","channel":1,"duration":5,"progress":60001})",
           R"({"cmd":"BWUP","channel":1,"duration":5,"progress":"fast"})",
           R"({"cmd":"BWUP","ack":2,"channel":1,"duration":5,"uid":"u"})",
           R"({"cmd":"BWUP","ack":"0","channel":1,"duration":5,"uid":"u"})",
           R"({"cmd":"BWUP","ack":0,"channel":1,"duration":5})",
           R"({"cmd":"BWUP","ack":0,"channel":1,"duration":5,"uid":5})",
           R"({"cmd":"BWUP","ack":0,"channel":1,"duration":5,"uid":"\u0041"})",
           R"({"cmd":"PROGRESS","channel":1,"elapsed_ns":1})",
           R"({"cmd":"PROGRESS","channel":1,"elapsed_ns":1,"bytes":2,"packets":3,"unique":4,)"
           R"("duplicate":5,"reordered":6,"highest":-7,"written_off":8,"socket_drops":9})",
           R"({"cmd":"PROGRESS","channel":1,"elapsed_ns":1,"bytes":2,"packets":3,"unique":4,)"
           R"("duplicate":5,"reordered":6,"highest":7,"written_off":8,"socket_drops":9,)"
           R"("granted":-1})",
       }) {
    EXPECT_EQ(parse(body), std::unexpected(DropReason::kBadBody)) << body;
  }
}

TEST(Control, TheLongestTestIsAllowed) {
  EXPECT_TRUE(parse(R"({"cmd":"BWUP","channel":1,"duration":1e6,"progress":60000})"));
}

TEST(SmallText, TakesOnlyTextThatNeedsNoEscape) {
  EXPECT_EQ(IdText::from("a b~").value().view(), "a b~");
  EXPECT_TRUE(IdText::from("").value().empty());
  EXPECT_TRUE(IdText::from(std::string(64, 'x')));
  EXPECT_FALSE(IdText::from(std::string(65, 'x')));
  for (const std::string_view text : {"\"", "\\", "\n", "\x1b[0m", "\x7f", "\xC3\xA9"}) {
    EXPECT_FALSE(IdText::from(text));
  }
}

}  // namespace control_test
}  // namespace wyndrvr::wire
