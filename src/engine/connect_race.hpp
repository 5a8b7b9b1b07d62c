// A client asks all addresses of a server's name, and the first that answers is the server.
//
// The addresses are asked one after another, kStagger apart, those of the two families in turn
// (RFC 8305, Happy Eyeballs); one that the network says cannot be reached makes way for the next at
// once. Each is asked by a handshake of its own, and goes on being asked while the others begin:
// the live one behind n dead ones answers after n * kStagger and a round trip. Once one has
// answered, the others are left alone: nobody has a session for us but in 0.14, where a server
// gives its ports back by itself. Pure; `now` is an argument. No allocation after construction.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "engine/handshake_client.hpp"

namespace wyndrvr::engine {

// The families in turn, beginning with that of the first; each in the order that it has.
[[nodiscard]] std::vector<Endpoint> in_turn_by_family(const std::vector<Endpoint>& servers);

class ConnectRace {
 public:
  // RFC 8305 section 5, the recommended Connection Attempt Delay.
  static constexpr Duration kStagger = 250ms;
  // Addresses of one name that are asked; the last of so many begins after 64 s.
  static constexpr std::size_t kMostServers = 256;

  // `servers`: in the order in which they are to be asked, at least one; beyond kMostServers none
  // is.
  ConnectRace(const std::vector<Endpoint>& servers, const HandshakeClient::Options& options,
              Instant now);

  // From any address; of those that are not asked nothing is heeded.
  void on_datagram(Instant now, const Endpoint& from, ByteView datagram);
  // The network says that it cannot be reached, now or at all: it goes on being asked.
  void on_unreachable(Instant now, const Endpoint& server);
  // This host cannot send to it, and never will: it is not asked any more. False: it was not asked.
  bool on_impossible(Instant now, const Endpoint& server);
  void on_timer(Instant now);

  struct Sending {
    Endpoint to;
    ByteView bytes;  // valid until the next call
  };
  [[nodiscard]] std::optional<Sending> poll_transmit();
  // NoAnswer: of all of them.
  [[nodiscard]] std::optional<HandshakeClient::Event> poll_event();
  [[nodiscard]] std::optional<Instant> poll_deadline() const;

  // Who has answered; else who was asked last.
  [[nodiscard]] const Endpoint& current() const { return candidates_[current_].server; }
  [[nodiscard]] bool answered() const { return answered_; }
  // Some server has answered with a cookie: from now on, only that one counts.
  [[nodiscard]] bool has_cookie() const;
  // Of how many addresses so many have been asked.
  [[nodiscard]] std::size_t asked() const { return asked_; }
  [[nodiscard]] std::size_t size() const { return candidates_.size(); }

 private:
  struct Candidate {
    Endpoint server;
    std::optional<HandshakeClient> handshake;  // while it is asked
    bool unreachable = false;
    [[nodiscard]] bool has_handshake() const { return handshake.has_value(); }
  };

  void ask_next(Instant now);
  // What has happened to that candidate.
  void look_at(std::size_t index);
  // Nobody has answered, where nobody is left to be asked.
  void end_when_done();
  void choose(std::size_t index);

  HandshakeClient::Options options_;
  std::vector<Candidate> candidates_;
  std::size_t asked_ = 0;  // the first so many
  Instant next_start_;     // of the next one, while there is one
  std::size_t current_ = 0;
  bool answered_ = false;
  std::optional<std::size_t> spoke_original_;  // who does, where that was not to be spoken
  std::optional<HandshakeClient::Event> event_;
};

}  // namespace wyndrvr::engine
