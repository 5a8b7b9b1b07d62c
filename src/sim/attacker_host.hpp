// Somebody off the path: knows every address and port, and not what passes between. Forges what
// either side of dialect 1 may send, to either side, in the name of the other, of himself and of a
// victim who has no part in it. Nothing of it may ever be taken.
//
// Where the scenario says so he reads the paths as well, and sends again, unchanged, what came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/random.hpp"
#include "sim/host.hpp"
#include "sim/network.hpp"

namespace wyndrvr::sim {

class AttackerHost : public Host {
 public:
  using FindTargets = std::function<std::vector<Endpoint>()>;

  // `server` and `clients`: all that they have open, the server's main port first.
  AttackerHost(Environment& environment, FindTargets server, FindTargets clients);

  void start();

 private:
  void forge_one();
  void forge_handshake();
  void forge_packet();
  void replay(const Packet& original);
  [[nodiscard]] std::vector<std::byte> handshake_for_server();
  [[nodiscard]] std::vector<std::byte> handshake_for_client();
  [[nodiscard]] std::vector<std::byte> path_packet();
  [[nodiscard]] Endpoint pick(const std::vector<Endpoint>& endpoints);
  // In whose name he writes to the server.
  [[nodiscard]] Endpoint client_or_other();
  void fill(MutableByteView octets);
  void send(const Endpoint& from, const Endpoint& to, std::vector<std::byte> bytes);
  [[nodiscard]] std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
    return random_.between(low, high);
  }

  AttackScenario scenario_;
  FindTargets server_;
  FindTargets clients_;
  Link* link_;
  base::Random random_;  // his own, so that he moves nothing else
};

}  // namespace wyndrvr::sim
