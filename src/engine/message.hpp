// Messages between the actors of one session and its coordinator.
//
// Three kinds (docs/ARCHITECTURE.md): commands and events, which nobody may lose; state,
// cumulative, where the newest replaces the others; and samples. `kDeliveryOf` says which type is
// which, for everybody who carries messages. All are plain values without pointers;
// ipc/message_codec turns each into bytes and back.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>
#include <variant>

#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/port_kind.hpp"
#include "engine/report.hpp"
#include "engine/result.hpp"
#include "engine/totals.hpp"
#include "engine/unreachable.hpp"
#include "wire/test_command.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::engine {

// `channel` names the test: in 0.14 its data channel, in dialect 1 its number.
struct TestPlan {
  ChannelId channel;
  PortKind direction = PortKind::kUpload;  // the port that the data goes through
  Duration duration{};
  std::uint32_t payload_bytes = 0;  // 0.14, sender only: of dummy data
  std::optional<BitRate> rate;      // 0.14, sender only: fixed; absent: as fast as it goes
  Duration progress_interval{};     // between reports of totals; zero: none wanted
  bool ask_progress = false;        // client: ask the server for its side of them, too
  bool operator==(const TestPlan&) const = default;
};

// --- commands ---
struct StartTest {  // coordinator -> control (client); control -> upload (both ends)
  TestPlan plan;
  bool operator==(const StartTest&) const = default;
};
struct PortReady {  // upload -> control: the other half of the test exists
  ChannelId channel;
  bool operator==(const PortReady&) const = default;
};
struct Go {  // control -> upload: the test clock has started
  ChannelId channel;
  Instant start;
  Duration duration{};
  bool operator==(const Go&) const = default;
};
struct SetLoaded {  // coordinator -> all: heartbeats from now on count as (not) under load
  bool loaded = false;
  bool operator==(const SetLoaded&) const = default;
};
struct Nudge {  // coordinator -> all: send a heartbeat now
  bool operator==(const Nudge&) const = default;
};
struct Quiet {  // coordinator -> all: no more heartbeats and data, only answers
  bool operator==(const Quiet&) const = default;
};
struct Drain {  // coordinator -> all: stop sending and answer with PortReport
  bool operator==(const Drain&) const = default;
};

struct StopTest {  // control -> upload, download: send no more, end the test
  ChannelId channel;
  wire::StopReason reason = wire::StopReason::kWanted;
  bool operator==(const StopTest&) const = default;
};

// --- events ---
struct PortProven {
  // Client: the server is one of ours (it tells its turnaround), so it knows our extensions.
  bool extended = false;
  bool operator==(const PortProven&) const = default;
};
struct PortSilent {  // nothing valid heard for the idle time-out
  bool operator==(const PortSilent&) const = default;
};
struct PortHeard {  // after PortSilent: heard again
  bool operator==(const PortHeard&) const = default;
};
// Client: why datagrams do not get to the server's port; each cause once until it is heard again.
struct PortTrouble {
  Unreachable cause = Unreachable::kNobodyListens;
  bool operator==(const PortTrouble&) const = default;
};
struct HeartbeatSample {
  Duration rtt{};
  std::optional<Duration> network_rtt;
  bool loaded = false;
  bool operator==(const HeartbeatSample&) const = default;
};
struct HeartbeatsDone {  // the last is sent, and every answer is in or given up
  bool operator==(const HeartbeatsDone&) const = default;
};
struct TestStarted {  // control -> coordinator
  ChannelId channel;
  Instant start;
  Duration duration{};
  // Server: the client is one of ours (its BWUP asked for progress), so it understands ENDED.
  bool extended = false;
  bool operator==(const TestStarted&) const = default;
};
struct TestFinished {  // upload -> control (server): final figures of the receiver
  ChannelId channel;
  ReceiverTotals totals;
  bool operator==(const TestFinished&) const = default;
};
struct ResultArrived {  // control -> coordinator (client)
  wire::TestResult result;
  bool operator==(const ResultArrived&) const = default;
};
struct ResultDelivered {  // control -> coordinator (server)
  ReceiverTotals totals;
  bool operator==(const ResultDelivered&) const = default;
};
struct SenderFinished {  // upload, download -> control (dialect 1): final figures of the sender
  ChannelId channel;
  SenderTotals totals;
  bool operator==(const SenderFinished&) const = default;
};
// A sender has given up (-> control), or the test has ended early (control -> coordinator).
struct TestBroken {
  ChannelId channel;
  wire::StopReason reason = wire::StopReason::kWanted;
  bool from_peer = false;  // the other end says so
  bool operator==(const TestBroken&) const = default;
};
// control -> coordinator (dialect 1): a test is over, with what each side has to say of it.
struct TestReported {
  ChannelId channel;
  PortKind direction = PortKind::kUpload;
  ReceiverTotals receiver;
  std::optional<SenderTotals> sender;  // at the client: of a download
  bool operator==(const TestReported&) const = default;
};
struct TestFailed {
  ProblemCode code = ProblemCode::kNoResult;
  bool operator==(const TestFailed&) const = default;
};
struct PortReport {
  PortTotals totals;
  std::optional<SenderTotals> sender;
  // Of a test so far: as counted here, or as the receiver's reports tell it.
  std::optional<ReceiverTotals> receiver{};
  bool operator==(const PortReport&) const = default;
};
struct Trace {
  TraceKind kind = TraceKind::kBwupSent;
  ChannelId channel;
  wire::SmallText<64> detail;
  bool operator==(const Trace&) const = default;
};

// --- state ---
struct SenderProgress {
  ChannelId channel;
  SenderTotals totals;
  bool operator==(const SenderProgress&) const = default;
};
struct ReceiverProgress {
  ChannelId channel;
  ReceiverTotals totals;
  std::optional<ByteCount> granted{};  // 0.14: to have left in all; absent: no bound
  bool operator==(const ReceiverProgress&) const = default;
};

using Message =
    std::variant<StartTest, PortReady, Go, SetLoaded, Nudge, Quiet, Drain, PortProven, PortSilent,
                 PortHeard, HeartbeatSample, HeartbeatsDone, TestStarted, TestFinished,
                 ResultArrived, ResultDelivered, TestFailed, PortReport, Trace, SenderProgress,
                 ReceiverProgress, StopTest, SenderFinished, TestBroken, TestReported, PortTrouble>;

// --- what may become of a message on its way ---
enum class Delivery : std::uint8_t {
  kAlways,   // commands and events: never lost
  kNewest,   // state: cumulative, a newer one replaces it
  kMayLose,  // samples and debug lines: the totals are told elsewhere
};
template <class T>
inline constexpr Delivery kDeliveryOf = Delivery::kAlways;
template <>
inline constexpr Delivery kDeliveryOf<SenderProgress> = Delivery::kNewest;
template <>
inline constexpr Delivery kDeliveryOf<ReceiverProgress> = Delivery::kNewest;
template <>
inline constexpr Delivery kDeliveryOf<HeartbeatSample> = Delivery::kMayLose;
template <>
inline constexpr Delivery kDeliveryOf<Trace> = Delivery::kMayLose;

[[nodiscard]] inline Delivery delivery_of(const Message& message) {
  return std::visit([](const auto& one) { return kDeliveryOf<std::remove_cvref_t<decltype(one)>>; },
                    message);
}

struct Outgoing {
  Mailbox from = Mailbox::kCoordinator;
  Mailbox to = Mailbox::kCoordinator;
  Message message;
};

}  // namespace wyndrvr::engine
