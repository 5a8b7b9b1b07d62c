#include "app/config_file.hpp"

#include <array>
#include <optional>

#include "app/nearest.hpp"
#include "app/printable.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kBlanks = " \t";

std::string_view skip_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? text.substr(text.size()) : text.substr(first);
}

std::string_view trim_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// The inside of `"…"` or `'…'`, where nothing but a comment follows the closing quote.
std::optional<std::string_view> quoted_value(std::string_view text) {
  if (text.empty() || (text.front() != '"' && text.front() != '\'')) return std::nullopt;
  const std::size_t close = text.find(text.front(), 1);
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(close + 1);
  const std::string_view comment = skip_blanks(rest);
  const bool ends = comment.empty() || (comment.front() == '#' && comment.size() < rest.size());
  return ends ? std::optional(text.substr(1, close - 1)) : std::nullopt;
}

// What stands behind '=', up to a comment: a '#' with a blank before it.
std::string_view value_of(std::string_view text) {
  const std::string_view value = skip_blanks(text);
  if (const auto quoted = quoted_value(value)) return *quoted;
  const bool blank_before = value.size() < text.size();
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '#') continue;
    const bool comment = i == 0 ? blank_before : kBlanks.contains(value[i - 1]);
    if (comment) return trim_end(value.substr(0, i));
  }
  return trim_end(value);
}

// Nothing for a comment or a blank line.
Result<std::optional<ConfigLine>> scan_line(std::string_view line, std::string_view path,
                                            std::size_t number) {
  const std::string_view content = skip_blanks(line);
  if (content.empty() || content.front() == '#') return std::nullopt;
  const std::size_t equals = content.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail("{}:{}: '{}' is not of the form key=value", printable(path), number,
                printable(trim_end(content)));
  }
  return ConfigLine{.number = number,
                    .key = trim_end(content.substr(0, equals)),
                    .value = value_of(content.substr(equals + 1))};
}

std::string unknown_key_warning(const ConfigLine& line, std::string_view path) {
  std::vector<std::string> names;
  for (const KeySpec& spec : all_keys()) names.emplace_back(spec.name);
  const auto meant = nearest(line.key, names);
  return fmt::format("{}:{}: the unknown key '{}' is ignored{}", printable(path), line.number,
                     printable(line.key), meant ? fmt::format(" (is it {}?)", *meant) : "");
}

}  // namespace

Result<std::vector<ConfigLine>> scan_config(std::string_view text, std::string_view path) {
  if (text.size() > kMaxConfigSize) {
    return fail("{}: a configuration file may hold {} bytes at most", printable(path),
                kMaxConfigSize);
  }
  std::vector<ConfigLine> lines;
  std::string_view rest = text;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t newline = rest.find('\n');
    std::string_view line = rest.substr(0, newline);
    rest = newline == std::string_view::npos ? std::string_view() : rest.substr(newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto scanned = scan_line(line, path, number);
    if (!scanned) return std::unexpected(scanned.error());
    if (*scanned) lines.push_back(**scanned);
  }
  return lines;
}

Result<std::vector<std::string>> apply_config(Settings& settings, std::string_view text,
                                              std::string_view path) {
  const auto lines = scan_config(text, path);
  if (!lines) return std::unexpected(lines.error());
  std::vector<std::string> warnings;
  std::array<std::size_t, kKeyCount> set_at{};  // line; 0 = not set by this file
  for (const ConfigLine& line : *lines) {
    const auto key = find_key(line.key);
    if (!key) {
      warnings.push_back(unknown_key_warning(line, path));
      continue;
    }
    auto set = settings.set(*key, line.value, Origin::file(path, line.number));
    if (!set) return std::unexpected(set.error());
    std::size_t& earlier = set_at[static_cast<std::size_t>(*key)];
    if (earlier != 0) {
      warnings.push_back(fmt::format("{}:{}: {} is set again; the value in line {} is not used",
                                     printable(path), line.number, line.key, earlier));
    }
    earlier = line.number;
  }
  return warnings;
}

}  // namespace wyndrvr::app
