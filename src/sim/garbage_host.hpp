// A host that sends garbage: random octets, damaged and replayed copies of real packets, CONNECTs,
// requests for tests that nobody wants; from its own address and in others' names.
#pragma once

#include <functional>
#include <vector>

#include "sim/host.hpp"
#include "sim/network.hpp"

namespace wyndrvr::sim {

class GarbageHost : public Host {
 public:
  // The endpoints that could be aimed at right now.
  using FindTargets = std::function<std::vector<Endpoint>()>;

  // `targets`: of the server; `victims`: of the clients, which get it from its own address only.
  GarbageHost(Environment& environment, FindTargets targets, FindTargets victims);

  // Draws the times of all its datagrams.
  void start();

 private:
  // Real packets overheard, the newest ones.
  static constexpr std::size_t kOverheard = 32;

  void overhear(const Packet& packet);
  void send_one();
  void flood_one();
  void send(const Endpoint& from, const Endpoint& to, std::vector<std::byte> bytes);
  [[nodiscard]] Endpoint source();
  [[nodiscard]] Endpoint pick(const std::vector<Endpoint>& endpoints);
  [[nodiscard]] std::vector<std::byte> random_octets();
  [[nodiscard]] std::vector<std::byte> damaged(std::vector<std::byte> bytes);
  [[nodiscard]] std::vector<std::byte> unwanted_request();
  [[nodiscard]] std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
    return environment().random.between(low, high);
  }

  const GarbageScenario& scenario_;
  FindTargets targets_;
  FindTargets victims_;
  Link* link_;
  std::vector<Packet> overheard_;
  std::size_t next_overheard_ = 0;
  bool sending_ = false;
};

}  // namespace wyndrvr::sim
