// The texts of the main port: CONNECT and the server's answer to it (protocol 0.14 section 1).
//
//   client   CONNECT
//   server   7000,7001,7002,41877        control, upload, download port and the heartbeat key
//            REFUSED address limit       ours: why there are no ports for this client
//            ENDED 41877 upload worker (pid 42) was killed by SIGKILL
//                                        ours, later: the key, and why the session is over
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
#include "wire/small_text.hpp"

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

enum class RefusalReason : std::uint8_t {
  kNoFreePorts,
  kAddressLimit,
  kServerFull,
  kNetworkLimit,
  kNoWorker,  // also after the assignment: the session could not be started after all
  kOther,
};

struct Refusal {
  RefusalReason reason = RefusalReason::kOther;
  bool operator==(const Refusal&) const = default;
};

// The server gave a session up because of a fault of its own. Only for a client of ours that has
// proven where it is.
struct Ended {
  static constexpr std::size_t kMaxCause = 160;

  std::uint32_t key = 0;         // of the session's assignment, at most Assignment::kMaxKey
  SmallText<kMaxCause> cause{};  // for people
  bool operator==(const Ended&) const = default;
};

using ConnectAnswer = std::variant<Assignment, Refusal, Ended>;

// Assignments and refusals, which go to addresses that anyone can forge: so much at most is written
// and read. Octets.
inline constexpr std::size_t kMaxUnprovenAnswerSize = 64;
// The longest answer of all, an ENDED: the word, a key of five digits, two blanks and the cause.
// Longer ones are dropped unread. Octets.
inline constexpr std::size_t kMaxConnectAnswerSize = 5 + 1 + 5 + 1 + Ended::kMaxCause;

// With what of `cause` can be told: cut to its maximum, and `?` for every octet that is not
// printable ASCII, and for quotation mark and backslash.
[[nodiscard]] Ended make_ended(std::uint32_t key, std::string_view cause);

// "no free ports", "address limit", "server full", "network limit", "cannot start workers"; empty
// for kOther.
[[nodiscard]] std::string_view text(RefusalReason reason);

// Octets of the refusal with this reason.
[[nodiscard]] std::size_t refusal_size(RefusalReason reason);

// Whether a datagram is exactly kConnect. The original takes any datagram for one, which lets
// stray traffic take ports.
[[nodiscard]] bool is_connect(ByteView datagram);

// White space around an assignment and a refusal is allowed, none inside. Text that is not known
// after "REFUSED" is kOther. An ENDED has one spelling only. Errors: kTooLong, kBadBody.
[[nodiscard]] std::expected<ConnectAnswer, DropReason> parse_connect_answer(ByteView datagram);

// Return the number of octets written; `out` holds at least kMaxConnectAnswerSize.
std::size_t write_connect_answer(MutableByteView out, const Assignment& assignment);
std::size_t write_connect_answer(MutableByteView out, const Refusal& refusal);
std::size_t write_connect_answer(MutableByteView out, const Ended& ended);

}  // namespace wyndrvr::wire
