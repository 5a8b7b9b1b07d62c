// The names of the placements; what they do is runtime/placement's business.
#pragma once

#include <cstdint>
#include <string_view>

namespace wyndrvr::runtime {

enum class PlacementMode : std::uint8_t { kSingle, kThread, kProcess };
inline constexpr PlacementMode kDefaultPlacementMode = PlacementMode::kSingle;
inline constexpr PlacementMode kLastPlacementMode = PlacementMode::kProcess;

[[nodiscard]] constexpr std::string_view name(PlacementMode mode) {
  switch (mode) {
    case PlacementMode::kSingle:
      return "SINGLE";
    case PlacementMode::kThread:
      return "THREAD";
    case PlacementMode::kProcess:
      return "PROCESS";
  }
  return "?";
}

}  // namespace wyndrvr::runtime
