// What coordinators tell the person or program that watches: one event at a time.
//
// Pure data; app/ turns it into the original's text lines, live lines and the result document.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/port_kind.hpp"
#include "engine/totals.hpp"
#include "engine/unreachable.hpp"

namespace wyndrvr::engine {

// --- the client ---
struct Connecting {
  Endpoint server;
  unsigned attempt = 1;   // from 1
  unsigned attempts = 5;  // in all
  // Of the name's addresses so many are being asked.
  std::uint32_t asked = 1;
  std::uint32_t addresses = 1;
};
struct ServerBusy {
  Duration asking_again_in{};
  Duration at_latest{};  // when the server expects to be free
  Duration waited{};     // since the server said so first
};
// Said once for each address and cause.
struct ServerUnreachable {
  Endpoint server;
  Unreachable cause = Unreachable::kNobodyListens;
};
// While something should come: nothing has for `silent`. Each second.
struct NothingReceived {
  Duration silent{};
  // Of a test, whose clock shows `elapsed`; absent: heartbeats. At `duration`, when the clock
  // stands still, only the server's word is missing.
  std::optional<PortKind> direction{};
  Duration elapsed{};
  Duration duration{};
};
struct Assigned {
  Endpoint server;
  std::array<Port, kPortCount> ports;
  std::uint32_t key = 0;
};
struct Connected {};
struct PortAnswers {  // the first heartbeat came back on this port
  PortKind port;
};
struct Refused {
  std::string reason;
};
struct NoAnswer {};  // after the last CONNECT
struct LatencySample {
  PortKind port;
  Duration rtt{};
  std::optional<Duration> network_rtt;
  bool loaded = false;
};
struct TestBegun {
  ChannelId channel;
  PortKind direction = PortKind::kUpload;
  Duration duration{};
};
// While a test runs; `receiver` comes from servers that send PROGRESS.
struct TestProgress {
  PortKind direction = PortKind::kUpload;
  Duration elapsed{};
  Duration duration{};
  SenderTotals sender;
  std::optional<ReceiverTotals> receiver;
};
struct TestDraining {};     // the time is over; waiting for the server's result
struct TestResultArrived {  // acknowledging repeats for `linger`, then the end
  Duration linger{};
};

// --- the server; `client` is the address that sent CONNECT ---
struct ClientConnected {
  Endpoint client;
};
struct ServerLatencySample {
  Endpoint client;
  PortKind port;
  Duration rtt{};
};
enum class SessionEnd : std::uint8_t {
  kResultDelivered,
  kIdle,
  kUnproven,
  kResultUndelivered,
  kShutdown,
  kEvicted,
  kFailed,
  kClosed,    // by the client
  kTimeOver,  // max_session_duration
};
struct ClientGone {
  Endpoint client;
  SessionEnd reason;
  bool was_connected = false;                                // had proven all ports but lost ones
  std::array<std::optional<Duration>, kPortCount> mean_rtt;  // absent: none measured
};
struct ServerTestResult {
  Endpoint client;
  PortKind direction = PortKind::kUpload;
  ReceiverTotals totals;
};
struct PortsExhausted {};  // said once until a session has ended
struct LimitReached {      // said once until a session has ended
  std::string limit;
};

// --- both; `client` is set on the server's side only ---
struct PortsStarted {  // the ports of a session run in loops of their own
  Endpoint client;
};
struct PortLost {  // the loop that ran this port is gone, the others go on
  Endpoint client;
  PortKind port;
  std::string cause;
};
struct SessionLost {  // the server's: a session had a loop of its own, and that is gone
  Endpoint client;
  std::string cause;
};

// --- debug lines of --test-verbose ---
enum class TraceKind : std::uint8_t {
  kBwupSent,
  kBwupAckReceived,
  kFlowControlReceived,  // client
  kBwupReceived,
  kUcmSent,
  kUcmDeleted,
  kUploadTestStarted,
  kFlowControlSent,  // server
};
inline constexpr TraceKind kLastTraceKind = TraceKind::kFlowControlSent;

struct TraceLine {
  TraceKind kind;
  ChannelId channel;
  std::string detail;  // guid of a control message, where there is one
  Endpoint client;     // server side only
};

using Report = std::variant<Connecting, Assigned, Connected, PortAnswers, Refused, NoAnswer,
                            LatencySample, TestBegun, TestProgress, TestDraining, TestResultArrived,
                            ClientConnected, ServerLatencySample, ClientGone, ServerTestResult,
                            PortsExhausted, LimitReached, TraceLine, PortsStarted, PortLost,
                            SessionLost, ServerBusy, ServerUnreachable, NothingReceived>;

}  // namespace wyndrvr::engine
