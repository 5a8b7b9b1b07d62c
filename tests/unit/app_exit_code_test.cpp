// How the client ends, from its result alone.
#include <gtest/gtest.h>

#include "app/client_program.hpp"

namespace wyndrvr::app {
namespace exit_code_test {

using enum wire::Directions;

engine::TestOutcome complete_outcome(engine::PortKind direction) {
  engine::TestOutcome outcome;
  outcome.direction = direction;
  outcome.has_result = true;
  return outcome;
}

TEST(ExitCode, ALatencyRunIsDoneWhenOneHeartbeatWasAnswered) {
  engine::SessionResult result;
  EXPECT_EQ(exit_code_of(result, kLatencyOnly), ExitCode::kFailed);
  result.ports[2] = engine::PortTotals{};
  result.ports[2]->idle.sent = 5;
  EXPECT_EQ(exit_code_of(result, kLatencyOnly), ExitCode::kFailed);
  result.ports[2]->idle.received = 1;
  EXPECT_EQ(exit_code_of(result, kLatencyOnly), ExitCode::kDone);
  result.valid = false;  // the server fell silent
  EXPECT_EQ(exit_code_of(result, kLatencyOnly), ExitCode::kFailed);
}

TEST(ExitCode, ATestIsDoneWhenItsResultIsValid) {
  for (const auto& [directions, port] : {std::pair(kUpload, engine::PortKind::kUpload),
                                         std::pair(kDownload, engine::PortKind::kDownload)}) {
    engine::SessionResult result;
    result.tests = {complete_outcome(port)};
    EXPECT_EQ(exit_code_of(result, directions), ExitCode::kDone);
    result.tests[0].has_result = false;
    EXPECT_EQ(exit_code_of(result, directions), ExitCode::kFailed);
    result.tests[0].has_result = true;
    result.valid = false;
    EXPECT_EQ(exit_code_of(result, directions), ExitCode::kFailed);
    result.valid = true;
    result.tests.clear();
    EXPECT_EQ(exit_code_of(result, directions), ExitCode::kFailed);
  }
}

TEST(ExitCode, ATestInBothDirectionsNeedsBothResults) {
  engine::SessionResult result;
  result.tests = {complete_outcome(engine::PortKind::kUpload)};
  EXPECT_EQ(exit_code_of(result, kBoth), ExitCode::kFailed);
  result.tests.push_back(complete_outcome(engine::PortKind::kDownload));
  EXPECT_EQ(exit_code_of(result, kBoth), ExitCode::kDone);
  result.tests[1].has_result = false;
  EXPECT_EQ(exit_code_of(result, kBoth), ExitCode::kFailed);
}

}  // namespace exit_code_test
}  // namespace wyndrvr::app
