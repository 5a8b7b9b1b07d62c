#include "wire/path_heartbeat.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::size_t kPathTimeSize = 8;

// The next time, nonce or turnaround of a body whose length was checked.
std::uint64_t take_time(base::ByteReader& reader) {
  const auto value = reader.take(kPathTimeSize);
  WYNDRVR_CHECK(value.has_value());
  return *value;
}

}  // namespace

std::expected<PathHeartbeat0, DropReason> parse_path_heartbeat0(ByteView body) {
  if (body.size() != kPathHeartbeat0Size) return std::unexpected(DropReason::kBadBody);
  base::ByteReader reader(body);
  const PathHeartbeat0 heartbeat{.client_time_ns = take_time(reader)};
  const bool padded =
      std::ranges::all_of(reader.rest(), [](std::byte b) { return b == std::byte{}; });
  if (!padded) return std::unexpected(DropReason::kBadBody);
  return heartbeat;
}

std::expected<PathHeartbeat1, DropReason> parse_path_heartbeat1(ByteView body) {
  if (body.size() != kPathHeartbeat1Size) return std::unexpected(DropReason::kBadBody);
  base::ByteReader reader(body);
  PathHeartbeat1 heartbeat;
  heartbeat.client_time_ns = take_time(reader);
  heartbeat.server_nonce = {take_time(reader)};
  heartbeat.server_time_ns = take_time(reader);
  heartbeat.turnaround_ns = take_time(reader);
  EarlierAnswer earlier;
  earlier.server_time_ns = take_time(reader);
  earlier.turnaround_ns = take_time(reader);
  if (earlier.server_time_ns != 0) {
    heartbeat.earlier = earlier;
  } else if (earlier.turnaround_ns != 0) {
    return std::unexpected(DropReason::kBadBody);
  }
  return heartbeat;
}

std::expected<PathHeartbeat2, DropReason> parse_path_heartbeat2(ByteView body) {
  const bool whole = body.size() == kPathHeartbeat2Size;
  if (!whole && body.size() != kShortPathHeartbeat2Size) {
    return std::unexpected(DropReason::kBadBody);
  }
  base::ByteReader reader(body);
  PathHeartbeat2 heartbeat;
  heartbeat.server_time_ns = take_time(reader);
  heartbeat.client_nonce = {take_time(reader)};
  if (whole) heartbeat.turnaround_ns = take_time(reader);
  return heartbeat;
}

std::size_t write_path_heartbeat0(MutableByteView out, const PathHeartbeat0& heartbeat) {
  base::ByteWriter writer(out);
  writer.put(heartbeat.client_time_ns, kPathTimeSize);
  while (writer.size() < kPathHeartbeat0Size) writer.put(0, kPathTimeSize);
  return writer.size();
}

std::size_t write_path_heartbeat1(MutableByteView out, const PathHeartbeat1& heartbeat) {
  WYNDRVR_CHECK(!heartbeat.earlier || heartbeat.earlier->server_time_ns != 0);
  const EarlierAnswer earlier = heartbeat.earlier.value_or(EarlierAnswer{});
  base::ByteWriter writer(out);
  writer.put(heartbeat.client_time_ns, kPathTimeSize);
  writer.put(heartbeat.server_nonce.value, kPathNonceSize);
  writer.put(heartbeat.server_time_ns, kPathTimeSize);
  writer.put(heartbeat.turnaround_ns, kPathTimeSize);
  writer.put(earlier.server_time_ns, kPathTimeSize);
  writer.put(earlier.turnaround_ns, kPathTimeSize);
  return writer.size();
}

std::size_t write_path_heartbeat2(MutableByteView out, const PathHeartbeat2& heartbeat) {
  base::ByteWriter writer(out);
  writer.put(heartbeat.server_time_ns, kPathTimeSize);
  writer.put(heartbeat.client_nonce.value, kPathNonceSize);
  if (heartbeat.turnaround_ns) writer.put(*heartbeat.turnaround_ns, kPathTimeSize);
  return writer.size();
}

}  // namespace wyndrvr::wire
