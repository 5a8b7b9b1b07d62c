// The texts of the main port: CONNECT and the server's answer to it (protocol 0.14 section 1).
//
//   client   CONNECT
//   server   7000,7001,7002,41877        control, upload, download port and the heartbeat key
//            REFUSED address limit       ours: why there are no ports for this client
//
// Nothing here allocates ports or tells whether a client may have any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>
#include <variant>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "wire/drop_reason.hpp"

namespace wyndrvr::wire {

inline constexpr std::string_view kConnect = "CONNECT";

// The three ports that the server has bound for one client.
struct Assignment {
  static constexpr std::uint32_t kMaxKey = 60'000;

  Port control{};  // the ports are distinct and not 0
  Port upload{};
  Port download{};
  std::uint32_t key = 0;  // data channel of the heartbeats, at most kMaxKey
  bool operator==(const Assignment&) const = default;
};

enum class RefusalReason : std::uint8_t { kNoFreePorts, kAddressLimit, kServerFull, kOther };

struct Refusal {
  RefusalReason reason = RefusalReason::kOther;
  bool operator==(const Refusal&) const = default;
};

using ConnectAnswer = std::variant<Assignment, Refusal>;

// The longest answer that is written or read; longer ones are dropped unread.
inline constexpr std::size_t kMaxConnectAnswerSize = 64;

// "no free ports", "address limit", "server full"; empty for kOther.
[[nodiscard]] std::string_view text(RefusalReason reason);

// Whether a datagram is exactly kConnect. The original takes any datagram for one, which lets
// stray traffic take ports.
[[nodiscard]] bool is_connect(ByteView datagram);

// White space around the answer is allowed, none inside. Text that is not known after "REFUSED"
// is kOther. Errors: kTooLong, kBadBody.
[[nodiscard]] std::expected<ConnectAnswer, DropReason> parse_connect_answer(ByteView datagram);

// Return the number of octets written; `out` holds at least kMaxConnectAnswerSize.
std::size_t write_connect_answer(MutableByteView out, const Assignment& assignment);
std::size_t write_connect_answer(MutableByteView out, const Refusal& refusal);

}  // namespace wyndrvr::wire
