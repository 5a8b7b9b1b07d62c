#include "app/key_file.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "app/parse_number.hpp"
#include "app/printable.hpp"
#include "os/file.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::size_t kHexDigits = 2 * crypto::kKeySize;

// The next word of `rest`, which then begins behind it; empty when there is none.
std::string_view take_word(std::string_view& rest) {
  constexpr std::string_view kBetweenWords = " \t";
  rest.remove_prefix(std::min(rest.find_first_not_of(kBetweenWords), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kBetweenWords));
  rest.remove_prefix(word.size());
  return word;
}

struct KeyLine {
  std::string_view path;
  std::size_t number = 0;  // from 1
  std::string_view text;

  [[nodiscard]] std::unexpected<Error> wrong(std::string_view what) const {
    return fail("{}:{}: {}", printable(path), number, what);
  }
};

// Nothing for a blank line or a comment.
Result<std::optional<crypto::Key>> parse_key_line(const KeyLine& line) {
  std::string_view rest = line.text.substr(0, line.text.find('#'));
  const std::string_view id_word = take_word(rest);
  if (id_word.empty()) return std::nullopt;
  const std::string_view digits = take_word(rest);
  const auto id = parse_number<std::uint32_t>(id_word);
  if (!id) return line.wrong("a line begins with a key's id, a number from 0 to 4294967295");
  if (digits.size() != kHexDigits) {
    return line.wrong(
        fmt::format("after the id stand {} hexadecimal digits; here are {} characters", kHexDigits,
                    digits.size()));
  }
  crypto::Key key{.id = *id, .octets = {}};
  if (!crypto::decode_hex(key.octets.writable(), digits)) {
    return line.wrong("the key has a character that is not a hexadecimal digit");
  }
  if (!take_word(rest).empty()) return line.wrong("something follows the key that is no comment");
  return key;
}

}  // namespace

Result<std::vector<crypto::Key>> parse_key_file(std::string_view text, std::string_view path) {
  std::vector<crypto::Key> keys;
  keys.reserve(kMaxKeys);
  std::array<std::size_t, kMaxKeys> lines_of_keys{};
  for (std::size_t number = 1; !text.empty(); ++number) {
    KeyLine line{.path = path, .number = number, .text = text.substr(0, text.find('\n'))};
    text.remove_prefix(std::min(line.text.size() + 1, text.size()));
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);
    const auto key = parse_key_line(line);
    if (!key) return std::unexpected(key.error());
    if (!*key) continue;
    if (keys.size() == kMaxKeys) {
      return line.wrong(fmt::format("a key file may hold {} keys at most", kMaxKeys));
    }
    const auto same = std::ranges::find(keys, (*key)->id, &crypto::Key::id);
    if (same != keys.end()) {
      const std::size_t earlier = lines_of_keys[static_cast<std::size_t>(same - keys.begin())];
      return line.wrong(fmt::format("the key has the same id as the one in line {}", earlier));
    }
    lines_of_keys[keys.size()] = number;
    keys.push_back(**key);
  }
  if (keys.empty()) return fail("{}: it holds no key", printable(path));
  return keys;
}

Result<std::vector<crypto::Key>> load_key_file(const std::string& path) {
  auto text = os::read_private_file(path, kMaxKeyFileSize);
  if (!text) return std::unexpected(text.error());
  auto keys = parse_key_file(*text, path);
  crypto::wipe(std::as_writable_bytes(std::span(*text)));
  return keys;
}

}  // namespace wyndrvr::app
