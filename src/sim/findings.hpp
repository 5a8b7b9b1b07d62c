// What the checkers found wrong. Bounded: one broken counter must not fill a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/clock.hpp"

namespace wyndrvr::sim {

class Findings {
 public:
  static constexpr std::size_t kMaxFindings = 20;

  template <class... Args>
  void add(TrueTime at, fmt::format_string<Args...> format, Args&&... args) {
    if (texts_.size() >= kMaxFindings) return;
    texts_.push_back(fmt::format("at {:.9f} s: {}", to_seconds(at.time_since_epoch()),
                                 fmt::format(format, std::forward<Args>(args)...)));
  }
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }
  [[nodiscard]] bool full() const { return texts_.size() >= kMaxFindings; }

 private:
  std::vector<std::string> texts_;
};

}  // namespace wyndrvr::sim
