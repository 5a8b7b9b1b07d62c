// argv to what was asked for: a valid CommandLine, or one sentence that says what is wrong.
//
// Reads no file and no environment; values of configuration keys stay text here, and `Settings`
// parses them. No exception leaves it. An option may stand before or after the target, `--` ends
// the options, and of a repeated option the last one counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/setting_table.hpp"
#include "app/target.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "wire/session_fields.hpp"

namespace wyndrvr::app {

enum class Action : std::uint8_t { kClient, kServer, kCreateConfig, kHelp, kVersion };

struct GivenValue {
  Key key;
  std::string text;
  std::string option;  // as written: "--duration", "-t", or "--server" for the address
  bool operator==(const GivenValue&) const = default;
};

// The client's server where parts of the target are left out.
inline constexpr std::string_view kDefaultHost = "127.0.0.1";
inline constexpr std::string_view kDefaultHostV6 = "::1";  // with --ipv6
inline constexpr Port kDefaultPort{6711};

struct CommandLine {
  Action action = Action::kClient;
  Target target;                   // the client's server
  std::vector<GivenValue> values;  // each key once; the server's address is among them
  std::optional<std::string> config_path;
  wire::Directions directions = wire::Directions::kLatencyOnly;
  std::optional<std::uint64_t> count;
  bool json = false;
  std::optional<std::string> json_path;  // absent: stdout
  Duration progress_interval = 1s;
  std::optional<IpAddress::Family> family;  // --ipv4, --ipv6; absent: any
  std::vector<std::string> warnings;        // one sentence each
};

// `arguments` without the program's name.
[[nodiscard]] Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace wyndrvr::app
