// Which addresses of a server can be used, and how long a test's datagrams may be on the way there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/client_route.hpp"

namespace wyndrvr::app {
namespace client_route_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Endpoint endpoint(std::string_view address) {
  return {parse_ip(address).value(), Port{6711}};
}
const Endpoint kFour = endpoint("192.0.2.7");
const Endpoint kSix = endpoint("2001:db8::7");

engine::ClientConfig upload_config(std::uint32_t payload) {
  engine::ClientConfig config;
  config.servers = {kSix, kFour};
  config.terms.directions = wire::Directions::kUpload;
  config.terms.payload_bytes = payload;
  config.upload.emplace();
  return config;
}

TEST(ServersFrom, OnlyTheFamilyOfTheOwnAddressCanBeSentTo) {
  const auto all = servers_from(std::nullopt, {kSix, kFour}, "host");
  ASSERT_TRUE(all.has_value());
  EXPECT_THAT(*all, ElementsAre(kSix, kFour));
  const auto four = servers_from(parse_ip("192.0.2.1"), {kSix, kFour}, "host");
  ASSERT_TRUE(four.has_value());
  EXPECT_THAT(*four, ElementsAre(kFour));
}

TEST(ServersFrom, AServerWithoutThatFamilyIsAnErrorThatNamesBoth) {
  const auto none = servers_from(parse_ip("::1"), {kFour}, "host.example");
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message,
              AllOf(HasSubstr("--bind ::1"), HasSubstr("host.example"), HasSubstr("IPv6")));
}

TEST(FitPayload, TheDefaultShrinksToTheNarrowestRoute) {
  engine::ClientConfig config = upload_config(1400);
  ASSERT_TRUE(fit_payload(config, std::vector<Route>{{kSix, 1280}, {kFour, 1500}}, ""));
  EXPECT_EQ(config.terms.payload_bytes, 1232U) << "1280 less 40 of IPv6 and 8 of UDP";
  EXPECT_EQ(config.upload->payload_bytes, 900U) << "938 octets fit";
  EXPECT_EQ(config.servers.size(), 2U);
}

TEST(FitPayload, TheOriginalsDefaultShrinksWhereItHasTo) {
  engine::ClientConfig config = upload_config(1400);
  ASSERT_TRUE(fit_payload(config, std::vector<Route>{{kFour, 576}}, ""));
  EXPECT_EQ(config.terms.payload_bytes, 548U);
  EXPECT_EQ(config.upload->payload_bytes, 510U) << "38 octets around it make 548";
}

TEST(FitPayload, TheDefaultNeverGrowsAndNeverGoesBelowTheProtocolsLeast) {
  engine::ClientConfig config = upload_config(1400);
  ASSERT_TRUE(fit_payload(config, std::vector<Route>{{kFour, 65'536}}, ""));
  EXPECT_EQ(config.terms.payload_bytes, 1400U);
  ASSERT_TRUE(fit_payload(config, std::vector<Route>{{kFour, 68}}, ""));
  EXPECT_EQ(config.terms.payload_bytes, 64U);
  EXPECT_EQ(config.upload->payload_bytes, 26U);
}

TEST(FitPayload, AChosenLengthThatFitsNowhereIsAnErrorWithTheLargestThatDoes) {
  engine::ClientConfig config = upload_config(1473);
  const auto fitted = fit_payload(config, std::vector<Route>{{kSix, 1500}, {kFour, 1500}},
                                  "payload=1473 (option --payload)");
  ASSERT_FALSE(fitted.has_value());
  EXPECT_THAT(fitted.error().message,
              AllOf(HasSubstr("payload=1473 (option --payload)"), HasSubstr("at most 1472 octets"),
                    HasSubstr("192.0.2.7"), HasSubstr("--fragment")));
}

TEST(FitPayload, AChosenLengthIsKeptAndOnlyRoutesThatCarryItAreUsed) {
  engine::ClientConfig config = upload_config(1472);
  ASSERT_TRUE(fit_payload(config, std::vector<Route>{{kSix, 1500}, {kFour, 1500}}, "payload=1472"));
  EXPECT_EQ(config.terms.payload_bytes, 1472U);
  EXPECT_THAT(config.servers, ElementsAre(kFour));
}

TEST(FitPayload, ARouteThatNobodyKnowsBoundsNothing) {
  engine::ClientConfig config = upload_config(9000);
  ASSERT_TRUE(fit_payload(config, std::vector<Route>{{kFour, std::nullopt}}, "payload=9000"));
  EXPECT_THAT(config.servers, ElementsAre(kFour));
  config = upload_config(1400);
  ASSERT_TRUE(fit_payload(config, std::vector<Route>{{kFour, std::nullopt}}, ""));
  EXPECT_EQ(config.terms.payload_bytes, 1400U);
}

TEST(FitPayload, FragmentsAndLatencyRunsAreNotBounded) {
  engine::ClientConfig config = upload_config(9000);
  config.terms.fragment = true;
  EXPECT_TRUE(fit_payload(config, std::vector<Route>{{kFour, 1500}}, "payload=9000"));
  config.terms.fragment = false;
  config.terms.directions = wire::Directions::kLatencyOnly;
  EXPECT_TRUE(fit_payload(config, std::vector<Route>{{kFour, 1500}}, "payload=9000"));
  EXPECT_EQ(config.terms.payload_bytes, 9000U);
}

}  // namespace client_route_test
}  // namespace wyndrvr::app
