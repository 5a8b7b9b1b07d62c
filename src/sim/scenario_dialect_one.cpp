// Which dialects a world speaks, and what dialect 1 adds to it.

#include "sim/draw.hpp"
#include "sim/truth.hpp"

namespace wyndrvr::sim {
namespace {

using engine::DialectChoice;

crypto::Key draw_key(Draw& draw) {
  crypto::Key key;
  key.id = static_cast<std::uint32_t>(draw.between(1, 9));
  for (std::byte& octet : key.octets.writable())
    octet = static_cast<std::byte>(draw.between(0, 255));
  return key;
}

void draw_server(Draw& draw, ServerScenario& server) {
  engine::ServerConfig& config = server.config;
  config.dialect = draw.chance(0.65)  ? DialectChoice::kAuto
                   : draw.chance(0.8) ? DialectChoice::kOne
                                      : DialectChoice::kOriginal;
  if (draw.chance(0.4)) {
    config.keys.push_back(draw_key(draw));
    config.key_required = config.dialect != DialectChoice::kOriginal && draw.chance(0.3);
  }
  engine::ServerLimits& limits = config.limits;
  if (draw.chance(0.1)) limits.max_rate = BitRate{draw.magnitude(1e5, 1e7)};
  if (draw.chance(0.1)) limits.max_test_bytes = ByteCount{draw.between(5'000, 500'000)};
  if (draw.chance(0.1)) limits.max_streams = static_cast<std::uint8_t>(draw.between(1, 4));
  if (draw.chance(0.1)) limits.max_payload = static_cast<std::uint32_t>(draw.between(200, 1400));
  if (draw.chance(0.15)) limits.max_total_rate = BitRate{draw.magnitude(1e6, 2e7)};
  // Ports in use elsewhere come back with the next client, which the probe at the end is only
  // where it may speak 0.14.
  if (config.key_required || config.dialect == DialectChoice::kOne) server.port_in_use = 0;
}

engine::TestTerms draw_terms(Draw& draw, const engine::ClientConfig& config) {
  engine::TestTerms terms;
  terms.payload_bytes = static_cast<std::uint32_t>(draw.chance(0.4) ? draw.between(72, 1400)
                                                                    : draw.between(800, 1400));
  terms.single_port = draw.chance(0.3);
  if (!config.upload) return terms;
  terms.directions = static_cast<wire::Directions>(draw.between(1, 3));
  const double longest = longest_test(8.0 * terms.payload_bytes);
  terms.duration = from_seconds(draw.real(std::min(0.3, longest / 2), longest));
  // Whole milliseconds, as on the wire.
  terms.duration -= terms.duration % 1ms;
  if (draw.chance(0.4)) terms.rate = BitRate{std::floor(draw.magnitude(1e5, 2e7))};
  terms.adaptive = !terms.rate;
  if (draw.chance(0.5)) terms.streams = static_cast<std::uint8_t>(draw.between(2, kMostStreams));
  terms.reliable = draw.chance(0.5);
  if (draw.chance(0.2)) terms.octets = ByteCount{draw.between(1'000, 1'000'000)};
  terms.data_tags = config.key.has_value() && draw.chance(0.5);
  terms.fragment = draw.chance(0.1);
  return terms;
}

DialectChoice draw_client_dialect(Draw& draw, DialectChoice servers) {
  if (servers == DialectChoice::kOriginal) {
    return draw.chance(0.8) ? DialectChoice::kAuto : DialectChoice::kOriginal;
  }
  if (draw.chance(0.6)) return DialectChoice::kAuto;
  return draw.chance(0.75) ? DialectChoice::kOne : DialectChoice::kOriginal;
}

void draw_client(Draw& draw, const engine::ServerConfig& server, ClientScenario& client) {
  engine::ClientConfig& config = client.config;
  config.dialect = draw_client_dialect(draw, server.dialect);
  for (std::byte& octet : config.nonce) octet = static_cast<std::byte>(draw.between(0, 255));
  const bool may_have_key = config.dialect != DialectChoice::kOriginal;
  if (may_have_key && !server.keys.empty() && draw.chance(0.85)) config.key = server.keys.front();
  if (config.key && draw.chance(0.05)) config.key = draw_key(draw);
  config.terms = draw_terms(draw, config);
  if (config.terms.has(engine::PortKind::kDownload)) config.not_in_original = "downloads";
  if (draw.chance(0.25)) {
    client.rebind = Rebind{client.start + draw.time(50ms, 3s),
                           engine::kPortKinds[draw.between(0, engine::kPortCount - 1)]};
  }
}

}  // namespace

void draw_dialect_one(Draw& draw, Scenario& scenario) {
  draw_server(draw, scenario.server);
  for (ClientScenario& client : scenario.clients) {
    draw_client(draw, scenario.server.config, client);
  }
  if (draw.chance(0.3)) {
    AttackScenario& attack = scenario.attack.emplace();
    attack.datagrams = static_cast<unsigned>(draw.between(20, 300));
    attack.from = true_time(draw.time(0s, 2s));
    attack.until = attack.from + draw.time(1s, 6s);
    if (draw.chance(0.5)) attack.replays = draw.real(0.01, 0.3);
  }
}

}  // namespace wyndrvr::sim
