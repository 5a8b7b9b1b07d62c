#include "ipc/outbox.hpp"

#include <algorithm>
#include <variant>

#include "base/check.hpp"

namespace wyndrvr::ipc {

std::uint8_t key_of(const Letter& letter) {
  constexpr std::size_t kMailboxes = engine::kPortCount + 1;
  static_assert(std::variant_size_v<engine::Message> * kMailboxes <= 256);
  return static_cast<std::uint8_t>(letter.message.index() * kMailboxes +
                                   static_cast<std::size_t>(letter.from));
}

bool Outbox::push(ByteView frame, Keep keep, std::uint8_t key) {
  WYNDRVR_CHECK(frame.size() <= kMaxFrameSize);
  if (keep == Keep::kNewest && replace(frame, key)) return true;
  const bool full = size() >= kCapacity;
  if (keep == Keep::kAlways && full) return false;
  if (full || (keep == Keep::kMayLose && size() > kCapacity / 2)) {
    ++dropped_;
    return true;
  }
  waiting_.push_back({{frame.begin(), frame.end()}, keep, key});
  return true;
}

bool Outbox::replace(ByteView frame, std::uint8_t key) {
  const auto older = std::ranges::find_if(
      waiting_, [key](const Waiting& one) { return one.keep == Keep::kNewest && one.key == key; });
  if (older == waiting_.end()) return false;
  older->frame.assign(frame.begin(), frame.end());
  return true;
}

ByteView Outbox::front() const {
  WYNDRVR_CHECK(!empty());
  return waiting_.front().frame;
}

void Outbox::pop() {
  WYNDRVR_CHECK(!empty());
  waiting_.pop_front();
}

}  // namespace wyndrvr::ipc
