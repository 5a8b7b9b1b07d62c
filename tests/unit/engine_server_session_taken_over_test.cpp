// A server's session whose ports run in workers that were taken over.
#include <gtest/gtest.h>

#include "unit/engine_server_session_support.hpp"

namespace wyndrvr::engine {
namespace server_session_taken_over_test {

using namespace testing;

class ServerTakenOverTest : public ServerSessionTest {
 protected:
  // Everything that a port can say, by every port. Returns the effects of it.
  std::size_t say_everything(Instant now) {
    std::size_t effects_seen = 0;
    for (const PortKind port : kPortKinds) {
      for (const Message& message :
           {Message(PortProven{true}), Message(TestStarted{{1}, now + 1h, Duration::max(), true}),
            Message(ResultArrived{}), Message(TestReported{{1}, PortKind::kDownload, {}, {}}),
            Message(TestReported{{1}, PortKind::kControl, {}, {}}),
            Message(TestBroken{{1}, wire::StopReason::kSustainedLoss}), Message(PortReport{}),
            Message(SenderProgress{}), Message(ReceiverProgress{}), Message(StartTest{}),
            Message(Drain{}), Message(Trace{}), Message(PortTrouble{}), Message(HeartbeatsDone{}),
            Message(PortSilent{}), Message(PortHeard{})}) {
        effects_seen += tell(port, message, now).size();
      }
    }
    return effects_seen;
  }
};

TEST_F(ServerTakenOverTest, NothingThatItSaysOverAndOverAbortsTheServerOrFillsItsLog) {
  const std::size_t first = say_everything(kStart);
  EXPECT_GT(first, 0U);
  for (int i = 1; i < 100; ++i) EXPECT_EQ(say_everything(kStart + 1ms * i), 0U);
  EXPECT_GT(session.ignored_messages(), 0U);
  session.end(kStart + 1s, SessionEnd::kShutdown);
  (void)effects();
  (void)say_everything(kStart + 1s);
  session.on_timer(kStart + 1s + ServerSession::kDrainTimeout);
  (void)effects();
  EXPECT_EQ(say_everything(kStart + 2s), 0U) << "it is over";
}

TEST_F(ServerTakenOverTest, LastWordsBeforeTheyAreAskedForAreNone) {
  prove_all();
  PortReport report;
  report.totals.idle.rtt.emplace().mean = 3ms;
  for (const PortKind port : kPortKinds) EXPECT_TRUE(tell(port, report).empty());
  EXPECT_EQ(session.ignored_messages(), 3U);
  session.end(kStart, SessionEnd::kShutdown);
  (void)effects();
  EXPECT_FALSE(find_report<ClientGone>(drain())->mean_rtt[0]);
}

TEST_F(ServerTakenOverTest, ResultsOfAnotherPortOrDialectAreNone) {
  prove_all();
  EXPECT_TRUE(tell(PortKind::kUpload, ResultDelivered{}).empty()) << "control has the results";
  EXPECT_TRUE(tell(PortKind::kControl, TestReported{}).empty()) << "of dialect 1";
  EXPECT_EQ(count_drains(tell(PortKind::kControl, ResultDelivered{})), 3U);
}

}  // namespace server_session_taken_over_test
}  // namespace wyndrvr::engine
