// The main port of dialect 1: what is written reads back as the same, and nothing else passes for
// it by accident.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "wire/handshake.hpp"

namespace wyndrvr::wire {
namespace handshake_test {

using Octets = std::vector<std::byte>;

// Drawn from both ends of a range more often than a plain draw would.
std::uint64_t draw(std::uint64_t least, std::uint64_t most) {
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return least;
    case 1:
      return most;
    default:
      break;
  }
  const auto number = *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>());
  return most - least == UINT64_MAX ? number : least + number % (most - least + 1);
}

template <class Value>
std::optional<Value> maybe(const Value& value) {
  if (*rc::gen::arbitrary<bool>()) return value;
  return std::nullopt;
}

Nonce draw_16() {
  Nonce octets{};
  for (std::byte& octet : octets) octet = static_cast<std::byte>(draw(0, 255));
  return octets;
}

std::optional<Signature> draw_signature() {
  return maybe(Signature{.mac = draw_16(), .signed_part = {}});
}

CookieValue draw_cookie() {
  return {.slot = static_cast<std::uint32_t>(draw(0, UINT32_MAX)), .hash = draw_16()};
}

template <class Unit>
Duration draw_duration(std::uint64_t least) {
  return Unit(static_cast<std::int64_t>(draw(least, UINT32_MAX)));
}

bool draw_flag() {
  return *rc::gen::arbitrary<bool>();
}

WantedRate draw_rate() {
  if (draw_flag()) return {};
  return {.fixed = BitRate{static_cast<double>(draw(1, std::uint64_t{1} << 53U))}};
}

SessionFields draw_fields() {
  using std::chrono::milliseconds;
  return {.directions = maybe(static_cast<Directions>(draw(0, 3))),
          .duration = maybe(draw_duration<milliseconds>(1)),
          .rate = maybe(draw_rate()),
          .payload = maybe(ByteCount{draw(64, 65'507)}),
          .streams = maybe(static_cast<std::uint8_t>(draw(1, 64))),
          .reliable = maybe(draw_flag()),
          .octets = maybe(ByteCount{draw(1, UINT64_MAX)}),
          .single_port = maybe(draw_flag()),
          .data_tags = maybe(draw_flag()),
          .fragment = maybe(draw_flag()),
          .traffic_class = maybe(static_cast<std::uint8_t>(draw(0, 255)))};
}

GrantedPorts draw_ports(bool single) {
  const auto first = static_cast<std::uint16_t>(draw(1, UINT16_MAX - 2));
  if (single) return {{first}, {first}, {first}};
  const auto second = static_cast<std::uint16_t>(first + 1);
  return {{second}, {static_cast<std::uint16_t>(first + 2)}, {first}};
}

Open draw_open() {
  Open open{draw_16(), draw_cookie(), draw_fields(), {}};
  if (const auto signature = draw_signature()) {
    open.proof = {.key = {static_cast<std::uint32_t>(draw(0, UINT32_MAX))},
                  .signature = *signature};
  }
  return open;
}

Grant draw_grant() {
  const SessionFields granted = draw_fields();
  return {.client_nonce = draw_16(),
          .session = {draw(0, UINT64_MAX)},
          .server_nonce = draw_16(),
          .ports = draw_ports(granted.single_port.value_or(false)),
          .granted = granted,
          .signature = draw_signature()};
}

Refuse draw_refuse() {
  return {.client_nonce = draw_16(),
          .reason = static_cast<RefuseReason>(draw(1, 11)),
          .come_again_after = maybe(draw_duration<std::chrono::milliseconds>(1)),
          .signature = draw_signature()};
}

Close draw_close() {
  const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>('#', '['));
  return {
      .client_nonce = draw_16(),
      .session = {draw(0, UINT64_MAX)},
      .reason = static_cast<CloseReason>(draw(1, 5)),
      .text = SmallText<Close::kMaxText>::from(std::string_view(text).substr(0, Close::kMaxText))
                  .value(),
      .signature = draw_signature()};
}

FromClient draw_from_client() {
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      return Hello{draw_16()};
    case 1:
      return draw_open();
    default:
      return draw_close();
  }
}

FromServer draw_from_server() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return Cookie{draw_16(), draw_cookie()};
    case 1:
      return draw_grant();
    case 2:
      return draw_refuse();
    default:
      return draw_close();
  }
}

std::size_t write(MutableByteView out, const auto& datagram, Sender /*sender*/) {
  return write_handshake(out, datagram);
}
std::size_t write(MutableByteView out, const Close& close, Sender sender) {
  return write_handshake(out, close, sender);
}

// On the heap and no longer than promised, so that a sanitizer sees a write past the end.
template <class Variant>
Octets written(const Variant& datagram) {
  constexpr bool kClient = std::is_same_v<Variant, FromClient>;
  constexpr Sender kSender = kClient ? Sender::kClient : Sender::kServer;
  Octets out(kMaxHandshakeSize, std::byte{0xee});
  out.resize(std::visit([&](const auto& one) { return write(out, one, kSender); }, datagram));
  out.shrink_to_fit();
  return out;
}

// Whether octets that may have been tampered with are refused, or are another valid datagram: one
// that is written the same way, but for the zeros after what counts.
bool refused_or_valid(const Octets& octets) {
  const auto holds = [&octets](const auto& parsed) {
    if (!parsed) return true;
    const Octets again = written(*parsed);
    const bool begins_so =
        again.size() <= octets.size() && std::equal(again.begin(), again.end(), octets.begin());
    const auto rest = std::span(octets).subspan(std::min(again.size(), octets.size()));
    return begins_so && std::ranges::count(rest, std::byte{0}) == std::ssize(rest);
  };
  return holds(parse_from_client(octets)) && holds(parse_from_server(octets));
}

// As above, for octets whose fields may contain some that are ignored and so not written again.
bool refused_or_reads_back(const Octets& octets) {
  const auto from_client = parse_from_client(octets);
  const auto from_server = parse_from_server(octets);
  if (from_client && parse_from_client(written(*from_client)) != from_client) return false;
  return !from_server || parse_from_server(written(*from_server)) == from_server;
}

// Refused at every length shorter than what counts; below 512 octets altogether for a request.
bool every_truncation_is_refused(const Octets& octets) {
  const std::size_t counts = base::load_big_endian(octets.data() + 10, 2);
  const std::size_t least = octets.size() == kMaxHandshakeSize ? octets.size() : counts;
  for (std::size_t size = 0; size < least; ++size) {
    const Octets shorter(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(size));
    if (parse_from_client(shorter) != std::unexpected(DropReason::kTooShort) &&
        parse_from_client(shorter) != std::unexpected(DropReason::kUnknownType)) {
      return false;
    }
    if (parse_from_server(shorter) != std::unexpected(DropReason::kTooShort) &&
        parse_from_server(shorter) != std::unexpected(DropReason::kUnknownType)) {
      return false;
    }
  }
  return true;
}

Octets draw_written() {
  return draw_flag() ? written(draw_from_client()) : written(draw_from_server());
}

RC_GTEST_PROP(HandshakeProperty, ClientsDatagramsReadBack, ()) {
  const FromClient datagram = draw_from_client();
  const Octets octets = written(datagram);
  RC_ASSERT(parse_from_client(octets).value() == datagram);
  RC_ASSERT(!parse_from_server(octets));
}

RC_GTEST_PROP(HandshakeProperty, ServersDatagramsReadBackAndNeverAmplify, ()) {
  const FromServer datagram = draw_from_server();
  const Octets octets = written(datagram);
  RC_ASSERT(octets.size() <= kMaxHandshakeSize);
  RC_ASSERT(parse_from_server(octets).value() == datagram);
  RC_ASSERT(!parse_from_client(octets));
}

RC_GTEST_PROP(HandshakeProperty, FieldsReadBackInTheirOnlySpelling, ()) {
  const SessionFields fields = draw_fields();
  Octets out(kMaxSessionFieldsSize);
  out.resize(write_session_fields(out, fields));
  RC_ASSERT(parse_session_fields(out).value() == fields);
  // Every truncation either ends between two fields or is refused.
  for (std::size_t size = 0; size < out.size(); ++size) {
    const auto parsed = parse_session_fields(ByteView(out).first(size));
    Octets again(kMaxSessionFieldsSize);
    if (parsed) RC_ASSERT(write_session_fields(again, *parsed) == size);
  }
}

RC_GTEST_PROP(HandshakeProperty, TheSignedPartEndsWhereTheMacBegins, ()) {
  const Mac mac = draw_16();
  Grant grant = draw_grant();
  grant.signature = Signature{};
  Octets octets = written(FromServer(grant));
  set_mac(octets, mac);
  const auto parsed = std::get<Grant>(parse_from_server(octets).value());
  RC_ASSERT(parsed.signature->mac == mac);
  const ByteView covered = parsed.signature->signed_part;
  RC_ASSERT(covered.data() == octets.data());
  RC_ASSERT(covered.size() == octets.size() - mac.size());
  RC_ASSERT(std::ranges::equal(covered, signed_part(octets)));
}

RC_GTEST_PROP(HandshakeProperty, EveryTruncationIsRefused, ()) {
  RC_ASSERT(every_truncation_is_refused(draw_written()));
}

// The prefix has 28 octets; the first of what follows are cookies, ports, reasons and fields.
RC_GTEST_PROP(HandshakeProperty, AnyOneOctetChangedIsRefusedOrIsAnotherValidOne, ()) {
  const Octets octets = draw_written();
  const std::size_t counts = base::load_big_endian(octets.data() + 10, 2);
  const auto change = static_cast<std::byte>(draw(1, 255));
  for (std::size_t at = 0; at < octets.size(); ++at) {
    Octets other = octets;
    other[at] ^= change;
    RC_ASSERT(refused_or_reads_back(other));
    if (at < kHandshakePrefixSize && at != 9 && at != 10 && at != 11) {
      RC_ASSERT(refused_or_valid(other));
    }
    if (at >= counts) RC_ASSERT(!parse_from_client(other) && !parse_from_server(other));
  }
}

RC_GTEST_PROP(HandshakeProperty, MagicKindAndDialectAreEachDecisive, ()) {
  const Octets octets = draw_written();
  const auto change = static_cast<std::byte>(draw(1, 255));
  for (const std::size_t at : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 8U}) {
    Octets other = octets;
    other[at] ^= change;
    RC_ASSERT(!parse_from_client(other));
    RC_ASSERT(!parse_from_server(other));
  }
}

RC_GTEST_PROP(HandshakeProperty, FlagsThatAreNotKnownAreRefused, ()) {
  Octets octets = draw_written();
  octets[9] = static_cast<std::byte>(draw(2, 255));
  RC_ASSERT(!parse_from_client(octets));
  RC_ASSERT(!parse_from_server(octets));
}

RC_GTEST_PROP(HandshakeProperty, EveryOtherLengthIsRefusedOrReadsBack, ()) {
  Octets octets = draw_written();
  const std::size_t right = base::load_big_endian(octets.data() + 10, 2);
  for (std::size_t length = 0; length <= kMaxHandshakeSize + 1; ++length) {
    base::store_big_endian(octets.data() + 10, length, 2);
    RC_ASSERT(refused_or_reads_back(octets));
    const bool parsed = parse_from_client(octets) || parse_from_server(octets);
    if (length < kHandshakePrefixSize || length > octets.size()) RC_ASSERT(!parsed);
    if (length == right) RC_ASSERT(parsed);
  }
}

RC_GTEST_PROP(HandshakeProperty, OctetsOfAnyKindBehindAGoodPrefixDoNoHarm, ()) {
  Octets octets = draw_written();
  const bool request = octets.size() == kMaxHandshakeSize;
  octets.resize(kHandshakePrefixSize);
  const std::size_t count = draw(0, kMaxHandshakeSize - kHandshakePrefixSize);
  for (std::size_t i = 0; i < count; ++i) octets.push_back(static_cast<std::byte>(draw(0, 255)));
  base::store_big_endian(octets.data() + 10, octets.size(), 2);
  if (request) octets.resize(kMaxHandshakeSize);
  RC_ASSERT(refused_or_reads_back(octets));
}

}  // namespace handshake_test
}  // namespace wyndrvr::wire
