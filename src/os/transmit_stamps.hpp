// Matches the kernel's transmit stamps with the datagrams that they belong to, by counting.
//
// Kernels before 6.13 number the stamped datagrams of a socket themselves (SOF_TIMESTAMPING_OPT_ID)
// and return that number, so this ledger counts along. Later ones return a number of the
// caller's choice and need no ledger. Pure; not thread-safe; fixed memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/endpoint.hpp"
#include "base/time.hpp"

namespace wyndrvr::os {

// When the datagram sent with `token` was handed to the network device.
struct TransmitStamp {
  std::uint32_t token = 0;
  Instant departure;
};

// What an ICMP error says, of either family.
enum class IcmpError : std::uint8_t { kPort, kProtocol, kNet, kHost, kProhibited, kTime, kOther };

// An ICMP error that one of our datagrams caused.
struct PeerUnreachable {
  int error = 0;  // errno, such as ECONNREFUSED
  Endpoint peer;  // where the datagram was going
  IcmpError icmp = IcmpError::kOther;
  std::optional<IpAddress> by{};  // who sent it; this host where it could not hand it on
};

// ICMP's "fragmentation needed" (RFC 1191) or "packet too big" (RFC 4443) about a datagram of ours.
struct PacketTooBig {
  Endpoint peer;          // where the datagram was going
  std::uint32_t mtu = 0;  // of the link, as the message says; 0: it does not
};

class StampLedger {
 public:
  // Stamps that may be outstanding; an older one is given up.
  static constexpr std::size_t kCapacity = 64;

  // A stamped datagram was accepted by the kernel; `before_send` is a time just before that.
  void record(std::uint32_t token, WallTime before_send) {
    entries_[next_id_ % kCapacity] = Entry{next_id_, token, before_send};
    ++next_id_;
  }
  // The token of the kernel's number, once. Nothing for a number that is unknown, or a stamp older
  // than its datagram: that is one from before a restart.
  [[nodiscard]] std::optional<std::uint32_t> take(std::uint32_t id, WallTime stamp) {
    auto& entry = entries_[id % kCapacity];
    if (!entry || entry->id != id || stamp < entry->before_send) return std::nullopt;
    const std::uint32_t token = entry->token;
    entry.reset();
    return token;
  }
  // The kernel's count was set back to zero; what is outstanding is given up.
  void restart() { *this = {}; }

 private:
  struct Entry {
    std::uint32_t id = 0;
    std::uint32_t token = 0;
    WallTime before_send;
  };
  std::array<std::optional<Entry>, kCapacity> entries_{};
  std::uint32_t next_id_ = 0;
};

}  // namespace wyndrvr::os
