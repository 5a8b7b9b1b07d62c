// What a supervisor and its workers say to each other, and how it becomes bytes.
//
// A frame is one octet (its index in Frame) and its fields; it must decode to exactly its length.
//
//   worker       Hello                        first of all
//   supervisor   PortSetup | SessionStart     once, the answer to Hello
//   worker       Prepared | SetupFailed       nothing more can fail; or it ends, for this reason
//   supervisor   Begin                        port workers, once all three are prepared
//   supervisor   Ping                         every worker answers with Pong
//   both         Letter                       port workers, also between siblings
//   supervisor   EndSession                   session workers
//   worker       SessionProven ... TellEnded  session workers: what a SessionListener is told
//
// The end of the channel says the rest: a worker that sees it ends, a supervisor that sees it
// buries the worker. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "engine/acceptor.hpp"
#include "engine/config.hpp"
#include "engine/port_actor.hpp"
#include "engine/server_session.hpp"
#include "ipc/message_codec.hpp"
#include "ipc/outbox.hpp"
#include "runtime/cpu_plan.hpp"
#include "runtime/run.hpp"
#include "wire/small_text.hpp"

namespace wyndrvr::runtime {

struct Hello {
  wire::SmallText<32> version;  // both ends are to be the same build
};
struct Ping {
  std::uint32_t number = 0;
};
struct Pong {
  std::uint32_t number = 0;
};

struct PortSetup {
  engine::PortConfig config;
  LoopTuning tuning;
  std::vector<unsigned> cpus;  // to pin the loop to; empty: not pinned
};

struct SessionStart {
  engine::SessionSetup session;
  Instant bound;  // SessionPlan
  engine::ProtocolConfig protocol;
  engine::ServerLimits limits;
  LoopTuning tuning;
  PlacementMode ports{};
  CpuPlan cpus;
  std::uint64_t seed = 0;
};

struct Prepared {};
struct Begin {};
struct SetupFailed {
  std::string why;
};

struct EndSession {
  engine::SessionEnd reason{};
};

using Frame = std::variant<Hello, Ping, Pong, PortSetup, SessionStart, Prepared, SetupFailed, Begin,
                           EndSession, ipc::Letter, engine::SessionProven, engine::ResendAssignment,
                           engine::ClientExtended, engine::TellEnded, engine::TestUnderWay,
                           engine::SessionOver, engine::Report>;

// The longest is a SessionStart with long lists of CPUs and networks; once at work, none is longer
// than ipc::kMaxFrameSize. Octets.
inline constexpr std::size_t kMaxSetupSize = 65'536;

// Replaces the contents of `out`.
void encode(const Frame& frame, std::vector<std::byte>& out);
// Nothing where the octets are not one of our frames.
[[nodiscard]] std::optional<Frame> decode_frame(ByteView octets);

// How a frame that has to wait is to be treated, and which state it is the newest of.
[[nodiscard]] ipc::Keep keep_of(const Frame& frame);
[[nodiscard]] std::uint8_t key_of(const Frame& frame);

}  // namespace wyndrvr::runtime
