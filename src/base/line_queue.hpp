// Lines that wait for a slow reader: bounded, and it counts the lines that it left out.
//
// Text comes out in order. Where some was left out, the next text that comes out says how many
// lines. After a loss nothing is taken in until half of the room is free, so that a reader who
// stays slow sees long runs of lines and few gaps. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wyndrvr::base {

class LineQueue {
 public:
  struct Piece {
    std::uint64_t left_out = 0;  // lines that were left out before this text
    std::string text;            // may be empty: nothing has come since
  };

  // `most`: octets that may wait.
  explicit LineQueue(std::size_t most) : most_(most) {}

  // False where there is no room: its lines count as left out.
  bool add(std::string_view text) {
    const std::size_t room = left_out_ > 0 ? most_ / 2 : most_;
    if (waiting_ + text.size() > room) {
      left_out_ += lines_of(text);
      return false;
    }
    add_always(text);
    return true;
  }
  // Without regard to the bound, for text whose size the caller bounds.
  void add_always(std::string_view text) {
    if (text.empty()) return;
    waiting_ += text.size();
    pieces_.push_back({std::exchange(left_out_, 0), std::string(text)});
  }
  // The next text; nothing where none waits and none was left out.
  [[nodiscard]] std::optional<Piece> take() {
    if (!pieces_.empty()) {
      Piece piece = std::move(pieces_.front());
      pieces_.pop_front();
      waiting_ -= piece.text.size();
      return piece;
    }
    if (left_out_ == 0) return std::nullopt;
    return Piece{std::exchange(left_out_, 0), {}};
  }
  // A piece that was taken out and could not be written.
  void give_up(const Piece& piece) {
    const std::uint64_t lines = piece.left_out + lines_of(piece.text);
    (pieces_.empty() ? left_out_ : pieces_.front().left_out) += lines;
  }
  // Whether text waits; lines that were left out are none.
  [[nodiscard]] bool has_text() const { return !pieces_.empty(); }
  [[nodiscard]] bool empty() const { return pieces_.empty() && left_out_ == 0; }

 private:
  // A line without an end, such as one that is rewritten in place, is none.
  static std::uint64_t lines_of(std::string_view text) {
    return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
  }

  std::size_t most_;
  std::size_t waiting_ = 0;
  std::uint64_t left_out_ = 0;  // since the last piece
  std::deque<Piece> pieces_;
};

}  // namespace wyndrvr::base
