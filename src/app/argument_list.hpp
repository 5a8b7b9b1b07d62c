// argv with every option's value joined to it ("--json" "a.json" becomes "--json=a.json"); an empty
// value, where it means something, is the word behind its option.
//
// Decides which words are values: a required value is the next word, whatever it is but another
// option; an optional one is taken only where it is fit to be one, so that `--test-delay HOST`
// leaves HOST to be the target. What is left to do for a parser has no ambiguity.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace wyndrvr::app {

struct ArgumentList {
  std::vector<std::string> words;
  // The value of --json was a word of its own, so it may have been meant as the target.
  bool json_took_word = false;
};

// Unknown options are passed through.
[[nodiscard]] Result<ArgumentList> join_values(const std::vector<std::string>& arguments);

}  // namespace wyndrvr::app
