// Addresses and networks with zones, and what they come to on this host. The interface that every
// host has is lo.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/scope.hpp"
#include "app/settings.hpp"
#include "app/zone.hpp"
#include "os/network_interface.hpp"

namespace wyndrvr::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::uint32_t loopback_index() {
  return os::interface_index("lo").value_or(0);
}

IpAddress scoped(std::string_view text, std::uint32_t scope) {
  IpAddress address = parse_ip(text).value_or(IpAddress{});
  address.scope = scope;
  return address;
}

ZonedAddress zoned(std::string_view text) {
  const auto parsed = parse_zoned_ip(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(ZonedAddress{});
}

TEST(Zone, StandsBehindAnIpv6AddressByNameOrNumber) {
  EXPECT_EQ(zoned("fe80::1%eth0"), (ZonedAddress{*parse_ip("fe80::1"), "eth0"}));
  EXPECT_EQ(zoned("::1%1"), (ZonedAddress{*parse_ip("::1"), "1"}));
  EXPECT_EQ(zoned("192.0.2.1"), (ZonedAddress{*parse_ip("192.0.2.1"), ""}));
  for (const std::string_view text : {"192.0.2.1%lo", "fe80::1%", "fe80::1%a/b", "fe80::1%a%b",
                                      "fe80::1%sixteen_letters_", "host%lo"}) {
    EXPECT_FALSE(parse_zoned_ip(text).has_value()) << text;
  }
}

TEST(Zone, StandsBeforeThePrefixOfANetwork) {
  const auto network = parse_zoned_network("fe80::%veth0/64");
  ASSERT_TRUE(network.has_value()) << network.error().message;
  EXPECT_EQ(*network, (ZonedNetwork{*parse_network("fe80::/64"), "veth0"}));
  EXPECT_EQ(parse_zoned_network("fe80::1%3")->network.prefix, 128);
  EXPECT_EQ(parse_zoned_network("10.0.0.0/8")->zone, "");
  for (const std::string_view text : {"fe80::1%lo/64", "fe80::%/64", "10.0.0.0%lo/8", "x%lo/8"}) {
    EXPECT_FALSE(parse_zoned_network(text).has_value()) << text;
  }
}

TEST(Zone, IsTakenInSettings) {
  Settings settings;
  for (const auto& [key, text] :
       std::vector<std::pair<Key, std::string>>{{Key::kBind, "fe80::1%veth0"},
                                                {Key::kBindAddr, "fe80::1%veth0"},
                                                {Key::kAllow, "fe80::%veth0/64,10.0.0.0/8"},
                                                {Key::kDeny, "fe80::%3/64"}}) {
    const auto set = settings.set(key, text, Origin::option("--x"));
    EXPECT_TRUE(set.has_value()) << set.error().message;
  }
  EXPECT_EQ(settings.networks(Key::kAllow).front().zone, "veth0");
}

TEST(NetworkInterface, IsFoundByNameAndByNumber) {
  ASSERT_NE(loopback_index(), 0U);
  EXPECT_EQ(os::interface_index(std::to_string(loopback_index())), loopback_index());
  EXPECT_EQ(os::interface_name(loopback_index()).value_or(""), "lo");
  EXPECT_THAT(os::interface_index("nonesuch0").error().message, HasSubstr("'nonesuch0'"));
  EXPECT_FALSE(os::interface_index("999999").has_value());
  EXPECT_FALSE(os::interface_index("0").has_value());
  EXPECT_FALSE(os::interface_index("").has_value());
}

TEST(Scope, OfALinkLocalAddressIsItsZone) {
  for (const std::string& zone : {std::string("lo"), std::to_string(loopback_index())}) {
    Scope scope;
    EXPECT_EQ(settle(zoned("fe80::1%" + zone), scope).value(), scoped("fe80::1", loopback_index()));
    EXPECT_EQ(scope.interface, "") << "the address alone decides";
    EXPECT_EQ(settle(zoned("fe80::2"), scope).value().scope, loopback_index())
        << "the other address of the run is of the same link";
  }
}

TEST(Scope, OfALinkLocalAddressWithoutAZoneIsTheInterface) {
  Scope scope = scope_of("lo");
  EXPECT_EQ(settle(zoned("fe80::1"), scope).value(), scoped("fe80::1", loopback_index()));
  Scope none;
  EXPECT_THAT(settle(zoned("fe80::1"), none).error().message, HasSubstr("--interface"));
}

TEST(Scope, TheZoneOfAnyOtherAddressIsTheInterfaceOfAll) {
  for (const std::string_view address : {"::1", "fd00::2", "::ffff:127.0.0.1"}) {
    Scope scope;
    const auto settled = settle(zoned(std::string(address) + "%lo"), scope);
    ASSERT_TRUE(settled.has_value()) << settled.error().message;
    EXPECT_EQ(settled->scope, 0U) << "answers come from the address without one";
    EXPECT_EQ(scope.interface, "lo");
  }
}

TEST(Scope, TwoInterfacesContradictEachOther) {
  Scope same = scope_of("lo");
  EXPECT_TRUE(settle(zoned("::1%lo"), same).has_value());
  Scope other = scope_of("nonesuch0");
  EXPECT_THAT(settle(zoned("::1%lo"), other).error().message, HasSubstr("another interface"));
  Scope unknown;
  EXPECT_THAT(settle(zoned("::1%nonesuch0"), unknown).error().message, HasSubstr("nonesuch0"));
}

TEST(Scope, NetworksGetTheNumberOfTheirLink) {
  const auto networks =
      settle(Networks{*parse_zoned_network("fe80::%lo/64"), *parse_zoned_network("10.0.0.0/8")});
  ASSERT_TRUE(networks.has_value()) << networks.error().message;
  EXPECT_EQ(networks->front().address, scoped("fe80::", loopback_index()));
  EXPECT_EQ(networks->back().address.scope, 0U);
  EXPECT_THAT(settle(Networks{*parse_zoned_network("fe80::%nonesuch0/64")}).error().message,
              HasSubstr("nonesuch0"));
}

TEST(Locate, ANumericAddressStandsForItself) {
  Scope scope;
  EXPECT_THAT(locate({.host = "::1%lo", .port = Port{9}}, scope).value(),
              ElementsAre(Endpoint{*parse_ip("::1"), Port{9}}));
  EXPECT_EQ(scope.interface, "lo");
}

TEST(Locate, OneFamilyLeavesTheOtherOut) {
  Scope scope;
  EXPECT_THAT(locate({.host = "::1", .port = Port{9}, .family = IpAddress::Family::kV4}, scope)
                  .error()
                  .message,
              HasSubstr("::1 has no IPv4 address (-4)"));
  EXPECT_TRUE(
      locate({.host = "127.0.0.1", .port = Port{9}, .family = IpAddress::Family::kV4}, scope)
          .has_value());
}

}  // namespace
}  // namespace wyndrvr::app
