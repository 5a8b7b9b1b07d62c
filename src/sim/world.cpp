#include "sim/world.hpp"

#include <algorithm>
#include <utility>

#include "engine/port_pool.hpp"
#include "sim/checkers.hpp"
#include "wire/connect.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::sim {

World::World(const Scenario& scenario, Topology topology) : environment_(scenario, topology) {
  if (scenario.icmp) environment_.network.tell_unreachable();
  for (std::size_t i = 0; i < scenario.clients.size(); ++i) {
    clients_.push_back(std::make_unique<ClientHost>(environment_, i));
  }
  server_ = std::make_unique<ServerHost>(
      environment_, [this](const Endpoint& client) { return truth_of(client); });
  ports_ = server_->acceptor().free_ports();
  if (scenario.garbage) {
    garbage_ = std::make_unique<GarbageHost>(
        environment_, [this] { return server_endpoints(); }, [this] { return client_endpoints(); });
  }
  if (scenario.attack) {
    attacker_ = std::make_unique<AttackerHost>(
        environment_, [this] { return server_endpoints(); },
        [this] {
          std::vector<Endpoint> endpoints = client_endpoints();
          for (const auto& client : clients_) endpoints.push_back(client->main_endpoint());
          return endpoints;
        });
  }
}

ClientTruth* World::truth_of(const Endpoint& client) {
  for (const auto& host : clients_) {
    if (host->main_endpoint() == client) return &host->truth();
  }
  return nullptr;
}

std::vector<Endpoint> World::server_endpoints() const {
  const IpAddress address = server_address(environment_.scenario.v6);
  std::vector<Endpoint> endpoints = {{address, kMainPort}};
  for (const Port port : server_->bound_ports()) endpoints.push_back({address, port});
  return endpoints;
}

std::vector<Endpoint> World::client_endpoints() const {
  std::vector<Endpoint> endpoints;
  for (const auto& client : clients_) {
    const std::vector<Endpoint> open = client->open_ports();
    endpoints.insert(endpoints.end(), open.begin(), open.end());
  }
  return endpoints;
}

void World::schedule() {
  EventQueue& queue = environment_.queue;
  for (const auto& owned : clients_) {
    ClientHost* client = owned.get();
    const ClientScenario& scenario = client->scenario();
    queue.at(scenario.start, [client] { client->start(); });
    if (scenario.stop) queue.at(*scenario.stop, [client] { client->stop(); });
    if (scenario.loss) {
      queue.at(scenario.loss->at, [client, loss = *scenario.loss] { client->lose(loss.port); });
    }
    if (scenario.rebind) {
      queue.at(scenario.rebind->at,
               [client, rebind = *scenario.rebind] { client->rebind(rebind.port); });
    }
    if (scenario.vanishes) {
      environment_.coverage.count(Seen::kClientVanished);
      queue.at(*scenario.vanishes, [client] { client->go_dark(); });
    }
    if (scenario.up.outage || scenario.down.outage) environment_.coverage.count(Seen::kOutage);
  }
  const ServerScenario& server = environment_.scenario.server;
  if (server.vanishes) {
    environment_.coverage.count(Seen::kServerVanished);
    queue.at(*server.vanishes, [this] { server_->go_dark(); });
  }
  if (server.loss) queue.at(server.loss->at, [this, loss = *server.loss] { server_->lose(loss); });
  if (server.shutdown) queue.at(*server.shutdown, [this] { server_->shut_down(); });
  if (garbage_) garbage_->start();
  if (attacker_) attacker_->start();
}

void World::run() {
  schedule();
  run_until_quiet();
  check_clients();
  probe_server();
  check_server(environment_, *server_, ports_);
}

void World::run_until_quiet() {
  const TrueTime limit = true_time(kLongestRun);
  while (!environment_.findings.full() && environment_.queue.executed() < kMostEvents &&
         environment_.queue.run_one(limit)) {
  }
  if (environment_.queue.size() > 0 && !environment_.findings.full()) {
    environment_.findings.add(environment_.queue.now(), "the world does not come to rest in {} s",
                              to_seconds(kLongestRun));
  }
}

// When ports that were in use elsewhere are due to be tried again, one more client asks. It gets
// its four numbers, proves nothing, and leaves nothing behind.
void World::probe_server() {
  if (server_->dark() || server_->is_shut_down() || environment_.findings.full()) return;
  EventQueue& queue = environment_.queue;
  const bool v6 = environment_.scenario.v6;
  const Endpoint from{stranger_address(v6, 0), {50'000}};
  environment_.scenario.server.port_in_use = 0;
  environment_.scenario.server.launch_failure = 0;
  environment_.network.bind(from, probe_);
  Link& down = environment_.network.add_link(LinkConfig{}, v6);
  environment_.network.set_route(from.address, down);
  const TrueTime at = queue.now() + engine::PortPool::kRetryAfter + 1s;
  queue.at(at, [this, from, at, v6] {
    const std::vector<std::byte> question = probe_question();
    Packet packet;
    packet.from = from;
    packet.to = {server_address(v6), kMainPort};
    packet.bytes = question;
    packet.note.sent = at;
    packet.note.departed = at;
    environment_.network.send(&environment_.network.add_link(LinkConfig{}, v6), packet);
  });
  while (queue.run_one(at + 100s)) {
  }
  if (probe_.answer && is_served(probe_.answer->bytes)) {
    environment_.coverage.count(Seen::kProbeServed);
  } else {
    environment_.findings.add(queue.now(), "server: serves nobody any more");
  }
}

// Where 0.14 is not served, a HELLO: COOKIE is all that a stranger gets.
std::vector<std::byte> World::probe_question() const {
  const engine::ServerConfig& server = environment_.scenario.server.config;
  if (server.dialect == engine::DialectChoice::kOne || server.key_required) {
    std::vector<std::byte> hello(wire::kMaxHandshakeSize);
    hello.resize(wire::write_handshake(hello, wire::Hello{}));
    return hello;
  }
  const ByteView connect = as_bytes(wire::kConnect);
  return {connect.begin(), connect.end()};
}

bool World::is_served(ByteView answer) {
  const auto original = wire::parse_connect_answer(answer);
  if (original && std::holds_alternative<wire::Assignment>(*original)) return true;
  const auto handshake = wire::parse_from_server(answer);
  return handshake && std::holds_alternative<wire::Cookie>(*handshake);
}

void World::check_clients() {
  for (const auto& client : clients_) {
    check_client(environment_, *client);
    if (!client->finished()) continue;
    check_upload(environment_, *client, *server_);
    check_streams(environment_, *client, *server_);
  }
}

}  // namespace wyndrvr::sim
