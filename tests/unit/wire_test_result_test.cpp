// TEST_RESULT bodies: exact bytes, tolerance towards the original, and what is refused.
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "wire/header.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::wire {
namespace test_result_test {

template <class Body>
std::string written(const Body& body) {
  std::array<std::byte, kMaxTestResultBodySize> out{};
  return std::string(as_text(ByteView(out).first(write_test_result(out, body))));
}

std::expected<TestResultBody, DropReason> parse(std::string_view body) {
  return parse_test_result(as_bytes(body));
}

TestResult sample() {
  return {.guid = IdText::from("g-1").value(),
          .channel = {77},
          .bytes_received = 1875000,
          .bandwidth_bps = 5e6,
          .retransmit_count = 4,
          .packet_count = 2000,
          .duration_s = 3,
          .uid = IdText::from("u-1").value(),
          .detail = std::nullopt};
}

// `text` with the first `from` replaced by `to`.
std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(TestResult, HasTheOriginalsBytesWithFloatsAsFloats) {
  EXPECT_EQ(written(sample()),
            R"({"cmd":"TEST_RESULT","ack":1,"guid":"g-1","channel":77,"bytes_received":1875000,)"
            R"("bandwidth_bps":5000000.0,"retransmit_count":4,"packet_count":2000,)"
            R"("duration":3.0,"uid":"u-1"})");
}

TEST(TestResult, DetailFollowsTheUid) {
  TestResult result = sample();
  result.detail = ReceiverDetail{.unique = 1,
                                 .duplicate = 2,
                                 .reordered = 3,
                                 .highest = 4,
                                 .unique_bytes = 5,
                                 .written_off = 6,
                                 .first_to_last_ns = 7,
                                 .socket_drops = 8};
  EXPECT_TRUE(written(result).ends_with(
      R"("uid":"u-1","unique":1,"duplicate":2,"reordered":3,"highest":4,"unique_bytes":5,)"
      R"("written_off":6,"first_to_last_ns":7,"socket_drops":8})"));
  EXPECT_EQ(parse(written(result)), TestResultBody(result));
}

TEST(TestResult, AcknowledgementRepeatsTheGuid) {
  const TestResultAck ack{.guid = IdText::from("g-1").value()};
  EXPECT_EQ(written(ack), R"({"cmd":"TEST_RESULT","ack":0,"guid":"g-1"})");
  EXPECT_EQ(parse(written(ack)), TestResultBody(ack));
}

TEST(TestResult, IntsAndFloatsAreInterchangeable) {
  const auto result =
      parse(R"({"cmd": "TEST_RESULT", "ack": 1.0, "guid": "g-1", "channel": 77.0,)"
            R"( "bytes_received": 1875000.0, "bandwidth_bps": 5000000, "retransmit_count": 4.0,)"
            R"( "packet_count": 2e3, "duration": 3, "uid": "u-1"})");
  EXPECT_EQ(result, TestResultBody(sample()));
}

TEST(TestResult, TheLongestBodyFitsIntoAPacket) {
  constexpr std::uint64_t kHuge = UINT64_MAX;
  const TestResult result{
      .guid = IdText::from(std::string(64, 'g')).value(),
      .channel = {ChannelId::kMax},
      .bytes_received = kHuge,
      .bandwidth_bps = 1.2345678901234567e-300,
      .retransmit_count = kHuge,
      .packet_count = kHuge,
      .duration_s = 0.00012345678901234567,
      .uid = IdText::from(std::string(64, 'u')).value(),
      .detail = ReceiverDetail{kHuge, kHuge, kHuge, kHuge, kHuge, kHuge, kHuge, kHuge}};
  EXPECT_EQ(parse(written(result)), TestResultBody(result));
  EXPECT_LE(kMaxTestResultBodySize, kMaxBodySize);
}

TEST(TestResult, FloatsAlwaysLookLikeFloats) {
  TestResult result = sample();
  for (const double rate : {0.0, 1.0, 0.1, 1e15, 9007199254740993.0, 1e16, 1e22, 1e-5, 1.7e308}) {
    result.bandwidth_bps = rate;
    const std::string text = written(result);
    const std::string_view tail = std::string_view(text).substr(text.find("bps\":") + 5);
    const std::string_view number = tail.substr(0, tail.find(','));
    EXPECT_NE(number.find_first_of(".e"), std::string_view::npos) << number;
    EXPECT_EQ(parse(text), TestResultBody(result)) << number;
  }
}

TEST(TestResult, FloatsAreSpeltAsPythonSpellsThem) {
  // Each is what repr() of the same literal gives in CPython 3.
  TestResult result = sample();
  for (const auto& [rate, spelling] : std::initializer_list<std::pair<double, std::string_view>>{
           {0.0001, "0.0001"},
           {0.00001, "1e-05"},
           {1e15, "1000000000000000.0"},
           {1e16, "1e+16"},
           {123456789012345680.0, "1.2345678901234568e+17"},
           {0.1 + 0.2, "0.30000000000000004"},
       }) {
    result.bandwidth_bps = rate;
    EXPECT_TRUE(written(result).contains("\"bandwidth_bps\":" + std::string(spelling) + ","))
        << spelling;
  }
}

TEST(TestResult, DetailIsAllOrNothing) {
  TestResult result = sample();
  result.detail = ReceiverDetail{};
  const std::string full = written(result);
  EXPECT_FALSE(parse(with(full, R"(,"socket_drops":0)", "")));
  EXPECT_FALSE(parse(with(full, R"("highest":0)", R"("highest":-1)")));
}

TEST(TestResult, EveryMemberIsRequired) {
  const std::string full = written(sample());
  for (const std::string_view key :
       {"cmd", "ack", "guid", "channel", "bytes_received", "bandwidth_bps", "retransmit_count",
        "packet_count", "duration", "uid"}) {
    const std::string quoted = "\"" + std::string(key) + "\"";
    EXPECT_EQ(parse(with(full, quoted, "\"other\"")), std::unexpected(DropReason::kBadBody)) << key;
  }
}

TEST(TestResult, ImplausibleValuesAreRefused) {
  const std::string full = written(sample());
  for (const auto& [from, to] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"\"TEST_RESULT\"", "\"BWUP\""},
           {"\"ack\":1", "\"ack\":2"},
           {"\"ack\":1", "\"ack\":null"},
           {"\"g-1\"", "\"g\\u002d1\""},
           {"77", "0"},
           {"77", "16777216"},
           {"1875000", "-1"},
           {"1875000", "0.5"},
           {"5000000.0", "-1.0"},
           {"5000000.0", "1e999"},
           {"5000000.0", "\"fast\""},
           {"3.0", "-3.0"},
           {"\"u-1\"", "null"},
       }) {
    EXPECT_EQ(parse(with(full, from, to)), std::unexpected(DropReason::kBadBody)) << to;
  }
  EXPECT_FALSE(parse(with(full, "u-1", std::string(65, 'u'))));
}

}  // namespace test_result_test
}  // namespace wyndrvr::wire
