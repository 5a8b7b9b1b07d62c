#include "engine/batch_buffer.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "wire/data_body.hpp"
#include "wire/header.hpp"
#include "wire/path_data.hpp"

namespace wyndrvr::engine {

BatchBuffer::BatchBuffer(std::size_t packet_size, std::optional<std::uint32_t> dummy_bytes)
    : packet_size_(packet_size),
      capacity_(
          std::min(kMaxTransmitPackets, kMaxSuperPackets * (kMaxSuperPacketBytes / packet_size))) {
  if (dummy_bytes) around_dummy_ = packet_size - *dummy_bytes;
  octets_.resize(capacity_ * packet_size);
  prefix_.reserve(wire::kPathPrefixSize);
  write_packets();
}

void BatchBuffer::cut(std::size_t packet_size) {
  if (packet_size == packet_size_) return;
  WYNDRVR_CHECK(packet_size < packet_size_);
  packet_size_ = packet_size;
  capacity_ = std::min(kMaxTransmitPackets, octets_.size() / packet_size);
  prefixed_ = 0;
  write_packets();
}

void BatchBuffer::write_packets() {
  for (std::size_t slot = 0; slot < capacity_; ++slot) {
    const MutableByteView packet(at(slot), packet_size_);
    if (around_dummy_) {
      wire::write_data_body(packet.subspan(wire::kHeaderSize), packet_size_ - *around_dummy_);
    } else {
      wire::write_data_template(packet, {});
    }
  }
}

void BatchBuffer::set_prefix(ByteView prefix, std::size_t packets) {
  WYNDRVR_CHECK(prefix.size() <= packet_size_ && packets <= capacity());
  if (!std::ranges::equal(prefix, prefix_)) {
    prefix_.assign(prefix.begin(), prefix.end());
    prefixed_ = 0;
  }
  for (; prefixed_ < packets; ++prefixed_) std::ranges::copy(prefix, at(prefixed_));
}

}  // namespace wyndrvr::engine
