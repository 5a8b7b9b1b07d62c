// From what the kernel says of a datagram that did not get through to the cause in the engine's
// terms. Pure.
#pragma once

#include <optional>

#include "base/endpoint.hpp"
#include "engine/unreachable.hpp"
#include "os/transmit_stamps.hpp"

namespace wyndrvr::runtime {

// A send failed with this errno: the datagram has not left this host.
[[nodiscard]] engine::Unreachable cause_of_send_error(int error);

// An ICMP error. `local`: this host's address towards the peer, where it is known: an error that
// comes from there is this host's own.
[[nodiscard]] engine::Unreachable cause_of_icmp(const os::PeerUnreachable& error,
                                                const std::optional<IpAddress>& local);

}  // namespace wyndrvr::runtime
