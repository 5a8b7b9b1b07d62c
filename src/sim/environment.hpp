// What all hosts of one world share.
#pragma once

#include "base/random.hpp"
#include "sim/coverage.hpp"
#include "sim/event_queue.hpp"
#include "sim/findings.hpp"
#include "sim/network.hpp"
#include "sim/scenario.hpp"
#include "sim/topology.hpp"
#include "sim/trace.hpp"

namespace wyndrvr::sim {

struct Environment {
  explicit Environment(const Scenario& what, Topology where = Topology::kOneLoop)
      : scenario(what), topology(where), random(what.seed ^ kSalt) {}
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // The scenario was drawn from the same seed; the world's own chances are others.
  static constexpr std::uint64_t kSalt = 0x77'6f'72'6c'64;

  Scenario scenario;
  Topology topology;
  EventQueue queue;
  base::Random random;
  Trace trace;
  Findings findings;
  Coverage coverage;
  Network network{queue, random, trace};

  [[nodiscard]] Duration up_to(Duration most) {
    if (most <= Duration(0)) return Duration(0);
    return Duration(
        static_cast<Duration::rep>(random.between(0, static_cast<std::uint64_t>(most.count()))));
  }
};

}  // namespace wyndrvr::sim
