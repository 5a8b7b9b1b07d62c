// The configuration file's text, written: a new one in whole, or new values put into an old one.
//
// An edit touches nothing but the values asked for: comments, order, blanks, quotes and line ends
// stay as they are, byte for byte. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/setting_table.hpp"
#include "base/result.hpp"

namespace wyndrvr::app {

// A valid value of a key, as text.
struct KeyText {
  Key key;
  std::string text;
};

struct ConfigChange {
  std::string_view key;
  std::optional<std::string> old_text;  // absent: the key was not in the file
  std::string new_text;
};

struct ConfigEdit {
  std::string text;
  std::vector<ConfigChange> changes;
};

// Puts `values` in: where a key stands twice, into the last line, which is the one that counts; a
// missing key is appended. A value that means the same as the old one ("yes" and "true") is no
// change. Fails where `scan_config` does.
[[nodiscard]] Result<ConfigEdit> edit_config(std::string_view text, std::string_view path,
                                             std::span<const KeyText> values);

// A whole file: every key with its unit and meaning, and its default where `values` has none.
[[nodiscard]] std::string new_config_text(std::span<const KeyText> values);

}  // namespace wyndrvr::app
