#include "engine/connect_race.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

#include "base/check.hpp"

namespace wyndrvr::engine {

std::vector<Endpoint> in_turn_by_family(const std::vector<Endpoint>& servers) {
  if (servers.empty()) return {};
  const IpAddress::Family first = servers.front().address.family;
  std::vector<Endpoint> same;
  std::vector<Endpoint> other;
  for (const Endpoint& server : servers) {
    (server.address.family == first ? same : other).push_back(server);
  }
  std::vector<Endpoint> turns;
  turns.reserve(servers.size());
  for (std::size_t i = 0; i < std::max(same.size(), other.size()); ++i) {
    if (i < same.size()) turns.push_back(same[i]);
    if (i < other.size()) turns.push_back(other[i]);
  }
  return turns;
}

ConnectRace::ConnectRace(const std::vector<Endpoint>& servers,
                         const HandshakeClient::Options& options, Instant now)
    : options_(options) {
  WYNDRVR_CHECK(!servers.empty());
  candidates_.resize(std::min(servers.size(), kMostServers));
  for (std::size_t i = 0; i < candidates_.size(); ++i) candidates_[i].server = servers[i];
  ask_next(now);
}

void ConnectRace::ask_next(Instant now) {
  current_ = asked_++;
  next_start_ = now + kStagger;
  candidates_[current_].handshake.emplace(options_, now);
}

void ConnectRace::on_datagram(Instant now, const Endpoint& from, ByteView datagram) {
  for (std::size_t i = 0; i < asked_; ++i) {
    Candidate& candidate = candidates_[i];
    if (candidate.server != from || !candidate.handshake) continue;
    candidate.handshake->on_datagram(now, datagram);
    look_at(i);
    return;
  }
}

void ConnectRace::on_unreachable(Instant now, const Endpoint& server) {
  const auto asked = std::span(candidates_).first(asked_);
  const auto found = std::ranges::find(asked, server, &Candidate::server);
  if (found == asked.end() || std::exchange(found->unreachable, true)) return;
  if (!answered_ && asked_ < candidates_.size()) ask_next(now);
}

void ConnectRace::on_timer(Instant now) {
  for (std::size_t i = 0; i < asked_; ++i) {
    if (!candidates_[i].handshake) continue;
    candidates_[i].handshake->on_timer(now);
    look_at(i);
  }
  if (!answered_ && asked_ < candidates_.size() && now >= next_start_) ask_next(now);
}

void ConnectRace::look_at(std::size_t index) {
  Candidate& candidate = candidates_[index];
  auto event = candidate.handshake->poll_event();
  if (!event) {
    if (candidate.handshake->has_cookie()) choose(index);
    return;
  }
  if (const auto* silent = std::get_if<HandshakeClient::NoAnswer>(&*event); silent && !answered_) {
    if (silent->spoke_original) spoke_original_ = index;
    candidate.handshake.reset();
    return end_when_done();
  }
  choose(index);
  event_ = std::move(event);
}

void ConnectRace::end_when_done() {
  const bool asking =
      asked_ < candidates_.size() || std::ranges::any_of(candidates_, &Candidate::has_handshake);
  if (asking) return;
  current_ = spoke_original_.value_or(current_);
  event_ = HandshakeClient::NoAnswer{spoke_original_.has_value()};
}

bool ConnectRace::on_impossible(Instant now, const Endpoint& server) {
  const auto found = std::ranges::find(candidates_, server, &Candidate::server);
  if (answered_ || found == candidates_.end() || !found->handshake) return false;
  found->handshake.reset();
  on_unreachable(now, server);
  end_when_done();
  return true;
}

bool ConnectRace::has_cookie() const {
  const auto& handshake = candidates_[current_].handshake;
  return answered_ && handshake && handshake->has_cookie();
}

void ConnectRace::choose(std::size_t index) {
  if (std::exchange(answered_, true)) return;
  current_ = index;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (i != index) candidates_[i].handshake.reset();
  }
}

std::optional<ConnectRace::Sending> ConnectRace::poll_transmit() {
  for (std::size_t i = 0; i < asked_; ++i) {
    Candidate& candidate = candidates_[i];
    if (!candidate.handshake) continue;
    if (const auto bytes = candidate.handshake->poll_transmit()) {
      return Sending{candidate.server, *bytes};
    }
  }
  return std::nullopt;
}

std::optional<HandshakeClient::Event> ConnectRace::poll_event() {
  return std::exchange(event_, std::nullopt);
}

std::optional<Instant> ConnectRace::poll_deadline() const {
  std::optional<Instant> next;
  const auto consider = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (std::size_t i = 0; i < asked_; ++i) {
    if (candidates_[i].handshake) consider(candidates_[i].handshake->poll_deadline());
  }
  if (!answered_ && asked_ < candidates_.size()) consider(next_start_);
  return next;
}

}  // namespace wyndrvr::engine
