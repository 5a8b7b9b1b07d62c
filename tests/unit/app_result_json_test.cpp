// The result document: a complete one against its golden file, and what is absent when.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "app/result_json.hpp"
#include "app/test_figures.hpp"

namespace wyndrvr::app {
namespace result_json_test {

using nlohmann::ordered_json;

RunFacts facts() {
  RunFacts result;
  result.run_id = base::parse_uuid("018f3f5e-7b00-7abc-8def-0123456789ab").value();
  result.started_at = WallTime(1'714'564'800'123ms);
  result.target = "example.net:6711";
  result.kernel = "6.1.0-test";
  result.cpu_count = 4;
  return result;
}

runtime::HostFacts host() {
  return {.receive_buffer_bytes = 425'984,
          .send_buffer_bytes = 212'992,
          .gso = true,
          .gro = false,
          .timestamp_source = "timestamping"};
}

stats::LatencySummary summary(Duration base) {
  return {.count = 99,
          .min = base,
          .mean = base + 20us,
          .p50 = base + 10us,
          .p90 = base + 30us,
          .p95 = base + 40us,
          .p99 = base + 50us,
          .p99_9 = base + 60us,
          .max = base + 70us,
          .stddev = 5us};
}

engine::LatencyTotals latency() {
  return {.sent = 100,
          .received = 99,
          .lost = 1,
          .skipped = 2,
          .rtt = summary(100us),
          .application_rtt = summary(120us),
          .network_rtt = summary(80us),
          .jitter = 7us};
}

// An upload test of 1000 datagrams: 8 lost (3 at the receiver's socket, 2 never sent), 4 doubled.
engine::TestOutcome upload() {
  engine::TestOutcome outcome;
  outcome.payload_bytes = 1000;
  outcome.requested = 2s;
  outcome.sender.packets = 1000;
  outcome.sender.bytes = 1'000'000;
  outcome.sender.retransmitted = 6;
  outcome.sender.failed = 2;
  engine::ReceiverTotals receiver;
  receiver.packets = 996;
  receiver.bytes = 996'000;
  receiver.unique = 992;
  receiver.duplicate = 4;
  receiver.reordered = 5;
  receiver.expected = 999;
  receiver.unique_bytes = 986'000;
  receiver.socket_drops = 3;
  receiver.first_to_last = 2s;
  receiver.elapsed = 2s;
  outcome.receiver = receiver;
  outcome.bytes_received = 996'000;
  outcome.packets_received = 996;
  outcome.reported_duration = 2s;
  outcome.intervals = {{0s, 1s, 500'000, 500, 3}, {1s, 2s, 496'000, 496, 4}};
  outcome.has_result = true;
  return outcome;
}

engine::SessionResult complete_result() {
  engine::SessionResult result;
  result.server = Endpoint{parse_ip("192.0.2.7").value(), Port{6711}};
  result.duration = 7250ms;
  for (auto& port : result.ports) port = engine::PortTotals{latency(), {}, {}};
  result.ports[0]->loaded = latency();
  result.ports[1]->drops[static_cast<std::size_t>(wire::DropReason::kStranger)] = 3;
  result.tests = {upload()};
  result.problems = {{engine::ProblemCode::kReceiverSocketDrops, "the receiving socket dropped 3"}};
  return result;
}

ordered_json document(const engine::SessionResult& result) {
  return result_document({.result = result, .host = host(), .workers = {}}, facts());
}

std::string read_golden(const std::string& name) {
  std::ostringstream text;
  // Beside the test program, where the build has copied it: the sources may be elsewhere.
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  text << std::ifstream(program.parent_path() / "golden" / name).rdbuf();
  return text.str();
}

// As it is printed, but for the version, which grows.
std::string without_version(const ordered_json& document) {
  std::string text = document_text(document);
  const std::string version = "\"version\": \"" WYNDRVR_VERSION "\"";
  const std::size_t at = text.find(version);
  EXPECT_NE(at, std::string::npos);
  return at == std::string::npos ? text
                                 : text.replace(at, version.size(), "\"version\": \"0.0.0\"");
}

// An upload that ended when its port was killed, in PROCESS mode.
runtime::ClientOutcome killed_upload() {
  runtime::ClientOutcome outcome;
  outcome.result = complete_result();
  outcome.result.valid = false;
  outcome.result.tests[0].receiver.reset();
  outcome.result.tests[0].has_result = false;
  outcome.result.tests[0].intervals.clear();
  outcome.result.problems = {
      {engine::ProblemCode::kWorkerLost, "upload worker (pid 42) was killed by SIGKILL"}};
  outcome.host = host();
  outcome.workers = {{engine::PortKind::kControl, 41},
                     {engine::PortKind::kUpload, 42},
                     {engine::PortKind::kDownload, 43}};
  return outcome;
}

RunFacts process_facts() {
  RunFacts result = facts();
  result.ports = runtime::PlacementMode::kProcess;
  result.connections = runtime::PlacementMode::kThread;
  return result;
}

TEST(ResultJson, ACompleteRunIsAsInTheGoldenFile) {
  EXPECT_EQ(without_version(document(complete_result())),
            read_golden("result_upload_after_first.json"));
}

// The earlier ones counted the first datagram in the rates.
TEST(ResultJson, DocumentsOfEarlierVersionsHaveTheSameKeys) {
  const auto earlier = ordered_json::parse(read_golden("result_upload.json")).flatten();
  const auto now = document(complete_result()).flatten();
  for (const auto& [key, value] : earlier.items()) EXPECT_TRUE(now.contains(key)) << key;
}

TEST(ResultJson, ARunWhosePortWasKilledIsAsInTheGoldenFile) {
  EXPECT_EQ(without_version(result_document(killed_upload(), process_facts())),
            read_golden("result_port_killed.json"));
}

TEST(ResultJson, ModesHaveTheirNames) {
  using enum runtime::PlacementMode;
  for (const auto& [mode, expected] : {std::pair(kSingle, "SINGLE"), std::pair(kThread, "THREAD"),
                                       std::pair(kProcess, "PROCESS")}) {
    RunFacts given = facts();
    given.ports = mode;
    EXPECT_EQ(result_document({}, given)["mode"]["port"], expected);
    EXPECT_EQ(result_document({}, given)["mode"]["connection"], "SINGLE");
    given = facts();
    given.connections = mode;
    EXPECT_EQ(result_document({}, given)["mode"]["port"], "SINGLE");
    EXPECT_EQ(result_document({}, given)["mode"]["connection"], expected);
  }
}

TEST(ResultJson, WorkersAreTheProcessesOfPorts) {
  const ordered_json json = result_document(killed_upload(), process_facts());
  ASSERT_EQ(json["workers"].size(), 3U);
  EXPECT_EQ(json["workers"][1], (ordered_json{{"port", "upload"}, {"pid", 42}}));
  EXPECT_FALSE(document(complete_result()).contains("workers")) << "absent where there are none";
}

TEST(ResultJson, CountsAddUp) {
  const ordered_json test = document(complete_result())["tests"][0];
  const auto& packets = test["packets"];
  EXPECT_EQ(packets["sent"], packets["unique"].get<int>() + packets["lost"].get<int>());
  EXPECT_EQ(packets["received"], packets["unique"].get<int>() + packets["duplicate"].get<int>());
  int lost = 0;
  for (const auto& cause : test["lost_by_cause"]) lost += cause.get<int>();
  EXPECT_EQ(packets["lost"], lost);
  int bytes = 0;
  for (const auto& interval : test["intervals"]) bytes += interval["bytes"].get<int>();
  EXPECT_EQ(test["bytes_received"], bytes);
}

TEST(ResultJson, RatesFollowTheirDefinitions) {
  const ordered_json test = document(complete_result())["tests"][0];
  EXPECT_DOUBLE_EQ(test["rate_bps"], 8.0 * 995'000 / 2);
  EXPECT_DOUBLE_EQ(test["goodput_bps"], 8.0 * 985'000 / 2);
  EXPECT_DOUBLE_EQ(test["ip_rate_bps"], 8.0 * (995'000 + 995 * 28) / 2);
  engine::SessionResult v6 = complete_result();
  v6.server->address = parse_ip("2001:db8::7").value();
  EXPECT_DOUBLE_EQ(document(v6)["tests"][0]["ip_rate_bps"], 8.0 * (995'000 + 995 * 48) / 2);
}

// 10 kbit/s for 10 s are nine datagrams of 1400 octets, 1.12 s apart: with the first one the rate
// would read 11.25 kbit/s.
TEST(ResultJson, RatesOfFewDatagramsAreThoseThatTheyWereSentAt) {
  engine::SessionResult result = complete_result();
  engine::ReceiverTotals& receiver = *result.tests[0].receiver;
  receiver = {};
  receiver.packets = receiver.unique = receiver.expected = 9;
  receiver.bytes = receiver.unique_bytes = 9 * 1400;
  receiver.first_to_last = 8 * 1120ms;
  const ordered_json test = document(result)["tests"][0];
  EXPECT_DOUBLE_EQ(test["rate_bps"], 10e3);
  EXPECT_DOUBLE_EQ(test["goodput_bps"], 10e3);
  EXPECT_DOUBLE_EQ(test["ip_rate_bps"], 10e3 * 1428 / 1400);
}

TEST(ResultJson, ASingleDatagramHasNoRate) {
  engine::SessionResult result = complete_result();
  engine::ReceiverTotals& receiver = *result.tests[0].receiver;
  receiver = {};
  receiver.packets = receiver.unique = receiver.expected = 1;
  receiver.bytes = receiver.unique_bytes = 1400;
  const ordered_json test = document(result)["tests"][0];
  for (const char* key : {"rate_bps", "goodput_bps", "ip_rate_bps"}) {
    EXPECT_FALSE(test.contains(key)) << key;
  }
}

TEST(ResultJson, AnOriginalServersTestLeavesOutWhatNobodyMeasured) {
  engine::SessionResult result = complete_result();
  result.problems.clear();
  engine::TestOutcome& outcome = result.tests[0];
  outcome.receiver.reset();
  outcome.reported_duration = 4s;
  const ordered_json json = document(result);
  const ordered_json& test = json["tests"][0];
  EXPECT_EQ(test["packets"],
            (ordered_json{{"sent", 1000}, {"received", 996}, {"lost", 4}, {"retransmitted", 6}}));
  EXPECT_FALSE(test.contains("lost_by_cause"));
  EXPECT_FALSE(test.contains("goodput_bps"));
  EXPECT_DOUBLE_EQ(test["rate_bps"], 8.0 * 996'000 / 4);
  EXPECT_EQ(json["problems"][0]["code"], "W101");
  EXPECT_EQ(json["problems"].size(), 1U);
}

TEST(ResultJson, LossIsNeverNegative) {
  engine::SessionResult result = complete_result();
  result.tests[0].receiver.reset();
  result.tests[0].packets_received = 2000;  // the network doubled datagrams
  EXPECT_EQ(document(result)["tests"][0]["packets"]["lost"], 0);
}

TEST(ResultJson, CausesNeverExplainMoreThanWasLost) {
  engine::TestOutcome outcome = upload();
  outcome.receiver->unique = 999;
  outcome.receiver->socket_drops = 50;
  outcome.sender.failed = 50;
  const TestFigures figures = figures_of(outcome, std::nullopt);
  EXPECT_EQ(figures.causes, (LossCauses{.network = 0, .receiver_socket = 1, .sender_local = 0}));
  EXPECT_FALSE(figures.ip_rate_bps.has_value()) << "the family of the address is not known";
}

TEST(ResultJson, WithoutAnAnswerTheDocumentStillStands) {
  engine::SessionResult result;
  result.duration = 5s;
  result.valid = false;
  result.problems = {{engine::ProblemCode::kNoAnswer, "no answer"}};
  const ordered_json json = document(result);
  EXPECT_EQ(json["valid"], false);
  EXPECT_EQ(json["problems"][0]["code"], "W001");
  EXPECT_EQ(json["latency"], ordered_json::object());
  EXPECT_EQ(json["tests"], ordered_json::array());
  EXPECT_FALSE(json.contains("server"));
}

TEST(ResultJson, ATestWithoutResultHasTheSendersSideOnly) {
  engine::SessionResult result = complete_result();
  result.tests[0].receiver.reset();
  result.tests[0].has_result = false;
  const ordered_json test = document(result)["tests"][0];
  EXPECT_EQ(test["packets"], (ordered_json{{"sent", 1000}, {"retransmitted", 6}}));
  EXPECT_FALSE(test.contains("rate_bps"));
  EXPECT_FALSE(test.contains("bytes_received"));
  EXPECT_FALSE(test.contains("duration_s"));
}

TEST(ResultJson, UnmeasuredTimesAreAbsent) {
  engine::SessionResult result = complete_result();
  result.ports[0]->idle.network_rtt.reset();
  result.ports[0]->idle.jitter.reset();
  result.ports[0]->idle.rtt->stddev.reset();
  const ordered_json control = document(result)["latency"]["control"];
  EXPECT_FALSE(control.contains("network_rtt_ns"));
  EXPECT_FALSE(control.contains("jitter_ns"));
  EXPECT_FALSE(control["rtt_ns"].contains("stddev"));
  EXPECT_EQ(control["rtt_ns"]["p99_9"], 160'000);
}

TEST(ResultJson, HowLateLoopsWereIsToldOfEachPortThatMovedData) {
  engine::SessionResult result;
  result.ports[0] = engine::PortTotals{};
  result.ports[1] = engine::PortTotals{};
  result.ports[1]->loop_lag = stats::LatencySummary{.p99 = 123us, .stddev = {}};
  const ordered_json host =
      result_document({.result = result, .host = {}, .workers = {}}, {})["host"];
  ASSERT_TRUE(host.contains("loop_lag_ns"));
  EXPECT_EQ(host["loop_lag_ns"].size(), 1U);
  EXPECT_EQ(host["loop_lag_ns"]["upload"]["p99"], 123'000);
}

TEST(ResultJson, WaitingForRoomIsToldWhereItHappened) {
  engine::SessionResult result;
  result.tests.emplace_back();
  const auto test = [&] {
    return result_document({.result = result, .host = {}, .workers = {}}, {})["tests"][0];
  };
  EXPECT_FALSE(test().contains("send_blocked"));
  result.tests[0].sender.blocked = 3;
  EXPECT_EQ(test()["send_blocked"], 3);
}

TEST(ResultJson, TextThatIsNoUtf8IsReplaced) {
  engine::SessionResult result;
  result.problems = {{engine::ProblemCode::kRefused, "bad \xff byte"}};
  EXPECT_TRUE(ordered_json::accept(document_text(document(result))));
}

TEST(ResultJson, TimesAreRfc3339InUtc) {
  EXPECT_EQ(format_rfc3339(WallTime(0s)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(WallTime(1'709'164'799'999ms)), "2024-02-28T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(WallTime(1'709'164'800s)), "2024-02-29T00:00:00.000Z");
}

TEST(ProblemCodes, AreStable) {
  using enum engine::ProblemCode;
  EXPECT_EQ(code_of(kNoAnswer), "W001");
  EXPECT_EQ(code_of(kServerSilent), "W007");
  EXPECT_EQ(code_of(kLocalFailure), "W008");
  EXPECT_EQ(code_of(kWorkerLost), "W009");
  EXPECT_EQ(code_of(kServerFailed), "W010");
  EXPECT_EQ(code_of(kNotInOriginal), "W011");
  EXPECT_EQ(code_of(kSustainedLoss), "W012");
  EXPECT_EQ(code_of(kNoReceiverDetail), "W101");
  EXPECT_EQ(code_of(kWrittenOff), "W107");
  EXPECT_EQ(code_of(kReceiverShrunk), "W108");
  EXPECT_EQ(code_of(kDataStopped), "W113");
}

}  // namespace result_json_test
}  // namespace wyndrvr::app
