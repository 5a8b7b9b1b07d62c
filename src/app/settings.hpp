// Settings: every configuration key's value, and where it came from.
//
// Starts with the defaults; the file is set over them, and the command line over the file. Holds
// valid values only: `set` refuses the others with an Error for the person who wrote them. Rules
// between keys are run_config's business. Plain value; not thread-safe.
//
// Example:
//   Settings settings;
//   auto set = settings.set(Key::kDuration, "5", Origin::file("/etc/w/config", 3));
//   if (!set) return std::unexpected(set.error());
//   settings.duration(Key::kDuration);  // 5 s
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/setting_table.hpp"
#include "app/setting_value.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace wyndrvr::app {

struct Origin {
  enum class Kind : std::uint8_t { kDefault, kFile, kOption };
  Kind kind = Kind::kDefault;
  std::string place;  // "PATH:LINE" or "--option"

  [[nodiscard]] static Origin file(std::string_view path, std::size_t line);
  [[nodiscard]] static Origin option(std::string_view name);
  // "default", "file PATH:LINE", "option --name"
  [[nodiscard]] std::string describe() const;
  bool operator==(const Origin&) const = default;
};

class Settings {
 public:
  Settings();

  [[nodiscard]] Result<void> set(Key key, std::string_view text, const Origin& origin);

  // Each for keys of its kind only.
  [[nodiscard]] const std::string& host(Key key) const;
  [[nodiscard]] const PortRanges& port_ranges(Key key) const;
  [[nodiscard]] runtime::PlacementMode mode(Key key) const;
  [[nodiscard]] std::uint64_t integer(Key key) const;
  [[nodiscard]] double decimal(Key key) const;
  [[nodiscard]] bool boolean(Key key) const;
  [[nodiscard]] const CpuList& cpus(Key key) const;
  // Of a kInterface or a kPath; empty for none.
  [[nodiscard]] const std::string& string(Key key) const;
  [[nodiscard]] engine::DialectChoice dialect(Key key) const;
  [[nodiscard]] os::Offload offload(Key key) const;
  [[nodiscard]] std::optional<BitRate> rate(Key key) const;
  [[nodiscard]] std::optional<ByteCount> octets(Key key) const;
  [[nodiscard]] std::optional<std::uint8_t> hop_limit(Key key) const;
  [[nodiscard]] const std::optional<ZonedAddress>& address(Key key) const;
  [[nodiscard]] const Networks& networks(Key key) const;
  // Of a number whose unit is a time.
  [[nodiscard]] Duration duration(Key key) const;

  // As it was written.
  [[nodiscard]] const std::string& text(Key key) const { return entry(key).text; }
  [[nodiscard]] const Origin& origin(Key key) const { return entry(key).origin; }
  // Somebody wants this value: it is an option's, or a file's that differs from the default, which
  // --create-config spells out for every key.
  [[nodiscard]] bool is_chosen(Key key) const;
  // "heartbeat_rate=10 (option --heartbeat-rate)"
  [[nodiscard]] std::string describe(Key key) const;

 private:
  struct Entry {
    Value value;
    std::string text;
    Origin origin;
  };
  [[nodiscard]] const Entry& entry(Key key) const {
    return entries_[static_cast<std::size_t>(key)];
  }
  template <class T>
  [[nodiscard]] const T& value_as(Key key) const;

  std::array<Entry, kKeyCount> entries_;
};

}  // namespace wyndrvr::app
