// The figures of a running test, interval by interval, and the line that shows them; of a test in
// both directions, each has its own.
//
// Events carry totals; an interval is the difference of two of them, so a lost event only makes
// one interval longer. An original server reports nothing: then the figures are the sender's, and
// say so. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "engine/report.hpp"

namespace wyndrvr::app {

struct ProgressFigures {
  engine::PortKind direction = engine::PortKind::kUpload;
  Duration elapsed{};
  Duration duration{};
  bool at_receiver = false;            // else what was sent
  std::optional<double> rate_bps;      // absent: nothing new was heard in this interval
  std::optional<double> loss_percent;  // absent: nothing was expected in this interval
  std::uint64_t retransmitted = 0;
};

// Of one direction.
class ProgressMeter {
 public:
  // The interval since the event before; the first one's begins with the test.
  [[nodiscard]] ProgressFigures update(const engine::TestProgress& event);

 private:
  engine::TestProgress previous_;
};

// "[  3.0/10.0 s]": of a test's clock.
[[nodiscard]] std::string clock_text(Duration elapsed, Duration duration);
// "up", "down".
[[nodiscard]] std::string_view direction_name(engine::PortKind direction);

// "[  3.0/10.0 s]  1.23 Gbit/s  loss 0.0 %  retransmitted 0"
[[nodiscard]] std::string progress_text(const ProgressFigures& figures);
// The same of one direction of two: "up   [  3.0/10.0 s]  …".
[[nodiscard]] std::string directed_progress_text(const ProgressFigures& figures);
// The same with a bar where there is room, shorter than `columns`.
[[nodiscard]] std::string progress_bar(const ProgressFigures& figures, unsigned columns);

// Both directions at once, shorter than `columns`; one that has said nothing yet is left out:
// "[  3.0/10.0 s]  up 1.23 Gbit/s, loss 0.0 %  down 987.6 Mbit/s, loss 0.1 %".
[[nodiscard]] std::string both_progress(const std::optional<ProgressFigures>& up,
                                        const std::optional<ProgressFigures>& down,
                                        unsigned columns);

}  // namespace wyndrvr::app
