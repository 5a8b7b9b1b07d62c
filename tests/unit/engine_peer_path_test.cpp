#include <cstddef>

#include <gtest/gtest.h>

#include "engine/peer_path.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace peer_path_test {

using namespace testing;

TEST(PeerPath, KnownPathNeedsNoProofAndAcceptsNobodyElse) {
  PeerPath path(kServerEnd);
  EXPECT_TRUE(path.proven());
  EXPECT_TRUE(path.may_send(1400));
  EXPECT_EQ(path.peer(), kServerEnd);
  EXPECT_TRUE(path.accepts(kServerEnd));
  EXPECT_FALSE(path.accepts({kServerEnd.address, {7001}}));
  EXPECT_FALSE(path.accepts(kStrangerEnd));
}

TEST(PeerPath, UnprovenPathAcceptsAnyPortOfItsAddressOnly) {
  PeerPath path(kClientEnd.address);
  EXPECT_TRUE(path.accepts(kClientEnd));
  EXPECT_TRUE(path.accepts({kClientEnd.address, {1}}));
  EXPECT_FALSE(path.accepts(kStrangerEnd));
  EXPECT_FALSE(path.peer());
}

TEST(PeerPath, BeforeProofNoMoreLeavesThanCameButForTheFirstAnswer) {
  PeerPath path(kClientEnd.address);
  EXPECT_FALSE(path.may_send(1)) << "nothing has come";
  std::size_t in = 0;
  std::size_t out = 0;
  int datagrams_in = 0;
  int datagrams_out = 0;
  for (int turn = 0; turn < 1000; ++turn) {
    for (int i = 0; i < turn % 7; ++i) {
      path.on_valid(kClientEnd, 52);
      in += 52;
      ++datagrams_in;
    }
    for (int i = 0; i < 4 && path.may_send(98); ++i) {
      path.on_sent(98);
      out += 98;
      ++datagrams_out;
    }
    ASSERT_LE(out, in + PeerPath::kFirstAnswerExcess);
    ASSERT_LE(datagrams_out, datagrams_in);
  }
  EXPECT_GT(datagrams_out, 1000);
}

TEST(PeerPath, ShortDatagramsLeaveOneForOne) {
  PeerPath path(kClientEnd.address);
  for (int i = 0; i < 3; ++i) path.on_valid(kClientEnd, 1000);
  int out = 0;
  for (; path.may_send(1); ++out) path.on_sent(1);
  EXPECT_EQ(out, 3);
}

TEST(PeerPath, CreditIsNotSavedUpWithoutBound) {
  PeerPath path(kClientEnd.address);
  for (int i = 0; i < 100'000; ++i) path.on_valid(kClientEnd, 1400);
  int out = 0;
  for (; path.may_send(100); ++out) path.on_sent(100);
  EXPECT_LE(out, 64);
}

TEST(PeerPath, ProofPinsThePortAndLiftsTheBudget) {
  PeerPath path(kClientEnd.address);
  path.on_valid({kClientEnd.address, {1}}, 50);
  EXPECT_EQ(path.peer(), (Endpoint{kClientEnd.address, {1}}));
  path.prove(kClientEnd);
  EXPECT_EQ(path.peer(), kClientEnd);
  EXPECT_FALSE(path.accepts({kClientEnd.address, {1}}));
  path.on_valid({kClientEnd.address, {1}}, 50);
  EXPECT_EQ(path.peer(), kClientEnd);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(path.may_send(1400));
    path.on_sent(1400);
  }
}

TEST(PeerPath, ALongPacketNeedsThatManyOctetsBeforeTheProof) {
  PeerPath path(kClientEnd.address);
  for (int i = 0; i < 13; ++i) path.on_valid(kClientEnd, 100);
  EXPECT_TRUE(path.may_send(1300));
  EXPECT_FALSE(path.may_send(1400));
  path.on_valid(kClientEnd, 100);
  EXPECT_TRUE(path.may_send(1400));
  path.on_sent(1400);
  EXPECT_FALSE(path.may_send(100));
  path.prove(kClientEnd);
  EXPECT_TRUE(path.may_send(1400));
}

}  // namespace peer_path_test
}  // namespace wyndrvr::engine
