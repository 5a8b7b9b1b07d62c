// Checks what a spoofed source can make the server do, as long as nothing has been proven at its
// address: in 0.14 no more datagrams than came from it, in dialect 1 no more octets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "sim/environment.hpp"

namespace wyndrvr::sim {

class AddressBudget {
 public:
  explicit AddressBudget(Environment& environment) : environment_(environment) {}

  void on_received(const IpAddress& from, std::size_t octets);
  void on_sent(const IpAddress& to, ByteView datagram);
  // A port of a session with that address was proven; such a session ended.
  void on_proven(const IpAddress& address) { ++accounts_[address].proven_ports; }
  void on_session_over(const IpAddress& address, unsigned proven_ports);

 private:
  struct Account {
    std::uint64_t received = 0;
    std::uint64_t sent_unproven = 0;  // 0.14
    std::uint64_t octets_received = 0;
    std::uint64_t octets_sent_unproven = 0;  // dialect 1
    unsigned proven_ports = 0;
  };

  Environment& environment_;
  std::map<IpAddress, Account> accounts_;
};

}  // namespace wyndrvr::sim
