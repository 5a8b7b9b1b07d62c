// --create-config: writes a configuration file, or edits the values of an existing one.
//
// A file that would not load afterwards is not written.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/command_line.hpp"
#include "app/load_settings.hpp"
#include "base/result.hpp"

namespace wyndrvr::app {

struct CreatedConfig {
  std::vector<std::string> lines;     // for stdout, as in protocol 0.14 section 7
  std::vector<std::string> warnings;  // of the file as it is now
};

[[nodiscard]] Result<CreatedConfig> create_config(const ConfigPath& config,
                                                  std::span<const GivenValue> values);

}  // namespace wyndrvr::app
