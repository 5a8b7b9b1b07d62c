#include "app/setting_table.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "app/cpu_list.hpp"
#include "base/check.hpp"
#include "wire/header.hpp"
#include "wire/session_fields.hpp"

namespace wyndrvr::app {
namespace {

constexpr double kHour = 3'600'000;       // ms
constexpr double kDay = 86'400;           // s
constexpr double kOneSecond = 1e6;        // us
constexpr double kOneMinute = 60'000;     // ms
constexpr double kMostSessions = 21'845;  // three UDP ports each
constexpr auto kLeastPayload = static_cast<double>(wire::SessionFields::kMinPayload.value);
constexpr auto kMostPayload = static_cast<double>(wire::SessionFields::kMaxPayload.value);
constexpr double kMostStreams = wire::SessionFields::kMaxStreams;
constexpr std::string_view kEmptyBody = R"({"dummy_data": ""})";
constexpr auto kLongestDummyData = static_cast<double>(wire::kMaxBodySize - kEmptyBody.size());

using enum ValueKind;
using enum Unit;

constexpr std::array<KeySpec, kKeyCount> kTable = {{
    {Key::kBindAddr, "bind_addr", "0.0.0.0", kHost, kNone, 0, 0, Group::kServer,
     "address or host name that the server listens on; :: is IPv6 and IPv4, a name all that it "
     "has"},
    {Key::kBindPort, "bind_port", "6711", kInteger, kNone, 0, 65'535, Group::kServer,
     "UDP port that the server listens on, 0 = any free one"},
    {Key::kPortRanges, "port_ranges", "7000-8000", ValueKind::kPortRanges, kNone, 0, 0,
     Group::kServer, "UDP ports for clients, as in 7000-7099,7200-7299"},
    {Key::kConnectionParallelibility, "connection_parallelibility", "SINGLE", kMode, kNone, 0, 0,
     Group::kBoth,
     "how clients are separated: SINGLE, THREAD or PROCESS; a client only notes it in its result"},
    {Key::kPortParallelability, "port_parallelability", "SINGLE", kMode, kNone, 0, 0, Group::kBoth,
     "how the three ports are separated: SINGLE, THREAD or PROCESS"},
    {Key::kCpu, "cpu", "", kCpuList, kNone, 0, 0, Group::kBoth,
     "CPUs that loops are pinned to, in turn, as in 0-3,6; empty = chosen by mode"},
    {Key::kIncomingBlockingLevel, "incoming_blocking_level", "0", kInteger, kMicroseconds, 0,
     kOneSecond, Group::kBoth, "how long a receive may block for more, 0 = not at all"},
    {Key::kIncomingSleep, "incoming_sleep", "0", kInteger, kMicroseconds, 0, kOneSecond,
     Group::kBoth, "sleep in each turn of the receive loop"},
    {Key::kSendSleep, "send_sleep", "0", kInteger, kMicroseconds, 0, kOneSecond, Group::kBoth,
     "sleep after each datagram of the send loop, or each max_send_time where that is set; a "
     "single loop adds incoming_sleep"},
    {Key::kMaxSendTime, "max_send_time", "0", kInteger, kMicroseconds, 0, kOneSecond, Group::kBoth,
     "how long a port may send in one turn of the loop, 0 = 100 us"},
    {Key::kHeartbeatRate, "heartbeat_rate", "5000", kInteger, kMilliseconds, 1, kHour, Group::kBoth,
     "time between heartbeat exchanges"},
    {Key::kAdjustmentDelay, "adjustment_delay", "1000", kInteger, kMilliseconds, 1, kHour,
     Group::kBoth, "time between adjustments of the sending rate"},
    {Key::kFlowControlRate, "flow_control_rate", "10", kInteger, kNone, 1, 1000, Group::kBoth,
     "reports of what is missing per adjustment_delay; so many tell what was lost"},
    {Key::kServerBlockTime, "server_block_time", "100", kInteger, kMilliseconds, 0, kOneMinute,
     Group::kServer, "longest wait of the server's loop, 0 = never waits"},
    {Key::kClientBlockTime, "client_block_time", "100", kInteger, kMilliseconds, 0, kOneMinute,
     Group::kClient, "longest wait of the client's loop, 0 = never waits"},
    {Key::kUcmDelay, "ucm_delay", "100", kInteger, kMilliseconds, 1, kOneMinute, Group::kBoth,
     "time between resends of a request"},
    {Key::kUcmRate, "ucm_rate", "100", kInteger, kMilliseconds, 1, kOneMinute, Group::kBoth,
     "time between resends of a test's result"},
    {Key::kBwPacketLength, "bw_packet_length", "900", kInteger, kBytes, 1, kLongestDummyData,
     Group::kClient, "dummy data in each datagram of a test"},
    {Key::kDuration, "duration", "30", kDecimal, kSeconds, 0.001, kDay, Group::kClient,
     "length of a test; as an option without one, of the latency run"},
    {Key::kRate, "rate", "max", ValueKind::kRate, kNone, 0, 0, Group::kClient,
     "bit/s of UDP payload in each direction, as in 10M, 1.5G or 250k; max = as fast as it goes"},
    {Key::kPayload, "payload", "1400", kInteger, kBytes, kLeastPayload, kMostPayload,
     Group::kClient,
     "UDP payload of each datagram of a test in dialect 1; where only bw_packet_length is given, "
     "38 more than that"},
    {Key::kStreams, "streams", "1", kInteger, kNone, 1, kMostStreams, Group::kClient,
     "flows at once in each direction, which share the rate"},
    {Key::kReliable, "reliable", "off", kBoolean, kNone, 0, 0, Group::kClient,
     "on: what is lost is sent again; off: it is counted. In 0.14 always on"},
    {Key::kBytes, "bytes", "0", kOctetBound, kNone, 0, 0, Group::kClient,
     "end a direction of a test after so many octets of UDP payload, as in 500M or 2GiB; 0 = by "
     "duration alone"},
    {Key::kFragment, "fragment", "false", kBoolean, kNone, 0, 0, Group::kClient,
     "let IP fragment datagrams that are longer than the path's MTU"},
    {Key::kDataTags, "data_tags", "false", kBoolean, kNone, 0, 0, Group::kClient,
     "authenticate each datagram of a test too; needs key_file"},
    {Key::kDscp, "dscp", "0", ValueKind::kDscp, kNone, 0, 0, Group::kClient,
     "DSCP of all that client and server send: 0 to 63, or a name as EF, CS1, AF41 or LE"},
    {Key::kEcn, "ecn", "false", kBoolean, kNone, 0, 0, Group::kClient,
     "mark data as ECN-capable, ECT(0), and count what the path marks as CE"},
    {Key::kTtl, "ttl", "", kHopLimit, kNone, 0, 0, Group::kClient,
     "TTL or hop limit of what the client sends, 1 to 255; empty = the system's"},
    {Key::kBind, "bind", "", kAddress, kNone, 0, 0, Group::kClient,
     "numeric address that the client sends from, as in 192.0.2.1 or fe80::1%eth0; empty = the "
     "system's choice (a server's is bind_addr)"},
    {Key::kInterface, "interface", "", ValueKind::kInterface, kNone, 0, 0, Group::kBoth,
     "network interface that is used alone, for all that is sent and received; empty = any"},
    {Key::kSinglePort, "single_port", "false", kBoolean, kNone, 0, 0, Group::kClient,
     "ask for one port on each side in place of three"},
    {Key::kDialect, "dialect", "auto", ValueKind::kDialect, kNone, 0, 0, Group::kBoth,
     "of the protocol: auto, 1, or 0.14, the original's; auto prefers 1 and speaks both"},
    {Key::kGso, "gso", "auto", kOffload, kNone, 0, 0, Group::kBoth,
     "send data as super-packets, which the kernel cuts: auto = where that is to be had, on = or "
     "fail, off"},
    {Key::kGro, "gro", "auto", kOffload, kNone, 0, 0, Group::kBoth,
     "receive data as trains that the kernel joins: auto = where that is to be had, on = or fail, "
     "off"},
    {Key::kKeyFile, "key_file", "", kPath, kNone, 0, 0, Group::kBoth,
     "file of keys that both ends prove to have; a client uses the first; empty = none"},
    {Key::kIdleTimeout, "idle_timeout", "30000", kInteger, kMilliseconds, 1, 24 * kHour,
     Group::kServer, "a client that is silent for so long is dropped"},
    {Key::kMaxSessionDuration, "max_session_duration", "86400", kInteger, kSeconds, 1, 30 * kDay,
     Group::kServer, "a client is dropped after so long, but not in a test that it was granted"},
    {Key::kMaxSessions, "max_sessions", "4096", kInteger, kNone, 1, kMostSessions, Group::kServer,
     "clients at once"},
    {Key::kMaxSessionsPerAddress, "max_sessions_per_address", "0", kInteger, kNone, 0,
     kMostSessions, Group::kServer,
     "clients at once from one address, 0 = a quarter of what port_ranges holds"},
    {Key::kMaxUnprovenSessions, "max_unproven_sessions", "0", kInteger, kNone, 0, kMostSessions,
     Group::kServer,
     "clients at once that have not yet used all of their ports, 0 = half of what port_ranges "
     "holds, 400 at most"},
    {Key::kMaxSessionsPerNetwork, "max_sessions_per_network", "0", kInteger, kNone, 0,
     kMostSessions, Group::kServer,
     "clients at once from one /24 of IPv4 or /64 of IPv6, 0 = half of what port_ranges holds"},
    {Key::kMaxTestDuration, "max_test_duration", "3600", kInteger, kSeconds, 1, kDay,
     Group::kServer, "longest test that the server grants"},
    {Key::kMaxTestBytes, "max_test_bytes", "0", kOctetBound, kNone, 0, 0, Group::kServer,
     "most octets that a test is granted in each direction, as in 10G; 0 = no bound"},
    {Key::kMaxRate, "max_rate", "0", kRateBound, kNone, 0, 0, Group::kServer,
     "most bit/s that a test is granted in each direction, as in 500M; 0 = no bound"},
    {Key::kMaxTotalRate, "max_total_rate", "0", kRateBound, kNone, 0, 0, Group::kServer,
     "most bit/s of all tests at once, as in 5G; further clients are told to wait; 0 = no bound"},
    {Key::kMaxStreams, "max_streams", "64", kInteger, kNone, 1, kMostStreams, Group::kServer,
     "most streams that a test is granted"},
    {Key::kMaxPayload, "max_payload", "65507", kInteger, kBytes, kLeastPayload, kMostPayload,
     Group::kServer, "longest UDP payload of a test's datagrams that is granted"},
    {Key::kAllow, "allow", "", kNetworks, kNone, 0, 0, Group::kServer,
     "networks that alone are served, as in 10.0.0.0/8,2001:db8::/32,fe80::%eth0/64; empty = all"},
    {Key::kDeny, "deny", "", kNetworks, kNone, 0, 0, Group::kServer,
     "networks that get no answer, also within allow; empty = none"},
    {Key::kRequireKey, "require_key", "false", kBoolean, kNone, 0, 0, Group::kServer,
     "serve nobody without a key of key_file, and so nobody in 0.14"},
    {Key::kTestVerbose, "test_verbose", "false", kBoolean, kNone, 0, 0, Group::kDebug,
     "debug lines on stderr"},
    {Key::kTestDelay, "test_delay", "0", kInteger, kMilliseconds, 0, kOneMinute, Group::kDebug,
     "delay added to each turn of the loop"},
    {Key::kTestDropRate, "test_drop_rate", "0.0", kDecimal, kNone, 0, 1, Group::kDebug,
     "probability that an outgoing datagram is dropped"},
}};

}  // namespace

std::span<const KeySpec> all_keys() {
  return kTable;
}

const KeySpec& spec_of(Key key) {
  const KeySpec& spec = kTable.at(static_cast<std::size_t>(key));
  WYNDRVR_CHECK(spec.key == key);
  return spec;
}

std::optional<Key> find_key(std::string_view name) {
  const auto* const found = std::ranges::find(kTable, name, &KeySpec::name);
  if (found == kTable.end()) return std::nullopt;
  return found->key;
}

Role role_of(const KeySpec& spec) {
  switch (spec.group) {
    case Group::kServer:
      return Role::kServer;
    case Group::kClient:
      return Role::kClient;
    case Group::kBoth:
    case Group::kDebug:
      break;
  }
  return Role::kBoth;
}

std::string_view name(Unit unit) {
  switch (unit) {
    case kNone:
      return "";
    case kMicroseconds:
      return "us";
    case kMilliseconds:
      return "ms";
    case kSeconds:
      return "s";
    case kBytes:
      return "bytes";
  }
  return "";
}

std::optional<Duration> length_of(Unit unit) {
  switch (unit) {
    case kMicroseconds:
      return 1us;
    case kMilliseconds:
      return 1ms;
    case kSeconds:
      return 1s;
    case kNone:
    case kBytes:
      break;
  }
  return std::nullopt;
}

std::string option_name(const KeySpec& spec) {
  std::string option = fmt::format("--{}", spec.name);
  std::ranges::replace(option, '_', '-');
  return option;
}

std::string describe_allowed(const KeySpec& spec) {
  std::string unit = spec.unit == kNone ? "" : fmt::format(" ({})", name(spec.unit));
  if (length_of(spec.unit)) unit += ", or a time with its unit, as in 500ms, 10s, 1m or 2h";
  switch (spec.kind) {
    case kHost:
      return "a host name or an address";
    case ValueKind::kPortRanges:
      return "ranges of UDP ports from 1 to 65535 with at least 3 ports in all, as in "
             "7000-7099,7200-7299";
    case kMode:
      return "SINGLE, THREAD or PROCESS";
    case kInteger:
      return fmt::format("a whole number from {} to {}{}", spec.low, spec.high, unit);
    case kDecimal:
      return fmt::format("a number from {} to {}{}", spec.low, spec.high, unit);
    case kBoolean:
      return "true, false, yes, no, on, off, 1 or 0";
    case kCpuList:
      return fmt::format("CPU numbers from 0 to {} and ranges of them, as in 0-3,6", kHighestCpu);
    case ValueKind::kDialect:
      return "auto, 1 or 0.14";
    case kOffload:
      return "auto, on or off";
    case ValueKind::kRate:
      return "max, or bit/s from 1k to 1000T, as in 10M, 1.5G or 250k";
    case kRateBound:
      return "0, or bit/s from 1k to 1000T, as in 10M, 1.5G or 250k";
    case kOctetBound:
      return "a number of octets up to 1000T, as in 500M, 2G or 64Ki, or 0";
    case ValueKind::kDscp:
      return "a whole number from 0 to 63, or EF, VOICE-ADMIT, LE, DF, CS0 to CS7 or AF11 to AF43";
    case kHopLimit:
      return "a whole number from 1 to 255";
    case kAddress:
      return "a numeric address, as in 192.0.2.1, 2001:db8::1 or fe80::1%eth0";
    case ValueKind::kInterface:
      return "the name of a network interface, as in eth0";
    case kPath:
      return "the path of a file";
    case kNetworks:
      return "networks, as in 10.0.0.0/8,2001:db8::/32,fe80::%eth0/64";
  }
  return "";
}

}  // namespace wyndrvr::app
