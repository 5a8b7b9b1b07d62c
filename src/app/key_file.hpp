// The key file: the keys that a server accepts, and the one that a client uses (dialect 1).
//
// One key a line, `ID HEX64`: an id of 0 to 2^32 - 1 in decimal, blanks, and 64 hexadecimal digits.
// Blank lines are skipped, and so is a '#' with all that follows it; CRLF is accepted. Ids are
// unique, so that keys can be changed one by one. Errors name file and line and quote nothing of
// it, not even what stands in the place of the id: it may be a key.
//
// Example:
//   # until the end of June
//   7 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/session_keys.hpp"

namespace wyndrvr::app {

inline constexpr std::size_t kMaxKeyFileSize = 64UL * 1024;  // octets
inline constexpr std::size_t kMaxKeys = 64;                  // in one file

// In the order of the file, at least one: the first is the client's, a server accepts all. `path`
// is for errors only.
[[nodiscard]] Result<std::vector<crypto::Key>> parse_key_file(std::string_view text,
                                                              std::string_view path);

// Refuses what is not a regular file, what group or others may use in any way, and more than
// kMaxKeyFileSize. The text is wiped from memory afterwards.
[[nodiscard]] Result<std::vector<crypto::Key>> load_key_file(const std::string& path);

}  // namespace wyndrvr::app
