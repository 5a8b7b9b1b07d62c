// The datagrams of the main port: HELLO, COOKIE, OPEN, GRANT, REFUSE, CLOSE (dialect 1, "Main
// port").
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------------------------------------------------------+
//   |   magic: "CONNECT" from clients, "WYNDRVR" from servers       |
//   +                                               +---------------+
//   |                                               |     kind      |
//   +---------------+---------------+---------------+---------------+
//   |  dialect = 1  |     flags     |   length of what counts (L)   |
//   +---------------+---------------+-------------------------------+
//   |                   client nonce, 128 bits ...
//   +---------------------------------------------------------------+ 28
//   |   fixed part of the kind, then what varies, up to L ...
//   +---------------------------------------------------------------+ L
//   |   zeros up to the end of the datagram ...
//   +-----------------------------------------
//
//   kind         after the prefix, up to L                                        datagram
//   1  HELLO     -                                                             exactly 512
//   2  COOKIE    slot (4), hash (16)                                            exactly 48
//   3  OPEN      slot (4), hash (16), fields [, key id (4), MAC (16)]          exactly 512
//   4  GRANT     session (8), server nonce (16), ports of CONTROL, UPLOAD
//                and DOWNLOAD (2 each), fields [, MAC (16)]                    at most 512
//   5  REFUSE    reason (1), come again after so many ms (4) [, MAC (16)]      at most 512
//   6  CLOSE     session (8), reason (1), text (0 to 160) [, MAC (16)]         at most 512
//
// Flag 1 says that the part in brackets is there, at the end of L; HELLO and COOKIE have no flags.
// A client's requests are as long as the longest answer may be, so that no answer amplifies.
//
// Checks form only: whether a cookie, a MAC or a nonce is the right one is for those who keep
// them. Allocates nothing. The signed part of what was parsed points into the datagram.
//
// Example, with a MAC:
//   const std::size_t size = write_handshake(out, open);
//   set_mac(out.first(size), mac_of(signed_part(out.first(size))));
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "wire/drop_reason.hpp"
#include "wire/session_fields.hpp"
#include "wire/small_text.hpp"

namespace wyndrvr::wire {

// Length of HELLO and OPEN, and the bound of every datagram of the main port. Octets.
inline constexpr std::size_t kMaxHandshakeSize = 512;
inline constexpr std::size_t kHandshakePrefixSize = 28;

// 128 random bits.
using Nonce = std::array<std::byte, 16>;
// 128 bits of a keyed hash. Whoever judges one compares in constant time, never with ==.
using Mac = std::array<std::byte, 16>;

// 64 random bits that name a session on the wire.
struct SessionNumber {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const SessionNumber&) const = default;
};

// Names a key in the key files of both sides.
struct KeyId {
  std::uint32_t value = 0;
  constexpr auto operator<=>(const KeyId&) const = default;
};

// What a server gives to whoever is at an address, and gets back from there alone.
struct CookieValue {
  std::uint32_t slot = 0;  // the server's time in units of 30 s, modulo 2^32
  Mac hash{};
  bool operator==(const CookieValue&) const = default;
};

// The end of a datagram that is authenticated.
struct Signature {
  Mac mac{};
  // The datagram up to the MAC, of one that was parsed; writing does not look at it.
  ByteView signed_part{};
  bool operator==(const Signature& other) const { return mac == other.mac; }  // for tests
};

// What a client that has a key adds to its OPEN.
struct KeyProof {
  KeyId key{};
  Signature signature{};
  bool operator==(const KeyProof&) const = default;
};

struct Hello {
  Nonce client_nonce{};
  bool operator==(const Hello&) const = default;
};

struct Cookie {
  Nonce client_nonce{};
  CookieValue value{};
  bool operator==(const Cookie&) const = default;
};

struct Open {
  Nonce client_nonce{};
  CookieValue cookie{};
  SessionFields wanted{};
  std::optional<KeyProof> proof{};
  bool operator==(const Open&) const = default;
};

// None is 0. All are distinct, or all are the same one: single port.
struct GrantedPorts {
  Port control{};
  Port upload{};
  Port download{};
  bool operator==(const GrantedPorts&) const = default;
};

struct Grant {
  Nonce client_nonce{};
  SessionNumber session{};
  Nonce server_nonce{};
  GrantedPorts ports{};     // the same one exactly when `granted.single_port` is there and true
  SessionFields granted{};  // every field that was wanted: for the client to check
  std::optional<Signature> signature{};
  bool operator==(const Grant&) const = default;
};

// The values are those on the wire.
enum class RefuseReason : std::uint8_t {
  kBusy = 1,
  kServerFull = 2,
  kAddressLimit = 3,
  kNetworkLimit = 4,
  kNoFreePorts = 5,
  kNoWorker = 6,
  kNotAllowed = 7,
  kKeyNeeded = 8,
  kUnknownKey = 9,
  kWrongMac = 10,
  kUnknownDialect = 11,
};

struct Refuse {
  // What 32 bits of milliseconds hold, and the least that is not "never".
  static constexpr Duration kMinComeAgain = 1ms;
  static constexpr Duration kMaxComeAgain = 1ms * std::int64_t{UINT32_MAX};

  Nonce client_nonce{};
  RefuseReason reason = RefuseReason::kBusy;
  std::optional<Duration> come_again_after{};  // whole ms; nothing: never
  std::optional<Signature> signature{};
  bool operator==(const Refuse&) const = default;
};

// The values are those on the wire.
enum class CloseReason : std::uint8_t {
  kDone = 1,
  kInterrupted = 2,
  kPartLost = 3,  // a part of the server
  kEvicted = 4,
  kServerStops = 5,
  kTimeOver = 6,  // max_session_duration
};

struct Close {
  static constexpr std::size_t kMaxText = 160;

  Nonce client_nonce{};
  SessionNumber session{};
  CloseReason reason = CloseReason::kDone;
  SmallText<kMaxText> text{};  // for people
  std::optional<Signature> signature{};
  bool operator==(const Close&) const = default;
};

// What is longest as it is written, without the zeros after it; with every field, text and MAC.
inline constexpr std::size_t kCookieSize = kHandshakePrefixSize + 4 + 16;
inline constexpr std::size_t kMaxGrantSize =
    kHandshakePrefixSize + 8 + 16 + 6 + kMaxSessionFieldsSize + 16;
static_assert(kMaxGrantSize <= kMaxHandshakeSize);
inline constexpr std::size_t kMaxRefuseSize = kHandshakePrefixSize + 1 + 4 + 16;
inline constexpr std::size_t kMaxCloseSize = kHandshakePrefixSize + 8 + 1 + Close::kMaxText + 16;

enum class Sender : std::uint8_t { kClient, kServer };

using FromClient = std::variant<Hello, Open, Close>;
using FromServer = std::variant<Cookie, Grant, Refuse, Close>;

// Whether a datagram is a HELLO by its length, magic and kind, whatever its dialect and the rest:
// all that a server has to know that answers it as a CONNECT of 0.14.
[[nodiscard]] bool is_hello(ByteView datagram);
// The nonce of a HELLO whose dialect is not 1, to be repeated in REFUSE kUnknownDialect.
[[nodiscard]] std::optional<Nonce> find_nonce_of_other_dialect(ByteView datagram);

// Errors: kTooShort (also for what is shorter than its L or its kind), kTooLong, kUnknownType
// (magic, dialect and kind), kBadBody.
[[nodiscard]] std::expected<FromClient, DropReason> parse_from_client(ByteView datagram);
[[nodiscard]] std::expected<FromServer, DropReason> parse_from_server(ByteView datagram);

// Return the length of the datagram, the zeros of HELLO and OPEN included; `out` holds at least
// kMaxHandshakeSize. A MAC is written as it stands in the struct.
std::size_t write_handshake(MutableByteView out, const Hello& hello);
std::size_t write_handshake(MutableByteView out, const Cookie& cookie);
std::size_t write_handshake(MutableByteView out, const Open& open);
std::size_t write_handshake(MutableByteView out, const Grant& grant);
std::size_t write_handshake(MutableByteView out, const Refuse& refuse);
std::size_t write_handshake(MutableByteView out, const Close& close, Sender sender);

// Of a datagram that write_handshake made of something with a MAC: all up to the MAC, and the
// MAC's place filled in.
[[nodiscard]] ByteView signed_part(ByteView written);
void set_mac(MutableByteView written, const Mac& mac);

}  // namespace wyndrvr::wire
