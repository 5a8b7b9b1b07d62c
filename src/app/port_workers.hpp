// What runs the ports of a session where each has its own: the word for it in the text lines.
#pragma once

#include <string_view>

#include "runtime/placement_mode.hpp"

namespace wyndrvr::app {

// "threads", "processes"; empty where the ports share a loop.
[[nodiscard]] constexpr std::string_view port_workers(runtime::PlacementMode mode) {
  switch (mode) {
    case runtime::PlacementMode::kSingle:
      return "";
    case runtime::PlacementMode::kThread:
      return "threads";
    case runtime::PlacementMode::kProcess:
      return "processes";
  }
  return "";
}

}  // namespace wyndrvr::app
