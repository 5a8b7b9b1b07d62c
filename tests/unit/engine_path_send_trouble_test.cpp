// What a host tells an actor of dialect 1 about its sends: only what befell data counts in a test.
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "unit/engine_path_support.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;
using wire::Directions;

using SendTroubleCase = std::tuple<Directions, bool>;  // single port

class PathSendTroubleTest : public ::testing::TestWithParam<SendTroubleCase> {};

TEST_P(PathSendTroubleTest, FailedAndBlockedSendsOfDataCountAndOthersDoNot) {
  const auto [directions, single_port] = GetParam();
  const bool upload = directions == Directions::kUpload;
  const Side sender = upload ? Side::kClient : Side::kServer;
  const PortKind direction = upload ? PortKind::kUpload : PortKind::kDownload;
  TestTerms terms = path_terms(directions);
  terms.streams = 2;
  terms.single_port = single_port;
  PathSession session({.terms = terms});
  ASSERT_TRUE(session.prove());
  session.start(direction);
  session.run_until(session.now + 500ms);
  ASSERT_GT(session.net.truth(direction).sent, 0U);

  PortActor& actor = session.actor(sender, direction);
  actor.on_send_failed(TransmitKind::kData, 2);
  actor.on_send_failed(TransmitKind::kOther, 1);
  for (int i = 0; i < 3; ++i) actor.on_send_blocked(TransmitKind::kData);
  actor.on_send_blocked(TransmitKind::kOther);

  ASSERT_TRUE(session.finish_tests());
  const auto told = session.reported(sender, direction);
  ASSERT_TRUE(told && told->sender);
  EXPECT_EQ(told->sender->failed, 2U);
  EXPECT_EQ(told->sender->blocked, 3U);
}

std::string send_trouble_name(const ::testing::TestParamInfo<SendTroubleCase>& info) {
  const auto [directions, single_port] = info.param;
  return std::string(directions == Directions::kUpload ? "Upload" : "Download") +
         (single_port ? "SinglePort" : "");
}

INSTANTIATE_TEST_SUITE_P(All, PathSendTroubleTest,
                         ::testing::Combine(::testing::Values(Directions::kUpload,
                                                              Directions::kDownload),
                                            ::testing::Bool()),
                         send_trouble_name);

}  // namespace
}  // namespace wyndrvr::engine
