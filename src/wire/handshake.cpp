#include "wire/handshake.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/check.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::string_view kClientMagic = "CONNECT";
constexpr std::string_view kServerMagic = "WYNDRVR";
constexpr std::size_t kKindAt = 7;
constexpr std::size_t kDialectAt = 8;
constexpr std::size_t kFlagsAt = 9;
constexpr std::size_t kLengthAt = 10;
constexpr std::size_t kNonceAt = 12;
constexpr std::size_t kNonceSize = std::tuple_size_v<Nonce>;
constexpr std::size_t kMacSize = std::tuple_size_v<Mac>;
static_assert(kClientMagic.size() == kKindAt && kServerMagic.size() == kKindAt);
static_assert(kNonceAt + kNonceSize == kHandshakePrefixSize);

constexpr std::uint64_t kDialect = 1;
constexpr std::uint64_t kFlagSigned = 1;
constexpr std::size_t kLengthWidth = 2;
constexpr std::size_t kSlotWidth = 4;
constexpr std::size_t kKeyIdWidth = 4;
constexpr std::size_t kSessionWidth = 8;
constexpr std::size_t kPortWidth = 2;
constexpr std::size_t kReasonWidth = 1;
constexpr std::size_t kComeAgainWidth = 4;

enum class Kind : std::uint8_t {
  kHello = 1,
  kCookie = 2,
  kOpen = 3,
  kGrant = 4,
  kRefuse = 5,
  kClose = 6,
};

std::uint64_t load(ByteView datagram, std::size_t at, std::size_t width) {
  return base::load_big_endian(datagram.data() + at, width);
}

std::array<std::byte, 16> load_16(const std::byte* in) {
  std::array<std::byte, 16> octets{};
  std::memcpy(octets.data(), in, octets.size());
  return octets;
}

// --- Parsing -----------------------------------------------------------------------------------

// A datagram whose prefix is in order, taken apart.
struct Frame {
  Kind kind{};
  Nonce client_nonce{};
  ByteView body;  // after the prefix, up to L or to the MAC
  std::optional<Signature> signature;
};

DropReason misfit(std::size_t size, std::size_t wanted) {
  return size < wanted ? DropReason::kTooShort : DropReason::kTooLong;
}

// The lengths that belong to the kind; the bound of all has been checked.
std::optional<DropReason> length_fault(Kind kind, std::size_t size) {
  const bool request = kind == Kind::kHello || kind == Kind::kOpen;
  if (request && size != kMaxHandshakeSize) return DropReason::kTooShort;
  if (kind == Kind::kCookie && size != kCookieSize) return misfit(size, kCookieSize);
  return std::nullopt;
}

bool may_be_signed(Kind kind) {
  return kind != Kind::kHello && kind != Kind::kCookie;
}

bool all_zero(ByteView octets) {
  return std::ranges::all_of(octets, [](std::byte octet) { return octet == std::byte{0}; });
}

// Splits what is up to L; `flags` are the kind's.
std::expected<Frame, DropReason> parse_counting_part(ByteView counts, Kind kind) {
  Frame frame{.kind = kind,
              .client_nonce = load_16(counts.data() + kNonceAt),
              .body = counts.subspan(kHandshakePrefixSize),
              .signature = {}};
  if (load(counts, kFlagsAt, 1) != kFlagSigned) return frame;
  if (frame.body.size() < kMacSize) return std::unexpected(DropReason::kBadBody);
  const ByteView unsigned_end = counts.last(kMacSize);
  frame.body = frame.body.first(frame.body.size() - kMacSize);
  frame.signature = Signature{.mac = load_16(unsigned_end.data()),
                              .signed_part = counts.first(counts.size() - kMacSize)};
  return frame;
}

std::expected<Frame, DropReason> parse_frame(ByteView datagram, std::string_view magic) {
  if (datagram.size() < kHandshakePrefixSize) return std::unexpected(DropReason::kTooShort);
  if (datagram.size() > kMaxHandshakeSize) return std::unexpected(DropReason::kTooLong);
  const std::uint64_t number = load(datagram, kKindAt, 1);
  const bool known = number >= static_cast<std::uint64_t>(Kind::kHello) &&
                     number <= static_cast<std::uint64_t>(Kind::kClose);
  if (!as_text(datagram).starts_with(magic) || load(datagram, kDialectAt, 1) != kDialect ||
      !known) {
    return std::unexpected(DropReason::kUnknownType);
  }
  const Kind kind = static_cast<Kind>(number);
  if (const auto fault = length_fault(kind, datagram.size())) return std::unexpected(*fault);
  const std::uint64_t length = load(datagram, kLengthAt, kLengthWidth);
  if (length > datagram.size()) return std::unexpected(DropReason::kTooShort);
  if (length < kHandshakePrefixSize || !all_zero(datagram.subspan(length)) ||
      load(datagram, kFlagsAt, 1) > (may_be_signed(kind) ? kFlagSigned : 0)) {
    return std::unexpected(DropReason::kBadBody);
  }
  return parse_counting_part(datagram.first(length), kind);
}

std::optional<CookieValue> take_cookie(base::ByteReader& reader) {
  const auto slot = reader.take(kSlotWidth);
  const auto hash = reader.take_bytes(kMacSize);
  if (!slot || !hash) return std::nullopt;
  return CookieValue{.slot = static_cast<std::uint32_t>(*slot), .hash = load_16(hash->data())};
}

std::optional<Hello> parse_hello(const Frame& frame) {
  if (!frame.body.empty()) return std::nullopt;
  return Hello{frame.client_nonce};
}

std::optional<Cookie> parse_cookie(const Frame& frame) {
  base::ByteReader reader(frame.body);
  const auto value = take_cookie(reader);
  if (!value || !reader.rest().empty()) return std::nullopt;
  return Cookie{.client_nonce = frame.client_nonce, .value = *value};
}

std::optional<Open> parse_open(const Frame& frame) {
  base::ByteReader reader(frame.body);
  const auto cookie = take_cookie(reader);
  if (!cookie) return std::nullopt;
  Open open{.client_nonce = frame.client_nonce, .cookie = *cookie, .wanted = {}, .proof = {}};
  ByteView fields = reader.rest();
  if (frame.signature) {
    if (fields.size() < kKeyIdWidth) return std::nullopt;
    const std::uint64_t key = base::load_big_endian(fields.last(kKeyIdWidth).data(), kKeyIdWidth);
    open.proof = {.key = {static_cast<std::uint32_t>(key)}, .signature = *frame.signature};
    fields = fields.first(fields.size() - kKeyIdWidth);
  }
  const auto wanted = parse_session_fields(fields);
  if (!wanted) return std::nullopt;
  open.wanted = *wanted;
  return open;
}

bool consistent(const GrantedPorts& ports, const SessionFields& granted) {
  if (ports.control == Port{} || ports.upload == Port{} || ports.download == Port{}) return false;
  const bool single = granted.single_port.value_or(false);
  const bool one = ports.control == ports.upload && ports.upload == ports.download;
  const bool distinct = ports.control != ports.upload && ports.upload != ports.download &&
                        ports.download != ports.control;
  return single ? one : distinct;
}

std::optional<GrantedPorts> take_ports(base::ByteReader& reader) {
  GrantedPorts ports;
  for (Port* port : {&ports.control, &ports.upload, &ports.download}) {
    const auto number = reader.take(kPortWidth);
    if (!number) return std::nullopt;
    port->value = static_cast<std::uint16_t>(*number);
  }
  return ports;
}

std::optional<Grant> parse_grant(const Frame& frame) {
  base::ByteReader reader(frame.body);
  const auto session = reader.take(kSessionWidth);
  const auto server_nonce = reader.take_bytes(kNonceSize);
  const auto ports = take_ports(reader);
  if (!session || !server_nonce || !ports) return std::nullopt;
  const auto granted = parse_session_fields(reader.rest());
  if (!granted || !consistent(*ports, *granted)) return std::nullopt;
  return Grant{.client_nonce = frame.client_nonce,
               .session = {*session},
               .server_nonce = load_16(server_nonce->data()),
               .ports = *ports,
               .granted = *granted,
               .signature = frame.signature};
}

// A number on the wire that is one of an enumeration's 1 to `last`.
template <class Reason>
std::optional<Reason> take_reason(base::ByteReader& reader, Reason last) {
  const auto number = reader.take(kReasonWidth);
  if (!number || *number == 0 || *number > static_cast<std::uint64_t>(last)) return std::nullopt;
  return static_cast<Reason>(*number);
}

std::optional<Refuse> parse_refuse(const Frame& frame) {
  base::ByteReader reader(frame.body);
  const auto reason = take_reason(reader, RefuseReason::kUnknownDialect);
  const auto milliseconds = reader.take(kComeAgainWidth);
  if (!reason || !milliseconds || !reader.rest().empty()) return std::nullopt;
  Refuse refuse{.client_nonce = frame.client_nonce,
                .reason = *reason,
                .come_again_after = {},
                .signature = frame.signature};
  if (*milliseconds > 0) refuse.come_again_after = 1ms * static_cast<std::int64_t>(*milliseconds);
  return refuse;
}

std::optional<Close> parse_close(const Frame& frame) {
  base::ByteReader reader(frame.body);
  const auto session = reader.take(kSessionWidth);
  const auto reason = take_reason(reader, CloseReason::kTimeOver);
  const auto text = SmallText<Close::kMaxText>::from(as_text(reader.rest()));
  if (!session || !reason || !text) return std::nullopt;
  return Close{.client_nonce = frame.client_nonce,
               .session = {*session},
               .reason = *reason,
               .text = *text,
               .signature = frame.signature};
}

template <class Variant, class Parsed>
std::expected<Variant, DropReason> one_of(const std::optional<Parsed>& parsed) {
  if (!parsed) return std::unexpected(DropReason::kBadBody);
  return *parsed;
}

// --- Writing -----------------------------------------------------------------------------------

std::string_view magic_of(Sender sender) {
  return sender == Sender::kClient ? kClientMagic : kServerMagic;
}

// Writes the prefix, with L and the flags still 0.
base::ByteWriter begin(MutableByteView out, Sender sender, Kind kind, const Nonce& client_nonce) {
  WYNDRVR_CHECK(out.size() >= kMaxHandshakeSize);
  base::ByteWriter writer(out.first(kMaxHandshakeSize));
  writer.put_bytes(as_bytes(magic_of(sender)));
  writer.put(static_cast<std::uint64_t>(kind), 1);
  writer.put(kDialect, 1);
  writer.put(0, 1);
  writer.put(0, kLengthWidth);
  writer.put_bytes(client_nonce);
  return writer;
}

void put_cookie(base::ByteWriter& writer, const CookieValue& cookie) {
  writer.put(cookie.slot, kSlotWidth);
  writer.put_bytes(cookie.hash);
}

void put_fields(base::ByteWriter& writer, const SessionFields& fields) {
  std::array<std::byte, kMaxSessionFieldsSize> octets{};
  writer.put_bytes(ByteView(octets).first(write_session_fields(octets, fields)));
}

// Completes the prefix; returns L.
std::size_t finish(MutableByteView out, base::ByteWriter& writer, const Signature* signature) {
  if (signature != nullptr) {
    out[kFlagsAt] = static_cast<std::byte>(kFlagSigned);
    writer.put_bytes(signature->mac);
  }
  base::store_big_endian(out.data() + kLengthAt, writer.size(), kLengthWidth);
  return writer.size();
}

std::size_t finish(MutableByteView out, base::ByteWriter& writer,
                   const std::optional<Signature>& signature) {
  return finish(out, writer, signature ? &*signature : nullptr);
}

std::size_t pad_request(MutableByteView out, std::size_t used) {
  std::ranges::fill(out.first(kMaxHandshakeSize).subspan(used), std::byte{0});
  return kMaxHandshakeSize;
}

template <class Reason>
void check_reason(Reason reason, Reason last) {
  WYNDRVR_CHECK(static_cast<std::uint8_t>(reason) > 0 && reason <= last);
}

}  // namespace

bool is_hello(ByteView datagram) {
  return datagram.size() == kMaxHandshakeSize && as_text(datagram).starts_with(kClientMagic) &&
         load(datagram, kKindAt, 1) == static_cast<std::uint64_t>(Kind::kHello);
}

std::optional<Nonce> find_nonce_of_other_dialect(ByteView datagram) {
  if (!is_hello(datagram) || load(datagram, kDialectAt, 1) == kDialect) return std::nullopt;
  return load_16(datagram.data() + kNonceAt);
}

std::expected<FromClient, DropReason> parse_from_client(ByteView datagram) {
  const auto frame = parse_frame(datagram, kClientMagic);
  if (!frame) return std::unexpected(frame.error());
  switch (frame->kind) {
    case Kind::kHello:
      return one_of<FromClient>(parse_hello(*frame));
    case Kind::kOpen:
      return one_of<FromClient>(parse_open(*frame));
    case Kind::kClose:
      return one_of<FromClient>(parse_close(*frame));
    case Kind::kCookie:
    case Kind::kGrant:
    case Kind::kRefuse:
      break;
  }
  return std::unexpected(DropReason::kUnknownType);
}

std::expected<FromServer, DropReason> parse_from_server(ByteView datagram) {
  const auto frame = parse_frame(datagram, kServerMagic);
  if (!frame) return std::unexpected(frame.error());
  switch (frame->kind) {
    case Kind::kCookie:
      return one_of<FromServer>(parse_cookie(*frame));
    case Kind::kGrant:
      return one_of<FromServer>(parse_grant(*frame));
    case Kind::kRefuse:
      return one_of<FromServer>(parse_refuse(*frame));
    case Kind::kClose:
      return one_of<FromServer>(parse_close(*frame));
    case Kind::kHello:
    case Kind::kOpen:
      break;
  }
  return std::unexpected(DropReason::kUnknownType);
}

std::size_t write_handshake(MutableByteView out, const Hello& hello) {
  base::ByteWriter writer = begin(out, Sender::kClient, Kind::kHello, hello.client_nonce);
  return pad_request(out, finish(out, writer, nullptr));
}

std::size_t write_handshake(MutableByteView out, const Cookie& cookie) {
  base::ByteWriter writer = begin(out, Sender::kServer, Kind::kCookie, cookie.client_nonce);
  put_cookie(writer, cookie.value);
  return finish(out, writer, nullptr);
}

std::size_t write_handshake(MutableByteView out, const Open& open) {
  base::ByteWriter writer = begin(out, Sender::kClient, Kind::kOpen, open.client_nonce);
  put_cookie(writer, open.cookie);
  put_fields(writer, open.wanted);
  if (open.proof) writer.put(open.proof->key.value, kKeyIdWidth);
  return pad_request(out, finish(out, writer, open.proof ? &open.proof->signature : nullptr));
}

std::size_t write_handshake(MutableByteView out, const Grant& grant) {
  WYNDRVR_CHECK(consistent(grant.ports, grant.granted));
  base::ByteWriter writer = begin(out, Sender::kServer, Kind::kGrant, grant.client_nonce);
  writer.put(grant.session.value, kSessionWidth);
  writer.put_bytes(grant.server_nonce);
  writer.put(grant.ports.control.value, kPortWidth);
  writer.put(grant.ports.upload.value, kPortWidth);
  writer.put(grant.ports.download.value, kPortWidth);
  put_fields(writer, grant.granted);
  return finish(out, writer, grant.signature);
}

std::size_t write_handshake(MutableByteView out, const Refuse& refuse) {
  check_reason(refuse.reason, RefuseReason::kUnknownDialect);
  std::uint64_t milliseconds = 0;
  if (const auto& after = refuse.come_again_after) {
    WYNDRVR_CHECK(*after >= Refuse::kMinComeAgain && *after <= Refuse::kMaxComeAgain);
    milliseconds = static_cast<std::uint64_t>(*after / 1ms);
  }
  base::ByteWriter writer = begin(out, Sender::kServer, Kind::kRefuse, refuse.client_nonce);
  writer.put(static_cast<std::uint64_t>(refuse.reason), kReasonWidth);
  writer.put(milliseconds, kComeAgainWidth);
  return finish(out, writer, refuse.signature);
}

std::size_t write_handshake(MutableByteView out, const Close& close, Sender sender) {
  check_reason(close.reason, CloseReason::kTimeOver);
  base::ByteWriter writer = begin(out, sender, Kind::kClose, close.client_nonce);
  writer.put(close.session.value, kSessionWidth);
  writer.put(static_cast<std::uint64_t>(close.reason), kReasonWidth);
  writer.put_bytes(as_bytes(close.text.view()));
  return finish(out, writer, close.signature);
}

ByteView signed_part(ByteView written) {
  WYNDRVR_CHECK(written.size() >= kHandshakePrefixSize + kMacSize);
  WYNDRVR_CHECK(load(written, kFlagsAt, 1) == kFlagSigned);
  const std::uint64_t length = load(written, kLengthAt, kLengthWidth);
  WYNDRVR_CHECK(length >= kHandshakePrefixSize + kMacSize && length <= written.size());
  return written.first(length - kMacSize);
}

void set_mac(MutableByteView written, const Mac& mac) {
  std::ranges::copy(mac,
                    written.begin() + static_cast<std::ptrdiff_t>(signed_part(written).size()));
}

}  // namespace wyndrvr::wire
