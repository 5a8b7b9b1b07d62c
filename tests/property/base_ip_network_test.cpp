// A network against a slow model that goes bit by bit.
#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/ip_network.hpp"

namespace wyndrvr {
namespace ip_network_test {

bool bit_of(const IpAddress& address, std::size_t index) {
  return ((address.octets[index / 8] >> (7 - index % 8)) & 1U) != 0;
}

IpAddress draw_address(bool v6) {
  IpAddress address;
  address.family = v6 ? IpAddress::Family::kV6 : IpAddress::Family::kV4;
  const std::size_t size = v6 ? 16 : 4;
  for (std::size_t i = 0; i < size; ++i) {
    address.octets[i] = *rc::gen::element<std::uint8_t>(0, 1, 0x7f, 0x80, 0xfe, 0xff);
  }
  return address;
}

RC_GTEST_PROP(IpNetworkProperty, ContainsExactlyWhatHasTheSameBitsUpToThePrefix, ()) {
  const bool v6 = *rc::gen::arbitrary<bool>();
  const auto prefix = *rc::gen::inRange<int>(0, (v6 ? 128 : 32) + 1);
  IpNetwork network{draw_address(v6), static_cast<std::uint8_t>(prefix)};
  for (auto i = static_cast<std::size_t>(prefix); i < 128; ++i) {
    network.address.octets[i / 8] &= static_cast<std::uint8_t>(~(0x80U >> (i % 8)));
  }
  IpAddress address = draw_address(v6);
  // Near the border, where a plain draw hardly ever is.
  const auto same = *rc::gen::inRange<int>(0, (v6 ? 128 : 32) + 1);
  for (std::size_t i = 0; i < static_cast<std::size_t>(same); ++i) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (i % 8));
    address.octets[i / 8] &= static_cast<std::uint8_t>(~mask);
    if (bit_of(network.address, i)) address.octets[i / 8] |= mask;
  }
  bool all_equal = true;
  for (std::size_t i = 0; i < static_cast<std::size_t>(prefix); ++i) {
    all_equal = all_equal && bit_of(network.address, i) == bit_of(address, i);
  }
  RC_ASSERT(contains(network, address) == all_equal);
}

RC_GTEST_PROP(IpNetworkProperty, EveryAddressIsInItsOwnNetworkAndReadsBack, ()) {
  const IpAddress address = draw_address(*rc::gen::arbitrary<bool>());
  const IpNetwork site = network_of(address);
  RC_ASSERT(contains(site, address));
  RC_ASSERT(parse_network(to_string(site)).value() == site);
}

}  // namespace ip_network_test
}  // namespace wyndrvr
