// Why a datagram was ignored: the index of the drop counters that every part keeps and reports.
//
// A hostile or confused peer is never an error of ours: its datagram is dropped and counted under
// one of these reasons. The names are part of the reports: more may be added, none renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wyndrvr::wire {

enum class DropReason : std::uint8_t {
  kTooShort,          // fewer octets than the packet header
  kTooLong,           // more octets than the protocol allows
  kUnknownType,       // message type that the protocol does not define
  kWrongPort,         // message type that is not allowed on this port
  kWrongChannel,      // neither the heartbeat key nor the channel of a test
  kBadBody,           // body that does not parse
  kStranger,          // source address that is not the client's
  kUnknownTimestamp,  // heartbeat answer that matches nothing outstanding
  kDuplicate,         // control message that was dealt with already
  kNoTest,            // test traffic while no test is running
  kBadSequence,       // implausible sequence numbers
  kBudget,            // the reply would exceed what came in before the peer is proven
  kQueueFull,         // a bounded queue of ours had no room
  kWrongNonce,        // path nonce that is not the one of this path
  kWrongMac,          // MAC or tag that does not fit, or is not there
  kReplayed,          // number that came before, or is too old to tell
  kBeyondGrant,       // data that has not been granted
  kCount
};

inline constexpr std::size_t kDropReasonCount = static_cast<std::size_t>(DropReason::kCount);

// The name in reports, in snake_case: "too_short". "invalid" for kCount and beyond.
[[nodiscard]] constexpr std::string_view name(DropReason reason) {
  switch (reason) {
    case DropReason::kTooShort:
      return "too_short";
    case DropReason::kTooLong:
      return "too_long";
    case DropReason::kUnknownType:
      return "unknown_type";
    case DropReason::kWrongPort:
      return "wrong_port";
    case DropReason::kWrongChannel:
      return "wrong_channel";
    case DropReason::kBadBody:
      return "bad_body";
    case DropReason::kStranger:
      return "stranger";
    case DropReason::kUnknownTimestamp:
      return "unknown_timestamp";
    case DropReason::kDuplicate:
      return "duplicate";
    case DropReason::kNoTest:
      return "no_test";
    case DropReason::kBadSequence:
      return "bad_sequence";
    case DropReason::kBudget:
      return "budget";
    case DropReason::kQueueFull:
      return "queue_full";
    case DropReason::kWrongNonce:
      return "wrong_nonce";
    case DropReason::kWrongMac:
      return "wrong_mac";
    case DropReason::kReplayed:
      return "replayed";
    case DropReason::kBeyondGrant:
      return "beyond_grant";
    case DropReason::kCount:
      break;
  }
  return "invalid";
}

}  // namespace wyndrvr::wire
