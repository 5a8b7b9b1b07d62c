#include "app/load_settings.hpp"

#include "app/config_file.hpp"
#include "app/key_file.hpp"
#include "app/option_role.hpp"
#include "app/printable.hpp"
#include "os/file.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::string_view kDefaultFolder = ".wyndrvr";
constexpr std::string_view kFileName = "config";

std::string in_folder(std::string_view folder, std::string_view name) {
  return fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", name);
}

}  // namespace

Result<ConfigPath> find_config(const std::optional<std::string>& named, const std::string& home) {
  ConfigPath found{.path = named ? *named : in_folder(in_folder(home, kDefaultFolder), kFileName),
                   .named = named.has_value(),
                   .exists = false,
                   .warning = {}};
  if (named) {
    const auto kind = os::file_kind(*named);
    if (!kind) return std::unexpected(kind.error());
    if (*kind == os::FileKind::kFolder || named->ends_with('/')) {
      found.path = in_folder(*named, kFileName);
    }
  }
  const auto kind = os::file_kind(found.path);
  if (!kind && named) return std::unexpected(kind.error());
  if (!kind) {
    found.warning = kind.error().message;
    return found;
  }
  if (*kind == os::FileKind::kFolder) {
    return fail("{} is a folder, not a configuration file", printable(found.path));
  }
  found.exists = *kind != os::FileKind::kMissing;
  return found;
}

std::vector<std::string> unused_keys(const Settings& settings, Role role) {
  std::vector<std::string> warnings;
  for (const KeySpec& spec : all_keys()) {
    const Origin& origin = settings.origin(spec.key);
    const bool in_file = origin.kind == Origin::Kind::kFile && settings.is_chosen(spec.key);
    if (!in_file || has_use_for(role, role_of(spec))) continue;
    warnings.push_back(fmt::format("{}: {}", origin.place, unused_key_text(spec)));
  }
  return warnings;
}

Result<void> apply_values(Settings& settings, std::span<const GivenValue> values) {
  for (const GivenValue& value : values) {
    auto set = settings.set(value.key, value.text, Origin::option(value.option));
    if (!set) return set;
  }
  return {};
}

Result<LoadedSettings> load_settings(const CommandLine& command, const ConfigPath& config) {
  LoadedSettings loaded;
  if (!config.warning.empty()) loaded.warnings.push_back(config.warning);
  if (config.exists) {
    const auto text = os::read_text_file(config.path, kMaxConfigSize);
    if (!text) return std::unexpected(text.error());
    const auto warnings = apply_config(loaded.settings, *text, config.path);
    if (!warnings) return std::unexpected(warnings.error());
    loaded.warnings.insert(loaded.warnings.end(), warnings->begin(), warnings->end());
    const Role role = command.action == Action::kServer ? Role::kServer : Role::kClient;
    const auto unused = unused_keys(loaded.settings, role);
    loaded.warnings.insert(loaded.warnings.end(), unused.begin(), unused.end());
  } else if (config.named) {
    return fail("there is no configuration file {} (--create-config writes one)",
                printable(config.path));
  }
  if (auto applied = apply_values(loaded.settings, command.values); !applied) {
    return std::unexpected(applied.error());
  }
  return loaded;
}

Result<std::vector<crypto::Key>> load_keys(const Settings& settings) {
  const std::string& path = settings.string(Key::kKeyFile);
  if (path.empty()) return std::vector<crypto::Key>();
  auto keys = load_key_file(path);
  if (!keys) return fail("{}: {}", settings.describe(Key::kKeyFile), keys.error().message);
  return keys;
}

}  // namespace wyndrvr::app
