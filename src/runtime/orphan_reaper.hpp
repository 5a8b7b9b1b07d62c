// Reaps the children that this process gets from others, where it does (os/orphans.hpp).
#pragma once

#include <memory>
#include <optional>

#include "base/result.hpp"
#include "runtime/event_loop.hpp"

namespace wyndrvr::runtime {

class OrphanReaper final : public EventSource {
 public:
  static constexpr Duration kInterval = 200ms;

  // Nothing where others' children do not become ours.
  [[nodiscard]] static Result<std::unique_ptr<OrphanReaper>> create_where_needed(EventLoop& loop);
  ~OrphanReaper() override;
  OrphanReaper(const OrphanReaper&) = delete;
  OrphanReaper& operator=(const OrphanReaper&) = delete;

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;

 private:
  explicit OrphanReaper(EventLoop& loop) : loop_(loop) {}

  EventLoop& loop_;
  std::optional<EventLoop::Id> id_;
};

}  // namespace wyndrvr::runtime
