// How many datagrams an adaptive sender may have under way: what keeps a slow path's queue short.
//
// A rate alone does not: at 64 kbit/s a datagram takes 175 ms, and many have left before a report
// tells of the first ones. A test begins with kFirstWindow datagrams under way, and one more for
// each that has arrived (RFC 5681, slow start), until a queue or a loss shows or the path has shown
// to be fast. On a path that turns out to be slow, no more are
// under way than arrive in a round trip, a report's interval and a short queue's time; fast paths
// have no such limit. Datagrams that never arrive do not stop the sender: one more leaves after a
// time without news.
//
// All streams of a test in one direction share one, since they share the path's queue: it counts
// the datagrams of all of them. The paces that it tells are one stream's share. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "engine/send_history.hpp"

namespace wyndrvr::engine {

class FlightLimit {
 public:
  static constexpr std::uint64_t kFirstWindow = 2;
  // A path on which less arrives is a slow one. Bit/s of UDP payload.
  static constexpr double kSlow = 10e6;

  struct Options {
    std::uint64_t first_window = kFirstWindow;
    double datagram_bits = 0;
    std::uint64_t streams = 1;
  };
  // What the newest report of one stream says.
  struct Seen {
    std::optional<Instant> at;  // when it came; absent: none has
    std::uint64_t settled = 0;  // arrived, or lost (ArrivalCount)
    std::uint64_t arrived = 0;
    std::optional<Instant> sent_at;  // of the highest number; absent: none, or not known
    std::uint64_t expected = 0;      // that number + 1
    std::uint64_t late = 0;          // missing, and neither
    Duration lateness{};             // of what the path reorders, at the most
    // One-way delay of the newest one, above the least; absent: the receiver does not tell.
    std::optional<Duration> above_least{};
  };

  explicit FlightLimit(const Options& options);

  // `before`: what the report of the same stream before this one said.
  void on_report(Instant now, const Seen& before, const Seen& seen);
  void on_sent(Instant now, std::uint64_t packets);
  // No report tells what has arrived: no limit until one does.
  void suspend() { suspended_ = true; }

  [[nodiscard]] std::uint64_t may_send(Instant now) const;
  // Where none may leave now: when one may, without any news.
  [[nodiscard]] Instant next() const;
  [[nodiscard]] bool limited() const { return !suspended_ && (mark_count_ == 0 || window_); }
  // Of the last half a second and more, in bit/s of UDP payload. This and the next two are of one
  // stream.
  [[nodiscard]] double best_pace() const;
  // No faster than this for now, in bit/s of UDP payload.
  [[nodiscard]] std::optional<double> trial_rate() const;
  // A queue has grown on a slow path: it carries so much, in bit/s of UDP payload.
  [[nodiscard]] std::optional<double> queue_pace() const;

 private:
  // Arrivals as the sender hears of them.
  struct Mark {
    Instant at;
    std::uint64_t arrived = 0;
  };
  static constexpr std::size_t kMarks = 32;
  // Datagrams that a share of loss is taken of.
  struct Round {
    std::uint64_t from = 0;  // begins with this one
    std::uint64_t settled = 0;
    std::uint64_t lost = 0;
  };

  void note_interval(Instant now, const Seen& before);
  void note_delay(Instant now, const Seen& before, const Seen& seen);
  void note_late(Instant now, bool late, std::uint64_t arrived);
  void note_arrivals(Instant now, std::uint64_t arrived);
  void note_loss(Instant now, std::uint64_t settled, std::uint64_t arrived);
  void on_round(std::uint64_t settled, std::uint64_t lost, double share);
  void begin_again(std::uint64_t arrived);
  [[nodiscard]] double measured_pace() const;
  [[nodiscard]] double bits(double datagrams) const { return datagrams * options_.datagram_bits; }
  // Of one stream, as a rate.
  [[nodiscard]] double share(double datagrams) const;
  void set_window(Instant now);
  [[nodiscard]] std::uint64_t under_way() const;
  // What is under way, as a window.
  [[nodiscard]] double held() const;
  // Datagrams a second.
  [[nodiscard]] double best_of_late() const;
  // Without this way's queue, and a report's interval.
  [[nodiscard]] Duration round_trip(double gain) const;
  [[nodiscard]] bool is_fast() const;
  [[nodiscard]] Duration patience() const;

  Options options_;
  Instant news_at_;
  Instant sent_at_;
  std::uint64_t sent_ = 0;
  SendHistory history_;
  Seen seen_;  // of all streams; `sent_at`: of the newest datagram that has arrived
  bool beginning_ = true;
  std::uint64_t begun_at_ = 0;  // arrived then
  double first_window_ = 0;
  bool suspended_ = false;
  std::optional<double> window_;  // datagrams under way; absent: any number
  Duration report_interval_{};    // of one stream, mean of late
  std::optional<Duration> least_delay_;
  std::optional<Duration> back_delay_;  // mean of late, without what this way's queue adds
  int late_ = 0;                        // reports in a row that tell of a queue
  Instant late_at_;                     // the last of them
  std::uint64_t lost_ = 0;
  Round round_;
  double own_loss_ = 0;               // share that the path loses whatever is under way
  double suspect_ = 0;                // share that may be its own; 0: none
  std::optional<double> trial_pace_;  // datagrams a second, which is to show it
  bool has_queue_ = false;            // one was seen
  Instant loss_seen_at_;
  Instant lost_at_;  // when the room for a queue was last halved
  Duration queue_;   // that the window leaves room for
  double least_window_ = 2;
  std::array<Mark, kMarks> marks_{};
  std::size_t mark_count_ = 0;         // ever; the newest kMarks are kept
  double pace_ = 0;                    // datagrams a second
  std::array<double, 2> best_pace_{};  // of this and of the last half a second
  Instant best_since_;
  Instant paced_since_;    // nothing from before has a say in the paces
  double clean_pace_ = 0;  // the best since the last loss
};

}  // namespace wyndrvr::engine
