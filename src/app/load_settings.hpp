// Where the configuration file is, and the merge: command line over file over defaults; and the
// keys of the key file that they name.
//
// Reads files; touches nothing else.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/command_line.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"
#include "crypto/session_keys.hpp"

namespace wyndrvr::app {

struct ConfigPath {
  std::string path;
  bool named = false;  // by --config: then the file must exist
  bool exists = false;
  std::string warning;  // why the default file could not be looked at; else empty
};

// `home` is the default's folder: ~/.wyndrvr/config. --config may name a file, or a folder that
// holds `config`; a path that ends in '/' is a folder, be it there or not. A default path that
// cannot be looked at counts as missing, with a warning: nobody has asked for it.
[[nodiscard]] Result<ConfigPath> find_config(const std::optional<std::string>& named,
                                             const std::string& home);

// Of keys that a file sets and `role` has no use for, one sentence each, with PATH:LINE. A value
// that is the default says nothing: --create-config writes every key.
[[nodiscard]] std::vector<std::string> unused_keys(const Settings& settings, Role role);

// Sets the values of the command line over what is there.
[[nodiscard]] Result<void> apply_values(Settings& settings, std::span<const GivenValue> values);

struct LoadedSettings {
  Settings settings;
  std::vector<std::string> warnings;  // one sentence each, with PATH:LINE
};
[[nodiscard]] Result<LoadedSettings> load_settings(const CommandLine& command,
                                                   const ConfigPath& config);

// The keys of `key_file`, in its order; none where none is named. The failure names the setting.
[[nodiscard]] Result<std::vector<crypto::Key>> load_keys(const Settings& settings);

}  // namespace wyndrvr::app
