#include "sim/address_budget.hpp"

namespace wyndrvr::sim {

void AddressBudget::on_sent(const IpAddress& to) {
  Account& account = accounts_[to];
  if (account.proven_ports > 0) return;
  ++account.sent_unproven;
  if (account.sent_unproven <= account.received) return;
  environment_.findings.add(environment_.queue.now(),
                            "server: {} datagrams to the unproven address {}, which sent {}",
                            account.sent_unproven, to_string(to), account.received);
}

void AddressBudget::on_session_over(const IpAddress& address, unsigned proven_ports) {
  Account& account = accounts_[address];
  account.proven_ports -= proven_ports;
}

}  // namespace wyndrvr::sim
