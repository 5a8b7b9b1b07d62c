#include "runtime/orphan_reaper.hpp"

#include "os/clock.hpp"
#include "os/orphans.hpp"

namespace wyndrvr::runtime {

Result<std::unique_ptr<OrphanReaper>> OrphanReaper::create_where_needed(EventLoop& loop) {
  if (!os::adopts_orphans()) return nullptr;
  std::unique_ptr<OrphanReaper> reaper(new OrphanReaper(loop));
  auto id = loop.add(EventLoop::kNoDescriptor, *reaper);
  if (!id) return std::unexpected(id.error());
  reaper->id_ = *id;
  reaper->on_wake(os::monotonic_now());
  return reaper;
}

OrphanReaper::~OrphanReaper() {
  if (id_) loop_.remove(*id_);
}

void OrphanReaper::on_ready(const Readiness& /*readiness*/) {}

void OrphanReaper::on_wake(Instant now) {
  (void)os::reap_orphans();
  loop_.set_deadline(*id_, now + kInterval);
}

}  // namespace wyndrvr::runtime
