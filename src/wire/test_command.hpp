// Body of CONTROL in dialect 1, from behind the path nonce: starting and stopping a test
// (docs/PROTOCOL.md, "Control").
//
// What else a test is like was granted with the session (session_fields.hpp). Retransmits nothing
// and knows no test: that is the engine's. Allocates nothing.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+-----------------------------------------------+
//   |    command    |   test number, 32 bits                        |
//   +---------------+---------------+-------------------------------+
//   |               |   direction   |   duration, ms, 32 bits           START only, from
//   +---------------+---------------+-------------------------------+   `direction` on
//   |                               |
//   +---------------+---------------+
//   |               |    reason     |                                   STOP only, behind
//   +---------------+---------------+                                   the test number
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <variant>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "wire/drop_reason.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::wire {

// The values are those on the wire.
enum class TestDirection : std::uint8_t {
  kUpload = 1,
  kDownload = 2,
};

// The values are those on the wire.
enum class StopReason : std::uint8_t {
  kWanted = 1,
  kSustainedLoss = 2,  // RFC 8085 section 3.1.10
  kNoData = 3,
};

struct StartTest {
  static constexpr Duration kMinDuration = 1ms;
  static constexpr Duration kMaxDuration = 1ms * std::int64_t{UINT32_MAX};  // what 32 bits hold

  TestNumber test{};
  TestDirection direction = TestDirection::kUpload;
  Duration duration = kMinDuration;  // in whole ms on the wire; what is finer is cut off
  bool operator==(const StartTest&) const = default;
};
// The receiving end is there.
struct TestReady {
  TestNumber test{};
  bool operator==(const TestReady&) const = default;
};
struct StopTest {
  TestNumber test{};
  StopReason reason = StopReason::kWanted;
  bool operator==(const StopTest&) const = default;
};
struct TestStopped {
  TestNumber test{};
  bool operator==(const TestStopped&) const = default;
};

using TestCommand = std::variant<StartTest, TestReady, StopTest, TestStopped>;

// READY and STOPPED.
inline constexpr std::size_t kTestCommandSize = 1 + kTestNumberSize;
inline constexpr std::size_t kStopTestSize = kTestCommandSize + 1;
inline constexpr std::size_t kStartTestSize = kTestCommandSize + 1 + 4;
inline constexpr std::size_t kMaxTestCommandSize = kStartTestSize;

// Error: kBadBody, for an unknown command, direction or reason, a duration of 0 and for any other
// length.
[[nodiscard]] std::expected<TestCommand, DropReason> parse_test_command(ByteView body);

// Returns the number of octets written; `out` holds at least as many: kMaxTestCommandSize is enough
// for each. A duration out of range is our own bug.
std::size_t write_test_command(MutableByteView out, const TestCommand& command);

}  // namespace wyndrvr::wire
