#include "runtime/placement.hpp"

#include "runtime/single_placement.hpp"

namespace wyndrvr::runtime {

Result<std::unique_ptr<PortPlacement>> make_placement(PlacementMode mode,
                                                      const PlacementContext& context,
                                                      PlacementListener& listener) {
  switch (mode) {
    case PlacementMode::kSingle:
      return std::make_unique<SinglePlacement>(context, listener);
    case PlacementMode::kThread:
    case PlacementMode::kProcess:
      break;
  }
  return fail("{} mode is not available yet: this version runs SINGLE only", name(mode));
}

}  // namespace wyndrvr::runtime
