#include "wire/heartbeat.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "wire/json_reader.hpp"
#include "wire/text_writer.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::uint64_t kMicrosPerSecond = 1'000'000;
constexpr std::size_t kDecimals = 6;

constexpr std::string_view kTimestampKey = "timestamp";
constexpr std::string_view kClientKey = "client_timestamp";
constexpr std::string_view kServerKey = "server_timestamp";
constexpr std::string_view kTurnaroundKey = "turnaround_ns";
constexpr std::string_view kEarlierKey = "earlier_timestamp";
constexpr std::string_view kEarlierTurnaroundKey = "earlier_turnaround_ns";

std::optional<Timestamp> find_timestamp(const FlatObject& object, std::string_view key) {
  const auto value = object.find(key);
  if (!value || value->kind != JsonValue::Kind::kNumber) return std::nullopt;
  return Timestamp::from_number_text(value->raw);
}

}  // namespace

Timestamp Timestamp::from_micros(std::int64_t unix_micros) {
  const auto bits = static_cast<std::uint64_t>(unix_micros);
  const std::uint64_t magnitude = unix_micros < 0 ? 0 - bits : bits;
  Timestamp result;
  char* position = result.characters_.data();
  char* const end = position + kCapacity;
  if (unix_micros < 0) *position++ = '-';
  position = std::to_chars(position, end, magnitude / kMicrosPerSecond).ptr;
  *position++ = '.';
  std::uint64_t decimals = magnitude % kMicrosPerSecond;
  for (std::size_t i = kDecimals; i > 0; --i) {
    position[i - 1] = static_cast<char>('0' + decimals % 10);
    decimals /= 10;
  }
  position += kDecimals;
  result.size_ = static_cast<std::uint8_t>(position - result.characters_.data());
  return result;
}

std::optional<Timestamp> Timestamp::from_number_text(std::string_view text) {
  if (text.size() > kCapacity || !is_json_number(text)) return std::nullopt;
  Timestamp result;
  std::ranges::copy(text, result.characters_.begin());
  result.size_ = static_cast<std::uint8_t>(text.size());
  return result;
}

std::optional<std::int64_t> Timestamp::to_micros() const {
  constexpr double kLimit = 0x1p63;
  const JsonValue number{.kind = JsonValue::Kind::kNumber, .raw = text()};
  const auto seconds = number.as_double();
  if (!seconds) return std::nullopt;
  const double micros = std::round(*seconds * static_cast<double>(kMicrosPerSecond));
  if (!(micros >= -kLimit && micros < kLimit)) return std::nullopt;
  return static_cast<std::int64_t>(micros);
}

std::expected<Heartbeat0, DropReason> parse_heartbeat0(ByteView body) {
  const auto object = FlatObject::parse(body);
  if (!object) return std::unexpected(DropReason::kBadBody);
  const auto timestamp = find_timestamp(*object, kTimestampKey);
  if (!timestamp) return std::unexpected(DropReason::kBadBody);
  return Heartbeat0{.timestamp = *timestamp};
}

std::expected<HeartbeatReply, DropReason> parse_heartbeat_reply(ByteView body) {
  const auto object = FlatObject::parse(body);
  if (!object) return std::unexpected(DropReason::kBadBody);
  const auto client = find_timestamp(*object, kClientKey);
  const auto server = find_timestamp(*object, kServerKey);
  if (!client || !server) return std::unexpected(DropReason::kBadBody);
  HeartbeatReply reply{.client = *client, .server = *server};
  if (const auto turnaround = object->find(kTurnaroundKey)) {
    reply.turnaround_ns = turnaround->as_uint64();
    if (!reply.turnaround_ns) return std::unexpected(DropReason::kBadBody);
  }
  if (object->find(kEarlierKey)) {
    const auto earlier = find_timestamp(*object, kEarlierKey);
    const auto turnaround = object->find_uint64(kEarlierTurnaroundKey);
    if (!earlier || !turnaround) return std::unexpected(DropReason::kBadBody);
    reply.earlier = EarlierTurnaround{*earlier, *turnaround};
  }
  return reply;
}

std::size_t write_heartbeat0(MutableByteView out, const Heartbeat0& heartbeat) {
  TextWriter writer(out);
  writer.put("{\"timestamp\": ").put(heartbeat.timestamp.text()).put("}");
  return writer.size();
}

std::size_t write_padded_heartbeat0(MutableByteView out, const Heartbeat0& heartbeat) {
  constexpr std::string_view kEnd = "\"}";
  TextWriter writer(out);
  writer.put("{\"timestamp\": ").put(heartbeat.timestamp.text()).put(", \"padding\": \"");
  while (writer.size() + kEnd.size() < kPaddedHeartbeat0Size) writer.put("0");
  writer.put(kEnd);
  return writer.size();
}

std::size_t write_heartbeat_reply(MutableByteView out, const HeartbeatReply& reply) {
  TextWriter writer(out);
  writer.put("{\"client_timestamp\": ").put(reply.client.text());
  writer.put(", \"server_timestamp\": ").put(reply.server.text());
  if (reply.turnaround_ns) writer.put(", \"turnaround_ns\": ").put(*reply.turnaround_ns);
  if (reply.earlier) {
    writer.put(", \"earlier_timestamp\": ").put(reply.earlier->server.text());
    writer.put(", \"earlier_turnaround_ns\": ").put(reply.earlier->turnaround_ns);
  }
  writer.put("}");
  return writer.size();
}

}  // namespace wyndrvr::wire
