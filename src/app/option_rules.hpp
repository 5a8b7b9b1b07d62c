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

// One warning for each option that the action leaves unused: one that has no place in the
// configuration file that is to be written, or one of a test in a latency run.
[[nodiscard]] std::vector<std::string> unused_options(const ArgumentList& list, Action action);

}  // namespace wyndrvr::app
