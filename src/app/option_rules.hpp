// What options may not stand together, and which of them an action has no use for.
//
// Looks at the command line alone: what the values are is checked where they are parsed. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "app/argument_list.hpp"
#include "app/command_line.hpp"
#include "base/result.hpp"

namespace wyndrvr::app {

struct TestOption {
  std::string_view name;
  wire::Directions directions;
};
inline constexpr std::array<TestOption, 3> kTestOptions = {{
    {"--bwup", wire::Directions::kUpload},
    {"--bwdown", wire::Directions::kDownload},
    {"--bwboth", wire::Directions::kBoth},
}};

[[nodiscard]] Action action_of(const ArgumentList& list);

// Errors name both sides, or the role of the option that is out of place.
[[nodiscard]] Result<void> check_options(const ArgumentList& list, Action action);

// Of options that have no place in a configuration file, where one is to be written.
[[nodiscard]] std::vector<std::string> not_in_file(const ArgumentList& list, Action action);

}  // namespace wyndrvr::app
