// Which CPUs a loop is to run on.
//
// With a list (--cpu) every loop is pinned to one CPU of it, in turn, those that carry data first.
// Without one nothing is pinned, except that from kEnough CPUs on the two ports of a session that
// carry data get a half of them each: they never share a core, and the scheduler keeps its freedom.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/port_kind.hpp"

namespace wyndrvr::runtime {

struct CpuPlan {
  // Fewer are not split: two programs on one host would be driven onto the same core.
  static constexpr std::size_t kEnough = 4;

  std::vector<unsigned> chosen;   // --cpu; empty: not given
  std::vector<unsigned> allowed;  // of this process, ascending
  std::uint32_t session = 0;      // counts up, so that sessions take different CPUs of the list

  // For the loop of one port. Empty: not pinned.
  [[nodiscard]] std::vector<unsigned> of_port(engine::PortKind kind) const;
  // For a loop that carries a whole session.
  [[nodiscard]] std::vector<unsigned> of_session() const;
  // For a loop that only coordinates.
  [[nodiscard]] std::vector<unsigned> of_coordinator() const;
  // The plan of the next session.
  [[nodiscard]] CpuPlan for_session(std::uint32_t number) const;
};

}  // namespace wyndrvr::runtime
