// What is no datagram of dialect 1's main port, and is refused.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "unit/wire_handshake_support.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::wire {
namespace handshake_refusal_test {

using namespace testing;
using namespace std::string_view_literals;

TEST(Handshake, OneSidesDatagramsAreNotTheOthers) {
  EXPECT_EQ(from_server(hello_octets()), std::unexpected(DropReason::kUnknownType));
  EXPECT_EQ(from_client(cookie_octets()), std::unexpected(DropReason::kUnknownType));
  EXPECT_EQ(from_server(close_octets("CONNECT")), std::unexpected(DropReason::kUnknownType));
  // The kinds of one side under the magic of the other.
  EXPECT_EQ(from_client("CONNECT" + cookie_octets().substr(7)),
            std::unexpected(DropReason::kUnknownType));
  EXPECT_EQ(from_client("CONNECT" + refuse_octets().substr(7)),
            std::unexpected(DropReason::kUnknownType));
  EXPECT_EQ(from_server("WYNDRVR" + hello_octets().substr(7)),
            std::unexpected(DropReason::kUnknownType));
}

TEST(Handshake, UnknownKindsAndDialectsAreRefused) {
  for (const char kind : {'\x00', '\x07', '\x80', '\xff'}) {
    EXPECT_EQ(from_client(changed(hello_octets(), 7, kind)),
              std::unexpected(DropReason::kUnknownType));
  }
  for (const char dialect : {'\x00', '\x02', '\xff'}) {
    EXPECT_EQ(from_client(changed(open_octets(), 8, dialect)),
              std::unexpected(DropReason::kUnknownType));
    EXPECT_EQ(from_server(changed(grant_octets(), 8, dialect)),
              std::unexpected(DropReason::kUnknownType));
  }
}

TEST(Handshake, HelloAndCookieHaveNoFlagsAndTheOthersOnlyOne) {
  EXPECT_FALSE(from_client(changed(hello_octets(), 9, '\x01')));
  EXPECT_FALSE(from_server(changed(cookie_octets(), 9, '\x01')));
  for (const char flags : {'\x02', '\x03', '\x80'}) {
    // Nothing else is wrong with these two.
    EXPECT_EQ(from_server(changed(grant_octets(), 9, flags)),
              std::unexpected(DropReason::kBadBody));
    EXPECT_EQ(from_client(changed(hello_octets(), 9, flags)),
              std::unexpected(DropReason::kBadBody));
    EXPECT_EQ(from_client(changed(signed_open_octets(), 9, flags)),
              std::unexpected(DropReason::kBadBody));
    EXPECT_EQ(from_server(changed(signed_grant_octets(), 9, flags)),
              std::unexpected(DropReason::kBadBody));
  }
}

TEST(Handshake, WhatHoldsThePrefixIsJudgedByIt) {
  const std::string prefix = grant_octets().substr(0, kHandshakePrefixSize);
  const std::string other = "X" + prefix.substr(1);
  EXPECT_EQ(from_server(other), std::unexpected(DropReason::kUnknownType));
  EXPECT_EQ(from_server(other.substr(1)), std::unexpected(DropReason::kTooShort));
  EXPECT_EQ(from_server(""), std::unexpected(DropReason::kTooShort));
}

TEST(Handshake, RequestsAreExactly512Octets) {
  EXPECT_EQ(from_client(hello_octets().substr(0, 511)), std::unexpected(DropReason::kTooShort));
  EXPECT_EQ(from_client(hello_octets().substr(0, 28)), std::unexpected(DropReason::kTooShort));
  EXPECT_EQ(from_client(open_octets().substr(0, 511)), std::unexpected(DropReason::kTooShort));
  EXPECT_EQ(from_client(padded(hello_octets(), 513)), std::unexpected(DropReason::kTooLong));
  EXPECT_EQ(from_client(padded(open_octets(), 513)), std::unexpected(DropReason::kTooLong));
}

TEST(Handshake, CookieIsNeitherLongerNorShorter) {
  EXPECT_EQ(from_server(cookie_octets().substr(0, 47)), std::unexpected(DropReason::kTooShort));
  EXPECT_EQ(from_server(padded(cookie_octets(), 49)), std::unexpected(DropReason::kTooLong));
}

TEST(Handshake, AnswersThatAreCutOffAreTooShort) {
  for (std::size_t size = 0; size < grant_octets().size(); ++size) {
    EXPECT_EQ(from_server(grant_octets().substr(0, size)), std::unexpected(DropReason::kTooShort));
  }
}

TEST(Handshake, AnswersMayEndWithZerosUpTo512Octets) {
  EXPECT_EQ(from_server(padded(grant_octets())), FromServer(kGrant));
  EXPECT_EQ(from_server(padded(refuse_octets(), 34)), FromServer(kRefuse));
  EXPECT_EQ(from_client(padded(close_octets("CONNECT"))), FromClient(kClose));
  EXPECT_EQ(from_server(padded(grant_octets(), 513)), std::unexpected(DropReason::kTooLong));
}

TEST(Handshake, OnlyZerosFollowWhatCounts) {
  for (const std::size_t at : {28U, 300U, 511U}) {
    EXPECT_EQ(from_client(changed(hello_octets(), at, '\x01')),
              std::unexpected(DropReason::kBadBody));
  }
  EXPECT_EQ(from_client(changed(open_octets(), 57, '\x01')), std::unexpected(DropReason::kBadBody));
  EXPECT_EQ(from_server(refuse_octets() + '\x01'), std::unexpected(DropReason::kBadBody));
}

TEST(Handshake, TheLengthThatCountsFitsTheKind) {
  for (const std::size_t length : {0U, 27U, 29U, 512U}) {
    EXPECT_EQ(from_client(with_length(hello_octets(), length)),
              std::unexpected(DropReason::kBadBody))
        << length;
  }
  EXPECT_EQ(from_client(with_length(hello_octets(), 513)), std::unexpected(DropReason::kTooShort));
  EXPECT_EQ(from_client(with_length(hello_octets(), 65535)),
            std::unexpected(DropReason::kTooShort));
  EXPECT_FALSE(from_server(with_length(cookie_octets(), 47)));
  EXPECT_FALSE(from_server(with_length(padded(refuse_octets()), 34)));
  EXPECT_FALSE(from_server(with_length(padded(refuse_octets()), 32)));
}

TEST(Handshake, TheLengthThatCountsHoldsTheFixedPart) {
  const std::string no_cookie = padded(join({"CONNECT\x03\x01\x00\x00\x2f"sv, kClientNonce}));
  EXPECT_EQ(from_client(no_cookie), std::unexpected(DropReason::kBadBody));
  // Room for a MAC, but not for the key's id before it.
  const std::string no_key = padded(
      join({"CONNECT\x03\x01\x01\x00\x43"sv, kClientNonce, kCookieOctets, "\0\0\0"sv, kSomeMac}));
  EXPECT_EQ(from_client(no_key), std::unexpected(DropReason::kBadBody));
  const std::string no_mac =
      join({"WYNDRVR\x05\x01\x01\x00\x21"sv, kClientNonce, "\x01\0\0\0\0"sv});
  EXPECT_EQ(from_server(no_mac), std::unexpected(DropReason::kBadBody));
}

TEST(Handshake, OpenAndGrantWithBadFieldsAreRefused) {
  EXPECT_EQ(from_client(changed(open_octets(), 48, '\x0b')), std::unexpected(DropReason::kBadBody));
  EXPECT_EQ(from_server(changed(grant_octets(), 60, '\x04')),
            std::unexpected(DropReason::kBadBody));
}

TEST(Handshake, GrantsPortsAreThreeOrOneAsTheFieldSays) {
  // The ports are octets 52 to 57; ports 0 and the same one twice.
  EXPECT_FALSE(from_server(changed(changed(grant_octets(), 52, '\0'), 53, '\0')));
  EXPECT_FALSE(from_server(changed(grant_octets(), 55, '\x58')));
  EXPECT_FALSE(from_server(changed(grant_octets(), 57, '\x58')));
  EXPECT_FALSE(from_server(changed(grant_octets(), 57, '\x59')));
  // One port, without the field that grants it.
  EXPECT_FALSE(from_server(changed(changed(grant_octets(), 55, '\x58'), 57, '\x58')));
  // Three ports, with it.
  EXPECT_FALSE(from_server(join({"WYNDRVR\x04\x01\x00\x00\x3d"sv, kClientNonce, kSession,
                                 kServerNonce, "\x1b\x58\x1b\x59\x1b\x5a"sv, "\x08\x01\x01"sv})));
}

TEST(Handshake, ReasonsThatTheDocumentDoesNotHaveAreRefused) {
  for (const char reason : {'\x00', '\x0c', '\xff'}) {
    EXPECT_FALSE(from_server(changed(refuse_octets(), 28, reason)));
  }
  for (char reason = 1; reason <= 11; ++reason) {
    EXPECT_TRUE(from_server(changed(refuse_octets(), 28, reason)));
  }
  for (const char reason : {'\x00', '\x07', '\xff'}) {
    EXPECT_FALSE(from_client(changed(close_octets("CONNECT"), 36, reason)));
  }
  for (char reason = 1; reason <= 6; ++reason) {
    EXPECT_TRUE(from_client(changed(close_octets("CONNECT"), 36, reason)));
  }
}

TEST(Handshake, TextOfCloseIsPrintableAndAtMost160Octets) {
  const std::string longest(160, 'x');
  const std::string prefix =
      join({"WYNDRVR\x06\x01\x00\x00\xc5"sv, kClientNonce, kSession, "\x05"sv});
  EXPECT_EQ(std::get<Close>(from_server(prefix + longest).value()).text.view(), longest);
  EXPECT_FALSE(from_server(with_length(prefix + longest + 'x', 0xc6)));
  for (const char character : {'\n', '\x1b', '\x7f', '\x80', '\0', '"', '\\'}) {
    EXPECT_FALSE(from_server(changed(close_octets("WYNDRVR"), 37, character)));
  }
}

}  // namespace handshake_refusal_test
}  // namespace wyndrvr::wire
