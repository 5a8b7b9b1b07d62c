#include "sim/scenario.hpp"

#include <algorithm>

#include "sim/draw.hpp"
#include "wire/data_body.hpp"

namespace wyndrvr::sim {
namespace {

constexpr std::uint64_t kDialectSalt = 0x64'69'61'6c'65'63'74;

// The fault mix of one seed; each link takes its own share of it.
struct Faults {
  double loss = 0;
  double duplication = 0;
  double reordering = 0;
  double corruption = 0;
  Duration longest_delay{};
  bool jitter = false;
};

Faults draw_faults(Draw& draw) {
  Faults faults;
  faults.loss = draw.chance(0.5) ? draw.sometimes(0.6, 0.05) : draw.sometimes(0.7, 0.30);
  faults.duplication = draw.sometimes(0.4, 0.05);
  faults.reordering = draw.sometimes(0.4, 0.10);
  faults.corruption = draw.sometimes(0.06, 0.02);
  faults.longest_delay = from_seconds(draw.magnitude(0.0005, 0.080));
  faults.jitter = draw.chance(0.4);
  return faults;
}

LinkConfig draw_link(Draw& draw, const Faults& faults) {
  LinkConfig link;
  link.rate_bps = draw.real(1e6, 20e6);
  link.queue_octets = static_cast<std::size_t>(link.rate_bps / 8 * draw.real(0.005, 0.150)) + 3000;
  link.delay = std::max<Duration>(50us, draw.time(Duration(0), faults.longest_delay));
  if (faults.jitter) link.jitter = draw.time(Duration(0), link.delay);
  link.loss = faults.loss * draw.real(0, 1);
  link.duplication = faults.duplication * draw.real(0, 1);
  link.reordering = faults.reordering * draw.real(0, 1);
  link.reordering_delay = draw.time(100us, draw.chance(0.15) ? 600ms : 50ms);
  link.corruption = faults.corruption * draw.real(0, 1);
  if (draw.chance(0.03)) link.mtu = draw.between(300, 1400);
  if (draw.chance(0.04)) {
    const TrueTime from = true_time(draw.time(0s, 6s));
    link.outage = Outage{from, from + (draw.chance(0.2) ? 60s : draw.time(100ms, 6s))};
  }
  return link;
}

HostConfig draw_host(Draw& draw) {
  HostConfig host;
  const Duration uptime = draw.time(0s, 1'000'000s);
  host.clock.start = Instant(uptime);
  host.clock.drift_ppb = static_cast<std::int64_t>(draw.real(-200'000, 200'000));
  const Duration unix_time = 1'700'000'000s + draw.time(0s, 2'000'000s) - 1'000'000s;
  host.clock.wall_offset = unix_time - uptime;
  if (draw.chance(0.5)) host.max_timer_lateness = draw.time(1us, 200us);
  if (draw.chance(0.05)) host.max_timer_lateness = 5ms;
  if (draw.chance(0.4)) host.max_read_delay = draw.time(1us, 200us);
  if (draw.chance(0.4)) host.max_send_delay = draw.time(1us, 20us);
  host.kernel_stamps = draw.chance(0.8);
  return host;
}

engine::ProtocolConfig draw_protocol(Draw& draw) {
  engine::ProtocolConfig protocol;
  protocol.heartbeat_interval = draw.time(20ms, 1000ms);
  protocol.adjustment_delay = draw.time(100ms, 1000ms);
  protocol.flow_control_rate = static_cast<std::uint32_t>(draw.between(1, 20));
  protocol.control_resend_interval = draw.time(50ms, 200ms);
  protocol.result_resend_interval = draw.time(50ms, 200ms);
  protocol.trace = draw.chance(0.2);
  return protocol;
}

engine::UploadRequest draw_upload(Draw& draw) {
  engine::UploadRequest upload;
  const bool any_size = draw.chance(0.5);
  upload.payload_bytes = static_cast<std::uint32_t>(
      any_size ? draw.between(1, wire::kMaxPayload) : draw.between(800, wire::kMaxPayload));
  const double packet_bits =
      8.0 * static_cast<double>(wire::data_packet_size(upload.payload_bytes));
  const double longest = longest_test(packet_bits);
  upload.duration = from_seconds(draw.real(std::min(0.5, longest / 2), longest));
  return upload;
}

ClientScenario draw_client(Draw& draw, const Faults& faults, const engine::ProtocolConfig& protocol,
                           bool v6) {
  ClientScenario client;
  client.config.protocol = draw.chance(0.5) ? protocol : draw_protocol(draw);
  client.config.progress_interval = draw.time(50ms, 1000ms);
  client.host = draw_host(draw);
  client.up = draw_link(draw, faults);
  client.down = draw_link(draw, faults);
  client.start = true_time(draw.time(0s, 1s));
  client.dead_candidate = draw.chance(0.08);
  const IpAddress address = server_address(v6);
  if (client.dead_candidate) client.config.servers.push_back({address, kDeadPort});
  client.config.servers.push_back({address, kMainPort});
  const Duration until_stop = draw.time(0s, 6s);
  if (draw.chance(0.6)) {
    client.config.upload = draw_upload(draw);
    if (draw.chance(0.08)) client.stop = client.start + until_stop;
  } else if (draw.chance(0.4)) {
    client.config.heartbeat_count = draw.between(1, 40);
  } else if (draw.chance(0.5)) {
    client.config.latency_duration = draw.time(100ms, 5s);
  } else {
    client.stop = client.start + until_stop;
  }
  if (draw.chance(0.06)) client.vanishes = client.start + draw.time(0s, 8s);
  client.send_refusal = draw.sometimes(0.08, 0.02);
  client.ports_fail = draw.chance(0.02);
  return client;
}

ServerScenario draw_server(Draw& draw, const engine::ProtocolConfig& protocol) {
  ServerScenario server;
  server.config.protocol = protocol;
  server.host = draw_host(draw);
  engine::ServerLimits& limits = server.config.limits;
  limits.idle_timeout = draw.chance(0.5) ? Duration(30s) : draw.time(4s, 12s);
  server.config.port_ranges = {{{7000}, {7099}}};
  if (draw.chance(0.15)) {
    const auto ports = static_cast<std::uint16_t>(draw.between(2, 10));
    server.config.port_ranges = {{{7000}, {static_cast<std::uint16_t>(7000 + ports)}}};
    limits.max_sessions = draw.between(1, 4);
    limits.max_sessions_per_address = draw.between(1, 3);
    limits.max_unproven_sessions = draw.between(1, 3);
  }
  if (draw.chance(0.05)) limits.max_test_duration = draw.time(300ms, 1s);
  server.port_in_use = draw.sometimes(0.15, 0.5);
  if (draw.chance(0.05)) server.vanishes = true_time(draw.time(0s, 8s));
  if (draw.chance(0.03)) server.shutdown = true_time(draw.time(0s, 8s));
  return server;
}

// What loops of their own cost, and what may become of them.
void draw_loops(Draw& draw, bool apart, Scenario& scenario) {
  scenario.channel_room = draw.chance(0.3) ? 1 : draw.between(2, 32);
  if (apart) {
    scenario.max_bind_time = 1ms;
    scenario.max_launch_time = draw.time(Duration(0), 5ms);
  }
  scenario.max_loss_delay = draw.time(1us, 20ms);
  const auto port = [&draw] { return engine::kPortKinds[draw.between(0, 2)]; };
  for (ClientScenario& client : scenario.clients) {
    if (!draw.chance(1.0 / 12)) continue;
    client.loss = PortLoss{client.start + draw.time(20ms, 3s), port()};
  }
  ServerScenario& server = scenario.server;
  if (draw.chance(1.0 / 12)) {
    server.loss = SessionLoss{true_time(draw.time(200ms, 3s)), std::nullopt};
    if (draw.chance(0.8)) server.loss->port = port();
  }
  if (draw.chance(0.04)) server.launch_failure = draw.real(0.1, 1);
}

IpAddress make_address(bool v6, std::array<std::uint8_t, 3> last) {
  IpAddress address;
  address.family = v6 ? IpAddress::Family::kV6 : IpAddress::Family::kV4;
  if (!v6) {
    address.octets = {10, last[0], last[1], last[2]};
    return address;
  }
  address.octets = {0x20, 0x01, 0x0d, 0xb8};
  std::ranges::copy(last, address.octets.end() - 3);
  return address;
}

}  // namespace

IpAddress server_address(bool v6) {
  return make_address(v6, {0, 0, 1});
}

IpAddress client_address(bool v6, std::size_t index) {
  return make_address(v6, {0, 1, static_cast<std::uint8_t>(index + 1)});
}

IpAddress garbage_address(bool v6) {
  return make_address(v6, {0, 2, 1});
}

IpAddress stranger_address(bool v6, std::uint32_t number) {
  return make_address(v6,
                      {static_cast<std::uint8_t>(128U + (number >> 16U)),
                       static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)});
}

Scenario draw_scenario(std::uint64_t seed) {
  Draw draw(seed);
  Scenario scenario;
  scenario.seed = seed;
  scenario.v6 = draw.chance(0.2);
  scenario.icmp = draw.chance(0.5);
  const bool apart = draw.chance(0.5);
  if (apart) {
    scenario.max_mail_delay = draw.time(1us, 1ms);
    scenario.state_loss = draw.sometimes(0.3, 0.5);
  }
  const Faults faults = draw_faults(draw);
  const engine::ProtocolConfig protocol = draw_protocol(draw);
  scenario.server = draw_server(draw, protocol);
  const std::size_t clients = draw.chance(0.7) ? 1 : draw.between(2, kMaxClients);
  for (std::size_t i = 0; i < clients; ++i) {
    scenario.clients.push_back(draw_client(draw, faults, protocol, scenario.v6));
  }
  if (draw.chance(0.2)) {
    GarbageScenario& garbage = scenario.garbage.emplace();
    garbage.datagrams = static_cast<unsigned>(draw.between(10, 300));
    garbage.from = true_time(draw.time(0s, 2s));
    garbage.until = garbage.from + draw.time(1s, 8s);
    garbage.spoof = draw.chance(0.6);
    garbage.flood = draw.chance(0.15);
  }
  draw_loops(draw, apart, scenario);
  // Drawn apart: what a world of 0.14 is stays as it was before there was another dialect.
  Draw dialect(seed ^ kDialectSalt);
  if (dialect.chance(0.5)) draw_dialect_one(dialect, scenario);
  return scenario;
}

Scenario crowded(Scenario scenario) {
  scenario.max_mail_delay = 60ms;
  scenario.channel_room = 1;
  scenario.newest_wins = true;
  return scenario;
}

Scenario quiet_scenario() {
  Scenario scenario;
  scenario.seed = 1;
  scenario.server.config.port_ranges = {{{7000}, {7099}}};
  ClientScenario client;
  client.config.servers = {{server_address(false), kMainPort}};
  client.up.rate_bps = 10e6;
  client.down.rate_bps = 10e6;
  client.host.clock.start = Instant(1000s);
  client.host.clock.wall_offset = 1'700'000'000s;
  scenario.server.host = client.host;
  scenario.server.host.clock.start = Instant(77s);
  scenario.clients.push_back(client);
  return scenario;
}

}  // namespace wyndrvr::sim
