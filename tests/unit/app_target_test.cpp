// `[addr]:[port]` in all its forms, and the ones that are refused.
#include <vector>

#include <gtest/gtest.h>

#include "app/target.hpp"

namespace wyndrvr::app {
namespace target_test {

struct Accepted {
  std::string_view text;
  Target expected;
};

Target target(std::optional<std::string> host, std::optional<std::uint16_t> port) {
  Target result{.host = std::move(host), .port = {}};
  if (port) result.port = Port{*port};
  return result;
}

TEST(Target, AcceptsEveryDocumentedForm) {
  const std::vector<Accepted> cases = {
      {"localhost", target("localhost", {})},
      {"host.example:7000", target("host.example", 7000)},
      {"192.0.2.7", target("192.0.2.7", {})},
      {"192.0.2.7:6711", target("192.0.2.7", 6711)},
      {":6711", target({}, 6711)},
      {"host:", target("host", {})},
      {":", target({}, {})},
      {"[::1]:6711", target("::1", 6711)},
      {"[::1]", target("::1", {})},
      {"[::1]:", target("::1", {})},
      {"::1", target("::1", {})},
      {"::", target("::", {})},
      {"2001:db8::1", target("2001:db8::1", {})},
      {"fe80::1%eth0", target("fe80::1%eth0", {})},
      {"[fe80::1%2]:9", target("fe80::1%2", 9)},
      {"my_host-1:65535", target("my_host-1", 65535)},
      {"host:0", target("host", 0)},
  };
  for (const Accepted& test : cases) {
    const auto parsed = parse_target(test.text);
    ASSERT_TRUE(parsed.has_value()) << test.text << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, test.expected) << test.text;
  }
}

TEST(Target, RefusesWhatIsNoneAndSaysWhy) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"", "empty"},
      {"host:65536", "'65536' is not a port"},
      {"host:-1", "'-1' is not a port"},
      {"host:7x", "'7x' is not a port"},
      {"host: 7", "' 7' is not a port"},
      {"[::1", "']' is missing"},
      {"[::1]6711", "where ':' and a port should be"},
      {"[host]:1", "between brackets is not an address"},
      {"[]:1", "between brackets is not an address"},
      {"a:b:c", "with a port, write [addr]:port"},
      {"6711", "a port is written :6711"},
      {"1.2.3", "not an IPv4 address"},
      {"256.1.1.1:5", "not an IPv4 address"},
      {"-x", "not a host name"},
      {"ho st", "not a host name"},
      {"http//x", "not a host name"},
      {"fe80::1%", "neither host:port nor an IPv6 address"},
  };
  for (const auto& [text, reason] : cases) {
    const auto parsed = parse_target(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_NE(parsed.error().message.find(reason), std::string::npos)
        << text << " gave: " << parsed.error().message;
  }
}

TEST(Target, RefusesNamesLongerThanDnsAllows) {
  EXPECT_TRUE(parse_target(std::string(253, 'a')).has_value());
  EXPECT_FALSE(parse_target(std::string(254, 'a')).has_value());
}

TEST(Target, ErrorsShowNoControlCharacters) {
  const auto parsed = parse_target("a\x1b[2J\n");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().message.find('\x1b'), std::string::npos);
  EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos);
}

TEST(Target, JoinsWithBracketsAroundIpv6Only) {
  EXPECT_EQ(join_host_port("127.0.0.1", {6711}), "127.0.0.1:6711");
  EXPECT_EQ(join_host_port("::1", {7}), "[::1]:7");
}

}  // namespace target_test
}  // namespace wyndrvr::app
