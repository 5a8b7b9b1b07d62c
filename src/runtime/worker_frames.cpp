#include "runtime/worker_frames.hpp"

#include "ipc/message_fields.hpp"
#include "ipc/report_fields.hpp"
#include "ipc/setup_fields.hpp"

namespace wyndrvr::runtime {

// --- the fields of each frame, in the order in which they travel ---
template <class Archive>
void transfer(Archive& archive, os::Offloads& v) {
  ipc::transfer_enum(archive, v.gso, os::Offload::kOff);
  ipc::transfer_enum(archive, v.gro, os::Offload::kOff);
}
template <class Archive>
void transfer(Archive& archive, LoopTuning& v) {
  ipc::transfer_all(archive, v.gather, v.incoming_sleep, v.send_sleep, v.max_send_time,
                    v.block_limit, v.test_delay, v.drop_probability);
  transfer(archive, v.offloads);
}
template <class Archive>
void transfer(Archive& archive, CpuPlan& v) {
  ipc::transfer_all(archive, v.chosen, v.allowed, v.session);
}
template <class Archive>
void transfer(Archive& archive, PlacementMode& v) {
  ipc::transfer_enum(archive, v, kLastPlacementMode);
}
template <class Archive>
void transfer(Archive& archive, Hello& v) {
  ipc::transfer(archive, v.version);
}
template <class Archive>
void transfer(Archive& archive, Ping& v) {
  ipc::transfer(archive, v.number);
}
template <class Archive>
void transfer(Archive& archive, Pong& v) {
  ipc::transfer(archive, v.number);
}
template <class Archive>
void transfer(Archive& archive, PortSetup& v) {
  ipc::transfer_all(archive, v.config, v.tuning, v.cpus);
}
template <class Archive>
void transfer(Archive& archive, SessionStart& v) {
  ipc::transfer_all(archive, v.session, v.bound, v.protocol, v.limits, v.tuning, v.ports, v.cpus,
                    v.seed);
}
template <class Archive>
void transfer(Archive& archive, SetupFailed& v) {
  ipc::transfer(archive, v.why);
}
template <class Archive>
void transfer(Archive& archive, EndSession& v) {
  ipc::transfer(archive, v.reason);
}

void encode(const Frame& frame, std::vector<std::byte>& out) {
  ipc::write_frame(frame, out);
}

std::optional<Frame> decode_frame(ByteView octets) {
  return ipc::read_frame<Frame>(octets);
}

// A session's reports stand for its clients' lines: only samples and debug lines may be lost.
ipc::Keep keep_of(const Frame& frame) {
  if (const auto* letter = std::get_if<ipc::Letter>(&frame)) return ipc::keep_of(letter->message);
  const auto* report = std::get_if<engine::Report>(&frame);
  const bool sample =
      report != nullptr && (std::holds_alternative<engine::ServerLatencySample>(*report) ||
                            std::holds_alternative<engine::TraceLine>(*report));
  return sample ? ipc::Keep::kMayLose : ipc::Keep::kAlways;
}

std::uint8_t key_of(const Frame& frame) {
  const auto* letter = std::get_if<ipc::Letter>(&frame);
  return letter != nullptr ? ipc::key_of(*letter) : 0;
}

}  // namespace wyndrvr::runtime
