#include "os/receive_batch.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace wyndrvr::os {

ReceiveBuffer::ReceiveBuffer(std::size_t slot_count, std::size_t slot_bytes)
    : own_count_(slot_count),
      own_bytes_(slot_bytes),
      memory_(std::make_unique_for_overwrite<Line[]>(slot_count * slot_bytes / sizeof(Line) + 1)) {
  WYNDRVR_CHECK(slot_count > 0 && slot_bytes > 0);
  const std::size_t small_slots = std::min(slot_count * slot_bytes / kSmallSlot, kMaxSlots);
  const std::size_t most = std::max(slot_count, small_slots);
  headers_.resize(most);
  vectors_.resize(most);
  sources_.resize(most);
  controls_.resize(most);
  received_.resize(most);
  for (std::size_t i = 0; i < most; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &sources_[i].generic;
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes.data();
  }
  make_ready(most);
  cut(slot_count, slot_bytes);
}

std::span<mmsghdr> ReceiveBuffer::prepare(std::size_t longest) {
  make_ready(used_);
  used_ = 0;
  if (longest == 0) {
    if (slot_bytes_ != own_bytes_) cut(own_count_, own_bytes_);
  } else {
    const std::size_t memory = own_count_ * own_bytes_;
    const std::size_t wanted = std::min(std::max(longest, kSmallSlot), memory);
    if (slot_bytes_ != wanted) cut(std::min(memory / wanted, headers_.size()), wanted);
  }
  return std::span(headers_).first(slot_count_);
}

void ReceiveBuffer::cut(std::size_t slot_count, std::size_t slot_bytes) {
  slot_count_ = slot_count;
  slot_bytes_ = slot_bytes;
  for (std::size_t i = 0; i < slot_count; ++i) {
    vectors_[i] = iovec{slot_at(i), slot_bytes};
  }
}

// The kernel overwrites the lengths of what it fills.
void ReceiveBuffer::make_ready(std::size_t slots) {
  for (std::size_t i = 0; i < slots; ++i) {
    headers_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in6);
    headers_[i].msg_hdr.msg_controllen = controls_[i].bytes.size();
  }
}

std::span<const Received> ReceiveBuffer::collect(std::size_t count, const ClockReading& now,
                                                 DropCounter& drops) {
  WYNDRVR_CHECK(count <= slot_count_);
  used_ = count;
  for (std::size_t i = 0; i < count; ++i) collect_one(i, now, drops);
  return std::span<const Received>(received_).first(count);
}

void ReceiveBuffer::collect_one(std::size_t slot, const ClockReading& now, DropCounter& drops) {
  const mmsghdr& header = headers_[slot];
  const ReceiveControl control = read_receive_control(header.msg_hdr);
  if (control.drop_reading) drops.observe(*control.drop_reading);

  const std::size_t size = std::min<std::size_t>(header.msg_len, slot_bytes_);
  Received& out = received_[slot];
  out.bytes = ByteView(slot_at(slot), size);
  out.segment_size = control.segment_size.value_or(static_cast<std::uint32_t>(size));
  out.from = to_endpoint(sources_[slot].generic).value_or(Endpoint{});
  out.to = control.to.value_or(IpAddress{});
  out.to_group = control.to_group;
  out.interface = control.interface;
  out.kernel_stamped = control.stamp.has_value();
  out.arrival = control.stamp ? instant_of(*control.stamp, now) : now.monotonic;
  out.truncated = (header.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  out.traffic_class = control.traffic_class;
}

}  // namespace wyndrvr::os
