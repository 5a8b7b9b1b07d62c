// The server's lines: the original's, word for word, for scripts that look for them, and ours.
//
// A ReportSink over a Console. Not thread-safe.
#pragma once

#include <string_view>

#include "app/console.hpp"
#include "base/endpoint.hpp"
#include "engine/report.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::app {

struct ServerTextOptions {
  bool verbose = false;  // test_verbose
  runtime::PlacementMode ports = runtime::PlacementMode::kSingle;
};

class ServerText final : public runtime::ReportSink {
 public:
  using Options = ServerTextOptions;

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
  // What only a client says.
  template <class Other>
  void show(const Other& /*event*/) {}

  Console& console_;
  Options options_;
};

}  // namespace wyndrvr::app
