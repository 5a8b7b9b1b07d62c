// The configuration file's text: `key=value` lines, read and set.
//
// Blank lines and lines that begin with '#' are comments; a value may stand in matching quotes and
// may be followed by blanks and a '#' comment; CRLF and a UTF-8 byte order mark are accepted. An
// unknown key is a warning, so that files of other versions load. Pure: text in, values out;
// load_settings reads the file, config_edit changes it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.hpp"
#include "base/result.hpp"

namespace wyndrvr::app {

inline constexpr std::size_t kMaxConfigSize = 64UL * 1024;  // octets of a configuration file

// One `key=value`; the views point into the scanned text, the value's without its quotes.
struct ConfigLine {
  std::size_t number = 0;  // from 1
  std::string_view key;
  std::string_view value;
};

// All assignments in order. Fails at the first line that is none, with PATH:LINE, and when the
// text is longer than kMaxConfigSize.
[[nodiscard]] Result<std::vector<ConfigLine>> scan_config(std::string_view text,
                                                          std::string_view path);

// Sets every assignment; of a key that is set twice the last one counts. Returns the warnings.
// Fails at the first bad value of a known key; the settings are then set up to there.
[[nodiscard]] Result<std::vector<std::string>> apply_config(Settings& settings,
                                                            std::string_view text,
                                                            std::string_view path);

}  // namespace wyndrvr::app
