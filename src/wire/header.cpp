#include "wire/header.hpp"

#include "base/check.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::size_t kTypeAt = 0;
constexpr std::size_t kChannelAt = 1;
constexpr std::size_t kChannelWidth = kHeaderSeqAt - kChannelAt;

}  // namespace

std::expected<Packet, DropReason> parse_packet(ByteView datagram) {
  if (datagram.size() < kHeaderSize) return std::unexpected(DropReason::kTooShort);
  if (datagram.size() > kMaxPacketSize) return std::unexpected(DropReason::kTooLong);
  const auto type = std::to_integer<std::uint8_t>(datagram[kTypeAt]);
  if (type > static_cast<std::uint8_t>(MessageType::kTestResult)) {
    return std::unexpected(DropReason::kUnknownType);
  }
  const std::byte* octets = datagram.data();
  const auto channel = base::load_big_endian(octets + kChannelAt, kChannelWidth);
  const Header header{.type = static_cast<MessageType>(type),
                      .channel = {static_cast<std::uint32_t>(channel)},
                      .seq = {base::load_big_endian(octets + kHeaderSeqAt, kHeaderNumberSize)},
                      .offset = base::load_big_endian(octets + kHeaderOffsetAt, kHeaderNumberSize)};
  return Packet{.header = header, .body = datagram.subspan(kHeaderSize)};
}

void write_header(std::byte* out, const Header& header) {
  WYNDRVR_CHECK(header.channel.value <= ChannelId::kMax);
  out[kTypeAt] = static_cast<std::byte>(header.type);
  base::store_big_endian(out + kChannelAt, header.channel.value, kChannelWidth);
  set_header_numbers(out, header.seq, header.offset);
}

}  // namespace wyndrvr::wire
