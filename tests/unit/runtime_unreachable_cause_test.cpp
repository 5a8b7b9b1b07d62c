#include <cerrno>

#include <gtest/gtest.h>

#include "runtime/unreachable_cause.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::runtime {
namespace unreachable_cause_test {

using engine::testing::endpoint;
using os::IcmpError;
using enum engine::Unreachable;

const Endpoint kServer = endpoint("192.0.2.7", 6711);
const IpAddress kUs = *parse_ip("192.0.2.1");
const IpAddress kRouter = *parse_ip("198.51.100.1");

engine::Unreachable cause(IcmpError icmp, const std::optional<IpAddress>& by, int error = 0) {
  return cause_of_icmp({error, kServer, icmp, by}, kUs);
}

TEST(UnreachableCause, OfASendThatFailsIsThisHosts) {
  EXPECT_EQ(cause_of_send_error(EPERM), kLocalFirewall);
  EXPECT_EQ(cause_of_send_error(ENETUNREACH), kNoRoute);
  EXPECT_EQ(cause_of_send_error(EHOSTUNREACH), kUnreachableRoute);
  EXPECT_EQ(cause_of_send_error(EACCES), kProhibitedRoute);
  EXPECT_EQ(cause_of_send_error(EINVAL), kBlackholeRoute);
  EXPECT_EQ(cause_of_send_error(EADDRNOTAVAIL), kNoSourceAddress);
  EXPECT_EQ(cause_of_send_error(ENETDOWN), kInterfaceDown);
  EXPECT_EQ(cause_of_send_error(EIO), kNotSent);
}

TEST(UnreachableCause, OfAnIcmpErrorDependsOnWhoSaysIt) {
  EXPECT_EQ(cause(IcmpError::kPort, kServer.address), kNobodyListens);
  EXPECT_EQ(cause(IcmpError::kPort, std::nullopt), kNobodyListens);
  EXPECT_EQ(cause(IcmpError::kPort, kRouter), kProhibitedOnTheWay)
      << "a firewall's usual rejection";
  EXPECT_EQ(cause(IcmpError::kPort, kUs), kLocalFirewall);
  EXPECT_EQ(cause(IcmpError::kHost, kRouter), kHostUnreachable);
  EXPECT_EQ(cause(IcmpError::kHost, kUs), kNoNeighbour) << "nobody answers ARP";
  EXPECT_EQ(cause(IcmpError::kNet, kRouter), kNetUnreachable);
  EXPECT_EQ(cause(IcmpError::kProhibited, kRouter), kProhibitedOnTheWay);
  EXPECT_EQ(cause(IcmpError::kProhibited, kServer.address), kProhibitedOnTheWay);
  EXPECT_EQ(cause(IcmpError::kProhibited, kUs), kLocalFirewall);
  EXPECT_EQ(cause(IcmpError::kProtocol, kServer.address), kNoProtocol);
  EXPECT_EQ(cause(IcmpError::kTime, kRouter), kTimeExceeded);
  EXPECT_EQ(cause(IcmpError::kOther, kRouter, ECONNREFUSED), kNobodyListens);
  EXPECT_EQ(cause(IcmpError::kOther, kRouter, EPROTO), kNetUnreachable);
}

TEST(UnreachableCause, OnThisVeryHostTheServersWordAndOursAreOne) {
  EXPECT_EQ(cause_of_icmp({ECONNREFUSED, endpoint("127.0.0.1", 6711), IcmpError::kPort,
                           *parse_ip("127.0.0.1")},
                          *parse_ip("127.0.0.1")),
            kNobodyListens);
}

}  // namespace unreachable_cause_test
}  // namespace wyndrvr::runtime
