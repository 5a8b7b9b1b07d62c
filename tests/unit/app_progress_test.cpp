// Interval figures from cumulative totals, the lines that show them, and SI formatting.
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/progress.hpp"
#include "app/si_format.hpp"

namespace wyndrvr::app {
namespace progress_test {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

engine::TestProgress event(Duration elapsed) {
  engine::TestProgress result;
  result.elapsed = elapsed;
  result.duration = 10s;
  return result;
}

engine::ReceiverTotals receiver(Duration elapsed, std::uint64_t bytes, std::uint64_t expected,
                                std::uint64_t unique) {
  engine::ReceiverTotals totals;
  totals.elapsed = elapsed;
  totals.bytes = bytes;
  totals.expected = expected;
  totals.unique = unique;
  return totals;
}

TEST(ProgressMeter, TakesDifferencesByTheReceiversClock) {
  ProgressMeter meter;
  auto first = event(1s);
  first.receiver = receiver(1s, 1'000'000, 1000, 1000);
  first.sender.retransmitted = 3;
  const ProgressFigures one = meter.update(first);
  EXPECT_TRUE(one.at_receiver);
  EXPECT_DOUBLE_EQ(one.rate_bps.value(), 8e6);
  EXPECT_DOUBLE_EQ(one.loss_percent.value(), 0);
  EXPECT_EQ(one.retransmitted, 3U);

  auto second = event(2s);
  second.receiver = receiver(3s, 5'000'000, 2000, 1900);
  second.sender.retransmitted = 10;
  const ProgressFigures two = meter.update(second);
  EXPECT_DOUBLE_EQ(two.rate_bps.value(), 16e6) << "4 MB in 2 s";
  EXPECT_DOUBLE_EQ(two.loss_percent.value(), 10);
  EXPECT_EQ(two.retransmitted, 7U);
}

TEST(ProgressMeter, WithoutANewReportThereIsNoRate) {
  ProgressMeter meter;
  auto first = event(1s);
  first.receiver = receiver(1s, 1000, 10, 10);
  static_cast<void>(meter.update(first));
  auto second = event(2s);
  second.receiver = first.receiver;
  const ProgressFigures figures = meter.update(second);
  EXPECT_FALSE(figures.rate_bps.has_value());
  EXPECT_FALSE(figures.loss_percent.has_value());
  EXPECT_THAT(progress_text(figures), HasSubstr("no report from the server  loss -"));
}

TEST(ProgressMeter, ALateDatagramIsNoNegativeLoss) {
  ProgressMeter meter;
  auto first = event(1s);
  first.receiver = receiver(1s, 1000, 10, 8);
  static_cast<void>(meter.update(first));
  auto second = event(2s);
  second.receiver = receiver(2s, 2000, 20, 19);
  EXPECT_DOUBLE_EQ(meter.update(second).loss_percent.value(), 0);
}

TEST(ProgressMeter, WithoutAReceiverTheFiguresAreTheSenders) {
  ProgressMeter meter;
  auto only = event(2s);
  only.sender.bytes = 2'000'000;
  only.sender.packets = 2000;
  only.sender.reported_lost = 20;
  const ProgressFigures figures = meter.update(only);
  EXPECT_FALSE(figures.at_receiver);
  EXPECT_DOUBLE_EQ(figures.rate_bps.value(), 8e6);
  EXPECT_DOUBLE_EQ(figures.loss_percent.value(), 1);
  EXPECT_EQ(progress_text(figures),
            "[  2.0/10.0 s]  sent 8.000 Mbit/s  loss 1.0 %  retransmitted 0");
}

ProgressFigures half_way() {
  return {.direction = engine::PortKind::kUpload,
          .elapsed = 5s,
          .duration = 10s,
          .at_receiver = true,
          .rate_bps = 1.23e9,
          .loss_percent = 0,
          .retransmitted = 0};
}

TEST(ProgressText, HasAllFigures) {
  EXPECT_EQ(progress_text(half_way()), "[  5.0/10.0 s]  1.230 Gbit/s  loss 0.0 %  retransmitted 0");
}

TEST(ProgressBar, FitsEveryTerminalAndFillsInProportion) {
  for (unsigned columns = 0; columns < 200; ++columns) {
    EXPECT_LE(progress_bar(half_way(), columns).size(), columns) << columns;
  }
  EXPECT_THAT(progress_bar(half_way(), 60), Not(HasSubstr("#")));
  const std::string bar = progress_bar(half_way(), 200);
  EXPECT_EQ(std::ranges::count(bar, '#'), std::ranges::count(bar, '-'));
  EXPECT_GT(std::ranges::count(bar, '#'), 4);
}

TEST(ProgressBar, NeverOverflowsPastTheEnd) {
  ProgressFigures late = half_way();
  late.elapsed = 30s;
  EXPECT_THAT(progress_bar(late, 120), AllOf(HasSubstr("###]"), HasSubstr("30.0/10.0")));
  late.duration = Duration::zero();
  EXPECT_LE(progress_bar(late, 120).size(), 120U);
}

ProgressFigures half_way_down() {
  ProgressFigures figures = half_way();
  figures.direction = engine::PortKind::kDownload;
  figures.rate_bps = 987.6e6;
  figures.loss_percent = 0.1;
  return figures;
}

TEST(ProgressText, OfTwoDirectionsSaysWhichOneItIs) {
  EXPECT_EQ(directed_progress_text(half_way()),
            "up   [  5.0/10.0 s]  1.230 Gbit/s  loss 0.0 %  retransmitted 0");
  EXPECT_EQ(directed_progress_text(half_way_down()),
            "down [  5.0/10.0 s]  987.6 Mbit/s  loss 0.1 %  retransmitted 0");
}

TEST(ProgressText, ADownloadWithoutNewsDoesNotBlameTheServersReports) {
  ProgressFigures figures = half_way_down();
  figures.rate_bps.reset();
  EXPECT_THAT(progress_text(figures), HasSubstr("nothing received"));
}

TEST(BothProgress, ShowsBothDirectionsInOneLineThatFits) {
  EXPECT_EQ(both_progress(half_way(), half_way_down(), 100),
            "[  5.0/10.0 s]  up 1.230 Gbit/s, loss 0.0 %  down 987.6 Mbit/s, loss 0.1 %");
  for (unsigned columns = 0; columns < 100; ++columns) {
    const std::string line = both_progress(half_way(), half_way_down(), columns);
    EXPECT_TRUE(line.size() < columns || line.empty()) << columns;
  }
}

TEST(BothProgress, LeavesOutADirectionThatHasSaidNothing) {
  EXPECT_EQ(both_progress(std::nullopt, half_way_down(), 100),
            "[  5.0/10.0 s]  down 987.6 Mbit/s, loss 0.1 %");
  EXPECT_EQ(both_progress(std::nullopt, std::nullopt, 100), "");
}

TEST(SiFormat, ChoosesTheUnitThatFits) {
  const std::vector<std::pair<Duration, std::string>> cases = {
      {0ns, "0 us"},         {850ns, "0.85 us"},     {1us, "1.00 us"},     {12'345ns, "12.3 us"},
      {999'400ns, "999 us"}, {999'900ns, "1.00 ms"}, {9'999us, "10.0 ms"}, {1'240us, "1.24 ms"},
      {2s, "2.00 s"},        {90s, "90.0 s"},        {1'500s, "1500 s"},
  };
  for (const auto& [duration, expected] : cases) EXPECT_EQ(format_duration(duration), expected);
}

TEST(SiFormat, RatesCountInPowersOfTen) {
  EXPECT_EQ(format_rate(0), "0 bit/s");
  EXPECT_EQ(format_rate(999), "999.0 bit/s");
  EXPECT_EQ(format_rate(1e6), "1.000 Mbit/s");
  EXPECT_EQ(format_rate(987.65e6), "987.6 Mbit/s");
  EXPECT_EQ(format_rate(12.3456e9), "12.35 Gbit/s");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(123'400'000), "123.4 MB");
}

TEST(SiFormat, SharesKeepSmallLossVisible) {
  EXPECT_EQ(format_share(0, 0), "-");
  EXPECT_EQ(format_share(0, 10), "0.0 %");
  EXPECT_EQ(format_share(1, 10'000'000), "<0.001 %");
  EXPECT_EQ(format_share(12, 100'000), "0.012 %");
  EXPECT_EQ(format_share(1, 100), "1.00 %");
  EXPECT_EQ(format_share(10, 10), "100.0 %");
}

TEST(SiFormat, RoundTripsOfLinesAreAlwaysMilliseconds) {
  EXPECT_EQ(format_rtt(12'345ns), "0.012 ms");
  EXPECT_EQ(format_rtt(10ms), "10.00 ms");
  EXPECT_EQ(format_rtt(1234ms), "1234.00 ms");
}

}  // namespace progress_test
}  // namespace wyndrvr::app
