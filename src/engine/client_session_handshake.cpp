// Dialect 1's part of the main port: the handshake, and CLOSE (docs/PROTOCOL.md, "Main port"). The
// rest is in client_session.cpp.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "crypto/blake2b.hpp"
#include "engine/client_session.hpp"
#include "engine/overloaded.hpp"

namespace wyndrvr::engine {
namespace {

constexpr Duration kAttemptInterval = 1s;

std::string_view text_of(wire::RefuseReason reason, bool has_key) {
  using enum wire::RefuseReason;
  if (!has_key && (reason == kUnknownKey || reason == kWrongMac)) {
    return "the server says that the key is wrong, but none was given";
  }
  switch (reason) {
    case kBusy:
      return "busy with the tests of others";
    case kServerFull:
      return "too many clients at once";
    case kAddressLimit:
      return "too many clients from this address";
    case kNetworkLimit:
      return "too many clients from this network";
    case kNoFreePorts:
      return "no free ports";
    case kNoWorker:
      return "the server cannot start what a client needs";
    case kNotAllowed:
      return "this address is not allowed";
    case kKeyNeeded:
      return "a key is needed: give one with --key-file";
    case kUnknownKey:
      return "the server does not know this key's id";
    case kWrongMac:
      return "the server has another key under this id";
    case kUnknownDialect:
      return "the server does not speak this dialect";
  }
  return "for a reason unknown here";
}

std::string_view text_of(wire::CloseReason reason) {
  using enum wire::CloseReason;
  switch (reason) {
    case kDone:
      return "done";
    case kInterrupted:
      return "interrupted";
    case kPartLost:
      return "a part of it was lost";
    case kEvicted:
      return "it made room for another client";
    case kServerStops:
      return "it stops";
    case kTimeOver:
      return "its time is over (max_session_duration)";
  }
  return "no cause given";
}

// As the fields of OPEN say it: what is granted is compared with that, and not with more digits
// than were sent.
TestTerms as_sent(TestTerms terms) {
  using wire::SessionFields;
  const Duration rounded = std::chrono::round<std::chrono::milliseconds>(terms.duration);
  terms.duration = std::clamp(rounded, SessionFields::kMinDuration, SessionFields::kMaxDuration);
  if (terms.rate) {
    terms.rate =
        std::clamp(BitRate{std::round(terms.rate->bps)}, BitRate{1}, SessionFields::kMaxRate);
  }
  return terms;
}

// What was cut, for people; empty where all was granted.
std::string restrictions(const TestTerms& wanted, const TestTerms& granted) {
  std::string text;
  const auto add = [&text](std::string what) {
    text += (text.empty() ? "" : ", ") + std::move(what);
  };
  if (granted.duration < wanted.duration) {
    add(fmt::format("{:.6g} s of the {:.6g} s asked for", to_seconds(granted.duration),
                    to_seconds(wanted.duration)));
  }
  if (granted.rate && (!wanted.rate || *granted.rate < *wanted.rate)) {
    add(fmt::format("at most {:.6g} Mbit/s", granted.rate->bps / 1e6));
  }
  if (granted.payload_bytes < wanted.payload_bytes) {
    add(fmt::format("{} of the {} octets of payload asked for", granted.payload_bytes,
                    wanted.payload_bytes));
  }
  if (granted.streams < wanted.streams) {
    add(fmt::format("{} of the {} streams asked for", granted.streams, wanted.streams));
  }
  if (granted.octets && (!wanted.octets || *granted.octets < *wanted.octets)) {
    add(fmt::format("at most {} octets in each direction", granted.octets->value));
  }
  return text;
}

// A server restricts; it may not ask for more, or for something else.
bool within(const TestTerms& granted, const TestTerms& wanted) {
  return granted.directions == wanted.directions && granted.duration <= wanted.duration &&
         granted.payload_bytes <= wanted.payload_bytes && granted.streams <= wanted.streams &&
         granted.streams >= 1 && granted.reliable == wanted.reliable &&
         granted.single_port == wanted.single_port && granted.data_tags == wanted.data_tags &&
         granted.fragment == wanted.fragment && granted.traffic_class == wanted.traffic_class &&
         (!wanted.rate || (granted.rate && *granted.rate <= *wanted.rate)) &&
         (!wanted.octets || (granted.octets && *granted.octets <= *wanted.octets));
}

HandshakeClient::Dialects dialects_of(DialectChoice choice) {
  switch (choice) {
    case DialectChoice::kAuto:
      return HandshakeClient::Dialects::kAuto;
    case DialectChoice::kOne:
      return HandshakeClient::Dialects::kOneOnly;
    case DialectChoice::kOriginal:
      break;
  }
  return HandshakeClient::Dialects::kOriginalOnly;
}

}  // namespace

void ClientSession::begin_handshake(Instant now) {
  config_.terms = as_sent(config_.terms);
  handshake_.emplace(config_.servers,
                     HandshakeClient::Options{.nonce = config_.nonce,
                                              .wanted = fields_of(config_.terms),
                                              .key = config_.key ? &*config_.key : nullptr,
                                              .dialects = dialects_of(config_.dialect),
                                              .seed = random_()},
                     now);
  next_attempt_ = now;
  tell_of_attempt(now);
  pump_handshake(now);
}

unsigned ClientSession::most_attempts() const {
  return config_.dialect == DialectChoice::kOriginal ? kConnectAttempts : kHandshakeAttempts;
}

// Once a second, until somebody answers.
void ClientSession::tell_of_attempt(Instant now) {
  if (!handshake_ || !next_attempt_ || now < *next_attempt_) return;
  next_attempt_ = now + kAttemptInterval;
  attempt_ = std::min(attempt_ + 1, most_attempts());
  told_server_ = handshake_->current();
  report(Connecting{*told_server_, attempt_, most_attempts(),
                    static_cast<std::uint32_t>(handshake_->asked()),
                    static_cast<std::uint32_t>(handshake_->size())});
}

void ClientSession::tell_server() {
  if (told_server_ == server_) return;
  told_server_ = server_;
  report(Connecting{server_, 1, most_attempts()});
}

void ClientSession::pump_handshake(Instant now) {
  while (const auto sending = handshake_->poll_transmit()) send_main(sending->to, sending->bytes);
  // The first event may end the handshake, and all that there is to say of it.
  while (handshake_) {
    const auto event = handshake_->poll_event();
    if (handshake_->answered()) {
      server_ = handshake_->current();
      tell_server();
    }
    if (!event) return;
    on_handshake(now, *event);
  }
}

void ClientSession::on_handshake_datagram(Instant now, const Endpoint& from, ByteView bytes) {
  handshake_->on_datagram(now, from, bytes);
  pump_handshake(now);
}

void ClientSession::on_handshake(Instant now, const HandshakeClient::Event& event) {
  std::visit(Overloaded{
                 [&](const HandshakeClient::Granted& granted) { on_granted(now, granted); },
                 [&](const HandshakeClient::FellBack& it) { on_fell_back(now, it.assignment); },
                 [&](const HandshakeClient::Refused& it) {
                   result_.server = server_;
                   result_.dialect = Dialect::kOne;
                   refuse(now, std::string(text_of(it.reason, config_.key.has_value())));
                 },
                 [&](const HandshakeClient::RefusedByOld& it) {
                   result_.dialect = Dialect::kOriginal;
                   on_refusal(now, server_, {it.reason});
                 },
                 [&](const HandshakeClient::NoAnswer& it) {
                   if (!it.spoke_original) return on_no_answer(now);
                   server_ = handshake_->current();
                   result_.server = server_;
                   fail(now, ProblemCode::kNoAnswer,
                        fmt::format("{} answers in protocol 0.14 only: it has no dialect 1, and no "
                                    "keys",
                                    to_string(server_)));
                 },
                 [&](const HandshakeClient::Busy& busy) { on_busy(now, busy); },
             },
             event);
}

void ClientSession::on_granted(Instant now, const HandshakeClient::Granted& granted) {
  const wire::Grant& grant = granted.grant;
  TestTerms terms = terms_of(grant.granted, config_.terms);
  terms.adaptive = config_.terms.adaptive;
  result_.dialect = Dialect::kOne;
  next_attempt_.reset();
  PathSetup setup;
  setup.handshake = {config_.nonce, grant.server_nonce, grant.session.value};
  setup.keys = granted.keys;
  setup.terms = terms;
  setup_ = setup;
  session_ = grant.session;
  assignment_ = wire::Assignment{grant.ports.control, grant.ports.upload, grant.ports.download, 0};
  handshake_.reset();
  if (!within(terms, config_.terms)) {
    result_.server = server_;
    fail(now, ProblemCode::kRefused, "the server granted what was not asked for");
    return;
  }
  if (terms.directions != wire::Directions::kLatencyOnly) {
    const std::string cut = restrictions(config_.terms, terms);
    if (!cut.empty()) {
      add_problem(ProblemCode::kReceiverShrunk, fmt::format("the server granted {}", cut));
    }
  }
  open_ports();
}

void ClientSession::on_fell_back(Instant now, const wire::Assignment& assignment) {
  handshake_.reset();
  next_attempt_.reset();
  result_.dialect = Dialect::kOriginal;
  if (config_.dialect != DialectChoice::kOriginal && !config_.not_in_original.empty()) {
    result_.server = server_;
    fail(now, ProblemCode::kNotInOriginal,
         fmt::format("the server speaks protocol 0.14 only, which does not have {}",
                     config_.not_in_original));
    return;
  }
  on_assignment(now, server_, assignment);
}

void ClientSession::on_busy(Instant now, const HandshakeClient::Busy& busy) {
  if (!busy_since_) busy_since_ = now;
  const Duration waited = now - *busy_since_;
  if (waited + busy.asking_again_in > kBusyPatience) {
    handshake_.reset();
    refuse(now, std::string(text_of(wire::RefuseReason::kBusy, config_.key.has_value())));
    return;
  }
  next_attempt_ = now + busy.asking_again_in + kAttemptInterval;
  attempt_ = 0;
  report(ServerBusy{busy.asking_again_in, busy.come_again_after, waited});
}

// --- CLOSE ---

void ClientSession::on_main_in_session(Instant now, const Endpoint& from, ByteView bytes) {
  if (from != server_) return;
  const auto packet = wire::parse_from_server(bytes);
  if (!packet) return;
  if (const auto* close = std::get_if<wire::Close>(&*packet)) on_close(now, *close);
}

void ClientSession::on_close(Instant now, const wire::Close& close) {
  // Later there is a result, or an end already.
  if (state_ < State::kOpening || state_ > State::kAwaiting) return;
  if (close.client_nonce != config_.nonce || close.session != session_) return;
  if (setup_->keys) {
    if (!close.signature) return;
    const crypto::Mac expected =
        crypto::packet_mac(setup_->keys->server_to_client, Port{0}, close.signature->signed_part);
    if (!crypto::equal(expected, close.signature->mac)) return;
  }
  const std::string_view text = close.text.view();
  fail(
      now, ProblemCode::kServerFailed,
      fmt::format("the server ended the session: {}", text.empty() ? text_of(close.reason) : text));
}

void ClientSession::send_close(Instant now) {
  wire::Close close;
  close.client_nonce = config_.nonce;
  close.session = session_;
  close.reason = result_.valid ? wire::CloseReason::kDone : wire::CloseReason::kInterrupted;
  if (setup_->keys) close.signature.emplace();
  std::array<std::byte, wire::kMaxHandshakeSize> bytes{};
  const std::size_t size = wire::write_handshake(bytes, close, wire::Sender::kClient);
  const MutableByteView written = MutableByteView(bytes).first(size);
  if (setup_->keys) {
    wire::set_mac(written, crypto::packet_mac(setup_->keys->client_to_server, Port{0},
                                              wire::signed_part(written)));
  }
  send_main(server_, written);
  if (closes_left_ > 0) --closes_left_;
  next_close_ = now + kCloseInterval;
  if (closes_left_ == 0) finish_when_reported();
}

}  // namespace wyndrvr::engine
