// From settings to what the programs run with: the rules between keys, and the conversion.
//
// The addresses are still names here, so `servers`, all `bind` and `allow` and `deny` are left
// empty for the caller, who resolves them, reads the key file and draws the nonce. Pure: which CPUs
// the process may use is an argument.
#pragma once

#include <cstdint>
#include <optional>

#include "app/settings.hpp"
#include "base/result.hpp"
#include "runtime/run.hpp"
#include "wire/session_fields.hpp"

namespace wyndrvr::app {

// What a client is asked for beyond the settings.
struct ClientWishes {
  wire::Directions directions = wire::Directions::kLatencyOnly;
  std::optional<std::uint64_t> heartbeat_count = std::nullopt;
  Duration progress_interval = 1s;
};

// Errors: rules between keys that are broken, and CPUs that are not among `allowed`; where that is
// empty, nobody knows which are.
[[nodiscard]] Result<runtime::ClientRun> make_client_run(const Settings& settings,
                                                         const ClientWishes& wishes,
                                                         const CpuList& allowed);
[[nodiscard]] Result<runtime::ServerRun> make_server_run(const Settings& settings,
                                                         const CpuList& allowed);

// A role's rules between keys alone; kBoth: what --create-config checks before it writes. CPUs are
// not looked at: the file may be for another host, or another cpuset.
[[nodiscard]] Result<void> check_consistent(const Settings& settings, Role role);

}  // namespace wyndrvr::app
