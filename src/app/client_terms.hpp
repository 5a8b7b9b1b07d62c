// What a client wants of a test, from its settings: the terms of dialect 1, and what of them can be
// had in 0.14.
//
// Knows no file and no address: that a key file can be read, and that the route carries the
// payload, is found out elsewhere. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/settings.hpp"
#include "base/result.hpp"
#include "engine/config.hpp"
#include "engine/test_terms.hpp"
#include "wire/session_fields.hpp"

namespace wyndrvr::app {

// The rules between the keys of dialect 1 that a role has a use for; kBoth: all of them.
[[nodiscard]] Result<void> check_dialect_keys(const Settings& settings, Role role);

[[nodiscard]] engine::TestTerms test_terms(const Settings& settings, wire::Directions directions);

// DSCP << 2 | ECN codepoint, as in the IP header.
[[nodiscard]] std::uint8_t traffic_class(const Settings& settings);

// What is wanted and 0.14 cannot do, as in "a download test (--bwdown)"; empty where it can do all.
[[nodiscard]] std::string beyond_original(const Settings& settings, wire::Directions directions);

// 0.14's upload with the same wishes; only where nothing is beyond it.
[[nodiscard]] engine::UploadRequest upload_request(const Settings& settings);

// The key that somebody chose the length of datagrams with; nothing where the default stands, which
// may be made to fit the path.
[[nodiscard]] std::optional<Key> payload_key(const Settings& settings);

}  // namespace wyndrvr::app
