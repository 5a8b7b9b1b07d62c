// A host: a name, an address, a clock of its own; and an alarm by that clock.
//
// A dark host runs nothing, sends nothing and hears nothing any more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/endpoint.hpp"
#include "engine/datagram.hpp"
#include "sim/clock.hpp"
#include "sim/environment.hpp"

namespace wyndrvr::sim {

class Host {
 public:
  Host(Environment& environment, std::string name, const IpAddress& address,
       const HostConfig& config)
      : environment_(environment),
        name_(std::move(name)),
        address_(address),
        config_(config),
        clock_(config.clock) {}
  virtual ~Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  [[nodiscard]] Environment& environment() const { return environment_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] const HostConfig& config() const { return config_; }
  [[nodiscard]] const HostClock& clock() const { return clock_; }
  [[nodiscard]] Instant now() const { return clock_.local(environment_.queue.now()); }
  [[nodiscard]] bool dark() const { return dark_; }
  void go_dark();

 private:
  Environment& environment_;
  std::string name_;
  IpAddress address_;
  HostConfig config_;
  HostClock clock_;
  bool dark_ = false;
};

// Rings once the host's clock shows the deadline, as late as the host's loop may be. Rings that do
// not get ahead are a spinning loop: found, and silenced.
class Alarm {
 public:
  static constexpr unsigned kMaxRingsAtOnce = 200;

  Alarm(Host& host, std::string what, std::function<void()> ring)
      : host_(host), what_(std::move(what)), ring_(std::move(ring)) {}
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Replaces the deadline; none disarms.
  void set(const std::optional<engine::Deadline>& deadline);

 private:
  void arm(TrueTime at);
  void fire();

  Host& host_;
  std::string what_;
  std::function<void()> ring_;
  std::optional<engine::Deadline> deadline_;
  bool armed_ = false;
  bool silenced_ = false;
  TrueTime armed_for_{};
  std::uint64_t generation_ = 0;
  TrueTime last_ring_{};
  unsigned rings_at_once_ = 0;
};

}  // namespace wyndrvr::sim
