// How the letters of a world's sessions travel, as in the placements that a runtime offers.
//
// An argument of a world beside its scenario, because it must make no difference: when a letter
// arrives is the scenario's affair, and the same scenario gives the same trace in every topology.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wyndrvr::sim {

enum class Topology : std::uint8_t {
  kOneLoop,   // the message itself is handed over, once its sender's turn is over
  kOwnLoops,  // every mailbox has a loop of its own, and a queue of messages
  kChannels,  // frames of octets through channels with bounded room
};

inline constexpr std::array<Topology, 3> kTopologies = {Topology::kOneLoop, Topology::kOwnLoops,
                                                        Topology::kChannels};

// "one-loop", "own-loops", "channels".
[[nodiscard]] constexpr std::string_view name(Topology topology) {
  constexpr std::array<std::string_view, kTopologies.size()> kNames = {"one-loop", "own-loops",
                                                                       "channels"};
  return kNames[static_cast<std::size_t>(topology)];
}

[[nodiscard]] constexpr std::optional<Topology> parse_topology(std::string_view text) {
  for (const Topology topology : kTopologies) {
    if (name(topology) == text) return topology;
  }
  return std::nullopt;
}

}  // namespace wyndrvr::sim
