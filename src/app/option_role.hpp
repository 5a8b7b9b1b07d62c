// Whose option it is: what to say where a client is given a server's, or a server a client's.
//
// The roles themselves stand in option_table and setting_table. Pure.
#pragma once

#include <optional>
#include <string>

#include "app/option_table.hpp"
#include "app/setting_table.hpp"

namespace wyndrvr::app {

// Whether a client, or a server, has a use for an option of that role.
[[nodiscard]] bool has_use_for(Role runner, Role option);

// "--bwup is a client's option, and this is a server: leave it out", or what to write in its place.
[[nodiscard]] std::string wrong_role_text(const OptionSpec& option);

// Of a key in a configuration file: "max_rate is a server's option; a client does not use it".
[[nodiscard]] std::string unused_key_text(const KeySpec& spec);

}  // namespace wyndrvr::app
