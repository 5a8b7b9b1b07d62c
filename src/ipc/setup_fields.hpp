// The fields of what an actor or a session is made from, in the order in which they travel.
#pragma once

#include <cstddef>

#include "base/endpoint.hpp"
#include "engine/acceptor.hpp"
#include "engine/config.hpp"
#include "engine/port_actor.hpp"
#include "engine/port_kind.hpp"
#include "engine/report.hpp"
#include "ipc/archive.hpp"

namespace wyndrvr::ipc {

// --- addresses ---
// The family, then four octets, or sixteen and the scope.
template <class Archive>
void transfer(Archive& archive, IpAddress& v) {
  constexpr std::size_t kV4Octets = 4;
  if constexpr (Archive::kReading) v = {};
  transfer_enum(archive, v.family, IpAddress::Family::kV6);
  const std::size_t count = v.is_v6() ? v.octets.size() : kV4Octets;
  for (std::size_t i = 0; i < count; ++i) archive.integer(v.octets[i]);
  if (v.is_v6()) archive.integer(v.scope);
}
template <class Archive>
void transfer(Archive& archive, Endpoint& v) {
  transfer_all(archive, v.address, v.port);
}

// --- enums ---
template <class Archive>
void transfer(Archive& archive, engine::Side& v) {
  transfer_enum(archive, v, engine::Side::kServer);
}
template <class Archive>
void transfer(Archive& archive, engine::PortKind& v) {
  transfer_enum(archive, v, engine::PortKind::kDownload);
}
template <class Archive>
void transfer(Archive& archive, engine::SessionEnd& v) {
  transfer_enum(archive, v, engine::SessionEnd::kFailed);
}

// --- configurations ---
template <class Archive>
void transfer(Archive& archive, engine::ProtocolConfig& v) {
  transfer_all(archive, v.heartbeat_interval, v.adjustment_delay, v.flow_control_rate,
               v.control_resend_interval, v.result_resend_interval, v.trace);
}
template <class Archive>
void transfer(Archive& archive, engine::PortConfig& v) {
  transfer_all(archive, v.side, v.kind, v.protocol, v.heartbeat_key, v.peer, v.idle_timeout,
               v.max_test_duration, v.heartbeat_count, v.clock_offset, v.start, v.seed);
}
template <class Archive>
void transfer(Archive& archive, engine::ServerLimits& v) {
  transfer_all(archive, v.proof_timeout, v.idle_timeout, v.max_sessions, v.max_sessions_per_address,
               v.max_unproven_sessions, v.max_test_duration);
}
template <class Archive>
void transfer(Archive& archive, engine::SessionId& v) {
  transfer(archive, v.value);
}
template <class Archive>
void transfer(Archive& archive, engine::SessionSetup& v) {
  transfer_all(archive, v.id, v.client, v.local, v.ports, v.heartbeat_key);
}

}  // namespace wyndrvr::ipc
