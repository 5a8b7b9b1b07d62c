#include "app/create_config.hpp"

#include <optional>

#include "app/config_edit.hpp"
#include "app/config_file.hpp"
#include "app/printable.hpp"
#include "app/run_config.hpp"
#include "os/file.hpp"

namespace wyndrvr::app {
namespace {

std::vector<KeyText> key_texts(std::span<const GivenValue> values) {
  std::vector<KeyText> texts;
  for (const GivenValue& value : values) texts.push_back({value.key, value.text});
  return texts;
}

std::string shown(const std::optional<std::string>& text) {
  if (!text) return "(not set)";
  return text->empty() ? "(empty)" : printable(*text);
}

// The warnings of loading `text`.
Result<std::vector<std::string>> check_loads(std::string_view text, std::string_view path) {
  Settings settings;
  auto warnings = apply_config(settings, text, path);
  if (!warnings) return warnings;
  if (auto checked = check_consistent(settings, Role::kBoth); !checked)
    return std::unexpected(checked.error());
  return warnings;
}

Result<void> write_config(const std::string& path, std::string_view text) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    if (auto made = os::make_folders(path.substr(0, slash)); !made) return made;
  }
  return os::write_file(path, text);
}

Result<CreatedConfig> write_new(const ConfigPath& config, std::span<const KeyText> values) {
  const std::string text = new_config_text(values);
  auto warnings = check_loads(text, config.path);
  if (!warnings) return std::unexpected(warnings.error());
  if (auto written = write_config(config.path, text); !written) {
    return std::unexpected(written.error());
  }
  const std::string_view kind = values.empty() ? "default" : "new";
  return CreatedConfig{
      .lines = {fmt::format("Created {} configuration file: {}", kind, config.path)},
      .warnings = {}};
}

Result<CreatedConfig> edit_existing(const ConfigPath& config, std::span<const KeyText> values) {
  const auto text = os::read_text_file(config.path, kMaxConfigSize);
  if (!text) return std::unexpected(text.error());
  const auto edit = edit_config(*text, config.path, values);
  if (!edit) return std::unexpected(edit.error());
  auto warnings = check_loads(edit->text, config.path);
  if (!warnings) return std::unexpected(warnings.error());
  CreatedConfig created{.lines = {}, .warnings = *std::move(warnings)};
  if (edit->changes.empty()) {
    created.lines = {fmt::format("Configuration file unchanged: {}", config.path)};
    return created;
  }
  if (auto written = write_config(config.path, edit->text); !written) {
    return std::unexpected(written.error());
  }
  created.lines = {fmt::format("WARNING: Edited existing configuration file: {}", config.path)};
  for (const ConfigChange& change : edit->changes) {
    created.lines.push_back(
        fmt::format("{}: {} -> {}", change.key, shown(change.old_text), shown(change.new_text)));
  }
  return created;
}

}  // namespace

Result<CreatedConfig> create_config(const ConfigPath& config, std::span<const GivenValue> values) {
  // Named by its option, not by the file that does not hold it yet.
  Settings given;
  if (auto applied = apply_values(given, values); !applied) {
    return std::unexpected(applied.error());
  }
  const std::vector<KeyText> texts = key_texts(values);
  // A pipe or a device has no text to edit, and reading it may wait for ever.
  const auto kind = os::file_kind(config.path);
  const bool edits = config.exists && kind && *kind == os::FileKind::kFile;
  return edits ? edit_existing(config, texts) : write_new(config, texts);
}

}  // namespace wyndrvr::app
