// The datagrams of dialect 1's main port, octet by octet.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "unit/allocation_counter.hpp"
#include "wire/connect.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::wire {
namespace {

using namespace std::string_view_literals;

// Written down from the document. L is the octet pair before the nonce.
constexpr std::string_view kClientNonce = "0123456789abcdef";
constexpr std::string_view kCookieOctets =
    "\x01\x02\x03\x04"
    "HASHhashHASHhash"sv;
constexpr std::string_view kServerNonce = "ServerNonce-128b";
constexpr std::string_view kSomeMac = "MAC-of-128-bits!";
constexpr std::string_view kUploadOf10s = "\x01\x01\x01\x02\x04\x00\x00\x27\x10"sv;
constexpr std::string_view kSession = "\x11\x22\x33\x44\x55\x66\x77\x88"sv;

std::string join(std::initializer_list<std::string_view> parts) {
  std::string whole;
  for (const std::string_view part : parts) whole += part;
  return whole;
}

std::string padded(std::string datagram, std::size_t size = 512) {
  datagram.resize(size, '\0');
  return datagram;
}

std::string hello_octets() {
  return padded(join({"CONNECT\x01\x01\x00\x00\x1c"sv, kClientNonce}));
}
std::string cookie_octets() {
  return join({"WYNDRVR\x02\x01\x00\x00\x30"sv, kClientNonce, kCookieOctets});
}
// L = 28 + 20 + 9.
std::string open_octets() {
  return padded(join({"CONNECT\x03\x01\x00\x00\x39"sv, kClientNonce, kCookieOctets, kUploadOf10s}));
}
// L = 28 + 20 + 9 + 4 + 16.
std::string signed_open_octets() {
  return padded(join({"CONNECT\x03\x01\x01\x00\x4d"sv, kClientNonce, kCookieOctets, kUploadOf10s,
                      "\xca\xfe\xba\xbe"sv, kSomeMac}));
}
// L = 28 + 8 + 16 + 6 + 9; ports 7000, 7001, 7002.
std::string grant_octets() {
  return join({"WYNDRVR\x04\x01\x00\x00\x43"sv, kClientNonce, kSession, kServerNonce,
               "\x1b\x58\x1b\x59\x1b\x5a"sv, kUploadOf10s});
}
std::string signed_grant_octets() {
  return join({"WYNDRVR\x04\x01\x01\x00\x53"sv, kClientNonce, kSession, kServerNonce,
               "\x1b\x58\x1b\x59\x1b\x5a"sv, kUploadOf10s, kSomeMac});
}
// L = 28 + 1 + 4; busy, come again after 1500 ms.
std::string refuse_octets() {
  return join({"WYNDRVR\x05\x01\x00\x00\x21"sv, kClientNonce, "\x01\x00\x00\x05\xdc"sv});
}
// L = 28 + 8 + 1 + 4.
std::string close_octets(std::string_view magic) {
  return join({magic, "\x06\x01\x00\x00\x29"sv, kClientNonce, kSession, "\x02stop"sv});
}

std::array<std::byte, 16> sixteen(std::string_view text) {
  std::array<std::byte, 16> octets{};
  std::ranges::copy(as_bytes(text), octets.begin());
  return octets;
}

SessionFields upload_of_10s() {
  SessionFields fields;
  fields.directions = Directions::kUpload;
  fields.duration = 10s;
  return fields;
}

const Hello kHello{sixteen(kClientNonce)};
const Cookie kCookie{sixteen(kClientNonce), {0x01020304, sixteen("HASHhashHASHhash")}};
const Open kOpen{sixteen(kClientNonce), kCookie.value, upload_of_10s(), {}};
const Grant kGrant{.client_nonce = sixteen(kClientNonce),
                   .session = {0x1122334455667788},
                   .server_nonce = sixteen(kServerNonce),
                   .ports = {{7000}, {7001}, {7002}},
                   .granted = upload_of_10s(),
                   .signature = {}};
const Refuse kRefuse{sixteen(kClientNonce), RefuseReason::kBusy, 1500ms, {}};
const Close kClose{sixteen(kClientNonce),
                   {0x1122334455667788},
                   CloseReason::kInterrupted,
                   SmallText<Close::kMaxText>::from("stop").value(),
                   {}};

Open signed_open() {
  Open open = kOpen;
  open.proof = KeyProof{.key = {0xcafebabe}, .signature = {sixteen(kSomeMac), {}}};
  return open;
}

template <class... Arguments>
std::string written(const Arguments&... arguments) {
  std::vector<std::byte> out(kMaxHandshakeSize, std::byte{0xee});  // nothing of it may stay
  return std::string(as_text(ByteView(out).first(write_handshake(out, arguments...))));
}

std::expected<FromClient, DropReason> from_client(std::string_view datagram) {
  return parse_from_client(as_bytes(datagram));
}
std::expected<FromServer, DropReason> from_server(std::string_view datagram) {
  return parse_from_server(as_bytes(datagram));
}

std::string changed(std::string datagram, std::size_t at, char octet) {
  datagram.at(at) = octet;
  return datagram;
}

// With another L, in its place in the prefix.
std::string with_length(std::string datagram, std::size_t length) {
  datagram[10] = static_cast<char>(length >> 8U);
  datagram[11] = static_cast<char>(length);
  return datagram;
}

// --- The golden octets, both ways ---------------------------------------------------------------

TEST(Handshake, HelloIsThePrefixAndZeros) {
  EXPECT_EQ(written(kHello), hello_octets());
  EXPECT_EQ(from_client(hello_octets()), FromClient(kHello));
}

TEST(Handshake, HelloBeginsAsAConnectOf014) {
  EXPECT_TRUE(written(kHello).starts_with(kConnect));
  EXPECT_FALSE(is_connect(as_bytes(hello_octets())));
}

TEST(Handshake, CookieIsFortyEightOctets) {
  EXPECT_EQ(written(kCookie), cookie_octets());
  EXPECT_EQ(from_server(cookie_octets()), FromServer(kCookie));
  EXPECT_EQ(cookie_octets().size(), 48U);
}

TEST(Handshake, OpenBringsTheCookieAndWhatIsWanted) {
  EXPECT_EQ(written(kOpen), open_octets());
  EXPECT_EQ(from_client(open_octets()), FromClient(kOpen));
}

TEST(Handshake, OpenWithAKeyEndsWithItsIdAndTheMac) {
  EXPECT_EQ(written(signed_open()), signed_open_octets());
  EXPECT_EQ(from_client(signed_open_octets()), FromClient(signed_open()));
}

TEST(Handshake, GrantNamesSessionNoncePortsAndFields) {
  EXPECT_EQ(written(kGrant), grant_octets());
  EXPECT_EQ(from_server(grant_octets()), FromServer(kGrant));
}

TEST(Handshake, GrantWithAKeyEndsWithTheMac) {
  Grant grant = kGrant;
  grant.signature = Signature{sixteen(kSomeMac), {}};
  EXPECT_EQ(written(grant), signed_grant_octets());
  EXPECT_EQ(from_server(signed_grant_octets()), FromServer(grant));
}

TEST(Handshake, GrantOfOnePortHasItThreeTimes) {
  Grant grant = kGrant;
  grant.ports = {{7000}, {7000}, {7000}};
  grant.granted = {};
  grant.granted.single_port = true;
  const std::string octets = join({"WYNDRVR\x04\x01\x00\x00\x3d"sv, kClientNonce, kSession,
                                   kServerNonce, "\x1b\x58\x1b\x58\x1b\x58"sv, "\x08\x01\x01"sv});
  EXPECT_EQ(written(grant), octets);
  EXPECT_EQ(from_server(octets), FromServer(grant));
}

TEST(Handshake, RefuseTellsTheReasonAndWhenToComeAgain) {
  EXPECT_EQ(written(kRefuse), refuse_octets());
  EXPECT_EQ(from_server(refuse_octets()), FromServer(kRefuse));
}

TEST(Handshake, RefuseForGoodHasNoTime) {
  const Refuse refuse{sixteen(kClientNonce), RefuseReason::kUnknownDialect, {}, {}};
  const std::string octets =
      join({"WYNDRVR\x05\x01\x00\x00\x21"sv, kClientNonce, "\x0b\0\0\0\0"sv});
  EXPECT_EQ(written(refuse), octets);
  EXPECT_EQ(from_server(octets), FromServer(refuse));
}

TEST(Handshake, RefuseMayBeSigned) {
  Refuse refuse = kRefuse;
  refuse.reason = RefuseReason::kNotAllowed;
  refuse.signature = Signature{sixteen(kSomeMac), {}};
  const std::string octets =
      join({"WYNDRVR\x05\x01\x01\x00\x31"sv, kClientNonce, "\x07\x00\x00\x05\xdc"sv, kSomeMac});
  EXPECT_EQ(written(refuse), octets);
  EXPECT_EQ(from_server(octets), FromServer(refuse));
}

TEST(Handshake, CloseGoesBothWays) {
  EXPECT_EQ(written(kClose, Sender::kClient), close_octets("CONNECT"));
  EXPECT_EQ(written(kClose, Sender::kServer), close_octets("WYNDRVR"));
  EXPECT_EQ(from_client(close_octets("CONNECT")), FromClient(kClose));
  EXPECT_EQ(from_server(close_octets("WYNDRVR")), FromServer(kClose));
}

TEST(Handshake, CloseMayHaveNoTextAndAMac) {
  const std::string octets =
      join({"CONNECT\x06\x01\x01\x00\x35"sv, kClientNonce, kSession, "\x01"sv, kSomeMac});
  const Close close{sixteen(kClientNonce),
                    {0x1122334455667788},
                    CloseReason::kDone,
                    {},
                    Signature{sixteen(kSomeMac), {}}};
  EXPECT_EQ(written(close, Sender::kClient), octets);
  EXPECT_EQ(from_client(octets), FromClient(close));
}

// --- The part that a MAC covers -----------------------------------------------------------------

TEST(Handshake, SignedPartIsAllUpToTheMac) {
  const std::string octets = signed_open_octets();
  const auto open = std::get<Open>(from_client(octets).value());
  EXPECT_EQ(as_text(open.proof->signature.signed_part), std::string_view(octets).substr(0, 61));
  const std::string grant_text = signed_grant_octets();
  const auto grant = std::get<Grant>(from_server(grant_text).value());
  EXPECT_EQ(as_text(grant.signature->signed_part), std::string_view(grant_text).substr(0, 67));
}

TEST(Handshake, AMacIsSetInItsPlaceAfterWriting) {
  Open open = signed_open();
  open.proof->signature.mac = {};
  std::array<std::byte, kMaxHandshakeSize> out{};
  const std::size_t size = write_handshake(out, open);
  EXPECT_EQ(as_text(signed_part(ByteView(out).first(size))), signed_open_octets().substr(0, 61));
  set_mac(MutableByteView(out).first(size), sixteen(kSomeMac));
  EXPECT_EQ(as_text(out), signed_open_octets());
}

TEST(HandshakeDeathTest, WhatHasNoMacHasNoSignedPart) {
  EXPECT_DEATH((void)signed_part(as_bytes(grant_octets())), "bug at");
}

// --- What is refused ----------------------------------------------------------------------------

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
  for (const char reason : {'\x00', '\x06', '\xff'}) {
    EXPECT_FALSE(from_client(changed(close_octets("CONNECT"), 36, reason)));
  }
  for (char reason = 1; reason <= 5; ++reason) {
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

// --- Telling a HELLO from the rest ---------------------------------------------------------------

TEST(Handshake, AHelloIsKnownWhateverItsDialect) {
  EXPECT_TRUE(is_hello(as_bytes(hello_octets())));
  EXPECT_TRUE(is_hello(as_bytes(changed(hello_octets(), 8, '\x02'))));
  EXPECT_FALSE(is_hello(as_bytes(open_octets())));
  EXPECT_FALSE(is_hello(as_bytes(hello_octets().substr(0, 511))));
  EXPECT_FALSE(is_hello(as_bytes(padded(hello_octets(), 513))));
  EXPECT_FALSE(is_hello(as_bytes("WYNDRVR" + hello_octets().substr(7))));
  EXPECT_FALSE(is_hello(as_bytes("CONNECT")));
  EXPECT_FALSE(is_hello({}));
}

TEST(Handshake, AHelloOfAnotherDialectYieldsItsNonce) {
  EXPECT_EQ(find_nonce_of_other_dialect(as_bytes(changed(hello_octets(), 8, '\x02'))),
            sixteen(kClientNonce));
  EXPECT_EQ(find_nonce_of_other_dialect(as_bytes(hello_octets())), std::nullopt);
  EXPECT_EQ(find_nonce_of_other_dialect(as_bytes("CONNECT")), std::nullopt);
}

// --- No step amplifies
// ----------------------------------------------------------------------------

SessionFields every_field() {
  return {.directions = Directions::kBoth,
          .duration = SessionFields::kMaxDuration,
          .rate = WantedRate{.fixed = SessionFields::kMaxRate},
          .payload = SessionFields::kMaxPayload,
          .streams = SessionFields::kMaxStreams,
          .reliable = true,
          .heartbeat_interval = SessionFields::kMaxHeartbeatInterval,
          .single_port = false,
          .data_tags = true,
          .progress_interval = SessionFields::kMaxProgressInterval};
}

struct LongestAnswers {
  std::size_t cookie;
  std::size_t grant;
  std::size_t refuse;
  std::size_t close;
};

LongestAnswers longest_answers() {
  Grant grant = kGrant;
  grant.granted = every_field();
  grant.signature.emplace();
  Refuse refuse = kRefuse;
  refuse.signature.emplace();
  Close close = kClose;
  close.text = SmallText<Close::kMaxText>::from(std::string(160, 'x')).value();
  close.signature.emplace();
  return {written(kCookie).size(), written(grant).size(), written(refuse).size(),
          written(close, Sender::kServer).size()};
}

TEST(Handshake, EveryAnswerIsAtMostAsLongAsTheRequest) {
  const LongestAnswers longest = longest_answers();
  const std::size_t hello = written(kHello).size();
  const std::size_t open = written(signed_open()).size();
  EXPECT_EQ(hello, 512U);
  EXPECT_EQ(open, 512U);
  // The numbers are the document's layouts added up.
  EXPECT_EQ(longest.cookie, 28U + 4 + 16);
  EXPECT_EQ(longest.grant, 28U + 8 + 16 + 6 + 47 + 16);
  EXPECT_EQ(longest.refuse, 28U + 1 + 4 + 16);
  EXPECT_EQ(longest.close, 28U + 8 + 1 + 160 + 16);
  for (const std::size_t answer : {longest.cookie, longest.grant, longest.refuse, longest.close}) {
    EXPECT_LE(answer, hello);
    EXPECT_LE(answer, open);
  }
  EXPECT_EQ(longest.cookie, kCookieSize);
  EXPECT_EQ(longest.grant, kMaxGrantSize);
  EXPECT_EQ(longest.refuse, kMaxRefuseSize);
  EXPECT_EQ(longest.close, kMaxCloseSize);
}

// CLOSE is sent three times and nothing asks for it: what came in before must pay for it.
TEST(Handshake, ASessionsAnswersAndItsThreeClosesAreAtMostItsRequests) {
  const LongestAnswers longest = longest_answers();
  EXPECT_LE(longest.cookie + longest.grant + 3 * longest.close,
            written(kHello).size() + written(kOpen).size());
}

TEST(Handshake, TheLongestOpenFits) {
  Open open = signed_open();
  open.wanted = every_field();
  EXPECT_EQ(from_client(written(open)), FromClient(open));
}

TEST(Handshake, NeedsNoAllocation) {
  std::array<std::byte, kMaxHandshakeSize> out{};
  const Open open = signed_open();
  bool parsed = false;
  EXPECT_EQ(wyndrvr::testing::allocations_during([&] {
              std::size_t size = write_handshake(out, open);
              set_mac(out, {});
              parsed = parse_from_client(ByteView(out).first(size)).has_value();
              size = write_handshake(out, kGrant);
              parsed = parsed && parse_from_server(ByteView(out).first(size)).has_value();
              size = write_handshake(out, kClose, Sender::kServer);
              parsed = parsed && parse_from_server(ByteView(out).first(size)).has_value();
              (void)parse_from_client(out);
            }),
            0U);
  EXPECT_TRUE(parsed);
}

}  // namespace
}  // namespace wyndrvr::wire
