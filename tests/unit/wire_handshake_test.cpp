// The datagrams of dialect 1's main port, octet by octet: both ways, MACs, sizes.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "unit/allocation_counter.hpp"
#include "unit/wire_handshake_support.hpp"
#include "wire/connect.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::wire {
namespace handshake_test {

using namespace testing;
using namespace std::string_view_literals;

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

// --- No step amplifies ---

SessionFields every_field() {
  return {.directions = Directions::kBoth,
          .duration = SessionFields::kMaxDuration,
          .rate = WantedRate{.fixed = SessionFields::kMaxRate},
          .payload = SessionFields::kMaxPayload,
          .streams = SessionFields::kMaxStreams,
          .reliable = true,
          .octets = ByteCount{UINT64_MAX},
          .single_port = false,
          .data_tags = true,
          .fragment = true,
          .traffic_class = std::uint8_t{0xff}};
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
  EXPECT_EQ(longest.grant, 28U + 8 + 16 + 6 + 51 + 16);
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

}  // namespace handshake_test
}  // namespace wyndrvr::wire
