// The client's lines: the original's, word for word, for scripts that look for them, and ours.
//
// A ReportSink over a Console. Tables at the end are summary_text's. Not thread-safe.
#pragma once

#include <array>
#include <optional>

#include "app/console.hpp"
#include "app/progress.hpp"
#include "engine/report.hpp"
#include "engine/result.hpp"
#include "runtime/run.hpp"
#include "wire/session_fields.hpp"

namespace wyndrvr::app {

struct ClientTextOptions {
  bool terminal = false;  // stderr is one: a live line instead of a line for each interval
  unsigned columns = 80;
  bool verbose = false;                                          // test_verbose
  wire::Directions directions = wire::Directions::kLatencyOnly;  // of the test
  runtime::PlacementMode ports = runtime::PlacementMode::kSingle;
};

class ClientText final : public runtime::ReportSink {
 public:
  using Options = ClientTextOptions;

  // `console` must outlive this.
  explicit ClientText(Console& console, Options options = {})
      : console_(console), options_(options) {}

  void on_report(const engine::Report& report) override;
  // The averages on stderr, then the tables on stdout.
  void show_result(const engine::SessionResult& result);

 private:
  void show(const engine::Connecting& event);
  void show(const engine::ServerBusy& event);
  void show(const engine::ServerUnreachable& event);
  void show(const engine::NothingReceived& event);
  void show(const engine::Assigned& event);
  void show(const engine::Connected& event);
  void show(const engine::Refused& event);
  void show(const engine::NoAnswer& event);
  void show(const engine::LatencySample& event);
  void show(const engine::TestBegun& event);
  void show(const engine::TestProgress& event);
  void show(const engine::TestDraining& event);
  void show(const engine::TestResultArrived& event);
  void show(const engine::TraceLine& event);
  void show(const engine::PortsStarted& event);
  void show(const engine::PortLost& event);
  void show_both(const ProgressFigures& figures);
  // What only a server says, and what the client's person need not read.
  template <class Other>
  void show(const Other& /*event*/) {}

  static constexpr Duration kBusyInterval = 10s;  // between lines

  Console& console_;
  Options options_;
  Duration busy_told_{};  // how long it had been waited for then
  // By direction, that is by its port.
  std::array<ProgressMeter, engine::kPortCount> meters_;
  std::array<std::optional<ProgressFigures>, engine::kPortCount> latest_;
};

}  // namespace wyndrvr::app
