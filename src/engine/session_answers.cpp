#include "engine/session_answers.hpp"

#include "base/bytes.hpp"
#include "crypto/blake2b.hpp"
#include "wire/connect.hpp"

namespace wyndrvr::engine {
namespace {

// A forwarding NAT may change the main port's number, so MACs do not cover it.
constexpr Port kAnyMainPort{0};

// The same characters and the same length as in 0.14, so one cause fits both.
wire::SmallText<wire::Close::kMaxText> plain_text(std::string_view text) {
  return wire::make_ended(0, text).cause;
}

std::optional<wire::Signature> room_for_mac(const PathSetup& path) {
  if (!path.keys) return std::nullopt;
  return wire::Signature{};
}

void sign_for_client(HandshakeAnswer& answer, const PathSetup& path) {
  if (!path.keys) return;
  const MutableByteView written = MutableByteView(answer.bytes).first(answer.size);
  wire::set_mac(written, crypto::packet_mac(path.keys->server_to_client, kAnyMainPort,
                                            wire::signed_part(written)));
}

}  // namespace

HandshakeAnswer make_grant(const PathSetup& path, const std::array<Port, kPortCount>& ports) {
  HandshakeAnswer answer;
  answer.size = wire::write_handshake(
      answer.bytes,
      wire::Grant{.client_nonce = path.handshake.client_nonce,
                  .session = {path.handshake.session},
                  .server_nonce = path.handshake.server_nonce,
                  .ports = {ports[index_of(PortKind::kControl)], ports[index_of(PortKind::kUpload)],
                            ports[index_of(PortKind::kDownload)]},
                  .granted = fields_of(path.terms),
                  .signature = room_for_mac(path)});
  sign_for_client(answer, path);
  return answer;
}

HandshakeAnswer make_close(const PathSetup& path, wire::CloseReason reason, std::string_view text) {
  HandshakeAnswer answer;
  const wire::Close close{.client_nonce = path.handshake.client_nonce,
                          .session = {path.handshake.session},
                          .reason = reason,
                          .text = plain_text(text),
                          .signature = room_for_mac(path)};
  answer.size = wire::write_handshake(answer.bytes, close, wire::Sender::kServer);
  sign_for_client(answer, path);
  return answer;
}

bool is_authentic(const wire::Close& close, const Endpoint& from, const PathSetup& path,
                  const Endpoint& client) {
  if (close.client_nonce != path.handshake.client_nonce) return false;
  if (!path.keys) return from == client;
  if (!close.signature) return false;
  const crypto::Mac expected =
      crypto::packet_mac(path.keys->client_to_server, kAnyMainPort, close.signature->signed_part);
  return crypto::equal(expected, close.signature->mac);
}

}  // namespace wyndrvr::engine
