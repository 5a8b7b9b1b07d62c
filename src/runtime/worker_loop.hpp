// What all workers have in common once they know what they are: a loop, fewer rights, and an end.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "os/confinement.hpp"
#include "os/fd.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/termination_grace.hpp"
#include "runtime/worker_main.hpp"
#include "runtime/worker_rights.hpp"

namespace wyndrvr::runtime {

// `Role(loop, setup)` is started with its descriptors, by then without rights that are not in
// `needs`, and runs until it stops the loop. Returns a WorkerExit.
template <class Role, class Setup>
[[nodiscard]] int run_in_loop(const Setup& setup, const os::Confinement& needs,
                              std::vector<os::Fd> descriptors, Surroundings surroundings,
                              const std::function<void(const Error&)>& tell_failure) {
  const auto give_up = [&](const Error& error) {
    tell_failure(error);
    return kWorkerSetupFailed;
  };
  auto loop = EventLoop::create(setup.tuning);
  if (!loop) return give_up(loop.error());
  std::unique_ptr<TerminationGrace> grace;
  if (surroundings == Surroundings::kOwnProcess) {
    auto watched = TerminationGrace::create(*loop);
    if (!watched) return give_up(watched.error());
    grace = std::move(*watched);
  }
  Role role(*loop, setup);
  if (const auto less = give_up_rights(needs, surroundings); !less) return give_up(less.error());
  if (const auto started = role.start(std::move(descriptors)); !started) {
    return give_up(started.error());
  }
  if (const auto ran = loop->run(); !ran) return give_up(ran.error());
  return kWorkerDone;
}

}  // namespace wyndrvr::runtime
