// Body of CONTROL in dialect 1, from behind the path nonce: starting and stopping a test
// (docs/DIALECT-1.md, "Control").
//
// START's fields stay octets here; session_fields.hpp reads them. Retransmits nothing and knows no
// test: that is the engine's. Allocates nothing; the fields point into the datagram.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+-----------------------------------------------+
//   |    command    |   test number, 32 bits                        |
//   +---------------+---------------+-------------------------------+
//   |               |   direction   |   fields, up to the end ...        START only, from
//   +---------------+---------------+--------------------------------    `direction` on
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <variant>

#include "base/bytes.hpp"
#include "wire/drop_reason.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::wire {

enum class TestDirection : std::uint8_t {
  kUpload = 1,
  kDownload = 2,
};

struct StartTest {
  TestNumber test{};
  TestDirection direction = TestDirection::kUpload;
  ByteView fields{};  // as granted; at most kMaxStartFieldsSize
};
// The receiving end is there.
struct TestReady {
  TestNumber test{};
  bool operator==(const TestReady&) const = default;
};
struct StopTest {
  TestNumber test{};
  bool operator==(const StopTest&) const = default;
};
struct TestStopped {
  TestNumber test{};
  bool operator==(const TestStopped&) const = default;
};

using TestCommand = std::variant<StartTest, TestReady, StopTest, TestStopped>;

// READY, STOP and STOPPED; START without a field.
inline constexpr std::size_t kTestCommandSize = 1 + kTestNumberSize;
inline constexpr std::size_t kStartTestSize = kTestCommandSize + 1;
inline constexpr std::size_t kMaxStartFieldsSize =
    kMaxPacketSize - kPathPrefixSize - kStartTestSize;

// Error: kBadBody, for an unknown command or direction and for any other length.
[[nodiscard]] std::expected<TestCommand, DropReason> parse_test_command(ByteView body);

// Returns the number of octets written; `out` holds at least kTestCommandSize, or kStartTestSize
// and the fields.
std::size_t write_test_command(MutableByteView out, const TestCommand& command);

}  // namespace wyndrvr::wire
