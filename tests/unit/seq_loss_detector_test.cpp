#include <vector>

#include <gtest/gtest.h>

#include "seq/loss_detector.hpp"

namespace wyndrvr::seq {
namespace loss_detector_test {

using Ranges = std::vector<Range>;

TEST(LossDetector, SaysNothingUntilTheBufferIsFull) {
  LossDetector detector(3);
  const Ranges report{{2, 3}, {9, kEnd}};
  EXPECT_EQ(detector.on_report(report), Ranges{});
  EXPECT_EQ(detector.on_report(report), Ranges{});
  EXPECT_EQ(detector.on_report(report), (Ranges{{2, 3}}));
}

TEST(LossDetector, WhatArrivedInTheMeantimeIsNotLost) {
  LossDetector detector(2);
  EXPECT_EQ(detector.on_report(Ranges{{2, 5}, {9, kEnd}}), Ranges{});
  EXPECT_EQ(detector.on_report(Ranges{{4, 5}, {20, kEnd}}), (Ranges{{4, 5}}));
}

TEST(LossDetector, NumbersInTheNewestTailAreInFlight) {
  LossDetector detector(2);
  EXPECT_EQ(detector.on_report(Ranges{{0, kEnd}}), Ranges{});
  EXPECT_EQ(detector.on_report(Ranges{{0, kEnd}}), Ranges{});
  EXPECT_EQ(detector.on_report(Ranges{{3, 4}, {10, kEnd}}), (Ranges{{3, 4}}));
}

TEST(LossDetector, ReportWithoutATailSpeaksUpToItsLastRange) {
  LossDetector detector(2);
  EXPECT_EQ(detector.on_report(Ranges{{0, kEnd}}), Ranges{});
  EXPECT_EQ(detector.on_report(Ranges{{1, 2}, {5, 7}}), (Ranges{{1, 2}, {5, 7}}));
}

TEST(LossDetector, EmptyReportShowsNoLoss) {
  LossDetector detector(1);
  EXPECT_EQ(detector.on_report(Ranges{}), Ranges{});
}

TEST(LossDetector, LostNumberIsNotDeclaredAgainBeforeTheBufferIsNewer) {
  LossDetector detector(3);
  const Ranges report{{2, 3}, {9, kEnd}};
  EXPECT_EQ(detector.on_report(report), Ranges{});
  EXPECT_EQ(detector.on_report(report), Ranges{});
  EXPECT_EQ(detector.on_report(report), (Ranges{{2, 3}}));
  EXPECT_EQ(detector.on_report(report), Ranges{});
  EXPECT_EQ(detector.on_report(report), Ranges{});
  EXPECT_EQ(detector.on_report(report), (Ranges{{2, 3}}));
}

TEST(LossDetector, NewLossIsDeclaredWhileAnOlderOneIsOnItsWay) {
  LossDetector detector(2);
  EXPECT_EQ(detector.on_report(Ranges{{2, 3}, {9, kEnd}}), Ranges{});
  EXPECT_EQ(detector.on_report(Ranges{{2, 3}, {9, kEnd}}), (Ranges{{2, 3}}));
  EXPECT_EQ(detector.on_report(Ranges{{2, 3}, {12, 14}, {20, kEnd}}), (Ranges{{12, 14}}));
  EXPECT_EQ(detector.on_report(Ranges{{2, 3}, {12, 14}, {20, kEnd}}), (Ranges{{2, 3}}));
}

TEST(LossDetector, BufferOfOneDecidesByEachReportAlone) {
  LossDetector detector(1);
  EXPECT_EQ(detector.on_report(Ranges{{2, 3}, {9, kEnd}}), (Ranges{{2, 3}}));
  EXPECT_EQ(detector.on_report(Ranges{{2, 3}, {9, kEnd}}), (Ranges{{2, 3}}));
}

TEST(LossDetector, OnlyAsManyRangesAsAPacketHoldsAreHeeded) {
  LossDetector detector(1);
  Ranges report;
  for (std::uint64_t i = 0; i < 1000; ++i) report.push_back({10 * i, 10 * i + 1});
  const Ranges lost = detector.on_report(report);
  ASSERT_EQ(lost.size(), LossDetector::kMaxReportRanges);
  EXPECT_EQ(lost.back(), (Range{850, 851}));
}

TEST(LossDetector, ReportOutOfOrderIsSorted) {
  LossDetector detector(1);
  EXPECT_EQ(detector.on_report(Ranges{{30, kEnd}, {5, 5}, {7, 9}, {1, 2}}),
            (Ranges{{1, 2}, {7, 9}}));
}

}  // namespace loss_detector_test
}  // namespace wyndrvr::seq
