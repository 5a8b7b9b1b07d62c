#include "engine/port_actor.hpp"

#include "base/check.hpp"
#include "engine/original_port.hpp"
#include "engine/path_port.hpp"
#include "engine/single_port.hpp"

namespace wyndrvr::engine {

std::unique_ptr<PortActor> make_port_actor(std::span<const PortConfig> configs) {
  if (configs.size() == kPortCount) {
    return std::make_unique<SinglePort>(configs.first<kPortCount>());
  }
  WYNDRVR_CHECK(configs.size() == 1);
  const PortConfig& config = configs.front();
  if (config.path) return std::make_unique<PathPort>(config);
  return std::make_unique<OriginalPort>(config);
}

}  // namespace wyndrvr::engine
