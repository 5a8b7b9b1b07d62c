// Every command-line option: those that are not configuration keys, and one for each key.
//
// The parser, the help text and the rule of whose an option is, the client's or the server's, are
// made from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/setting_table.hpp"

namespace wyndrvr::app {

// kOptional: the value may be left out; a following word is taken only where it is fit for one.
enum class Argument : std::uint8_t { kNone, kRequired, kOptional };

struct OptionSpec {
  std::string name;  // "--duration"
  Argument argument = Argument::kRequired;
  std::string placeholder = {};  // "S"
  std::string bare = {};         // what a kOptional option stands for without a value
  std::string help = {};         // without unit and default
  std::optional<Key> key = {};   // the key that it sets, if it does
  Role role = Role::kBoth;
  Unit unit = Unit::kNone;  // of a bare number
  // The short form, `-t`; 0 for none. Of a kOptional option it is the bare one.
  char letter = 0;
  // Where those of the short form are others.
  Unit letter_unit = Unit::kNone;
  std::string letter_placeholder = {};
};

[[nodiscard]] const std::vector<OptionSpec>& all_options();
// Nothing for an unknown name, or letter.
[[nodiscard]] const OptionSpec* find_option(std::string_view name);
[[nodiscard]] const OptionSpec* find_option(char letter);

[[nodiscard]] std::string help_text();

}  // namespace wyndrvr::app
