// Datagrams of dialect 1's main port, written down octet by octet from the document, and the values
// that they stand for: what the tests of wire/handshake share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <expected>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "wire/handshake.hpp"

namespace wyndrvr::wire::testing {

using std::string_view_literals::operator""sv;

// Written down from the document. L is the octet pair before the nonce.
inline constexpr std::string_view kClientNonce = "0123456789abcdef";
inline constexpr std::string_view kCookieOctets =
    "\x01\x02\x03\x04"
    "HASHhashHASHhash"sv;
inline constexpr std::string_view kServerNonce = "ServerNonce-128b";
inline constexpr std::string_view kSomeMac = "MAC-of-128-bits!";
inline constexpr std::string_view kUploadOf10s = "\x01\x01\x01\x02\x04\x00\x00\x27\x10"sv;
inline constexpr std::string_view kSession = "\x11\x22\x33\x44\x55\x66\x77\x88"sv;

inline std::string join(std::initializer_list<std::string_view> parts) {
  std::string whole;
  for (const std::string_view part : parts) whole += part;
  return whole;
}

inline std::string padded(std::string datagram, std::size_t size = 512) {
  datagram.resize(size, '\0');
  return datagram;
}

inline std::string hello_octets() {
  return padded(join({"CONNECT\x01\x01\x00\x00\x1c"sv, kClientNonce}));
}
inline std::string cookie_octets() {
  return join({"WYNDRVR\x02\x01\x00\x00\x30"sv, kClientNonce, kCookieOctets});
}
// L = 28 + 20 + 9.
inline std::string open_octets() {
  return padded(join({"CONNECT\x03\x01\x00\x00\x39"sv, kClientNonce, kCookieOctets, kUploadOf10s}));
}
// L = 28 + 20 + 9 + 4 + 16.
inline std::string signed_open_octets() {
  return padded(join({"CONNECT\x03\x01\x01\x00\x4d"sv, kClientNonce, kCookieOctets, kUploadOf10s,
                      "\xca\xfe\xba\xbe"sv, kSomeMac}));
}
// L = 28 + 8 + 16 + 6 + 9; ports 7000, 7001, 7002.
inline std::string grant_octets() {
  return join({"WYNDRVR\x04\x01\x00\x00\x43"sv, kClientNonce, kSession, kServerNonce,
               "\x1b\x58\x1b\x59\x1b\x5a"sv, kUploadOf10s});
}
inline std::string signed_grant_octets() {
  return join({"WYNDRVR\x04\x01\x01\x00\x53"sv, kClientNonce, kSession, kServerNonce,
               "\x1b\x58\x1b\x59\x1b\x5a"sv, kUploadOf10s, kSomeMac});
}
// L = 28 + 1 + 4; busy, come again after 1500 ms.
inline std::string refuse_octets() {
  return join({"WYNDRVR\x05\x01\x00\x00\x21"sv, kClientNonce, "\x01\x00\x00\x05\xdc"sv});
}
// L = 28 + 8 + 1 + 4.
inline std::string close_octets(std::string_view magic) {
  return join({magic, "\x06\x01\x00\x00\x29"sv, kClientNonce, kSession, "\x02stop"sv});
}

inline std::array<std::byte, 16> sixteen(std::string_view text) {
  std::array<std::byte, 16> octets{};
  std::ranges::copy(as_bytes(text), octets.begin());
  return octets;
}

inline SessionFields upload_of_10s() {
  SessionFields fields;
  fields.directions = Directions::kUpload;
  fields.duration = 10s;
  return fields;
}

inline const Hello kHello{sixteen(kClientNonce)};
inline const Cookie kCookie{sixteen(kClientNonce), {0x01020304, sixteen("HASHhashHASHhash")}};
inline const Open kOpen{sixteen(kClientNonce), kCookie.value, upload_of_10s(), {}};
inline const Grant kGrant{.client_nonce = sixteen(kClientNonce),
                          .session = {0x1122334455667788},
                          .server_nonce = sixteen(kServerNonce),
                          .ports = {{7000}, {7001}, {7002}},
                          .granted = upload_of_10s(),
                          .signature = {}};
inline const Refuse kRefuse{sixteen(kClientNonce), RefuseReason::kBusy, 1500ms, {}};
inline const Close kClose{sixteen(kClientNonce),
                          {0x1122334455667788},
                          CloseReason::kInterrupted,
                          SmallText<Close::kMaxText>::from("stop").value(),
                          {}};

inline Open signed_open() {
  Open open = kOpen;
  open.proof = KeyProof{.key = {0xcafebabe}, .signature = {sixteen(kSomeMac), {}}};
  return open;
}

template <class... Arguments>
std::string written(const Arguments&... arguments) {
  std::vector<std::byte> out(kMaxHandshakeSize, std::byte{0xee});  // nothing of it may stay
  return std::string(as_text(ByteView(out).first(write_handshake(out, arguments...))));
}

inline std::expected<FromClient, DropReason> from_client(std::string_view datagram) {
  return parse_from_client(as_bytes(datagram));
}
inline std::expected<FromServer, DropReason> from_server(std::string_view datagram) {
  return parse_from_server(as_bytes(datagram));
}

inline std::string changed(const std::string& datagram, std::size_t at, char octet) {
  return datagram.substr(0, at) + octet + datagram.substr(at + 1);
}

// With another L, in its place in the prefix.
inline std::string with_length(std::string datagram, std::size_t length) {
  datagram.at(10) = static_cast<char>(length >> 8U);
  datagram.at(11) = static_cast<char>(length);
  return datagram;
}

}  // namespace wyndrvr::wire::testing
