// Derived keys and MACs against numbers that Python's hashlib made, which is no libsodium:
//
//   import hashlib
//   h = lambda key, data, size: hashlib.blake2b(data, key=key, digest_size=size).digest()
//   key = bytes(range(32))
//   handshake = bytes(range(0x10, 0x20)) + bytes(range(0x80, 0x90)) +
//   bytes.fromhex('0123456789abcdef') session = h(key, b'wyndrvr session 1' + handshake, 64)  # to
//   the server: [:32], back: [32:] h(session[:32], (7001).to_bytes(2, 'big') + b'a packet', 16)
//   h(h(key, b'wyndrvr open 1', 32), b'CONNECT and so on', 16)
//   h(h(key, b'wyndrvr refuse 1', 32), b'WYNDRVR and so on', 16)
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/session_keys.hpp"
#include "unit/allocation_counter.hpp"
#include "unit/crypto_test_support.hpp"

namespace wyndrvr::crypto {
namespace session_keys_test {

using testing::counted_key;
using testing::counted_octets;
using testing::hex;

constexpr Port kPort{7001};

Handshake some_handshake() {
  return {.client_nonce = counted_octets<16>(0x10),
          .server_nonce = counted_octets<16>(0x80),
          .session = 0x0123456789abcdef};
}

SessionKeys some_keys() {
  return derive_session_keys(counted_key(7), some_handshake());
}

std::vector<std::byte> joined(ByteView covered, ByteView end) {
  std::vector<std::byte> packet(covered.begin(), covered.end());
  packet.insert(packet.end(), end.begin(), end.end());
  return packet;
}

TEST(SessionKeys, AgreeWithAnIndependentDerivation) {
  const SessionKeys keys = some_keys();
  EXPECT_EQ(hex(keys.client_to_server.octets.view()),
            "6aca911e0463995a03469b0ff5854041376743f8112af65fb52c850c5a80eb97");
  EXPECT_EQ(hex(keys.server_to_client.octets.view()),
            "a5784120f3254024db59a366cbf250ba66adc4a9d87f40726bf452438df9a0d5");
}

TEST(SessionKeys, AnyOtherInputGivesOtherKeys) {
  const std::string usual = hex(some_keys().client_to_server.octets.view());
  const auto derived = [](const Key& key, const Handshake& handshake) {
    return hex(derive_session_keys(key, handshake).client_to_server.octets.view());
  };
  Handshake other_client = some_handshake();
  other_client.client_nonce[15] ^= std::byte{1};
  Handshake other_server = some_handshake();
  other_server.server_nonce[0] ^= std::byte{1};
  Handshake other_session = some_handshake();
  other_session.session ^= 1U;
  EXPECT_NE(derived(counted_key(7), other_client), usual);
  EXPECT_NE(derived(counted_key(7), other_server), usual);
  EXPECT_NE(derived(counted_key(7), other_session), usual);
  EXPECT_NE(derived(counted_key(7, 1), some_handshake()), usual);
}

TEST(SessionKeys, TheIdIsANameAndNoPartOfTheKey) {
  EXPECT_EQ(hex(derive_open_key(counted_key(1)).octets.view()),
            hex(derive_open_key(counted_key(2)).octets.view()));
}

TEST(SessionKeys, KeysOfOpenAndRefuseAgreeWithAnIndependentDerivation) {
  EXPECT_EQ(hex(derive_open_key(counted_key(7)).octets.view()),
            "f9786eaf01280cef36a3982c72db998d55c15ed1eaa179958d64a9f02a6d2f5b");
  EXPECT_EQ(hex(derive_refuse_key(counted_key(7)).octets.view()),
            "6269695175d12cf493ebb68e6da2eafa3e72d8b313f80d7f929817c16aa0b174");
}

TEST(PacketMac, AgreesWithAnIndependentOne) {
  const SessionKeys keys = some_keys();
  const ByteView packet = as_bytes("a packet");
  EXPECT_EQ(hex(packet_mac(keys.client_to_server, kPort, packet)),
            "39c57320dcc9e0727e256a1d4eb73c4d");
  EXPECT_EQ(hex(packet_mac(keys.server_to_client, kPort, packet)),
            "139369ebf08ebe3d0bed08f7a0f3cc99");
  EXPECT_EQ(hex(data_tag(keys.client_to_server, kPort, packet)), "39c57320dcc9e072");
}

TEST(PacketMac, OfOpenAndRefuseAgreeWithIndependentOnes) {
  const ByteView open = as_bytes("CONNECT and so on");
  const ByteView refuse = as_bytes("WYNDRVR and so on");
  EXPECT_EQ(hex(open_mac(derive_open_key(counted_key(7)), open)),
            "d89441e7e84259a52d9445900d21d6f1");
  EXPECT_EQ(hex(refuse_mac(derive_refuse_key(counted_key(7)), refuse)),
            "5f53186ec2e79ced79c04bccfbb2eed2");
}

TEST(VerifiedPacket, IsWhatStandsBeforeTheMac) {
  const SessionKeys keys = some_keys();
  const ByteView covered = as_bytes("a packet");
  const auto packet = joined(covered, packet_mac(keys.client_to_server, kPort, covered));
  const auto verified = verified_packet(keys.client_to_server, kPort, packet);
  ASSERT_TRUE(verified);
  EXPECT_EQ(as_text(*verified), "a packet");
}

TEST(VerifiedPacket, OfAnotherDirectionPortOrSessionIsNone) {
  const SessionKeys keys = some_keys();
  const ByteView covered = as_bytes("a packet");
  const auto packet = joined(covered, packet_mac(keys.client_to_server, kPort, covered));
  Handshake later = some_handshake();
  ++later.session;
  const SessionKeys later_keys = derive_session_keys(counted_key(7), later);
  EXPECT_FALSE(verified_packet(keys.server_to_client, kPort, packet));
  EXPECT_FALSE(verified_packet(keys.client_to_server, Port{7002}, packet));
  EXPECT_FALSE(verified_packet(later_keys.client_to_server, kPort, packet));
}

TEST(VerifiedPacket, WithAnyBitChangedIsNone) {
  const SessionKeys keys = some_keys();
  const ByteView covered = as_bytes("a packet");
  const auto packet = joined(covered, packet_mac(keys.client_to_server, kPort, covered));
  for (std::size_t bit = 0; bit < 8 * packet.size(); ++bit) {
    auto changed = packet;
    changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(verified_packet(keys.client_to_server, kPort, changed)) << "bit " << bit;
  }
}

TEST(VerifiedPacket, CutShortAnywhereIsNone) {
  const SessionKeys keys = some_keys();
  const ByteView covered = as_bytes("a packet");
  const auto packet = joined(covered, packet_mac(keys.client_to_server, kPort, covered));
  for (std::size_t size = 0; size < packet.size(); ++size) {
    const ByteView cut = ByteView(packet).first(size);
    EXPECT_FALSE(verified_packet(keys.client_to_server, kPort, cut)) << size << " octets";
  }
}

TEST(VerifiedData, NeedsEveryBitOfItsTag) {
  const SessionKeys keys = some_keys();
  const ByteView covered = as_bytes("data");
  const auto packet = joined(covered, data_tag(keys.server_to_client, kPort, covered));
  ASSERT_EQ(packet.size(), covered.size() + 8);
  EXPECT_TRUE(verified_data(keys.server_to_client, kPort, packet));
  EXPECT_FALSE(verified_data(keys.server_to_client, Port{7002}, packet));
  for (std::size_t bit = 0; bit < 8 * packet.size(); ++bit) {
    auto changed = packet;
    changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(verified_data(keys.server_to_client, kPort, changed)) << "bit " << bit;
  }
}

TEST(VerifiedData, CutShortAnywhereIsNone) {
  const SessionKeys keys = some_keys();
  const ByteView covered = as_bytes("data");
  const auto packet = joined(covered, data_tag(keys.server_to_client, kPort, covered));
  for (std::size_t size = 0; size < packet.size(); ++size) {
    const ByteView cut = ByteView(packet).first(size);
    EXPECT_FALSE(verified_data(keys.server_to_client, kPort, cut)) << size << " octets";
  }
}

TEST(VerifiedOpen, NeedsTheKeyThatItWasMadeWith) {
  const OpenKey key = derive_open_key(counted_key(7));
  const ByteView covered = as_bytes("CONNECT and so on");
  const auto packet = joined(covered, open_mac(key, covered));
  EXPECT_TRUE(verified_open(key, packet));
  EXPECT_FALSE(verified_open(derive_open_key(counted_key(7, 1)), packet));
  EXPECT_FALSE(verified_open(key, ByteView(packet).first(packet.size() - 1)));
}

TEST(VerifiedRefuse, CannotBeMadeOfAnOpen) {
  const ByteView covered = as_bytes("the same octets");
  const RefuseKey key = derive_refuse_key(counted_key(7));
  EXPECT_TRUE(verified_refuse(key, joined(covered, refuse_mac(key, covered))));
  const auto open = joined(covered, open_mac(derive_open_key(counted_key(7)), covered));
  EXPECT_FALSE(verified_refuse(key, open));
}

TEST(SessionKeys, NothingAllocates) {
  const auto packet = counted_octets<1400>();
  bool good = true;
  EXPECT_EQ(wyndrvr::testing::allocations_during([&] {
              const SessionKeys keys = some_keys();
              good = verified_packet(keys.client_to_server, kPort, packet).has_value();
              static_cast<void>(data_tag(keys.client_to_server, kPort, packet));
            }),
            0U);
  EXPECT_FALSE(good);
}

}  // namespace session_keys_test
}  // namespace wyndrvr::crypto
