#include "wire/path_packet.hpp"

#include "base/check.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::size_t kPathTypeSize = 1;
constexpr std::size_t kPathChannelSize = 3;
constexpr std::size_t kPathChannelAt = kPathTypeSize;
static_assert(kPathChannelAt + kPathChannelSize == kHeaderSeqAt);

bool has_channel(PathType type, ChannelId channel) {
  switch (type) {
    case PathType::kHeartbeat0:
    case PathType::kHeartbeat1:
    case PathType::kHeartbeat2:
      return channel.value <= kLastHeartbeatChannel;
    case PathType::kReport:
    case PathType::kData:
      return channel.value >= kFirstStreamChannel && channel.value <= kLastStreamChannel;
    case PathType::kControl:
    case PathType::kResult:
      return channel.value == 0;
  }
  return false;
}

std::size_t shortest_packet(PathType type) {
  return type == PathType::kData ? kMinPathDataSize - kPathDataTagSize : kPathPrefixSize;
}

std::size_t longest_packet(PathType type) {
  return type == PathType::kData ? kMaxPathDataSize : kMaxPacketSize;
}

bool has_offset(PathType type, std::uint64_t offset) {
  return type == PathType::kData || offset == 0;
}

}  // namespace

std::expected<PathType, DropReason> path_type(ByteView datagram) {
  if (datagram.empty()) return std::unexpected(DropReason::kTooShort);
  const auto type = static_cast<PathType>(std::to_integer<std::uint8_t>(datagram[0]));
  switch (type) {
    case PathType::kHeartbeat0:
    case PathType::kHeartbeat1:
    case PathType::kHeartbeat2:
    case PathType::kReport:
    case PathType::kData:
    case PathType::kControl:
    case PathType::kResult:
      return type;
  }
  return std::unexpected(DropReason::kUnknownType);
}

std::expected<PathPacket, DropReason> parse_path_packet(ByteView datagram) {
  if (datagram.size() < kPathPrefixSize) return std::unexpected(DropReason::kTooShort);
  const auto type = path_type(datagram);
  if (!type) return std::unexpected(type.error());
  if (datagram.size() < shortest_packet(*type)) return std::unexpected(DropReason::kTooShort);
  if (datagram.size() > longest_packet(*type)) return std::unexpected(DropReason::kTooLong);
  const std::byte* octets = datagram.data();
  const auto channel = base::load_big_endian(octets + kPathChannelAt, kPathChannelSize);
  const PathHeader header{
      .type = *type,
      .channel = {static_cast<std::uint32_t>(channel)},
      .seq = {base::load_big_endian(octets + kHeaderSeqAt, kHeaderNumberSize)},
      .offset = base::load_big_endian(octets + kHeaderOffsetAt, kHeaderNumberSize)};
  if (!has_channel(*type, header.channel)) return std::unexpected(DropReason::kWrongChannel);
  if (!has_offset(*type, header.offset)) return std::unexpected(DropReason::kBadSequence);
  return PathPacket{.header = header,
                    .nonce = {base::load_big_endian(octets + kHeaderSize, kPathNonceSize)},
                    .body = datagram.subspan(kPathPrefixSize)};
}

void write_path_header(std::byte* out, const PathHeader& header) {
  WYNDRVR_CHECK(has_channel(header.type, header.channel));
  WYNDRVR_CHECK(has_offset(header.type, header.offset));
  out[0] = static_cast<std::byte>(header.type);
  base::store_big_endian(out + kPathChannelAt, header.channel.value, kPathChannelSize);
  set_header_numbers(out, header.seq, header.offset);
}

void write_path_prefix(std::byte* out, const PathHeader& header, PathNonce nonce) {
  write_path_header(out, header);
  base::store_big_endian(out + kHeaderSize, nonce.value, kPathNonceSize);
}

}  // namespace wyndrvr::wire
