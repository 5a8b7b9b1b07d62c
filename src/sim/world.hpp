// A whole simulated world: one server, its clients, the links between them, and whoever disturbs;
// hosting the real coordinators and actors, watched by checkers that know the truth.
//
// Deterministic: the same scenario gives the same events, and the same trace hash, in every
// topology (but with Scenario::newest_wins). Reads no clock and opens no socket. One run a world;
// not thread-safe.
//
// Example:
//   World world(draw_scenario(42));
//   world.run();
//   for (const std::string& violation : world.violations()) fmt::print("{}\n", violation);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/attacker_host.hpp"
#include "sim/client_host.hpp"
#include "sim/environment.hpp"
#include "sim/garbage_host.hpp"
#include "sim/scenario.hpp"
#include "sim/server_host.hpp"
#include "sim/topology.hpp"

namespace wyndrvr::sim {

class World {
 public:
  // No run takes more simulated time.
  static constexpr Duration kLongestRun = 400s;
  // Nor has more events; the ordinary ones have some thousands.
  static constexpr std::uint64_t kMostEvents = 3'000'000;

  explicit World(std::uint64_t seed, Topology topology = Topology::kOneLoop)
      : World(draw_scenario(seed), topology) {}
  explicit World(const Scenario& scenario, Topology topology = Topology::kOneLoop);

  void trace_to(Trace::Sink sink) { environment_.trace.set_sink(std::move(sink)); }
  // To the end of everything, and the checks.
  void run();

  [[nodiscard]] const std::vector<std::string>& violations() const {
    return environment_.findings.texts();
  }
  [[nodiscard]] std::uint64_t trace_hash() const { return environment_.trace.hash(); }
  [[nodiscard]] const Coverage& coverage() const { return environment_.coverage; }
  [[nodiscard]] TrueTime now() const { return environment_.queue.now(); }
  [[nodiscard]] std::uint64_t events() const { return environment_.queue.executed(); }
  [[nodiscard]] const ClientHost& client(std::size_t index) const { return *clients_[index]; }
  [[nodiscard]] const ServerHost& server() const { return *server_; }

 private:
  // A last client that only asks, to see that the server still serves.
  class Probe : public Socket {
   public:
    void on_arrival(PacketPtr packet) override { answer = std::move(packet); }
    void on_unreachable(const Endpoint& /*by*/) override {}
    PacketPtr answer;
  };

  void schedule();
  void run_until_quiet();
  void probe_server();
  [[nodiscard]] std::vector<std::byte> probe_question() const;
  [[nodiscard]] static bool is_served(ByteView answer);
  void check_clients();
  [[nodiscard]] ClientTruth* truth_of(const Endpoint& client);
  [[nodiscard]] std::vector<Endpoint> server_endpoints() const;
  [[nodiscard]] std::vector<Endpoint> client_endpoints() const;

  Environment environment_;
  std::vector<std::unique_ptr<ClientHost>> clients_;
  std::unique_ptr<ServerHost> server_;
  std::unique_ptr<GarbageHost> garbage_;
  std::unique_ptr<AttackerHost> attacker_;
  Probe probe_;
  std::size_t ports_ = 0;
};

}  // namespace wyndrvr::sim
