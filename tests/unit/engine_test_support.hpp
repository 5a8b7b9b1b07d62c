// What the tests of src/engine share: made-up instants and addresses, and datagrams built by hand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/mail.hpp"
#include "engine/message.hpp"
#include "wire/header.hpp"

namespace wyndrvr::engine::testing {

// When every test begins; no more than "some time after zero".
inline constexpr Instant kStart{1000s};

inline IpAddress address(std::string_view text) {
  return parse_ip(text).value();
}
inline Endpoint endpoint(std::string_view text, std::uint16_t port) {
  return {address(text), {port}};
}
inline const Endpoint kClientEnd = endpoint("192.0.2.1", 50'000);
inline const Endpoint kServerEnd = endpoint("192.0.2.9", 7000);
inline const Endpoint kStrangerEnd = endpoint("203.0.113.66", 50'000);

// A packet with a body that is text.
inline std::string packet(const wire::Header& header, std::string_view body) {
  std::array<std::byte, wire::kHeaderSize> out{};
  wire::write_header(out.data(), header);
  return std::string(as_text(out)) + std::string(body);
}

// `bytes` must outlive the datagram.
inline Datagram datagram(std::string_view bytes, const Endpoint& from, Instant arrival) {
  Datagram result;
  result.bytes = as_bytes(bytes);
  result.from = from;
  result.arrival = arrival;
  return result;
}

inline std::vector<Outgoing> take_all(Mail& mail) {
  std::vector<Outgoing> all;
  while (auto outgoing = mail.pop()) all.push_back(std::move(*outgoing));
  return all;
}

// The only message of a kind among several; nothing where there is none or more than one.
template <class Wanted>
std::optional<Wanted> only(const std::vector<Outgoing>& mail) {
  std::optional<Wanted> found;
  for (const Outgoing& outgoing : mail) {
    const auto* message = std::get_if<Wanted>(&outgoing.message);
    if (message == nullptr) continue;
    if (found) return std::nullopt;
    found = *message;
  }
  return found;
}

template <class Wanted>
std::size_t count_of(const std::vector<Outgoing>& mail) {
  std::size_t count = 0;
  for (const Outgoing& outgoing : mail) {
    count += std::holds_alternative<Wanted>(outgoing.message) ? 1 : 0;
  }
  return count;
}

}  // namespace wyndrvr::engine::testing
