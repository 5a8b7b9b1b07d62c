// The network between the two ends of a dialect-1 session, for tests: loses, delays, copies and
// reorders datagrams, and rebinds a client's sockets as a NAT does. Knows what became of each.
//
// Pure: its clock is an argument and its chance is seeded.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/port_kind.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::engine::testing {

// One datagram on its way.
struct Flight {
  Instant sent;
  Side from = Side::kClient;
  PortKind port = PortKind::kControl;  // of a single port: CONTROL
  std::uint8_t flow = 0;               // of the client's socket
  Endpoint source;                     // as its receiver sees it
  Endpoint to;
  std::string bytes;

  [[nodiscard]] wire::PathType type() const { return wire::path_type(as_bytes(bytes)).value(); }
  [[nodiscard]] bool is_data() const { return type() == wire::PathType::kData; }
  [[nodiscard]] bool is_heartbeat() const { return type() <= wire::PathType::kHeartbeat2; }
  [[nodiscard]] std::uint64_t nonce() const {
    return base::load_big_endian(as_bytes(bytes).data() + wire::kHeaderSize, wire::kPathNonceSize);
  }
  // Of DATA and REPORT: which test it belongs to.
  [[nodiscard]] PortKind direction() const {
    return (from == Side::kClient) == is_data() ? PortKind::kUpload : PortKind::kDownload;
  }
};

struct Faults {
  Duration delay = 10ms;
  Duration jitter{};  // added at random, so that datagrams overtake each other
  double loss = 0;    // of any datagram
  double duplicate = 0;
  std::optional<BitRate> rate{};  // of DATA, each way; its queue holds kQueue
};

// What really became of the DATA of one direction.
struct DataTruth {
  std::uint64_t sent = 0;
  std::uint64_t octets = 0;
  std::uint64_t lost = 0;
  std::uint64_t copies = 0;
  std::optional<Instant> last_sent;
};

class PathNetwork {
 public:
  static constexpr Duration kQueue = 50ms;
  using Judge = std::function<bool(const Flight&)>;

  PathNetwork(const Faults& faults, bool single_port, std::uint64_t seed)
      : faults_(faults), single_port_(single_port), random_(seed) {}

  Faults& faults() { return faults_; }
  // Datagrams of which this is true are lost.
  void lose(Judge judge) { judge_ = std::move(judge); }
  // A client's socket has another public port from now on.
  void rebind(PortKind port, std::uint8_t flow) {
    ++generations_[{single_port_ ? PortKind::kControl : port, flow}];
  }
  [[nodiscard]] Endpoint client_end(PortKind port, std::uint8_t flow) const {
    const PortKind kind = single_port_ ? PortKind::kControl : port;
    const auto found = generations_.find({kind, flow});
    const unsigned generation = found == generations_.end() ? 0 : found->second;
    const auto number = 50'000 + index_of(kind) * 1000 + flow * 10U + generation;
    return {kClientEnd.address, {static_cast<std::uint16_t>(number)}};
  }
  [[nodiscard]] Endpoint server_end(PortKind port) const {
    const std::size_t index = single_port_ ? 0 : index_of(port);
    return {kServerEnd.address, {static_cast<std::uint16_t>(7000 + index)}};
  }

  void send(Flight flight) {
    const bool data = flight.is_data();
    DataTruth& truth = truths_[index_of(flight.direction())];
    if (data) {
      ++truth.sent;
      truth.octets += flight.bytes.size();
      truth.last_sent = flight.sent;
    }
    sent_.push_back(flight);
    if (sent_.back().is_data()) sent_.back().bytes.resize(wire::kPathPrefixSize);
    const auto way = way_of(flight);
    const bool wanted = judge_ && judge_(flight);
    if (wanted || random_.chance(faults_.loss) || !way) {
      truth.lost += data ? 1 : 0;
      return;
    }
    const std::uint64_t copies = random_.chance(faults_.duplicate) ? 2 : 1;
    if (data) truth.copies += copies;
    for (std::uint64_t i = 0; i < copies; ++i) {
      const auto extra = static_cast<std::uint64_t>(faults_.jitter.count());
      const Duration late(static_cast<std::int64_t>(extra > 0 ? random_.between(0, extra) : 0));
      arrivals_.emplace(*way + faults_.delay + late, flight);
    }
  }

  [[nodiscard]] std::optional<Instant> next_arrival() const {
    if (arrivals_.empty()) return std::nullopt;
    return arrivals_.begin()->first;
  }
  [[nodiscard]] std::optional<Flight> take(Instant now) {
    if (arrivals_.empty() || arrivals_.begin()->first > now) return std::nullopt;
    Flight flight = std::move(arrivals_.begin()->second);
    arrivals_.erase(arrivals_.begin());
    return flight;
  }

  [[nodiscard]] const DataTruth& truth(PortKind direction) const {
    return truths_[index_of(direction)];
  }
  // All that was ever sent; DATA without what follows its nonce.
  [[nodiscard]] const std::vector<Flight>& sent() const { return sent_; }
  // Datagrams that wait for `socket`, which is no longer anybody's, count as lost there.
  [[nodiscard]] bool reaches_client(const Flight& flight) const {
    return flight.to == client_end(flight.port, flight.flow);
  }

 private:
  // When it leaves the bottleneck's queue; nothing where that is full.
  std::optional<Instant> way_of(const Flight& flight) {
    if (!faults_.rate || !flight.is_data()) return flight.sent;
    Instant& free = free_[flight.from == Side::kClient ? 0 : 1];
    free = std::max(free, flight.sent);
    if (free - flight.sent > kQueue) return std::nullopt;
    free += from_seconds(static_cast<double>(flight.bytes.size()) * 8 / faults_.rate->bps);
    return free;
  }

  Faults faults_;
  bool single_port_;
  base::Random random_;
  Judge judge_;
  std::map<std::pair<PortKind, std::uint8_t>, unsigned> generations_;
  std::multimap<Instant, Flight> arrivals_;
  std::array<Instant, 2> free_{};
  std::array<DataTruth, kPortCount> truths_{};
  std::vector<Flight> sent_;
};

}  // namespace wyndrvr::engine::testing
