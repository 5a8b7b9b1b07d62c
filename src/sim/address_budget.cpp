#include "sim/address_budget.hpp"

#include "wire/path_packet.hpp"

namespace wyndrvr::sim {
namespace {

// Of dialect 1: a datagram of the three ports, or the main port's with our magic.
bool is_of_dialect_one(ByteView datagram) {
  return wire::path_type(datagram).has_value() || as_text(datagram).starts_with("WYNDRVR");
}

}  // namespace

void AddressBudget::on_received(const IpAddress& from, std::size_t octets) {
  Account& account = accounts_[from];
  ++account.received;
  account.octets_received += octets;
}

void AddressBudget::on_sent(const IpAddress& to, ByteView datagram) {
  Account& account = accounts_[to];
  if (account.proven_ports > 0) return;
  if (is_of_dialect_one(datagram)) {
    account.octets_sent_unproven += datagram.size();
    if (account.octets_sent_unproven <= account.octets_received) return;
    environment_.findings.add(environment_.queue.now(),
                              "server: {} octets to the unproven address {}, which sent {}",
                              account.octets_sent_unproven, to_string(to), account.octets_received);
    return;
  }
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
