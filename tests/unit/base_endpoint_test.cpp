#include <string>

#include <gtest/gtest.h>

#include "base/endpoint.hpp"

namespace wyndrvr {
namespace endpoint_test {

TEST(Endpoint, Ipv4TextReadsAndWrites) {
  const auto address = parse_ip("192.0.2.7");
  ASSERT_TRUE(address);
  EXPECT_FALSE(address->is_v6());
  EXPECT_EQ(address->octets[0], 192);
  EXPECT_EQ(address->octets[3], 7);
  EXPECT_EQ(to_string(*address), "192.0.2.7");
}

TEST(Endpoint, Ipv6TextReadsAndWritesInItsShortForm) {
  const auto address = parse_ip("2001:DB8:0:0:0:0:0:1");
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->is_v6());
  EXPECT_EQ(to_string(*address), "2001:db8::1");
}

TEST(Endpoint, ZoneIsKept) {
  const auto address = parse_ip("fe80::1%2");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->scope, 2U);
  EXPECT_EQ(to_string(*address), "fe80::1%2");
  EXPECT_NE(address, parse_ip("fe80::1%3"));
}

TEST(Endpoint, OtherTextIsNoAddress) {
  for (const char* text : {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.7.1", "192.0.2.7%1",
                           "fe80::1%", "fe80::1%eth0", "fe80::1%2x", "[::1]", "::1 "}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
}

TEST(Endpoint, PortFollowsTheAddressAndIpv6StandsInBrackets) {
  EXPECT_EQ(to_string(Endpoint{*parse_ip("192.0.2.7"), {6711}}), "192.0.2.7:6711");
  EXPECT_EQ(to_string(Endpoint{*parse_ip("2001:db8::1"), {6711}}), "[2001:db8::1]:6711");
}

TEST(Endpoint, FamiliesDifferEvenWithEqualOctets) {
  const IpAddress v4 = *parse_ip("0.0.0.0");
  const IpAddress v6 = *parse_ip("::");
  EXPECT_NE(v4, v6);
  EXPECT_TRUE(v4.is_unspecified());
  EXPECT_TRUE(v6.is_unspecified());
  EXPECT_FALSE(parse_ip("::1")->is_unspecified());
}

TEST(Endpoint, EqualEndpointsHashEqually) {
  const Endpoint a{*parse_ip("192.0.2.7"), {6711}};
  const Endpoint b{*parse_ip("192.0.2.7"), {6711}};
  EXPECT_EQ(HashEndpoint{}(a), HashEndpoint{}(b));
  EXPECT_NE(HashEndpoint{}(a), HashEndpoint{}(Endpoint{a.address, {6712}}));
}

}  // namespace endpoint_test
}  // namespace wyndrvr
