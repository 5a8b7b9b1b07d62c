// argv as options with their values, and targets.
//
// Decides which words are values: a required value is the next word, whatever it is but another
// option; an optional one is taken only where it is fit to be one, so that `--test-delay HOST`
// leaves HOST to be the target. Short options may stand together, and their value may be joined to
// them, as getopt(3) has it: `-4J -t10`. After `--` every word is a target. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/option_table.hpp"
#include "base/result.hpp"

namespace wyndrvr::app {

struct GivenOption {
  const OptionSpec* option = nullptr;
  std::string value;      // empty where it takes none
  std::string written;    // "--duration", or "-t"
  bool own_word = false;  // the value was a word of its own
};

struct ArgumentList {
  std::vector<GivenOption> options;  // in the order in which they were written
  std::vector<std::string> targets;
  bool options_ended = false;  // by `--`

  // The last one, which counts; nullptr where there is none. By the long name.
  [[nodiscard]] const GivenOption* find(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
};

// Errors: unknown options, with what was meant where that is known; missing values; more than one
// target.
[[nodiscard]] Result<ArgumentList> split_arguments(const std::vector<std::string>& arguments);

}  // namespace wyndrvr::app
