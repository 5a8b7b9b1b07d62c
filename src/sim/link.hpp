// One direction of a path: rate and queue, delay, and the usual faults. Decides the fate of one
// packet at a time; carries no octets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/random.hpp"
#include "sim/clock.hpp"
#include "sim/scenario.hpp"

namespace wyndrvr::sim {

class Link {
 public:
  // Copies of a packet that arrive; none where it was dropped.
  struct Delivery {
    TrueTime at;
    bool corrupt = false;
  };
  struct Outcome {
    std::array<Delivery, 2> deliveries;
    std::size_t count = 0;
    const char* fate = "carried";
  };

  Link(const LinkConfig& config, std::size_t header_octets, base::Random& random)
      : config_(config), header_octets_(header_octets), random_(random) {}

  // `payload`: octets of UDP payload.
  [[nodiscard]] Outcome carry(TrueTime now, std::size_t payload);
  [[nodiscard]] const LinkConfig& config() const { return config_; }
  // Packets that did not come out at the other end.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  [[nodiscard]] Outcome drop(const char* why);
  // When the packet has left the queue; nothing is reserved where there is no room.
  [[nodiscard]] bool enqueue(TrueTime now, std::size_t octets);
  [[nodiscard]] TrueTime arrival();
  [[nodiscard]] Duration up_to(Duration most);

  LinkConfig config_;
  std::size_t header_octets_;  // IP and UDP
  base::Random& random_;
  TrueTime busy_until_{};
  TrueTime last_arrival_{};
  std::uint64_t dropped_ = 0;
};

}  // namespace wyndrvr::sim
