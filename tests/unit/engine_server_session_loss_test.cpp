// A server session that loses the loops of its ports.
#include <algorithm>
#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "unit/engine_server_session_support.hpp"

namespace wyndrvr::engine {
namespace server_session_loss_test {

using namespace testing;

class ServerLossTest : public ServerSessionTest {
 protected:
  Effects lose(PortKind port, Instant now = kStart) {
    session.on_port_lost(now, port, cause_of(port));
    return effects();
  }
  static std::string cause_of(PortKind port) { return std::string(name(port)) + " is gone"; }
  Effects start_test(bool extended, Instant now = kStart) {
    return tell(PortKind::kControl, TestStarted{{5}, now, 10s, extended}, now);
  }
  Effects wait_until(Instant now) {
    session.on_timer(now);
    return effects();
  }
  template <class Wanted>
  static std::size_t count(const Effects& all) {
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [](const auto& effect) { return std::holds_alternative<Wanted>(effect); }));
  }
  static bool posted_to(const Effects& all, PortKind port) {
    return std::ranges::any_of(all, [port](const ServerSessionEffect& effect) {
      const auto* post = std::get_if<Post>(&effect);
      return post != nullptr && post->to == port;
    });
  }
};

TEST_F(ServerLossTest, LossIsReportedWithItsClientPortAndCause) {
  prove_all();
  const auto lost = find_report<PortLost>(lose(PortKind::kUpload));
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->client, kClientEnd);
  EXPECT_EQ(lost->port, PortKind::kUpload);
  EXPECT_EQ(lost->cause, cause_of(PortKind::kUpload));
  EXPECT_TRUE(lose(PortKind::kUpload).empty()) << "once";
}

TEST_F(ServerLossTest, ClientOfOursIsToldThreeTimesAndThenTheSessionEnds) {
  prove_all();
  EXPECT_EQ(count<ClientExtended>(start_test(true)), 1U);
  const Effects first = lose(PortKind::kUpload, kStart + 1s);
  EXPECT_EQ(find<TellEnded>(first)->cause, cause_of(PortKind::kUpload));
  EXPECT_EQ(count_drains(first), 0U);

  EXPECT_EQ(session.poll_deadline()->at, kStart + 1200ms);
  EXPECT_TRUE(wait_until(kStart + 1200ms - 1ns).empty());
  const Effects second = wait_until(kStart + 1200ms);
  EXPECT_EQ(find<TellEnded>(second)->cause, cause_of(PortKind::kUpload));
  EXPECT_EQ(count_drains(second), 0U);

  EXPECT_EQ(session.poll_deadline()->at, kStart + 1400ms);
  const Effects third = wait_until(kStart + 1400ms);
  EXPECT_EQ(count<TellEnded>(third), 1U);
  EXPECT_EQ(count_drains(third), 2U);
  EXPECT_FALSE(posted_to(third, PortKind::kUpload)) << "nobody is there";
  (void)tell(PortKind::kControl, PortReport{});
  EXPECT_EQ(find<SessionOver>(tell(PortKind::kDownload, PortReport{}))->reason,
            SessionEnd::kFailed);
}

TEST_F(ServerLossTest, OtherPortsGoOnWhileTheClientIsTold) {
  prove_all();
  (void)start_test(true);
  (void)lose(PortKind::kUpload);
  EXPECT_TRUE(find_report<ServerLatencySample>(tell(PortKind::kControl, HeartbeatSample{})));
}

TEST_F(ServerLossTest, SecondLossWhileTheClientIsToldOnlyReportsItself) {
  prove_all();
  (void)start_test(true);
  (void)lose(PortKind::kUpload);
  for (const PortKind port : {PortKind::kControl, PortKind::kDownload}) {
    const Effects all = lose(port, kStart + 100ms);
    EXPECT_EQ(all.size(), 1U);
    EXPECT_EQ(find_report<PortLost>(all)->port, port);
  }
  EXPECT_EQ(find<TellEnded>(wait_until(kStart + 200ms))->cause, cause_of(PortKind::kUpload));
  const Effects last = wait_until(kStart + 400ms);
  EXPECT_EQ(count<TellEnded>(last), 1U);
  EXPECT_EQ(find<SessionOver>(last)->reason, SessionEnd::kFailed) << "no port is left to drain";
  EXPECT_FALSE(session.poll_deadline());
}

TEST_F(ServerLossTest, SilenceWhileTheClientIsToldDoesNotCutItShort) {
  prove_all();
  (void)start_test(true);
  (void)lose(PortKind::kUpload);
  (void)tell(PortKind::kControl, PortSilent{});
  EXPECT_TRUE(tell(PortKind::kDownload, PortSilent{}).empty());
  EXPECT_EQ(count<TellEnded>(wait_until(kStart + 200ms)), 1U);
}

TEST_F(ServerLossTest, ResultThatIsDeliveredAfterAllEndsTheTelling) {
  prove_all();
  (void)start_test(true);
  (void)lose(PortKind::kUpload);
  EXPECT_EQ(count_drains(tell(PortKind::kControl, ResultDelivered{})), 2U);
  EXPECT_EQ(count<TellEnded>(wait_until(kStart + 200ms)), 0U);
  EXPECT_EQ(find<SessionOver>(drain())->reason, SessionEnd::kResultDelivered);
}

TEST_F(ServerLossTest, OriginalClientIsNotToldAndKeepsItsOtherPorts) {
  prove_all();
  EXPECT_EQ(count<ClientExtended>(start_test(false)), 0U);
  const Effects all = lose(PortKind::kUpload);
  EXPECT_EQ(count<TellEnded>(all), 0U);
  EXPECT_EQ(count_drains(all), 0U);
  EXPECT_EQ(session.poll_deadline()->reason, DeadlineReason::kLifetime);
  (void)tell(PortKind::kControl, PortSilent{});
  EXPECT_EQ(count_drains(tell(PortKind::kDownload, PortSilent{})), 2U);
  (void)tell(PortKind::kControl, PortReport{});
  EXPECT_EQ(find<SessionOver>(tell(PortKind::kDownload, PortReport{}))->reason, SessionEnd::kIdle);
}

TEST_F(ServerLossTest, SessionWithoutATestKeepsItsOtherPorts) {
  prove_all();
  const Effects all = lose(PortKind::kControl);
  EXPECT_EQ(count<TellEnded>(all), 0U);
  EXPECT_EQ(count_drains(all), 0U);
}

TEST_F(ServerLossTest, LossWhereTheOthersAreSilentEndsTheSession) {
  prove_all();
  (void)tell(PortKind::kControl, PortSilent{});
  (void)tell(PortKind::kDownload, PortSilent{});
  EXPECT_EQ(count_drains(lose(PortKind::kUpload)), 2U);
  (void)tell(PortKind::kControl, PortReport{});
  EXPECT_EQ(find<SessionOver>(tell(PortKind::kDownload, PortReport{}))->reason, SessionEnd::kIdle);
}

TEST_F(ServerLossTest, SessionThatHasLostAllItsPortsFailsAtOnce) {
  prove_all();
  (void)lose(PortKind::kControl);
  (void)lose(PortKind::kUpload);
  const Effects all = lose(PortKind::kDownload);
  EXPECT_EQ(count_drains(all), 0U);
  EXPECT_EQ(find<SessionOver>(all)->reason, SessionEnd::kFailed);
  EXPECT_TRUE(std::holds_alternative<SessionOver>(all.back()));
}

TEST_F(ServerLossTest, LateMessagesOfALostPortAreIgnored) {
  prove_all();
  (void)lose(PortKind::kControl);
  EXPECT_TRUE(start_test(true).empty());
  EXPECT_TRUE(tell(PortKind::kControl, HeartbeatSample{}).empty());
  EXPECT_TRUE(tell(PortKind::kControl, ResultDelivered{}).empty());
}

TEST_F(ServerLossTest, LossWhileDrainingIsNotWaitedFor) {
  prove_all();
  session.end(kStart, SessionEnd::kShutdown);
  (void)effects();
  EXPECT_FALSE(find<SessionOver>(tell(PortKind::kControl, PortReport{})));
  EXPECT_FALSE(find<SessionOver>(lose(PortKind::kUpload)));
  const Effects all = lose(PortKind::kDownload);
  EXPECT_TRUE(find_report<PortLost>(all));
  EXPECT_EQ(find<SessionOver>(all)->reason, SessionEnd::kShutdown);
}

TEST_F(ServerLossTest, LossAfterTheEndIsNoNews) {
  prove_all();
  session.end(kStart, SessionEnd::kShutdown);
  (void)drain();
  EXPECT_TRUE(lose(PortKind::kUpload).empty());
}

TEST_F(ServerLossTest, LostPortNeedsNoProof) {
  (void)tell(PortKind::kControl, PortProven{});
  (void)lose(PortKind::kUpload);
  const Effects all = tell(PortKind::kDownload, PortProven{});
  EXPECT_EQ(count<SessionProven>(all), 1U);
  EXPECT_TRUE(find_report<ClientConnected>(all));
  EXPECT_TRUE(wait_until(kStart + 10s).empty()) << "no proof is missing";
}

TEST_F(ServerLossTest, LossOfTheOnlyPortWithoutProofConnectsTheClient) {
  (void)tell(PortKind::kControl, PortProven{});
  (void)tell(PortKind::kDownload, PortProven{});
  EXPECT_EQ(count<SessionProven>(lose(PortKind::kUpload)), 1U);
}

TEST_F(ServerLossTest, LostPortsProveNothing) {
  (void)lose(PortKind::kControl);
  (void)lose(PortKind::kUpload);
  EXPECT_EQ(count_drains(wait_until(kStart + config.limits.proof_timeout)), 1U);
  EXPECT_EQ(find<SessionOver>(drain())->reason, SessionEnd::kUnproven);
}

// --- who may be told ---

TEST_F(ServerLossTest, ClientIsNotMarkedBeforeItHasProvenItsAddress) {
  EXPECT_EQ(count<ClientExtended>(start_test(true)), 0U);
  EXPECT_EQ(count<ClientExtended>(tell(PortKind::kControl, PortProven{})), 1U);
  EXPECT_EQ(count<ClientExtended>(tell(PortKind::kUpload, PortProven{})), 0U) << "once";
  EXPECT_EQ(count<TellEnded>(lose(PortKind::kUpload)), 1U) << "one proven port will do";
}

TEST_F(ServerLossTest, UnprovenClientIsNotTold) {
  (void)start_test(true);
  EXPECT_EQ(count<TellEnded>(lose(PortKind::kUpload)), 0U);
}

}  // namespace server_session_loss_test
}  // namespace wyndrvr::engine
