// The sending half of a test: which numbers to send next, at what rate, in which batches.
//
// Exists from StartTest on, so that the first FLOW_CONTROL finds it; sends from Go until the
// duration is over. The batch buffer is filled with the constant body once; per datagram only the
// header is written. Allocates nothing after construction but for the work per report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/message.hpp"
#include "engine/pacer.hpp"
#include "engine/rate_controller.hpp"
#include "engine/totals.hpp"
#include "seq/loss_detector.hpp"
#include "seq/working_set.hpp"
#include "wire/flow_control.hpp"

namespace wyndrvr::engine {

class DataSender {
 public:
  // A super-packet holds at most this many octets (udp(7), UDP_SEGMENT) and datagrams.
  static constexpr std::size_t kMaxBatchBytes = 65'507;
  static constexpr std::size_t kMaxBatchPackets = 64;
  // Datagrams per call where they leave one by one.
  static constexpr std::size_t kMaxSeparatePackets = 16;
  // A paced batch is no more than this long at the present rate.
  static constexpr Duration kMaxBatchTime = 1ms;

  struct Batch {
    ByteView bytes;
    std::uint32_t segment_size = 0;
    bool coalesce = false;
  };

  DataSender(const TestPlan& plan, Duration adjustment_delay, std::uint32_t loss_buffer_length);

  void on_go(const Go& go);
  // FLOW_CONTROL: the closed ranges that the receiver misses.
  void on_report(Instant now, std::span<const wire::ClosedRange> missing);
  // The receiver's own counts, from servers that send them.
  void on_receiver_progress(Instant now, const ReceiverTotals& totals);
  void on_send_failed(std::uint64_t packets) { totals_.failed += packets; }
  void on_send_blocked() { ++totals_.blocked; }
  void stop() { stopped_ = true; }

  // The next batch, of `most` datagrams at most.
  [[nodiscard]] std::optional<Batch> poll(Instant now, std::size_t most = kMaxBatchPackets);
  [[nodiscard]] std::optional<SenderProgress> poll_progress(Instant now);
  [[nodiscard]] std::optional<Deadline> deadline(Instant now) const;

  [[nodiscard]] ChannelId channel() const { return plan_.channel; }
  [[nodiscard]] SenderTotals totals() const;

 private:
  [[nodiscard]] bool sending(Instant now) const;
  [[nodiscard]] std::size_t batch_size(bool coalesce) const;

  TestPlan plan_;
  Duration adjustment_delay_;
  std::size_t packet_size_;
  std::vector<std::byte> buffer_;
  std::optional<Go> go_;
  std::optional<seq::WorkingSet> working_;
  seq::LossDetector losses_;
  std::optional<RateController> rate_;
  Pacer pacer_;
  SenderTotals totals_;
  std::uint64_t next_datagram_ = 0;  // N
  Instant next_progress_;
  bool stopped_ = false;
};

}  // namespace wyndrvr::engine
