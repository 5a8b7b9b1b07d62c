// Checks that the server never sends more datagrams to an address than came from it, as long as
// nothing has been proven there: what a spoofed source can make the server do.
#pragma once

#include <cstdint>
#include <map>

#include "base/endpoint.hpp"
#include "sim/environment.hpp"

namespace wyndrvr::sim {

class AddressBudget {
 public:
  explicit AddressBudget(Environment& environment) : environment_(environment) {}

  void on_received(const IpAddress& from) { ++accounts_[from].received; }
  void on_sent(const IpAddress& to);
  // A port of a session with that address was proven; such a session ended.
  void on_proven(const IpAddress& address) { ++accounts_[address].proven_ports; }
  void on_session_over(const IpAddress& address, unsigned proven_ports);

 private:
  struct Account {
    std::uint64_t received = 0;
    std::uint64_t sent_unproven = 0;
    unsigned proven_ports = 0;
  };

  Environment& environment_;
  std::map<IpAddress, Account> accounts_;
};

}  // namespace wyndrvr::sim
