// What happened, event by event: a hash of it always, lines of text where someone wants to read it.
//
// Two runs with the same hash did the same things at the same times. Text is made only for a sink.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "sim/clock.hpp"

template <>
struct fmt::formatter<wyndrvr::Endpoint> : fmt::formatter<std::string> {
  auto format(const wyndrvr::Endpoint& endpoint, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(wyndrvr::to_string(endpoint), context);
  }
};

namespace wyndrvr::sim {

class Trace {
 public:
  using Sink = std::function<void(const std::string&)>;

  void set_sink(Sink sink) { sink_ = std::move(sink); }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

  template <class... Args>
  void line(TrueTime at, std::string_view who, fmt::format_string<const Args&...> format,
            const Args&... args) {
    mix(at.time_since_epoch().count());
    mix(who);
    mix(std::string_view(fmt::string_view(format).data(), fmt::string_view(format).size()));
    (mix(args), ...);
    if (!sink_) return;
    sink_(fmt::format("{:>14.9f}  {:<18} {}", to_seconds(at.time_since_epoch()), who,
                      fmt::format(format, args...)));
  }
  // Octets that need no line of their own.
  void mix_bytes(ByteView bytes) {
    std::uint64_t word = 0;
    while (bytes.size() >= sizeof(word)) {
      std::memcpy(&word, bytes.data(), sizeof(word));
      mix(word);
      bytes = bytes.subspan(sizeof(word));
    }
    mix(base::load_big_endian(bytes.data(), bytes.size()));
  }

 private:
  template <std::integral T>
  void mix(T value) {
    hash_ = std::rotl(hash_ ^ static_cast<std::uint64_t>(value), 29) * 0x9e3779b97f4a7c15ULL;
  }
  void mix(double value) { mix(std::bit_cast<std::uint64_t>(value)); }
  void mix(std::string_view text) {
    mix(text.size());
    mix_bytes(as_bytes(text));
  }
  void mix(const Endpoint& endpoint) {
    mix_bytes(std::as_bytes(std::span(endpoint.address.octets)));
    mix(endpoint.port.value);
  }

  std::uint64_t hash_ = 0x5eed;
  Sink sink_;
};

}  // namespace wyndrvr::sim
