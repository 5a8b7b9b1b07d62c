#include "engine/handshake_client.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "crypto/blake2b.hpp"
#include "engine/overloaded.hpp"

namespace wyndrvr::engine {
namespace {

using wire::RefuseReason;

// A forwarding NAT may change the main port's number, so MACs do not cover it.
constexpr Port kMainPortInMac{0};

// What a server has to say to somebody it cannot authenticate.
bool may_be_unsigned(RefuseReason reason) {
  return reason == RefuseReason::kUnknownKey || reason == RefuseReason::kWrongMac ||
         reason == RefuseReason::kUnknownDialect;
}

}  // namespace

HandshakeClient::HandshakeClient(const Options& options, Instant now)
    : options_(options), random_(options.seed) {
  begin(Step::kHello, now);
  send(now);
}

void HandshakeClient::begin(Step step, Instant at) {
  step_ = step;
  sendings_ = 0;
  wait_ = original_only() ? kConnectInterval : kFirstWait;
  next_ = at;
}

void HandshakeClient::on_timer(Instant now) {
  if (step_ == Step::kDone) return;
  if (doubtful_ && now >= doubtful_until_) {
    finish(Refused{*doubtful_});
  } else if (now < next_) {
    return;
  } else if (sendings_ < most_sendings()) {
    send(now);
  } else {
    finish(NoAnswer{spoke_original_});
  }
}

void HandshakeClient::send(Instant now) {
  ++sendings_;
  waits_ = false;
  next_ = now + wait_;
  if (original_only()) return write_connect();
  wait_ = std::min(2 * wait_, kLongestWait);
  if (step_ == Step::kOpen) {
    const bool ask_again = sendings_ >= kHelloAgainFrom && sendings_ % kHelloAgainEvery == 0;
    return ask_again ? write_hello() : write_open();
  }
  if (may_fall_back() && sendings_ >= kConnectFrom && sendings_ % 2 == 0) {
    write_connect();
  } else {
    write_hello();
  }
}

void HandshakeClient::write_connect() {
  std::memcpy(out_.data(), wire::kConnect.data(), wire::kConnect.size());
  out_size_ = wire::kConnect.size();
}

void HandshakeClient::write_hello() {
  out_size_ = wire::write_handshake(out_, wire::Hello{options_.nonce});
}

void HandshakeClient::write_open() {
  wire::Open open{options_.nonce, cookie_, options_.wanted, std::nullopt};
  if (options_.key != nullptr) open.proof.emplace(wire::KeyProof{{options_.key->id}, {}});
  out_size_ = wire::write_handshake(out_, open);
  if (options_.key == nullptr) return;
  const MutableByteView written = MutableByteView(out_).first(out_size_);
  wire::set_mac(written, crypto::open_mac(crypto::derive_open_key(*options_.key),
                                          wire::signed_part(written)));
}

void HandshakeClient::on_datagram(Instant now, ByteView datagram) {
  if (step_ == Step::kDone) return;
  if (original_only()) return on_old_answer(datagram);
  const auto packet = wire::parse_from_server(datagram);
  if (!packet) {
    on_old_answer(datagram);
    return;
  }
  const auto& nonce =
      std::visit([](const auto& any) -> const wire::Nonce& { return any.client_nonce; }, *packet);
  if (nonce != options_.nonce) return;
  std::visit(Overloaded{
                 [&](const wire::Cookie& cookie) { on_cookie(now, cookie); },
                 [&](const wire::Grant& grant) { on_grant(grant); },
                 [&](const wire::Refuse& refuse) { on_refuse(now, refuse); },
                 [](const wire::Close&) {},  // there is no session yet
             },
             *packet);
}

// In the second step as well: the cookie has expired on the way.
void HandshakeClient::on_cookie(Instant now, const wire::Cookie& cookie) {
  if (step_ == Step::kOpen && cookie.value == cookie_) return;
  cookie_ = cookie.value;
  // A new cookie does not bring new sendings, or a forger could keep the client at it for ever.
  if (step_ == Step::kHello) begin(Step::kOpen, now);
  if (sendings_ < kMostSendings && !waits_) send(now);
}

void HandshakeClient::on_grant(const wire::Grant& grant) {
  if (step_ != Step::kOpen) return;
  if (options_.key == nullptr) {
    finish(Granted{grant, std::nullopt});
    return;
  }
  if (!grant.signature) return;
  const auto keys = crypto::derive_session_keys(
      *options_.key, {options_.nonce, grant.server_nonce, grant.session.value});
  const crypto::Mac expected =
      crypto::packet_mac(keys.server_to_client, kMainPortInMac, grant.signature->signed_part);
  if (!crypto::equal(expected, grant.signature->mac)) return;
  finish(Granted{grant, keys});
}

bool HandshakeClient::authentic(const wire::Refuse& refuse) const {
  if (options_.key == nullptr) return true;
  if (!refuse.signature) return false;
  const crypto::Mac expected =
      crypto::refuse_mac(crypto::derive_refuse_key(*options_.key), refuse.signature->signed_part);
  return crypto::equal(expected, refuse.signature->mac);
}

void HandshakeClient::on_refuse(Instant now, const wire::Refuse& refuse) {
  if (!authentic(refuse)) {
    if (!may_be_unsigned(refuse.reason)) return;
    if (!doubtful_) doubtful_until_ = now + kDoubt;
    doubtful_ = refuse.reason;
    return;
  }
  if (!refuse.come_again_after) {
    finish(Refused{refuse.reason});
    return;
  }
  on_busy(now, *refuse.come_again_after);
}

// One answer for each OPEN: a server that says it over and over changes nothing.
void HandshakeClient::on_busy(Instant now, Duration come_again_after) {
  if (step_ != Step::kOpen || waits_) return;
  const Duration wait = std::clamp<Duration>(come_again_after, kShortestBusyWait, kLongestBusyWait);
  const Duration jitter = from_seconds(to_seconds(wait) * kBusyJitter * random_.unit());
  const Duration next = wait + jitter <= kLongestBusyWait ? wait + jitter : wait - jitter;
  begin(Step::kOpen, now + next);
  waits_ = true;
  event_ = Busy{come_again_after, next};
}

// A server that knows 0.14 only takes HELLO for a CONNECT.
void HandshakeClient::on_old_answer(ByteView datagram) {
  if (step_ != Step::kHello) return;
  const auto answer = wire::parse_connect_answer(datagram);
  if (!answer) return;
  if (!may_fall_back()) {
    spoke_original_ = true;
    return;
  }
  if (const auto* assignment = std::get_if<wire::Assignment>(&*answer)) {
    finish(FellBack{*assignment});
  } else if (const auto* refusal = std::get_if<wire::Refusal>(&*answer)) {
    finish(RefusedByOld{refusal->reason});
  }
}

bool HandshakeClient::may_fall_back() const {
  return original_only() || (options_.dialects == Dialects::kAuto && options_.key == nullptr);
}

void HandshakeClient::finish(Event event) {
  step_ = Step::kDone;
  out_size_ = 0;
  event_ = std::move(event);
}

std::optional<ByteView> HandshakeClient::poll_transmit() {
  const std::size_t size = std::exchange(out_size_, 0);
  if (size == 0) return std::nullopt;
  return ByteView(out_).first(size);
}

std::optional<HandshakeClient::Event> HandshakeClient::poll_event() {
  return std::exchange(event_, std::nullopt);
}

std::optional<Instant> HandshakeClient::poll_deadline() const {
  if (step_ == Step::kDone) return std::nullopt;
  return doubtful_ ? std::min(next_, doubtful_until_) : next_;
}

}  // namespace wyndrvr::engine
