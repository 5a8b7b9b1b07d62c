// The fields of every report of a coordinator, in the order in which they travel: a session that
// has a loop elsewhere tells the server's what it would tell the person who watches.
#pragma once

#include "engine/report.hpp"
#include "engine/server_session.hpp"
#include "ipc/archive.hpp"
#include "ipc/message_fields.hpp"
#include "ipc/setup_fields.hpp"

namespace wyndrvr::ipc {

// --- the client's ---
template <class Archive>
void transfer(Archive& archive, engine::Connecting& v) {
  transfer_all(archive, v.server, v.attempt, v.attempts, v.asked, v.addresses);
}
template <class Archive>
void transfer(Archive& archive, engine::Assigned& v) {
  transfer_all(archive, v.server, v.ports, v.key);
}
template <class Archive>
void transfer(Archive& archive, engine::PortAnswers& v) {
  transfer(archive, v.port);
}
template <class Archive>
void transfer(Archive& archive, engine::Refused& v) {
  transfer(archive, v.reason);
}
template <class Archive>
void transfer(Archive& archive, engine::LatencySample& v) {
  transfer_all(archive, v.port, v.rtt, v.network_rtt, v.loaded);
}
template <class Archive>
void transfer(Archive& archive, engine::TestBegun& v) {
  transfer_all(archive, v.channel, v.direction, v.duration);
}
template <class Archive>
void transfer(Archive& archive, engine::TestProgress& v) {
  transfer_all(archive, v.direction, v.elapsed, v.duration, v.sender, v.receiver);
}
template <class Archive>
void transfer(Archive& archive, engine::TestResultArrived& v) {
  transfer(archive, v.linger);
}

template <class Archive>
void transfer(Archive& archive, engine::ServerBusy& v) {
  transfer_all(archive, v.asking_again_in, v.at_latest, v.waited);
}
template <class Archive>
void transfer(Archive& archive, engine::ServerUnreachable& v) {
  transfer(archive, v.server);
  transfer_enum(archive, v.cause, engine::kLastUnreachable);
}
template <class Archive>
void transfer(Archive& archive, engine::NothingReceived& v) {
  transfer_all(archive, v.silent, v.direction, v.elapsed, v.duration);
}

// --- the server's ---
template <class Archive>
void transfer(Archive& archive, engine::ClientConnected& v) {
  transfer(archive, v.client);
}
template <class Archive>
void transfer(Archive& archive, engine::ServerLatencySample& v) {
  transfer_all(archive, v.client, v.port, v.rtt);
}
template <class Archive>
void transfer(Archive& archive, engine::ClientGone& v) {
  transfer_all(archive, v.client, v.reason, v.was_connected, v.mean_rtt);
}
template <class Archive>
void transfer(Archive& archive, engine::ServerTestResult& v) {
  transfer_all(archive, v.client, v.direction, v.totals);
}
template <class Archive>
void transfer(Archive& archive, engine::LimitReached& v) {
  transfer(archive, v.limit);
}

// --- both ends' ---
template <class Archive>
void transfer(Archive& archive, engine::PortsStarted& v) {
  transfer(archive, v.client);
}
template <class Archive>
void transfer(Archive& archive, engine::PortLost& v) {
  transfer_all(archive, v.client, v.port, v.cause);
}
template <class Archive>
void transfer(Archive& archive, engine::SessionLost& v) {
  transfer_all(archive, v.client, v.cause);
}
template <class Archive>
void transfer(Archive& archive, engine::TraceLine& v) {
  transfer_enum(archive, v.kind, engine::kLastTraceKind);
  transfer_all(archive, v.channel, v.detail, v.client);
}

// --- what a server's session asks of its host, beside reports ---
template <class Archive>
void transfer(Archive& archive, engine::SessionOver& v) {
  transfer(archive, v.reason);
}
template <class Archive>
void transfer(Archive& archive, engine::TellEnded& v) {
  transfer_all(archive, v.cause, v.reason);
}
template <class Archive>
void transfer(Archive& archive, engine::TestUnderWay& v) {
  transfer(archive, v.duration);
}

}  // namespace wyndrvr::ipc
