// The server's lines: the original's, word for word, for scripts that look for them, and ours.
//
// A client chooses how often it sends heartbeats, so the line for each of them is limited by client
// and in all; what is left out is counted and told (docs/adr/0020-output.md). test_verbose shows
// all.
//
// A ReportSink over a Console. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string_view>

#include "app/console.hpp"
#include "app/line_limit.hpp"
#include "base/endpoint.hpp"
#include "engine/report.hpp"
#include "os/clock.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::app {

struct ServerTextOptions {
  bool verbose = false;  // test_verbose
  runtime::PlacementMode ports = runtime::PlacementMode::kSingle;
  std::function<Instant()> clock = os::monotonic_now;
};

class ServerText final : public runtime::ReportSink {
 public:
  using Options = ServerTextOptions;

  // Heartbeat lines at once, and a second: of one client, and in all.
  static constexpr unsigned kClientBurst = 30;
  static constexpr unsigned kClientRate = 10;
  static constexpr unsigned kTotalBurst = 300;
  static constexpr unsigned kTotalRate = 100;
  // Clients that are limited each for itself; of more, all share the total.
  static constexpr std::size_t kMaxClients = 4096;

  // `console` must outlive this.
  explicit ServerText(Console& console, Options options = {})
      : console_(console), options_(options) {}

  void on_report(const engine::Report& report) override;
  void show_started(const Endpoint& bound);
  void show_outcome(const runtime::ServerOutcome& outcome);

 private:
  void show(const engine::ClientConnected& event);
  void show(const engine::ServerLatencySample& event);
  void show(const engine::ClientGone& event);
  void show(const engine::ServerTestResult& event);
  void show(const engine::PortsExhausted& event);
  void show(const engine::LimitReached& event);
  void show(const engine::TraceLine& event);
  void show(const engine::PortsStarted& event);
  void show(const engine::PortLost& event);
  void show(const engine::SessionLost& event);
  void show_loss(const Endpoint& client, std::string_view cause);
  [[nodiscard]] bool shows_latency_of(const Endpoint& client);
  void show_left_out(const Endpoint& client);
  void forget(const Endpoint& client);
  // What only a client says.
  template <class Other>
  void show(const Other& /*event*/) {}

  Console& console_;
  Options options_;
  LineLimit total_{kTotalBurst, kTotalRate};
  std::map<Endpoint, LineLimit> limits_;  // of clients that have had such a line
};

}  // namespace wyndrvr::app
