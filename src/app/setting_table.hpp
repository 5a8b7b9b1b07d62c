// The one table of configuration keys: name, default, range, unit and meaning of each.
//
// The file's parser, the command line's options, the help text and the file that --create-config
// writes are all made from it. Keys and defaults are protocol 0.14's (section 7), with its
// spellings; the server's limits and what dialect 1 can do are our own. Adding a key: one
// enumerator and one row.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace wyndrvr::app {

enum class Key : std::uint8_t {
  kBindAddr,
  kBindPort,
  kPortRanges,
  kConnectionParallelibility,
  kPortParallelability,
  kCpu,
  kIncomingBlockingLevel,
  kIncomingSleep,
  kSendSleep,
  kMaxSendTime,
  kHeartbeatRate,
  kAdjustmentDelay,
  kFlowControlRate,
  kServerBlockTime,
  kClientBlockTime,
  kUcmDelay,
  kUcmRate,
  kBwPacketLength,
  kDuration,
  kRate,
  kPayload,
  kStreams,
  kReliable,
  kBytes,
  kFragment,
  kDataTags,
  kDscp,
  kEcn,
  kTtl,
  kBind,
  kInterface,
  kSinglePort,
  kDialect,
  kGso,
  kGro,
  kKeyFile,
  kIdleTimeout,
  kMaxSessionDuration,
  kMaxSessions,
  kMaxSessionsPerAddress,
  kMaxUnprovenSessions,
  kMaxSessionsPerNetwork,
  kMaxTestDuration,
  kMaxTestBytes,
  kMaxRate,
  kMaxTotalRate,
  kMaxStreams,
  kMaxPayload,
  kAllow,
  kDeny,
  kRequireKey,
  kTestVerbose,
  kTestDelay,
  kTestDropRate,
  kCount
};
inline constexpr std::size_t kKeyCount = static_cast<std::size_t>(Key::kCount);

enum class ValueKind : std::uint8_t {
  kHost,
  kPortRanges,
  kMode,
  kInteger,
  kDecimal,
  kBoolean,
  kCpuList,
  kDialect,
  kOffload,
  kRate,       // `max` for none
  kRateBound,  // 0 for none
  kOctetBound,
  kDscp,
  kHopLimit,
  kAddress,
  kInterface,
  kPath,
  kNetworks,
};
enum class Unit : std::uint8_t { kNone, kMicroseconds, kMilliseconds, kSeconds, kBytes };

// Where the help text lists a key.
enum class Group : std::uint8_t { kServer, kClient, kBoth, kDebug };
// Who has a use for an option or a key.
enum class Role : std::uint8_t { kBoth, kClient, kServer };

struct KeySpec {
  Key key;
  std::string_view name;
  std::string_view default_text;
  ValueKind kind;
  Unit unit;
  double low;  // inclusive bounds of kInteger and kDecimal; 0 for the other kinds
  double high;
  Group group;
  std::string_view meaning;
};

// All keys, in the order of `Key`.
[[nodiscard]] std::span<const KeySpec> all_keys();
[[nodiscard]] const KeySpec& spec_of(Key key);
// By the name in a file; names are case-sensitive.
[[nodiscard]] std::optional<Key> find_key(std::string_view name);

[[nodiscard]] Role role_of(const KeySpec& spec);

// "us", "ms", "s", "bytes", or empty.
[[nodiscard]] std::string_view name(Unit unit);
// Nothing where it is none of time.
[[nodiscard]] std::optional<Duration> length_of(Unit unit);
// "--heartbeat-rate"
[[nodiscard]] std::string option_name(const KeySpec& spec);
// "a whole number from 1 to 3600000 (ms)"
[[nodiscard]] std::string describe_allowed(const KeySpec& spec);

}  // namespace wyndrvr::app
