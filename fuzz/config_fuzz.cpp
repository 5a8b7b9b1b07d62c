// Fuzzes the configuration file: any text loads or is refused with a message, and an edit of a
// text that loads gives one that loads too, with that value changed and no other.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/config_edit.hpp"
#include "app/config_file.hpp"
#include "base/check.hpp"

using namespace wyndrvr;  // NOLINT

namespace {

constexpr std::string_view kPath = "fuzz";

void check_edit(const app::Settings& before, std::string_view text, const app::KeyText& value) {
  const auto edit = app::edit_config(text, kPath, std::span(&value, 1));
  WYNDRVR_CHECK(edit.has_value());
  // An appended line may pass the bound on a file's size; nothing else may go wrong.
  if (edit->text.size() > app::kMaxConfigSize) return;
  app::Settings after;
  WYNDRVR_CHECK(app::apply_config(after, edit->text, kPath).has_value());
  for (const app::KeySpec& spec : app::all_keys()) {
    if (spec.key == value.key) continue;
    WYNDRVR_CHECK(after.text(spec.key) == before.text(spec.key));
  }
  const auto& spec = app::spec_of(value.key);
  const auto meant = app::parse_value(spec, value.text);
  const auto read = app::parse_value(spec, after.text(value.key));
  WYNDRVR_CHECK(meant && read && *meant == *read);
  const auto again = app::edit_config(edit->text, kPath, std::span(&value, 1));
  WYNDRVR_CHECK(again && again->changes.empty() && again->text == edit->text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  app::Settings settings;
  const auto warnings = app::apply_config(settings, text, kPath);
  if (!warnings) {
    WYNDRVR_CHECK(!warnings.error().message.empty());
    return 0;
  }
  check_edit(settings, text, {app::Key::kDuration, "12.5"});
  check_edit(settings, text, {app::Key::kPortRanges, "9000-9002,9010"});
  check_edit(settings, text, {app::Key::kTestVerbose, "true"});
  return 0;
}
