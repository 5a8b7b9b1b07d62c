#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/ip_network.hpp"

namespace wyndrvr {
namespace ip_network_test {

IpNetwork network(std::string_view text) {
  return parse_network(text).value();
}
IpAddress ip(std::string_view text) {
  return parse_ip(text).value();
}

TEST(IpNetwork, GroupAddressesAreToldByTheirForm) {
  for (const char* text : {"224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1", "ff0e::7",
                           "::ffff:224.0.0.1", "::ffff:255.255.255.255"}) {
    EXPECT_TRUE(is_group_address(ip(text))) << text;
  }
  for (const char* text : {"223.255.255.255", "240.0.0.1", "192.0.2.255", "0.0.0.0", "fe80::1",
                           "2001:db8::", "::", "::ffff:192.0.2.255"}) {
    EXPECT_FALSE(is_group_address(ip(text))) << text;
  }
}

TEST(IpNetwork, ReadsAndWritesItsCanonicalForm) {
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.7/32", "203.0.113.128/25",
                           "2001:db8::/32", "::/0", "2001:db8::1/128", "fe80::%2/64"}) {
    EXPECT_EQ(to_string(network(text)), text);
  }
}

TEST(IpNetwork, BareAddressIsANetworkOfItsOwn) {
  EXPECT_EQ(network("192.0.2.7"), network("192.0.2.7/32"));
  EXPECT_EQ(network("2001:db8::1"), network("2001:db8::1/128"));
}

TEST(IpNetwork, OtherTextIsNone) {
  for (const char* text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/8/8", "10/8", "10.0.0.0/256", "10.0.0.0/264",
        "2001:db8::/129", "example.org", "10.0.0.0/0x8", "10.0.0.0/255.0.0.0"}) {
    EXPECT_FALSE(parse_network(text)) << text;
  }
}

TEST(IpNetwork, BitsBehindThePrefixAreAnErrorThatNamesTheNetwork) {
  for (const char* text : {"10.0.0.1/8", "203.0.113.129/25", "1.0.0.0/0", "2001:db8::1/127"}) {
    EXPECT_FALSE(parse_network(text)) << text;
  }
  const auto wrong = parse_network("10.1.2.3/12");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("10.0.0.0/12"), std::string::npos) << wrong.error().message;
}

TEST(IpNetwork, ContainsWhatSharesItsPrefix) {
  const IpNetwork ten = network("10.0.0.0/8");
  EXPECT_TRUE(contains(ten, ip("10.0.0.0")));
  EXPECT_TRUE(contains(ten, ip("10.255.255.255")));
  EXPECT_FALSE(contains(ten, ip("11.0.0.0")));
  EXPECT_FALSE(contains(ten, ip("9.255.255.255")));
  const IpNetwork upper_half = network("203.0.113.128/25");
  EXPECT_TRUE(contains(upper_half, ip("203.0.113.128")));
  EXPECT_FALSE(contains(upper_half, ip("203.0.113.127")));
  EXPECT_TRUE(contains(network("2001:db8::/32"), ip("2001:db8:ffff::1")));
  EXPECT_FALSE(contains(network("2001:db8::/32"), ip("2001:db9::")));
  EXPECT_TRUE(contains(network("192.0.2.7"), ip("192.0.2.7")));
  EXPECT_FALSE(contains(network("192.0.2.7"), ip("192.0.2.6")));
}

TEST(IpNetwork, FamiliesStayApart) {
  EXPECT_FALSE(contains(network("::/0"), ip("192.0.2.7")));
  EXPECT_FALSE(contains(network("0.0.0.0/0"), ip("2001:db8::1")));
  EXPECT_FALSE(contains(network("0.0.0.0/0"), ip("::1")));
}

TEST(IpNetwork, MappedAddressCountsAsTheOneItStandsFor) {
  EXPECT_TRUE(contains(network("10.0.0.0/8"), ip("::ffff:10.1.2.3")));
  EXPECT_FALSE(contains(network("10.0.0.0/8"), ip("::ffff:11.1.2.3")));
  EXPECT_FALSE(contains(network("::/0"), ip("::ffff:10.1.2.3")));
  EXPECT_EQ(network("::ffff:10.0.0.0/104"), network("10.0.0.0/8"));
  EXPECT_EQ(network("::ffff:10.1.2.3"), network("10.1.2.3"));
  EXPECT_EQ(network("::ffff:0:0/96"), network("0.0.0.0/0"));
  EXPECT_EQ(network_of(ip("::ffff:10.1.2.3")), network("10.1.2.0/24"));
}

TEST(IpNetwork, ScopeOfALinkMattersWhereTheNetworkNamesOne) {
  EXPECT_TRUE(contains(network("fe80::/10"), ip("fe80::1%2")));
  EXPECT_TRUE(contains(network("fe80::%2/64"), ip("fe80::1%2")));
  EXPECT_FALSE(contains(network("fe80::%2/64"), ip("fe80::1%3")));
}

TEST(IpNetwork, NetworkOfAnAddressIsItsSite) {
  EXPECT_EQ(network_of(ip("192.0.2.7")), network("192.0.2.0/24"));
  EXPECT_EQ(network_of(ip("2001:db8:1:2:3:4:5:6")), network("2001:db8:1:2::/64"));
  EXPECT_EQ(network_of(ip("fe80::1%2")), network("fe80::%2/64"));
}

}  // namespace ip_network_test
}  // namespace wyndrvr
