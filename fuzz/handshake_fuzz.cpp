// A datagram of dialect 1's main port that parses writes back to one that parses to the same, and
// the part under a MAC is the beginning of the datagram. Fields, too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/check.hpp"
#include "wire/connect.hpp"
#include "wire/handshake.hpp"

using namespace wyndrvr;

namespace {

std::size_t write(MutableByteView out, const auto& datagram, wire::Sender /*sender*/) {
  return wire::write_handshake(out, datagram);
}
std::size_t write(MutableByteView out, const wire::Close& close, wire::Sender sender) {
  return wire::write_handshake(out, close, sender);
}

template <class Variant>
std::vector<std::byte> written(const Variant& datagram) {
  constexpr bool kClient = std::is_same_v<Variant, wire::FromClient>;
  constexpr wire::Sender kSender = kClient ? wire::Sender::kClient : wire::Sender::kServer;
  std::vector<std::byte> out(wire::kMaxHandshakeSize);
  out.resize(std::visit([&](const auto& one) { return write(out, one, kSender); }, datagram));
  return out;
}

const wire::Signature* signature_of(const wire::Open& open) {
  return open.proof ? &open.proof->signature : nullptr;
}
const wire::Signature* signature_of(const auto& datagram) {
  if constexpr (requires { datagram.signature; }) {
    return datagram.signature ? &*datagram.signature : nullptr;
  } else {
    return nullptr;
  }
}

template <class Variant>
void check_signature(ByteView datagram, const Variant& parsed) {
  const wire::Signature* signature =
      std::visit([](const auto& one) { return signature_of(one); }, parsed);
  if (signature == nullptr) return;
  const ByteView covered = signature->signed_part;
  WYNDRVR_CHECK(covered.data() == datagram.data());
  WYNDRVR_CHECK(covered.size() + signature->mac.size() <= datagram.size());
  WYNDRVR_CHECK(
      std::ranges::equal(datagram.subspan(covered.size(), signature->mac.size()), signature->mac));
}

void check_datagram(ByteView datagram) {
  const auto from_client = wire::parse_from_client(datagram);
  const auto from_server = wire::parse_from_server(datagram);
  WYNDRVR_CHECK(!from_client || !from_server);
  WYNDRVR_CHECK(datagram.size() <= wire::kMaxHandshakeSize || (!from_client && !from_server));
  if (wire::is_connect(datagram)) WYNDRVR_CHECK(!from_client && !wire::is_hello(datagram));
  if (wire::find_nonce_of_other_dialect(datagram)) WYNDRVR_CHECK(!from_client);
  if (from_client) {
    const auto again = written(*from_client);
    WYNDRVR_CHECK(wire::parse_from_client(again) == *from_client);
    check_signature(datagram, *from_client);
  }
  if (from_server) {
    const auto again = written(*from_server);
    WYNDRVR_CHECK(again.size() <= datagram.size());
    WYNDRVR_CHECK(wire::parse_from_server(again) == *from_server);
    check_signature(datagram, *from_server);
  }
}

void check_fields(ByteView octets) {
  const auto fields = wire::parse_session_fields(octets);
  if (!fields) return;
  std::vector<std::byte> again(wire::kMaxSessionFieldsSize);
  again.resize(wire::write_session_fields(again, *fields));
  // Fields that are ignored have the largest types, so they are the last ones.
  WYNDRVR_CHECK(again.size() <= octets.size());
  WYNDRVR_CHECK(std::ranges::equal(again, octets.first(again.size())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView datagram = std::as_bytes(std::span(data, size));
  check_datagram(datagram);
  check_fields(datagram);
  // The same as a request, so that inputs without the zeros behind them get as far.
  if (size < wire::kMaxHandshakeSize) {
    std::vector<std::byte> request(datagram.begin(), datagram.end());
    request.resize(wire::kMaxHandshakeSize);
    check_datagram(request);
  }
  return 0;
}
