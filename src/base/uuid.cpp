#include "base/uuid.hpp"

#include <cstdint>

#include "base/bytes.hpp"

namespace wyndrvr::base {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

constexpr bool dash_before(std::size_t byte_index) {
  return byte_index == 4 || byte_index == 6 || byte_index == 8 || byte_index == 10;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Uuid with_version(Uuid uuid, unsigned version) {
  uuid.bytes[6] = (uuid.bytes[6] & std::byte{0x0f}) | std::byte(version << 4U);
  uuid.bytes[8] = (uuid.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return uuid;
}

Uuid random_uuid(Random& random) {
  Uuid uuid;
  store_big_endian(uuid.bytes.data(), random(), 8);
  store_big_endian(uuid.bytes.data() + 8, random(), 8);
  return uuid;
}

}  // namespace

Uuid make_uuid_v4(Random& random) {
  return with_version(random_uuid(random), 4);
}

Uuid make_uuid_v7(Random& random, WallTime now) {
  Uuid uuid = random_uuid(random);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  store_big_endian(uuid.bytes.data(), static_cast<std::uint64_t>(ms.count()), 6);
  return with_version(uuid, 7);
}

void write_text(const Uuid& uuid, char* out) {
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (dash_before(i)) *out++ = '-';
    const auto value = std::to_integer<unsigned>(uuid.bytes[i]);
    *out++ = kDigits[value >> 4U];
    *out++ = kDigits[value & 0xfU];
  }
}

std::string to_string(const Uuid& uuid) {
  std::string text(Uuid::kTextLength, '\0');
  write_text(uuid, text.data());
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != Uuid::kTextLength) return std::nullopt;
  Uuid uuid;
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    const int high = digit_value(text[at]);
    const int low = digit_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    uuid.bytes[i] = static_cast<std::byte>(high * 16 + low);
    at += 2;
  }
  return uuid;
}

}  // namespace wyndrvr::base
