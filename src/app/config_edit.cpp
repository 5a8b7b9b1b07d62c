#include "app/config_edit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "app/config_file.hpp"
#include "app/setting_value.hpp"

namespace wyndrvr::app {
namespace {

bool same_value(const KeySpec& spec, std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto parsed_a = parse_value(spec, a);
  const auto parsed_b = parse_value(spec, b);
  return parsed_a && parsed_b && *parsed_a == *parsed_b;
}

void append_line(std::string& text, std::string_view name, std::string_view value) {
  const std::string_view line_end = text.find("\r\n") == std::string::npos ? "\n" : "\r\n";
  if (!text.empty() && !text.ends_with('\n')) text += line_end;
  text += fmt::format("{}={}{}", name, value, line_end);
}

Result<void> put_value(ConfigEdit& edit, std::string_view path, const KeyText& value) {
  const KeySpec& spec = spec_of(value.key);
  const auto lines = scan_config(edit.text, path);
  if (!lines) return std::unexpected(lines.error());
  const auto found = std::find_if(lines->rbegin(), lines->rend(),
                                  [&](const ConfigLine& line) { return line.key == spec.name; });
  if (found == lines->rend()) {
    append_line(edit.text, spec.name, value.text);
    edit.changes.push_back({.key = spec.name, .old_text = {}, .new_text = value.text});
    return {};
  }
  if (same_value(spec, found->value, value.text)) return {};
  std::string old_text(found->value);
  const auto at = static_cast<std::size_t>(found->value.data() - edit.text.data());
  const bool at_comment = old_text.empty() && at < edit.text.size() && edit.text[at] == '#';
  edit.text.replace(at, old_text.size(), at_comment ? value.text + " " : value.text);
  edit.changes.push_back(
      {.key = spec.name, .old_text = std::move(old_text), .new_text = value.text});
  return {};
}

}  // namespace

Result<ConfigEdit> edit_config(std::string_view text, std::string_view path,
                               std::span<const KeyText> values) {
  ConfigEdit edit{.text = std::string(text), .changes = {}};
  if (auto scanned = scan_config(text, path); !scanned) return std::unexpected(scanned.error());
  for (const KeyText& value : values) {
    if (auto put = put_value(edit, path, value); !put) return std::unexpected(put.error());
  }
  return edit;
}

std::string new_config_text(std::span<const KeyText> values) {
  std::string text = "# Configuration of wyndrvr. Options on the command line go before it.\n";
  for (const KeySpec& spec : all_keys()) {
    const auto given = std::ranges::find(values, spec.key, &KeyText::key);
    const std::string unit = spec.unit == Unit::kNone ? "" : fmt::format("{}; ", name(spec.unit));
    text += fmt::format("\n# {}{}\n{}={}\n", unit, spec.meaning, spec.name,
                        given == values.end() ? spec.default_text : given->text);
  }
  return text;
}

}  // namespace wyndrvr::app
