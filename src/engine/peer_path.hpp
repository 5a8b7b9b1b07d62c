// Who is at the other end of a port, and how much may be sent there before that is proven.
//
// A client knows its server's endpoint from the start. A server knows only the address that sent
// CONNECT: the UDP port of each path becomes known with the first valid packet and is fixed once a
// HEARTBEAT_2 has echoed our timestamp from it. Until then every datagram sent uses up one that
// came in, and its octets as many that came in, so a spoofed source never gets more than it (was
// made to) send; but once, for the first answer, 0.14 forces kFirstAnswerExcess (adr/0005).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/endpoint.hpp"

namespace wyndrvr::engine {

class PeerPath {
 public:
  // A HEARTBEAT_1 of 0.14's own members, with a time of 17 characters of ours, is longer by so many
  // octets than the shortest HEARTBEAT_0 that it can be the answer to, whatever T is.
  static constexpr std::size_t kFirstAnswerExcess = 47;

  // A path that needs no proof.
  explicit PeerPath(const Endpoint& known) : peer_(known), proven_(true) {}
  // A path from any port of `expected`.
  explicit PeerPath(const IpAddress& expected) : expected_(expected) {}

  [[nodiscard]] bool proven() const { return proven_; }
  [[nodiscard]] const std::optional<Endpoint>& peer() const { return peer_; }

  // False for a stranger: another address, or, on a proven path, another port.
  [[nodiscard]] bool accepts(const Endpoint& from) const {
    return proven_ ? from == *peer_ : from.address == expected_;
  }
  // A valid packet of `octets` has come from `from`.
  void on_valid(const Endpoint& from, std::size_t octets) {
    if (proven_) return;
    peer_ = from;
    credit_ = std::min(credit_ + 1, kMaxCredit);
    octet_credit_ = std::min(octet_credit_ + octets, kMaxOctetCredit);
  }
  void prove(const Endpoint& from) {
    peer_ = from;
    proven_ = true;
  }
  // Whether a packet of up to `octets` may leave.
  [[nodiscard]] bool may_send(std::size_t octets) const {
    return proven_ || (credit_ > 0 && octet_credit_ >= octets);
  }
  void on_sent(std::size_t octets) {
    if (proven_) return;
    credit_ -= std::min<std::uint32_t>(credit_, 1);
    octet_credit_ -= std::min(octet_credit_, octets);
  }

 private:
  // Datagrams; replies come at once, so more is never saved up for long.
  static constexpr std::uint32_t kMaxCredit = 64;
  static constexpr std::size_t kMaxOctetCredit = 65'536;

  std::optional<Endpoint> peer_;
  IpAddress expected_;
  std::uint32_t credit_ = 0;
  std::size_t octet_credit_ = kFirstAnswerExcess;
  bool proven_ = false;
};

}  // namespace wyndrvr::engine
