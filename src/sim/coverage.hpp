// What a run, or a batch of runs, came across: shows that the checkers had something to check.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wyndrvr::sim {

enum class Seen : std::uint8_t {
  kUploadWanted,
  kUploadResult,
  kUploadExact,
  kUploadLoss,
  kUploadDuplicates,
  kUploadReordering,
  kUploadRetransmission,
  kUploadLinkDropsExact,
  kUploadDrainCut,
  kUploadSendRefused,
  kUploadIntervals,
  kValidRun,
  kLatencyPortExact,
  kLatencyUnderLoad,
  kHeartbeatSample,
  kNetworkRoundTrip,
  kHeartbeatLost,
  kServerHeartbeatSample,
  kPathWithoutLoss,
  kStopped,
  kClientVanished,
  kServerVanished,
  kServerShutdown,
  kOutage,
  kNoAnswer,
  kRefused,
  kPortUnproven,
  kNoAcknowledgement,
  kNoResult,
  kServerSilent,
  kLocalFailure,
  kClientPortLost,
  kUploadPortLost,
  kLatencyPortLost,
  kServerFailed,
  kEndDelivered,
  kEndIdle,
  kEndUnproven,
  kEndUndelivered,
  kEndEvicted,
  kEndShutdown,
  kEndFailed,
  kServerPortLost,
  kServerSessionLost,
  kEndedDue,
  kEndedSent,
  kNeverLaunched,
  kLaunchFailed,
  kPortInUse,
  kAssignmentResent,
  kGarbageSent,
  kGarbageAccepted,
  kCorruptAccepted,
  kBudgetWatched,
  kStateMessageLost,
  kMailHeldBack,
  kMailSuperseded,
  kProbeServed,
  kGrantWatched,
  kEndClosed,
  kCloseSent,
  kRebound,
  kForged,
  kReplayed,
  kSpokeOne,
  kSpokeOriginal,
  kTestOneExact,
  kTestOneLoss,
  kTestOneDownload,
  kTestOneStreams,
  kTestOneTagged,
  kTestOneCauses,
  kSustainedLoss,
  kToldBusy,
  kNotAFirstPacket,
  kEndTimeOver,
  kCount
};

inline constexpr std::size_t kSeenCount = static_cast<std::size_t>(Seen::kCount);

[[nodiscard]] std::string_view name(Seen seen);

class Coverage {
 public:
  void count(Seen seen, std::uint64_t times = 1) {
    totals_[static_cast<std::size_t>(seen)] += times;
  }
  [[nodiscard]] std::uint64_t total(Seen seen) const {
    return totals_[static_cast<std::size_t>(seen)];
  }
  // Adds the coverage of one run.
  void add_run(const Coverage& run);
  // A table: how often in all, and in how many of the runs that were added.
  [[nodiscard]] std::string table() const;

 private:
  std::array<std::uint64_t, kSeenCount> totals_{};
  std::array<std::uint64_t, kSeenCount> runs_with_{};
  std::uint64_t runs_ = 0;
};

}  // namespace wyndrvr::sim
