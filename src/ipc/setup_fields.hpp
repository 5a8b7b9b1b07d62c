// The fields of what an actor or a session is made from, in the order in which they travel.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/endpoint.hpp"
#include "base/ip_network.hpp"
#include "engine/acceptor.hpp"
#include "engine/client_filter.hpp"
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
  transfer_enum(archive, v, engine::SessionEnd::kTimeOver);
}

// --- the handshake of dialect 1 ---
template <class Archive, std::size_t Octets>
void transfer(Archive& archive, crypto::Secret<Octets>& v) {
  for (std::byte& octet : v.writable()) {
    auto value = std::to_integer<std::uint8_t>(octet);
    archive.integer(value);
    octet = std::byte{value};
  }
}
template <class Archive>
void transfer(Archive& archive, crypto::Handshake& v) {
  for (crypto::Nonce* nonce : {&v.client_nonce, &v.server_nonce}) {
    for (std::byte& octet : *nonce) {
      auto value = std::to_integer<std::uint8_t>(octet);
      archive.integer(value);
      octet = std::byte{value};
    }
  }
  transfer(archive, v.session);
}
template <class Archive>
void transfer(Archive& archive, crypto::SessionKeys& v) {
  transfer_all(archive, v.client_to_server.octets, v.server_to_client.octets);
}
template <class Archive>
void transfer(Archive& archive, engine::TestTerms& v) {
  transfer_enum(archive, v.directions, wire::Directions::kBoth);
  transfer_all(archive, v.duration, v.rate, v.adaptive, v.payload_bytes, v.streams, v.reliable,
               v.octets, v.single_port, v.data_tags, v.fragment, v.traffic_class);
}
template <class Archive>
void transfer(Archive& archive, engine::PathSetup& v) {
  transfer_all(archive, v.handshake, v.path_secret, v.keys, v.terms);
}

// --- who is served ---
template <class Archive>
void transfer(Archive& archive, IpNetwork& v) {
  transfer_all(archive, v.address, v.prefix);
}
template <class Archive>
void transfer(Archive& archive, std::shared_ptr<const engine::ClientFilter>& v) {
  bool present = v != nullptr;
  transfer(archive, present);
  engine::ClientFilter filter = present && v != nullptr ? *v : engine::ClientFilter{};
  if (present) transfer_all(archive, filter.allow, filter.deny);
  if constexpr (Archive::kReading) {
    v = present ? std::make_shared<const engine::ClientFilter>(std::move(filter)) : nullptr;
  }
}

// --- configurations ---
template <class Archive>
void transfer(Archive& archive, engine::ProtocolConfig& v) {
  transfer_all(archive, v.heartbeat_interval, v.adjustment_delay, v.flow_control_rate,
               v.control_resend_interval, v.result_resend_interval, v.trace);
}
template <class Archive>
void transfer(Archive& archive, engine::PortConfig& v) {
  transfer_all(archive, v.side, v.kind, v.protocol, v.heartbeat_key, v.peer, v.server_port,
               v.receive_buffer, v.max_gaps, v.idle_timeout, v.max_test_duration, v.heartbeat_count,
               v.clock_offset, v.start, v.seed, v.path, v.clients);
}
template <class Archive>
void transfer(Archive& archive, engine::ServerLimits& v) {
  transfer_all(archive, v.proof_timeout, v.idle_timeout, v.max_session_duration, v.max_sessions,
               v.max_sessions_per_address, v.max_unproven_sessions, v.max_test_duration,
               v.max_sessions_per_network, v.max_rate, v.max_total_rate, v.max_test_bytes,
               v.max_streams, v.max_payload);
}
template <class Archive>
void transfer(Archive& archive, engine::SessionId& v) {
  transfer(archive, v.value);
}
template <class Archive>
void transfer(Archive& archive, engine::SessionSetup& v) {
  transfer_all(archive, v.id, v.client, v.local, v.ports, v.heartbeat_key, v.path, v.clients,
               v.max_gaps);
}

}  // namespace wyndrvr::ipc
