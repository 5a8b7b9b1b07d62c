// The result document of dialect 1: directions, what was asked for, and the figures that it adds.
#include <gtest/gtest.h>

#include "app/result_json.hpp"
#include "app/test_figures.hpp"

namespace wyndrvr::app {
namespace result_directions_test {

using engine::Dialect;
using engine::PortKind;
using nlohmann::ordered_json;

engine::TestOutcome outcome_of_one(PortKind direction) {
  engine::TestOutcome outcome;
  outcome.dialect = Dialect::kOne;
  outcome.direction = direction;
  outcome.payload_bytes = 1400;
  outcome.sender.packets = 100;
  outcome.sender.failed = 2;
  engine::ReceiverTotals receiver;
  receiver.packets = receiver.unique = 90;
  receiver.bytes = receiver.unique_bytes = 126'000;
  receiver.expected = 100;
  receiver.socket_drops = 3;
  receiver.first_to_last = 1s;
  outcome.receiver = receiver;
  outcome.has_result = true;
  return outcome;
}

engine::SessionResult result_of(std::vector<engine::TestOutcome> tests) {
  engine::SessionResult result;
  result.dialect = Dialect::kOne;
  result.server = Endpoint{parse_ip("192.0.2.7").value(), Port{6711}};
  result.tests = std::move(tests);
  return result;
}

ordered_json document_of(const engine::SessionResult& result, const RunFacts& facts = {}) {
  return result_document({.result = result, .host = {}, .workers = {}}, facts);
}

TEST(ResultDirections, ADownloadIsOneInEveryKey) {
  const ordered_json json = document_of(result_of({outcome_of_one(PortKind::kDownload)}));
  const ordered_json& test = json["tests"][0];
  EXPECT_EQ(test["kind"], "download");
  EXPECT_EQ(test["direction"], "download");
  EXPECT_EQ(test["method"], "max");
  EXPECT_EQ(test["streams"], 1);
  EXPECT_EQ(test["payload_bytes"], 1400);
  EXPECT_FALSE(test.contains("requested_rate_bps"));
  EXPECT_EQ(test["packets"]["lost"], 10);
  EXPECT_EQ(test["lost_by_cause"],
            (ordered_json{{"network", 5}, {"receiver_socket", 3}, {"sender_local", 2}}));
  EXPECT_TRUE(json["problems"].empty()) << "not an original server";
}

TEST(ResultDirections, ADownloadWhoseServerHasNotToldSaysNothingOfWhatWasSent) {
  auto outcome = outcome_of_one(PortKind::kDownload);
  outcome.sender_known = false;
  outcome.sender = {};
  const ordered_json test = document_of(result_of({outcome}))["tests"][0];
  EXPECT_FALSE(test["packets"].contains("sent"));
  EXPECT_FALSE(test["packets"].contains("lost"));
  EXPECT_FALSE(test["packets"].contains("retransmitted"));
  EXPECT_FALSE(test.contains("lost_by_cause"));
  EXPECT_EQ(test["packets"]["unique"], 90);
}

TEST(ResultDirections, AnUploadCutShortTellsNoLossOfWhatWasOnItsWay) {
  auto outcome = outcome_of_one(PortKind::kUpload);
  outcome.has_result = false;
  outcome.receiver->first_to_last = {};
  outcome.intervals = {{.start = 0s, .end = 1s, .bytes = 126'000, .packets = 90, .lost = 0}};
  const ordered_json test = document_of(result_of({outcome}))["tests"][0];
  EXPECT_EQ(test["packets"]["sent"], 100);
  EXPECT_EQ(test["packets"]["received"], 90);
  EXPECT_EQ(test["bytes_received"], 126'000);
  EXPECT_EQ(test["intervals"].size(), 1U);
  for (const char* key : {"duration_s", "rate_bps", "goodput_bps", "lost_by_cause"}) {
    EXPECT_FALSE(test.contains(key)) << key;
  }
  EXPECT_FALSE(test["packets"].contains("lost"));
}

TEST(ResultDirections, ADownloadCutShortTellsWhatItsReceiverCounted) {
  auto outcome = outcome_of_one(PortKind::kDownload);
  outcome.has_result = false;
  outcome.sender_known = false;
  const ordered_json test = document_of(result_of({outcome}))["tests"][0];
  EXPECT_FALSE(test["packets"].contains("sent"));
  EXPECT_EQ(test["packets"]["unique"], 90);
  EXPECT_EQ(test["packets"]["lost"], 10) << "missing below the highest number";
  EXPECT_EQ(test["rate_bps"], 996'800) << "of what came after the first datagram";
  EXPECT_FALSE(test.contains("lost_by_cause"));
}

TEST(ResultDirections, ABidirectionalTestHasAnEntryEachWithTheSameLatency) {
  auto up = outcome_of_one(PortKind::kUpload);
  auto down = outcome_of_one(PortKind::kDownload);
  up.both = down.both = true;
  engine::SessionResult result = result_of({up, down});
  result.ports[0] = engine::PortTotals{};
  result.ports[0]->loaded.sent = result.ports[0]->loaded.received = 5;
  const ordered_json tests = document_of(result)["tests"];
  ASSERT_EQ(tests.size(), 2U);
  for (const ordered_json& test : tests) {
    EXPECT_EQ(test["kind"], "bidirectional");
    EXPECT_EQ(test["latency"]["control"]["received"], 5);
  }
  EXPECT_EQ(tests[0]["direction"], "upload");
  EXPECT_EQ(tests[1]["direction"], "download");
}

TEST(ResultDirections, ARateThatWasAskedForIsFixedInEitherDialect) {
  for (const Dialect dialect : {Dialect::kOriginal, Dialect::kOne}) {
    engine::TestOutcome outcome = outcome_of_one(PortKind::kUpload);
    outcome.dialect = dialect;
    outcome.streams = 4;
    outcome.requested_rate = BitRate{25e6};
    const ordered_json test = document_of(result_of({outcome}))["tests"][0];
    EXPECT_EQ(test["method"], "fixed");
    EXPECT_EQ(test["requested_rate_bps"], 25e6);
    EXPECT_EQ(test["streams"], 4);
  }
  engine::TestOutcome original = outcome_of_one(PortKind::kUpload);
  original.dialect = Dialect::kOriginal;
  EXPECT_EQ(document_of(result_of({original}))["tests"][0]["method"], "0.14");
}

TEST(ResultDirections, TheDialectIsTheOneOfTheAnswerElseTheOneAskedFor) {
  RunFacts facts;
  facts.dialect = Dialect::kOne;
  engine::SessionResult result;
  EXPECT_EQ(document_of(result, facts)["dialect"], "1");
  result.dialect = Dialect::kOriginal;
  EXPECT_EQ(document_of(result, facts)["dialect"], "0.14");
  facts.dialect = Dialect::kOriginal;
  result.dialect.reset();
  EXPECT_EQ(document_of(result, facts)["dialect"], "0.14");
}

TEST(ResultDirections, JitterIsThereWhereItWasMeasured) {
  engine::TestOutcome outcome = outcome_of_one(PortKind::kUpload);
  EXPECT_FALSE(document_of(result_of({outcome}))["tests"][0].contains("jitter_ns"));
  outcome.receiver->jitter = 12'345ns;
  EXPECT_EQ(document_of(result_of({outcome}))["tests"][0]["jitter_ns"],
            (ordered_json{{"rfc3550", 12'345}}));
}

TEST(ResultDirections, MarksAreToldWhereThereWereSomeOrCouldHaveBeen) {
  engine::TestOutcome outcome = outcome_of_one(PortKind::kUpload);
  const auto packets = [&](const RunFacts& facts) {
    return document_of(result_of({outcome}), facts)["tests"][0]["packets"];
  };
  RunFacts ecn;
  ecn.ecn = true;
  EXPECT_FALSE(packets({}).contains("ecn_ce"));
  EXPECT_EQ(packets(ecn)["ecn_ce"], 0);
  outcome.receiver->ecn_ce = 7;
  EXPECT_EQ(packets({})["ecn_ce"], 7) << "somebody on the path marks without being asked";
  outcome.receiver.reset();
  EXPECT_FALSE(packets(ecn).contains("ecn_ce")) << "nobody counted";
}

TEST(ResultDirections, DatagramsIgnoredForDialectOnesReasonsHaveTheirNames) {
  using enum wire::DropReason;
  engine::SessionResult result = result_of({});
  result.ports[1] = engine::PortTotals{};
  auto& drops = result.ports[1]->drops;
  drops[static_cast<std::size_t>(kWrongNonce)] = 1;
  drops[static_cast<std::size_t>(kWrongMac)] = 2;
  drops[static_cast<std::size_t>(kReplayed)] = 3;
  EXPECT_EQ(document_of(result)["ignored_datagrams"]["upload"],
            (ordered_json{{"wrong_nonce", 1}, {"wrong_mac", 2}, {"replayed", 3}}));
}

TEST(ResultDirections, OnlyOriginalServersAreBlamedForMissingDetail) {
  engine::TestOutcome outcome = outcome_of_one(PortKind::kUpload);
  outcome.receiver.reset();
  EXPECT_TRUE(problems_of(result_of({outcome})).empty());
  outcome.dialect = Dialect::kOriginal;
  EXPECT_EQ(problems_of(result_of({outcome})).size(), 1U);
}

}  // namespace result_directions_test
}  // namespace wyndrvr::app
