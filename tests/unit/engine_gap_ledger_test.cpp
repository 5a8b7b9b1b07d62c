#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>

#include "engine/gap_ledger.hpp"

namespace wyndrvr::engine {
namespace {

std::optional<PathSetup> path_of(wire::Directions directions) {
  PathSetup path;
  path.terms.directions = directions;
  return path;
}

TEST(GapLedger, TheFirstSessionHasTheMostAndEveryOneTheLeast) {
  GapLedger ledger;
  EXPECT_EQ(ledger.take(1, std::nullopt), kMostSessionGaps);
  for (std::uint64_t id = 2; id < 5000; ++id) {
    EXPECT_GE(ledger.take(id, std::nullopt), kLeastSessionGaps);
  }
}

TEST(GapLedger, SharesOfAnyNumberOfSessionsStayBelowTheBound) {
  GapLedger ledger;
  std::size_t sum = 0;
  for (std::uint64_t sessions = 1; sessions <= 4096; ++sessions) {
    sum += ledger.take(sessions, path_of(wire::Directions::kBoth));
    ASSERT_LE(sum, sessions * kLeastSessionGaps + kCommonGaps);
  }
}

TEST(GapLedger, WhatASessionGivesBackIsThereForTheNext) {
  GapLedger ledger;
  const std::size_t first = ledger.take(1, std::nullopt);
  const std::size_t second = ledger.take(2, std::nullopt);
  ledger.give_back(1);
  ledger.give_back(2);
  ledger.give_back(2);
  ledger.give_back(99);
  EXPECT_EQ(ledger.take(3, std::nullopt), first);
  EXPECT_EQ(ledger.take(4, std::nullopt), second);
}

TEST(GapLedger, WhoReceivesNothingGetsNone) {
  GapLedger ledger;
  EXPECT_EQ(ledger.take(1, path_of(wire::Directions::kDownload)), 0U);
  EXPECT_EQ(ledger.take(2, path_of(wire::Directions::kLatencyOnly)), 0U);
  EXPECT_EQ(ledger.take(3, path_of(wire::Directions::kUpload)), kMostSessionGaps);
}

}  // namespace
}  // namespace wyndrvr::engine
