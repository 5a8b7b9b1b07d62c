#include "ipc/message_codec.hpp"

#include <cstdint>
#include <utility>
#include <variant>

#include "ipc/message_fields.hpp"

namespace wyndrvr::ipc {
namespace {

// The alternative of that index, with default values.
template <std::size_t... Index>
std::optional<engine::Message> make_message(std::size_t kind, std::index_sequence<Index...>) {
  std::optional<engine::Message> message;
  ((kind == Index ? void(message.emplace(std::in_place_index<Index>)) : void()), ...);
  return message;
}

}  // namespace

void encode(const Letter& letter, std::vector<std::byte>& frame) {
  frame.clear();
  Writer writer(frame);
  auto kind = static_cast<std::uint8_t>(letter.message.index());
  auto from = static_cast<std::uint8_t>(letter.from);
  transfer_all(writer, kind, from);
  // Reading and writing share one description, hence the copy: a description changes fields.
  engine::Message message = letter.message;
  std::visit([&](auto& fields) { transfer(writer, fields); }, message);
}

std::optional<Letter> decode(ByteView frame) {
  if (frame.size() > kMaxFrameSize) return std::nullopt;
  Reader reader(frame);
  std::uint8_t kind = 0;
  Letter letter;
  transfer(reader, kind);
  transfer_enum(reader, letter.from, engine::Mailbox::kCoordinator);
  auto message =
      make_message(kind, std::make_index_sequence<std::variant_size_v<engine::Message>>{});
  if (!reader.ok() || !message) return std::nullopt;
  std::visit([&](auto& fields) { transfer(reader, fields); }, *message);
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  letter.message = std::move(*message);
  return letter;
}

}  // namespace wyndrvr::ipc
