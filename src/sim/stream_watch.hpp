// Watches what a port of dialect 1 sends and receives beyond its heartbeats (docs/PROTOCOL.md,
// "Dialect 1"): the data of its streams, the grants without which none may leave, and the paths
// that are proven.
//
// Part of PortWatch, which watches the rest. Looks at octets by itself, without the engine's
// codecs, so that it cannot share their errors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "engine/datagram.hpp"
#include "engine/message.hpp"
#include "engine/port_kind.hpp"
#include "engine/test_terms.hpp"
#include "sim/host.hpp"
#include "sim/packet.hpp"
#include "sim/truth.hpp"

namespace wyndrvr::sim {

class StreamWatch {
 public:
  struct Options {
    engine::Side side = engine::Side::kClient;
    engine::PortKind kind = engine::PortKind::kControl;
    ClientTruth* client = nullptr;    // server: of the client at that address; none for strangers
    SessionTruth* session = nullptr;  // server
    engine::TestTerms terms;
    bool keyed = false;
    std::string name;
  };

  StreamWatch(Host& host, Options options) : host_(host), options_(std::move(options)) {}

  // A datagram leaves; completes its note where it is data.
  void on_transmit(Note& note, const Endpoint& to, ByteView datagram);
  void on_delivered(const Packet& packet, bool accepted);
  void on_letter(const engine::Message& message);
  void on_posted(const engine::Message& message);

 private:
  // What a sender may do, by the reports that it accepted.
  struct Allowed {
    std::optional<Instant> until;
    std::uint64_t granted = 0;
    std::uint64_t sent = 0;
  };

  [[nodiscard]] TrueTime now() const { return host_.environment().queue.now(); }
  [[nodiscard]] Findings& findings() const { return host_.environment().findings; }
  [[nodiscard]] std::array<StreamTruth, kMostStreams>& streams() const {
    return options_.client->of(options_.kind);
  }
  void note_data(Note& note, std::size_t stream, ByteView datagram);
  void check_grant(std::size_t stream, std::size_t octets);
  void on_report(ByteView datagram);
  void on_data(const Packet& packet, bool accepted);
  void accept_data(const Packet& packet, StreamTruth& stream) const;
  void judge_stranger(const Packet& packet);
  void check_sender(const engine::SenderTotals& totals);

  Host& host_;
  Options options_;
  std::array<Allowed, kMostStreams> allowed_;
  std::unordered_set<Endpoint, HashEndpoint> proven_;  // server
  std::optional<engine::Go> go_;
  bool stopped_ = false;
};

}  // namespace wyndrvr::sim
