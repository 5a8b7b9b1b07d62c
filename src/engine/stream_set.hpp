// All streams of one test in one direction, at one end: either senders or receivers, and what they
// come to together.
//
// Tells control when they are finished, and the coordinator at the client how far they are. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "engine/config.hpp"
#include "engine/gap_limits.hpp"
#include "engine/mail.hpp"
#include "engine/message.hpp"
#include "engine/path_packets.hpp"
#include "engine/socket_drop_meter.hpp"
#include "engine/stream_receiver.hpp"
#include "engine/stream_sender.hpp"
#include "engine/test_terms.hpp"
#include "seq/gap_budget.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::engine {

class StreamSet {
 public:
  // A path on which nothing has come for so long, though something should, may be gone.
  static constexpr Duration kSilence = 250ms;

  struct Batch {
    std::size_t stream = 0;
    DataSender::Batch data;
  };
  struct Report {
    std::size_t stream = 0;
    wire::ReceiverReport report;
  };
  struct Options {
    TestPlan plan;
    TestTerms terms;
    ProtocolConfig protocol;
    bool sends = false;
    std::uint32_t receive_buffer = 0;         // of each of the port's sockets; 0: not known
    bool shares_socket = false;               // all streams come to one: the server's
    std::size_t max_gaps = kMostSessionGaps;  // of all streams' gap sets
  };

  explicit StreamSet(const Options& options);

  [[nodiscard]] ChannelId channel() const { return options_.plan.channel; }
  [[nodiscard]] bool sends() const { return options_.sends; }

  void on_go(const Go& go);
  void stop(Instant now);
  // The path's receiver has this nonce (from now on): senders need it before they can begin.
  void set_path(std::size_t stream, wire::PathNonce nonce);

  // DATA (to a receiver) and REPORT (to a sender) of one stream.
  [[nodiscard]] std::expected<void, wire::DropReason> on_data(Instant now, std::size_t stream,
                                                              const wire::PathPacket& packet,
                                                              std::size_t octets,
                                                              const Datagram& datagram);
  // As StreamReceiver::on_run, of a stream whose on_data has taken what came before.
  [[nodiscard]] std::uint64_t on_run(std::size_t stream, const DataRun& run,
                                     const Datagram& datagram);
  // As StreamReceiver::granted_from.
  [[nodiscard]] std::uint64_t granted_from(std::size_t stream, std::uint64_t first,
                                           std::size_t octets) const {
    return receivers_[stream].granted_from(first, octets);
  }
  [[nodiscard]] std::expected<void, wire::DropReason> on_report(Instant now, std::size_t stream,
                                                                const wire::PathPacket& packet);
  // Before the datagrams of one buffer, which are of `stream`, where they are data: what its socket
  // had no room for is taken to have been like them, or like the data before them.
  void on_buffer(std::optional<std::size_t> stream, const Datagram& buffer);
  void on_round_trip(Duration round_trip);
  void on_send_failed(std::uint64_t packets);
  void on_send_blocked();
  // About this stream's path. The datagrams of all streams stay equally long.
  void on_packet_too_big(Instant now, std::size_t stream, const TooBig& told);

  // The next datagrams, of each stream in turn.
  [[nodiscard]] std::optional<Batch> poll_data(Instant now, std::size_t most);
  [[nodiscard]] std::optional<Report> poll_report(Instant now);
  void poll_messages(Instant now, Mail& mail);
  [[nodiscard]] std::optional<Deadline> deadline(Instant now) const;
  // Nothing comes back, or in, on this stream's path.
  [[nodiscard]] bool is_silent(std::size_t stream, Instant now) const;

  [[nodiscard]] std::optional<SenderTotals> sender_totals() const;
  // What has been received: as the reports say it, or as counted here.
  [[nodiscard]] std::optional<ReceiverTotals> receiver_totals(Instant now) const;

 private:
  // A receiver's deadline changes only with what it is told or asked, and most batches concern one
  // stream of 64.
  struct Due {
    std::optional<Deadline> at;
    bool known = false;  // still what the receiver says
  };

  void note_begin(const StreamSender& sender);
  void note_arrival(const StreamReceiver& receiver);
  void forget_due(std::size_t stream);
  void forget_all_due();
  void refresh_due();
  [[nodiscard]] bool may_be_finished(Instant now) const;
  void poll_sender_messages(Instant now, Mail& mail);
  void poll_receiver_messages(Instant now, Mail& mail);
  void tell_progress(Instant now, Mail& mail);
  [[nodiscard]] bool progress_due(Instant now);
  [[nodiscard]] Duration first_to_last() const;

  Options options_;
  FlightLimit flight_;  // the senders'
  std::vector<std::optional<StreamSender>> senders_;
  std::optional<BatchBuffer> batch_;          // the senders'
  std::optional<seq::GapBudget> gap_budget_;  // the receivers'
  std::vector<StreamReceiver> receivers_;
  std::optional<Duration> least_transit_;      // of them all
  std::vector<SocketDropMeter> socket_drops_;  // of each socket that data comes in by
  std::vector<Due> due_;                       // of each receiver
  std::optional<Deadline> earliest_due_;       // where all are known
  bool all_due_known_ = false;
  std::optional<Go> go_;
  // When the test's time began, for all streams: the first grant, or the first datagram.
  std::optional<Instant> begin_;
  std::optional<Duration> least_round_trip_;
  std::size_t next_stream_ = 0;  // to be asked for data first
  std::size_t last_stream_ = 0;  // that sent, or was received from, last
  std::size_t receivers_left_ = 0;
  std::size_t senders_done_ = 0;  // the first ones in a row
  Instant last_read_;             // DATA of any stream: what another one misses may wait behind it
  Instant next_progress_;
  bool told_finished_ = false;
  bool stopped_ = false;
  bool tripped_ = false;  // the breaker of one of the senders
  bool broken_ = false;
};

}  // namespace wyndrvr::engine
