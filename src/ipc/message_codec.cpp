#include "ipc/message_codec.hpp"

#include "ipc/message_fields.hpp"

namespace wyndrvr::ipc {

void encode(const Letter& letter, std::vector<std::byte>& frame) {
  write_frame(letter, frame);
}

std::optional<Letter> decode(ByteView frame) {
  if (frame.size() > kMaxFrameSize) return std::nullopt;
  return read_frame<Letter>(frame);
}

}  // namespace wyndrvr::ipc
