// The client's lines for every event, on the right stream, and its tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/client_text.hpp"
#include "app/summary_text.hpp"
#include "unit/app_text_test_support.hpp"

namespace wyndrvr::app {
namespace client_text_test {

using engine::PortKind;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Endpoint server() {
  return {parse_ip("192.0.2.7").value(), Port{6711}};
}

struct Shown {
  std::string out;
  std::string err;
  bool operator==(const Shown&) const = default;
};
void PrintTo(const Shown& shown, std::ostream* stream) {
  *stream << "out: " << shown.out << " err: " << shown.err;
}

Shown show(const engine::Report& report, ClientTextOptions options = {}) {
  RecordedConsole recorded;
  ClientText text(recorded.console, options);
  text.on_report(report);
  return {recorded.out, recorded.err};
}

TEST(ClientText, SaysTheOriginalsLines) {
  EXPECT_EQ(show(engine::Connecting{server(), 1}),
            (Shown{"Connecting to server 192.0.2.7:6711\n", ""}));
  EXPECT_EQ(show(engine::Assigned{server(), {{{7000}, {7001}, {7002}}}, 5}),
            (Shown{"Received port assignment: control 7000, upload 7001, download 7002\n", ""}));
  EXPECT_EQ(show(engine::Connected{}), (Shown{"Client connected successfully\n", ""}));
  EXPECT_EQ(show(engine::NoAnswer{}), (Shown{"", "Timeout waiting for server response\n"}));
}

TEST(ClientText, LatencyLinesPadTheLabelToNine) {
  EXPECT_EQ(show(engine::LatencySample{PortKind::kControl, 123'456ns, {}, false}).err,
            "Client latency CONTROL  : 0.123 ms\n");
  EXPECT_EQ(show(engine::LatencySample{PortKind::kUpload, 12'345'678ns, {}, true}).err,
            "Client latency UPLOAD   : 12.35 ms\n");
  EXPECT_EQ(show(engine::LatencySample{PortKind::kDownload, 9'999'000ns, {}, false}).err,
            "Client latency DOWNLOAD : 9.999 ms\n");
}

TEST(ClientText, FurtherAttemptsGoToStderr) {
  EXPECT_EQ(show(engine::Connecting{server(), 2}),
            (Shown{"", "No answer yet from 192.0.2.7:6711, attempt 2 of 5\n"}));
  EXPECT_EQ(show(engine::Connecting{server(), 7, 20}).err,
            "No answer yet from 192.0.2.7:6711, attempt 7 of 20\n");
}

TEST(ClientText, ABusyServerIsSaidWithTheTimeToWaitAndThenNowAndThen) {
  RecordedConsole shown;
  ClientText text(shown.console);
  for (int i = 0; i < 5; ++i) text.on_report(engine::ServerBusy{4600ms, 600s, 4600ms * i});
  EXPECT_EQ(shown.err,
            "The server is busy; asking again in 4.6 s (it expects to be free in 600 s at the "
            "latest)\n"
            "The server is busy; asking again in 4.6 s, 14 s so far (it expects to be free in 600 "
            "s at the latest)\n");
}

TEST(ClientText, WhyAServerCannotBeReachedIsSaidAtOnce) {
  EXPECT_EQ(show(engine::ServerUnreachable{server(), engine::Unreachable::kLocalFirewall}).err,
            "192.0.2.7:6711: Operation not permitted: does a local firewall drop it?\n");
  EXPECT_EQ(show(engine::ServerUnreachable{server(), engine::Unreachable::kNobodyListens}).err,
            "192.0.2.7:6711: nobody listens there (ICMP port unreachable)\n");
}

TEST(ClientText, SilenceIsALineOfHeartbeatsAndOfATest) {
  engine::NothingReceived silence{.silent = 2s};
  EXPECT_EQ(show(silence).err, "nothing received for 2 s\n");
  EXPECT_EQ(show(silence, {.terminal = true}).err, "nothing received for 2 s\n");
  silence.direction = PortKind::kUpload;
  silence.elapsed = 5s;
  silence.duration = 10s;
  ClientTextOptions options{.directions = wire::Directions::kUpload};
  EXPECT_EQ(show(silence, options).err, "[  5.0/10.0 s]  nothing received for 2 s\n");
  options.terminal = true;
  EXPECT_EQ(show(silence, options).err, "\r\x1b[K[  5.0/10.0 s]  nothing received for 2 s");
  silence.direction = PortKind::kDownload;
  EXPECT_EQ(show(silence, {.directions = wire::Directions::kBoth}).err,
            "down [  5.0/10.0 s]  nothing received for 2 s\n");
}

TEST(ClientText, SilenceAfterATestsEndSaysThatTheServerIsWaitedFor) {
  engine::NothingReceived silence{
      .silent = 4s, .direction = PortKind::kUpload, .elapsed = 5s, .duration = 5s};
  EXPECT_EQ(show(silence, {.directions = wire::Directions::kUpload}).err,
            "[ 5.0/5.0 s]  nothing received for 4 s; waiting for the server's result\n");
  silence.direction = PortKind::kDownload;
  EXPECT_EQ(show(silence, {.directions = wire::Directions::kDownload}).err,
            "[ 5.0/5.0 s]  nothing received for 4 s; waiting for the server's figures\n");
}

TEST(ClientText, ARefusalIsShownPrintable) {
  EXPECT_EQ(show(engine::Refused{"no ports\x1b[2J"}).err, "The server refused: no ports\\x1b[2J\n");
}

TEST(ClientText, TracesAreTheOriginalsLines) {
  const auto trace = [](engine::TraceKind kind) {
    return show(engine::TraceLine{kind, ChannelId{77}, "", {}});
  };
  using enum engine::TraceKind;
  EXPECT_EQ(trace(kBwupSent), (Shown{"", "Client sent BWUP packet on channel 77\n"}));
  EXPECT_EQ(trace(kBwupAckReceived), (Shown{"", "Client received BWUP ack from server\n"}));
  EXPECT_EQ(trace(kFlowControlReceived),
            (Shown{"", "Client received FLOW_CONTROL on channel 77\n"}));
  EXPECT_EQ(trace(kUcmSent), (Shown{}));
}

engine::TestProgress progress(Duration elapsed, std::uint64_t bytes) {
  engine::TestProgress event;
  event.elapsed = elapsed;
  event.duration = 10s;
  event.sender.bytes = bytes;
  event.sender.packets = bytes / 1000;
  return event;
}

ClientTextOptions verbose(runtime::PlacementMode ports) {
  return {.terminal = false, .columns = 80, .verbose = true, .ports = ports};
}

TEST(ClientText, StartedPortsAreTheOriginalsLines) {
  using enum runtime::PlacementMode;
  const engine::PortsStarted started{};
  EXPECT_EQ(show(started, verbose(kThread)),
            (Shown{"", "Client started port threads (THREAD mode)\n"}));
  EXPECT_EQ(show(started, verbose(kProcess)),
            (Shown{"", "Client started port processes (PROCESS mode)\n"}));
}

TEST(ClientText, StartedPortsAreNotSaidOfOneLoopNorWithoutVerbose) {
  EXPECT_EQ(show(engine::PortsStarted{}, verbose(runtime::PlacementMode::kSingle)), Shown{});
  ClientTextOptions quiet = verbose(runtime::PlacementMode::kProcess);
  quiet.verbose = false;
  EXPECT_EQ(show(engine::PortsStarted{}, quiet), Shown{});
}

TEST(ClientText, ALostPortIsSaidWithItsCausePrintable) {
  engine::PortLost lost;
  lost.port = PortKind::kUpload;
  lost.cause = "upload worker (pid 42) was killed by SIGKILL";
  EXPECT_EQ(show(lost), (Shown{"", "wyndrvr: upload worker (pid 42) was killed by SIGKILL\n"}));
  lost.cause = "exec failed\r\x1b[1A";
  EXPECT_EQ(show(lost), (Shown{"", "wyndrvr: exec failed\\x0d\\x1b[1A\n"}));
}

TEST(ClientText, TheLiveLineIsClearedBeforeALoss) {
  RecordedConsole recorded;
  ClientText text(recorded.console, {.terminal = true, .columns = 100});
  text.on_report(progress(1s, 125'000'000));
  recorded.err.clear();
  engine::PortLost lost;
  lost.port = PortKind::kUpload;
  lost.cause = "gone";
  text.on_report(lost);
  EXPECT_EQ(recorded.err, "\r\x1b[Kwyndrvr: gone\n");
}

TEST(ClientText, StepsOfATestAreSaid) {
  EXPECT_EQ(show(engine::TestBegun{ChannelId{9}, PortKind::kUpload, 10s}).out,
            "Upload test started on channel 9, 10 s\n");
  EXPECT_EQ(show(engine::TestBegun{ChannelId{16}, PortKind::kDownload, 2500ms}).out,
            "Download test started on channel 16, 2.5 s\n");
  EXPECT_EQ(show(engine::TestDraining{}).err, "Time is over; waiting for the server's result\n");
  EXPECT_EQ(show(engine::TestResultArrived{5s}).err,
            "Result received; acknowledging repeats for 5 s\n");
  EXPECT_EQ(show(engine::TestResultArrived{}).err, "Result received\n");
}

TEST(ClientText, EventsOfAServerSayNothing) {
  EXPECT_EQ(show(engine::ClientConnected{server()}), Shown{});
  EXPECT_EQ(show(engine::PortsExhausted{}), Shown{});
  EXPECT_EQ(show(engine::PortAnswers{PortKind::kUpload}), Shown{});
  EXPECT_EQ(show(engine::SessionLost{}), Shown{});
}

TEST(ClientText, ProgressIsOneLineEachWithoutATerminal) {
  RecordedConsole recorded;
  ClientText text(recorded.console);
  text.on_report(progress(1s, 125'000'000));
  text.on_report(progress(2s, 375'000'000));
  EXPECT_EQ(recorded.err,
            "[  1.0/10.0 s]  sent 1.000 Gbit/s  loss 0.0 %  retransmitted 0\n"
            "[  2.0/10.0 s]  sent 2.000 Gbit/s  loss 0.0 %  retransmitted 0\n");
}

TEST(ClientText, TheLiveLineOfATerminalIsClearedBeforeOtherLines) {
  RecordedConsole recorded;
  ClientText text(recorded.console, {.terminal = true, .columns = 100});
  text.on_report(progress(1s, 125'000'000));
  EXPECT_THAT(recorded.err, AllOf(HasSubstr("\r"), HasSubstr("[###---"), Not(HasSubstr("\n"))));
  recorded.err.clear();
  text.on_report(engine::LatencySample{PortKind::kControl, 1ms, {}, true});
  EXPECT_EQ(recorded.err, "\r\x1b[KClient latency CONTROL  : 1.000 ms\n");
}

ClientTextOptions both_directions(bool terminal) {
  ClientTextOptions options;
  options.terminal = terminal;
  options.columns = 120;
  options.directions = wire::Directions::kBoth;
  return options;
}

engine::TestProgress download_progress(Duration elapsed, std::uint64_t bytes) {
  engine::TestProgress event = progress(elapsed, 0);
  event.direction = PortKind::kDownload;
  engine::ReceiverTotals receiver;
  receiver.elapsed = elapsed;
  receiver.bytes = bytes;
  receiver.expected = receiver.unique = bytes / 1000;
  event.receiver = receiver;
  return event;
}

TEST(ClientText, DirectionsOfOneTestAreCountedApart) {
  RecordedConsole recorded;
  ClientText text(recorded.console, both_directions(false));
  text.on_report(progress(1s, 125'000'000));
  text.on_report(download_progress(1s, 250'000'000));
  text.on_report(progress(2s, 375'000'000));
  text.on_report(download_progress(2s, 300'000'000));
  EXPECT_EQ(recorded.err,
            "up   [  1.0/10.0 s]  sent 1.000 Gbit/s  loss 0.0 %  retransmitted 0\n"
            "down [  1.0/10.0 s]  2.000 Gbit/s  loss 0.0 %  retransmitted 0\n"
            "up   [  2.0/10.0 s]  sent 2.000 Gbit/s  loss 0.0 %  retransmitted 0\n"
            "down [  2.0/10.0 s]  400.0 Mbit/s  loss 0.0 %  retransmitted 0\n");
}

TEST(ClientText, ATerminalShowsBothDirectionsOnOneLiveLine) {
  RecordedConsole recorded;
  ClientText text(recorded.console, both_directions(true));
  text.on_report(progress(1s, 125'000'000));
  text.on_report(download_progress(1s, 250'000'000));
  EXPECT_THAT(recorded.err, AllOf(HasSubstr("up 1.000 Gbit/s, loss 0.0 %  down 2.000 Gbit/s"),
                                  Not(HasSubstr("\n"))));
}

TEST(ClientText, ADownloadsEndWaitsForDatagramsAndNotForTheServer) {
  ClientTextOptions options;
  options.directions = wire::Directions::kDownload;
  EXPECT_EQ(show(engine::TestDraining{}, options).err,
            "Time is over; waiting for the last datagrams\n");
}

engine::LatencyTotals latency(std::uint64_t count, Duration mean) {
  stats::LatencySummary summary;
  summary.count = count;
  summary.min = summary.mean = summary.p50 = summary.p90 = summary.p95 = mean;
  summary.p99 = summary.p99_9 = summary.max = mean;
  return {.sent = count + 1,
          .received = count,
          .lost = 1,
          .skipped = 0,
          .rtt = summary,
          .application_rtt = {},
          .network_rtt = {},
          .jitter = 1500ns};
}

TEST(SummaryText, AveragesWeighIdleAndLoadedHeartbeats) {
  engine::SessionResult result;
  result.ports[0] = engine::PortTotals{latency(3, 100us), latency(1, 500us), {}};
  result.ports[2] = engine::PortTotals{};
  EXPECT_THAT(average_lines(result), ElementsAre("Client average latency CONTROL  : 0.200 ms"));
}

TEST(SummaryText, LatencyTableHasARowForEachPortAndPhase) {
  engine::SessionResult result;
  EXPECT_THAT(latency_table(result), IsEmpty());
  result.ports[0] = engine::PortTotals{latency(9, 100us), latency(99, 2ms), {}};
  result.ports[1] = engine::PortTotals{latency(9, 100us), {}, {}};
  const auto lines = latency_table(result);
  ASSERT_EQ(lines.size(), 5U);
  for (const char* column : {"sent", "received", "loss", "min", "median", "p99", "max", "jitter"}) {
    EXPECT_THAT(lines[1], HasSubstr(column));
  }
  EXPECT_THAT(lines[2], AllOf(HasSubstr("CONTROL"), HasSubstr("10.0 %"), HasSubstr("100 us"),
                              HasSubstr("1.50 us")));
  EXPECT_THAT(lines[3], HasSubstr("UPLOAD"));
  EXPECT_THAT(lines[4],
              AllOf(HasSubstr("CONTROL in test"), HasSubstr("1.00 %"), HasSubstr("2.00 ms")));
  for (const std::string& line : lines) EXPECT_LE(line.size(), 110U) << line;
}

TEST(SummaryText, TestTableSaysWhereDatagramsWereLost) {
  engine::TestOutcome outcome;
  outcome.has_result = true;
  outcome.sender.packets = 1000;
  outcome.sender.failed = 2;
  outcome.sender.retransmitted = 4;
  engine::ReceiverTotals receiver;
  receiver.packets = 995;
  receiver.unique = 990;
  receiver.duplicate = 5;
  receiver.reordered = 7;
  receiver.bytes = 995'000;
  receiver.unique_bytes = 990'000;
  receiver.socket_drops = 3;
  receiver.first_to_last = 1s;
  outcome.receiver = receiver;
  const auto lines = test_table(outcome, server());
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("rate"), HasSubstr("7.952 Mbit/s"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("goodput"), HasSubstr("7.912 Mbit/s"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("IP-layer"), HasSubstr("8.175 Mbit/s"))));
  EXPECT_THAT(lines, Contains(HasSubstr("sent 1000, received 995, lost 10 (1.00 %), duplicate 5, "
                                        "reordered 7, retransmitted 4")));
  EXPECT_THAT(lines, Contains(HasSubstr("network 5, receiver socket 3, sender 2")));
}

TEST(SummaryText, ATestSaysItsDirectionAndWhatWasAskedFor) {
  engine::TestOutcome outcome;
  EXPECT_EQ(test_table(outcome, server()).front(), "Upload test");
  outcome.direction = PortKind::kDownload;
  outcome.streams = 4;
  outcome.requested_rate = BitRate{25e6};
  const auto lines = test_table(outcome, server());
  EXPECT_EQ(lines.front(), "Download test");
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("asked for"), HasSubstr("25.00 Mbit/s"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("streams"), HasSubstr("4"))));
  EXPECT_THAT(lines, Contains("  the result is missing"));
  outcome.both = true;
  EXPECT_EQ(test_table(outcome, server()).front(), "Download test, both directions at once");
}

TEST(SummaryText, JitterAndMarksAreShownWhereTheyWereMeasured) {
  engine::TestOutcome outcome;
  outcome.has_result = true;
  outcome.receiver.emplace();
  const auto bare = test_table(outcome, server());
  EXPECT_THAT(bare, Not(Contains(HasSubstr("jitter"))));
  EXPECT_THAT(bare, Not(Contains(HasSubstr("CE"))));
  outcome.receiver->jitter = 15us;
  outcome.receiver->ecn_ce = 3;
  const auto lines = test_table(outcome, server());
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("jitter"), HasSubstr("15.0 us"))));
  EXPECT_THAT(lines, Contains(HasSubstr("marked CE 3")));
}

TEST(SummaryText, WithoutAResultOnlyTheSendersSideIsShown) {
  engine::TestOutcome outcome;
  outcome.sender.packets = 10;
  const auto lines = test_table(outcome, server());
  EXPECT_THAT(lines, Contains(HasSubstr("sent 10, retransmitted 0")));
  EXPECT_THAT(lines, Contains(HasSubstr("result is missing")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("rate"))));
}

TEST(SummaryText, ProblemsComeWithTheirCodes) {
  engine::SessionResult result;
  result.problems = {{engine::ProblemCode::kReceiverSocketDrops, "the socket overflowed"}};
  EXPECT_THAT(problem_lines(result), ElementsAre("W102: the socket overflowed"));
  result.problems = {
      {engine::ProblemCode::kWorkerLost, "upload worker (pid 42) was killed by SIGKILL"}};
  EXPECT_THAT(summary_lines(result),
              ElementsAre("W009: upload worker (pid 42) was killed by SIGKILL"));
}

}  // namespace client_text_test
}  // namespace wyndrvr::app
