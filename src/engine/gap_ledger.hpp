// Shares the gaps of a server out among its sessions.
//
// A session is given its share when it begins, and keeps to it on its own, wherever its ports run:
// a share is a number, which travels to any worker. The share is kLeastSessionGaps and an eighth of
// what is left of kCommonGaps, up to kMostSessionGaps in all. So nobody takes all that is common,
// and n sessions have at most n * kLeastSessionGaps + kCommonGaps.
//
// A session that receives no data gets none. Pure; one thread.
//
// Example:
//   setup.max_gaps = gaps.take(setup.id.value, setup.path);
//   ...
//   gaps.give_back(setup.id.value);  // when nothing of it is left
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "engine/gap_limits.hpp"
#include "engine/path_setup.hpp"

namespace wyndrvr::engine {

class GapLedger {
 public:
  // Of a session that has none yet. `path`: its terms; in 0.14 it may have an upload at any time.
  [[nodiscard]] std::size_t take(std::uint64_t session, const std::optional<PathSetup>& path) {
    if (path && !path->terms.has(PortKind::kUpload)) return 0;
    const std::size_t common = std::min(left_ / 8, kMostSessionGaps - kLeastSessionGaps);
    const auto [entry, is_new] = taken_.try_emplace(session, common);
    if (is_new) left_ -= common;
    return kLeastSessionGaps + entry->second;
  }
  // Its memory is free again. Nothing for a session that has no share.
  void give_back(std::uint64_t session) {
    const auto entry = taken_.find(session);
    if (entry == taken_.end()) return;
    left_ += entry->second;
    taken_.erase(entry);
  }

 private:
  std::size_t left_ = kCommonGaps;
  std::unordered_map<std::uint64_t, std::size_t> taken_;  // of what is common
};

}  // namespace wyndrvr::engine
