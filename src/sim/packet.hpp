// A UDP datagram under way, with a note on it that only truth reads.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "sim/clock.hpp"
#include "sim/truth.hpp"

namespace wyndrvr::sim {

struct Note {
  enum class Subject : std::uint8_t { kOther, kData, kHeartbeat0, kHeartbeat1, kHeartbeat2 };

  Subject subject = Subject::kOther;
  TrueTime sent;      // handed out by its actor or coordinator
  TrueTime departed;  // left the sender's kernel
  // kData: what it is a datagram of, and its N.
  UploadTruth* upload = nullptr;
  std::uint64_t serial = 0;
  // Heartbeats: the exchange that it belongs to; of an answer, what the way took before it left;
  // of a confirmation, when the answer was handed out.
  HeartbeatTruth* heartbeat = nullptr;
  Duration way_before{};
  Duration answer_delay{};  // part of it: between the server's program and its kernel's stamp
  TrueTime answer_sent;
  bool garbage = false;  // not sent by the engine
  bool corrupt = false;
  bool forged = false;    // garbage of one who cannot read the paths
  bool replayed = false;  // garbage: an exact copy of what had come before

  [[nodiscard]] bool genuine() const { return !garbage && !corrupt; }
};

struct Packet {
  Endpoint from;
  Endpoint to;
  std::vector<std::byte> bytes;
  Note note;
  TrueTime arrived;  // at the receiver's kernel
};

// It came to its destination, and nobody was there to take it.
inline void note_unheard(const Note& note) {
  if (note.heartbeat != nullptr) --note.heartbeat->pending;
  if (note.upload != nullptr) note.upload->sent[note.serial].unheard = true;
}

using PacketPtr = std::unique_ptr<Packet>;

}  // namespace wyndrvr::sim
