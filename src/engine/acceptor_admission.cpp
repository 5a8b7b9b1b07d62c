// The acceptor's part in dialect 1: from a datagram of the handshake to a session, and CLOSE.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <variant>

#include "base/bytes.hpp"
#include "engine/acceptor.hpp"
#include "engine/overloaded.hpp"
#include "engine/session_answers.hpp"

namespace wyndrvr::engine {
namespace {

using wire::RefuseReason;

Report report_of_limit(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kNoFreePorts:
      return PortsExhausted{};
    case RefuseReason::kBusy:
      return LimitReached{"total rate"};
    case RefuseReason::kAddressLimit:
      return LimitReached{"address limit"};
    case RefuseReason::kNetworkLimit:
      return LimitReached{"network limit"};
    default:
      return LimitReached{"server full"};
  }
}

std::optional<std::uint32_t> key_id_of(const crypto::Key* key) {
  return key == nullptr ? std::nullopt : std::optional(key->id);
}

}  // namespace

void Acceptor::on_handshake(Instant now, const Way& back, ByteView bytes) {
  const HandshakeServer::Step step = handshake_.on_datagram(now, back.to, bytes);
  std::visit(Overloaded{
                 [&](wire::DropReason) { ++ignored_; },
                 [&](const HandshakeAnswer& answer) { send_answer(back, answer); },
                 [&](const Admission& admission) { on_open(now, Request{back, admission}); },
                 [&](const wire::Close& close) { on_close(back.to, close); },
             },
             step);
}

void Acceptor::on_open(Instant now, const Request& request) {
  const wire::Nonce& nonce = request.admission.client_nonce;
  const auto last = by_opener_.find(Opener{request.back.to, key_id_of(request.admission.key)});
  if (last == by_opener_.end()) return admit(now, request, std::nullopt);
  Session& session = sessions_.at(last->second.value);
  const wire::Nonce last_nonce = session.setup.path->handshake.client_nonce;
  if (nonce == last_nonce) {
    // Not bound yet: the answer is on its way. Ending: it would name ports that are going.
    if (!session.bound || session.ending) {
      ++ignored_;
    } else {
      send_grant(session);
    }
  } else if (session.superseded == nonce) {
    ++ignored_;  // a late copy must not end the run that came after it
  } else {
    end(session, SessionEnd::kClosed);
    admit(now, request, last_nonce);
  }
}

void Acceptor::admit(Instant now, const Request& request, std::optional<wire::Nonce> superseded) {
  if (sessions_.size() >= config_.limits.max_sessions) {
    const bool come_back = make_room(now);
    return refuse_open(request, RefuseReason::kServerFull,
                       come_back ? std::optional(kRoomComesBackAfter) : std::nullopt);
  }
  if (const auto limit = find_limit(request.back.to.address)) return refuse_open(request, *limit);
  const Admission& admission = request.admission;
  const std::optional<TestTerms> terms = rates_.grant(wanted_terms(admission));
  if (!terms) {
    evict_overdue(now);
    return refuse_open(request, RefuseReason::kBusy,
                       rates_.come_again_after(
                           now + (config_.limits.proof_timeout + kSessionMargin) - kUsualDelay));
  }
  Session session;
  session.setup.id = {next_id_++};
  session.setup.client = request.back.to;
  session.setup.local = request.back.from;
  session.setup.path = make_path(admission, *terms);
  session.setup.clients = clients_;
  session.traffic_class = without_ecn(terms->traffic_class);
  session.created = now;
  session.unproven = unproven_.end();
  session.key = admission.key;
  session.superseded = superseded;
  if (!take_ports(now, session.setup)) {
    const bool come_back = make_room(now);
    return refuse_open(request, RefuseReason::kNoFreePorts,
                       come_back ? std::optional(kRoomComesBackAfter) : std::nullopt);
  }
  const SessionId id = session.setup.id;
  by_opener_[Opener{request.back.to, key_id_of(admission.key)}] = id;
  // Where two numbers were ever the same, the second one's CLOSE would not be heeded.
  by_number_.emplace(session.setup.path->handshake.session, id);
  rates_.enter(id.value, *terms,
               now + config_.limits.proof_timeout + terms->duration + kSessionMargin);
  keep(std::move(session));
}

std::optional<RefuseReason> Acceptor::find_limit(const IpAddress& address) const {
  const ServerLimits& limits = config_.limits;
  // Those that are not proven do not count: with forged ones anybody could keep the client out.
  if (holding_of(per_address_, address).real >= limits.max_sessions_per_address) {
    return RefuseReason::kAddressLimit;
  }
  if (holding_of(per_network_, network_of(address).address).real >=
      limits.max_sessions_per_network) {
    return RefuseReason::kNetworkLimit;
  }
  return std::nullopt;
}

TestTerms Acceptor::wanted_terms(const Admission& admission) const {
  TestTerms terms = restrict(terms_of(admission.wanted, TestTerms{}), config_.limits);
  terms.data_tags = terms.data_tags && admission.key != nullptr;
  return terms;
}

PathSetup Acceptor::make_path(const Admission& admission, const TestTerms& terms) {
  PathSetup path;
  path.handshake.client_nonce = admission.client_nonce;
  fill_random_(path.handshake.server_nonce);
  path.handshake.session = draw();
  fill_random_(path.path_secret.writable());
  if (admission.key != nullptr) {
    path.keys = crypto::derive_session_keys(*admission.key, path.handshake);
  }
  path.terms = terms;
  return path;
}

// The route is known only once the ports are bound; GRANT has not been sent before that.
void Acceptor::restrict_payload(PathSetup& path, std::optional<std::uint32_t> max_payload) {
  if (!max_payload || path.terms.fragment) return;
  constexpr auto kLeast = static_cast<std::uint32_t>(wire::SessionFields::kMinPayload.value);
  path.terms.payload_bytes = std::min(path.terms.payload_bytes, std::max(*max_payload, kLeast));
}

// --- the end ---

void Acceptor::on_close(const Endpoint& from, const wire::Close& close) {
  const auto found = by_number_.find(close.session.value);
  if (found == by_number_.end()) {
    ++ignored_;
    return;
  }
  Session& session = sessions_.at(found->second.value);
  if (session.ending) return;  // it is said more than once
  if (!is_authentic(close, from, *session.setup.path, session.setup.client)) {
    ++ignored_;
    return;
  }
  end(session, SessionEnd::kClosed);
}

// A session whose ports are being bound is not known to the host yet: on_bound says it then.
void Acceptor::end(Session& session, SessionEnd reason) {
  if (session.ending) return;
  if (reason == SessionEnd::kEvicted && session.setup.path) {
    send_close(session, wire::CloseReason::kEvicted, "");
  }
  session.ending = reason;
  rates_.leave(session.setup.id.value);
  if (session.bound) effects_.emplace_back(EndSession{session.setup.id, reason});
}

// Whoever holds on to a share of the rate for ever would make the server busy for ever.
void Acceptor::evict_overdue(Instant now) {
  const auto overdue = rates_.find_overdue(now);
  if (overdue) end(sessions_.at(*overdue), SessionEnd::kEvicted);
}

void Acceptor::tell_all_closing() {
  if (std::exchange(said_closing_, true)) return;
  for (const auto& [id, session] : sessions_) {
    if (session.setup.path) send_close(session, wire::CloseReason::kServerStops, "");
  }
}

void Acceptor::forget_path(const Session& session) {
  const SessionSetup& setup = session.setup;
  rates_.leave(setup.id.value);
  const auto run = by_opener_.find(Opener{setup.client, key_id_of(session.key)});
  if (run != by_opener_.end() && run->second == setup.id) by_opener_.erase(run);
  const auto number = by_number_.find(setup.path->handshake.session);
  if (number != by_number_.end() && number->second == setup.id) by_number_.erase(number);
}

// --- answers ---

void Acceptor::refuse_open(const Request& request, RefuseReason reason,
                           std::optional<Duration> come_again_after) {
  ++refused_;
  send_answer(request.back, make_refusal(request.admission.client_nonce, reason, come_again_after,
                                         request.admission.key));
  report_limit(report_of_limit(reason));
}

void Acceptor::refuse_after_all(const Session& session, RefuseReason reason) {
  ++refused_;
  send_answer(way_to(session),
              make_refusal(session.setup.path->handshake.client_nonce, reason, {}, session.key));
}

void Acceptor::send_grant(const Session& session) {
  const SessionSetup& setup = session.setup;
  send_answer(way_to(session), make_grant(*setup.path, setup.ports));
}

// Only who has the GRANT knows the session, and who has closed it does not listen any more.
void Acceptor::send_close(const Session& session, wire::CloseReason reason, std::string_view text) {
  if (!session.bound || session.ending == SessionEnd::kClosed) return;
  const SessionSetup& setup = session.setup;
  send_answer(way_to(session), make_close(*setup.path, reason, text));
}

void Acceptor::send_answer(const Way& back, const HandshakeAnswer& answer) {
  SendFromMain effect{.to = back.to, .from = back.from};
  effect.traffic_class = back.traffic_class;
  std::ranges::copy(answer.view(), effect.bytes.begin());
  effect.size = answer.size;
  effects_.emplace_back(effect);
}

}  // namespace wyndrvr::engine
