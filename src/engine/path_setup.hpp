// What a session of dialect 1 has from its handshake: all that its ports are made of, at both ends
// (docs/PROTOCOL.md). Plain data.
#pragma once

#include <cstddef>
#include <optional>

#include "crypto/secret.hpp"
#include "crypto/session_keys.hpp"
#include "engine/test_terms.hpp"

namespace wyndrvr::engine {

struct PathSetup {
  crypto::Handshake handshake;
  crypto::Secret<32> path_secret;  // server: what its path nonces are made from
  std::optional<crypto::SessionKeys> keys;
  TestTerms terms;  // as granted
};

}  // namespace wyndrvr::engine
