// The server's lines: the original's, word for word, for scripts that look for them, and ours.
//
// A ReportSink over a Console. Not thread-safe.
#pragma once

#include "app/console.hpp"
#include "base/endpoint.hpp"
#include "engine/report.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::app {

class ServerText final : public runtime::ReportSink {
 public:
  // `console` must outlive this.
  explicit ServerText(Console& console) : console_(console) {}

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
  // What only a client says.
  template <class Other>
  void show(const Other& /*event*/) {}

  Console& console_;
};

}  // namespace wyndrvr::app
