// The server's lines for every event, on the right stream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/server_text.hpp"
#include "unit/app_text_test_support.hpp"

namespace wyndrvr::app {
namespace server_text_test {

using engine::PortKind;
using ::testing::AllOf;
using ::testing::HasSubstr;

Endpoint client() {
  return {parse_ip("2001:db8::7").value(), Port{40000}};
}

std::pair<std::string, std::string> show(const engine::Report& report,
                                         ServerTextOptions options = {}) {
  RecordedConsole recorded;
  ServerText(recorded.console, options).on_report(report);
  return {recorded.out, recorded.err};
}

std::pair<std::string, std::string> streams(std::string out, std::string err) {
  return {std::move(out), std::move(err)};
}

TEST(ServerText, SaysTheOriginalsLines) {
  RecordedConsole recorded;
  ServerText(recorded.console).show_started({parse_ip("0.0.0.0").value(), Port{6711}});
  EXPECT_EQ(recorded.out, "Server started on 0.0.0.0:6711\n");
  EXPECT_EQ(show(engine::ClientConnected{client()}),
            streams("Client connected: [2001:db8::7]:40000\n", ""));
  EXPECT_EQ(show(engine::ServerLatencySample{client(), PortKind::kControl, 123us}),
            streams("", "Server latency on CONTROL   to [2001:db8::7]:40000: 0.123 ms\n"));
  EXPECT_EQ(show(engine::ServerLatencySample{client(), PortKind::kDownload, 20ms}),
            streams("", "Server latency on DOWNLOAD  to [2001:db8::7]:40000: 20.00 ms\n"));
}

// One client chooses how many of these lines there are.
class ServerTextFlood : public ::testing::Test {
 protected:
  explicit ServerTextFlood(bool verbose = false)
      : text(recorded.console, {.verbose = verbose, .clock = [this] { return now; }}) {}
  void beat(const Endpoint& from, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      text.on_report(engine::ServerLatencySample{from, PortKind::kControl, 1ms});
    }
  }
  // Lines about heartbeats since it was asked last.
  std::size_t lines() {
    const std::string err = std::exchange(recorded.err, "");
    std::size_t count = 0;
    for (std::size_t at = 0; (at = err.find("Server latency on ", at)) != std::string::npos; ++at) {
      ++count;
    }
    return count;
  }
  static Endpoint peer(unsigned port) {
    return {parse_ip("192.0.2.1").value(), Port{static_cast<std::uint16_t>(port)}};
  }

  Instant now{1h};
  RecordedConsole recorded;
  ServerText text;
};

TEST_F(ServerTextFlood, HeartbeatLinesOfAClientAreLimitedAndCounted) {
  beat(client(), 3000);
  EXPECT_EQ(lines(), ServerText::kClientBurst);
  beat(peer(1), 1);
  EXPECT_EQ(lines(), 1U) << "another client has its own";
  now += 100ms;
  beat(client(), 1);
  EXPECT_THAT(recorded.err,
              ::testing::StartsWith("Server latency lines of [2001:db8::7]:40000 left out: 2970 "
                                    "(--test-verbose shows all)\nServer latency on CONTROL"));
}

TEST_F(ServerTextFlood, HeartbeatLinesOfAllClientsAreLimited) {
  for (unsigned port = 1; port <= 1000; ++port) beat(peer(port), 1);
  EXPECT_EQ(lines(), ServerText::kTotalBurst);
}

TEST_F(ServerTextFlood, ALeavingClientIsToldWhatWasLeftOut) {
  beat(client(), 31);
  (void)lines();
  text.on_report(engine::ClientGone{client(), engine::SessionEnd::kIdle, true, {}});
  EXPECT_THAT(recorded.err, HasSubstr("left out: 1 "));
  beat(client(), 100);
  EXPECT_EQ(lines(), ServerText::kClientBurst) << "a new session begins anew";
}

class VerboseServerText : public ServerTextFlood {
 protected:
  VerboseServerText() : ServerTextFlood(true) {}
};

TEST_F(VerboseServerText, AllHeartbeatLinesAreShownWithTestVerbose) {
  beat(client(), 3000);
  EXPECT_EQ(lines(), 3000U);
}

TEST(ServerText, AClientThatLeavesGetsItsAveragesAndTheReason) {
  engine::ClientGone gone{client(), engine::SessionEnd::kIdle, true, {}};
  gone.mean_rtt[0] = 123us;
  gone.mean_rtt[1] = 456us;
  EXPECT_EQ(show(gone),
            streams("Client left: [2001:db8::7]:40000 (silent for idle_timeout)\n",
                    "Server average latency on CONTROL   to [2001:db8::7]:40000: 0.123 ms\n"
                    "Server average latency on UPLOAD    to [2001:db8::7]:40000: 0.456 ms\n"));
}

TEST(ServerText, AClientThatNeverConnectedLeavesInSilence) {
  EXPECT_EQ(show(engine::ClientGone{client(), engine::SessionEnd::kUnproven, false, {}}),
            streams("", ""));
}

TEST(ServerText, ATestIsOneLine) {
  engine::ReceiverTotals totals;
  totals.packets = 995;
  totals.unique = 990;
  totals.expected = 1000;
  totals.bytes = 995'000;
  totals.retransmitted = 4;
  totals.first_to_last = 1s;
  EXPECT_EQ(show(engine::ServerTestResult{client(), PortKind::kUpload, totals}).first,
            "Upload test of [2001:db8::7]:40000: 7.952 Mbit/s, 995.0 kB in 1.00 s, 995 datagrams, "
            "lost 10 (1.00 %), retransmitted 4\n");
  EXPECT_THAT(show(engine::ServerTestResult{client(), PortKind::kUpload, {}}).first,
              HasSubstr(": 0 B in 0.00 s, 0 datagrams, lost 0 (-)"));
}

TEST(ServerText, ADownloadIsCalledOne) {
  EXPECT_THAT(show(engine::ServerTestResult{client(), PortKind::kDownload, {}}).first,
              ::testing::StartsWith("Download test of [2001:db8::7]:40000: "));
}

TEST(ServerText, AClientThatSaysGoodbyeIsNotCalledSilent) {
  EXPECT_EQ(show(engine::ClientGone{client(), engine::SessionEnd::kClosed, true, {}}).first,
            "Client left: [2001:db8::7]:40000 (closed by the client)\n");
}

TEST(ServerText, LimitsNameTheKeyToRaise) {
  EXPECT_THAT(show(engine::PortsExhausted{}).second, HasSubstr("port_ranges"));
  EXPECT_THAT(show(engine::LimitReached{"server full"}).second,
              AllOf(HasSubstr("server full"), HasSubstr("raise max_sessions or max_unproven")));
  EXPECT_THAT(show(engine::LimitReached{"address limit"}).second,
              HasSubstr("raise max_sessions_per_address"));
  EXPECT_THAT(show(engine::LimitReached{"network limit"}).second,
              HasSubstr("raise max_sessions_per_network"));
  EXPECT_THAT(show(engine::LimitReached{"total rate"}).second, HasSubstr("raise max_total_rate"));
}

TEST(ServerText, TracesAreTheOriginalsLines) {
  const auto trace = [](engine::TraceKind kind, std::string detail = "") {
    const auto shown = show(engine::TraceLine{kind, ChannelId{77}, std::move(detail), client()});
    EXPECT_EQ(shown.first, "");
    return shown.second;
  };
  using enum engine::TraceKind;
  EXPECT_EQ(trace(kBwupReceived), "Server received BWUP packet from [2001:db8::7]:40000\n");
  EXPECT_EQ(trace(kUcmSent, "some-guid"), "Server sent UCM some-guid\n");
  EXPECT_EQ(trace(kUcmDeleted, "some-guid"), "Server deleted UCM some-guid (ack=0)\n");
  EXPECT_EQ(trace(kUploadTestStarted), "Server started upload bandwidth test on channel 77\n");
  EXPECT_EQ(trace(kFlowControlSent), "Server sent FLOW_CONTROL on channel 77\n");
  EXPECT_EQ(trace(kBwupSent), "");
}

TEST(ServerText, StartedPortsAreTheOriginalsLines) {
  using enum runtime::PlacementMode;
  engine::PortsStarted started;
  started.client = client();
  EXPECT_EQ(show(started, {.verbose = true, .ports = kThread}),
            streams("", "Started port threads for client [2001:db8::7]:40000\n"));
  EXPECT_EQ(show(started, {.verbose = true, .ports = kProcess}),
            streams("", "Started port processes for client [2001:db8::7]:40000\n"));
  EXPECT_EQ(show(started, {.verbose = true, .ports = kSingle}), streams("", ""));
  EXPECT_EQ(show(started, {.verbose = false, .ports = kProcess}), streams("", ""));
}

TEST(ServerText, ALostPortOrSessionIsSaidWithItsCausePrintable) {
  engine::PortLost port;
  port.client = client();
  port.port = PortKind::kControl;
  port.cause = "control worker (pid 42) stopped answering";
  EXPECT_EQ(show(port),
            streams("", "Client [2001:db8::7]:40000: control worker (pid 42) stopped answering\n"));
  engine::SessionLost session;
  session.client = client();
  session.cause = "session worker (pid 43) ended with code 3\n\x1b[2J";
  EXPECT_EQ(show(session), streams("",
                                   "Client [2001:db8::7]:40000: session worker (pid 43) ended "
                                   "with code 3\\x0a\\x1b[2J\n"));
}

TEST(ServerText, ASessionThatFailedLeavesWithoutBlameOnTheClient) {
  EXPECT_EQ(show(engine::ClientGone{client(), engine::SessionEnd::kFailed, true, {}}),
            streams("Client left: [2001:db8::7]:40000 (ended by a failure on this host)\n", ""));
}

TEST(ServerText, SaysItsLastWords) {
  RecordedConsole recorded;
  ServerText(recorded.console).show_outcome({.sessions = 3, .refused = 1, .ignored_datagrams = 9});
  EXPECT_EQ(recorded.out, "Server stopped: 3 clients served, 1 refused, 9 datagrams ignored\n");
}

}  // namespace server_text_test
}  // namespace wyndrvr::app
