// The server's half of dialect 1's handshake: from a datagram of an unknown source to a client
// whose address is real and who may ask (docs/PROTOCOL.md, "Main port").
//
// Remembers nothing of any client: what it answers follows from the datagram, the cookie jar's
// secrets and the keys. So a flood costs computing only. What an admitted client gets is the
// acceptor's business; the answer to a repeated OPEN as well. Pure, allocates nothing.
//
// Example:
//   const auto step = server.on_datagram(now, from, bytes);
//   if (const auto* answer = std::get_if<HandshakeAnswer>(&step)) send(from, answer->view());
//   if (const auto* admission = std::get_if<Admission>(&step)) acceptor.admit(*admission);
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "crypto/cookie_jar.hpp"
#include "crypto/session_keys.hpp"
#include "wire/drop_reason.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::engine {

struct HandshakeAnswer {
  std::array<std::byte, wire::kMaxHandshakeSize> bytes{};
  std::size_t size = 0;
  [[nodiscard]] ByteView view() const { return ByteView(bytes).first(size); }
};

// A client that receives what is sent to its address, and has the key where one is needed.
struct Admission {
  wire::Nonce client_nonce{};
  wire::SessionFields wanted;
  const crypto::Key* key = nullptr;  // of the server's list; nothing: unauthenticated
};

class HandshakeServer {
 public:
  enum class KeyPolicy : std::uint8_t { kWelcome, kRequired };

  // The keys, and what fills memory with unpredictable octets, outlive the server.
  HandshakeServer(crypto::CookieJar::FillRandom fill_random, const std::vector<crypto::Key>& keys,
                  KeyPolicy policy);

  // Close is passed on as it came; who sent it is for the session's keeper to judge.
  using Step = std::variant<wire::DropReason, HandshakeAnswer, Admission, wire::Close>;
  [[nodiscard]] Step on_datagram(Instant now, const Endpoint& from, ByteView datagram);

 private:
  [[nodiscard]] HandshakeAnswer make_cookie(Instant now, const Endpoint& from,
                                            const wire::Nonce& nonce);
  [[nodiscard]] Step on_open(Instant now, const Endpoint& from, const wire::Open& open);
  [[nodiscard]] const crypto::Key* find_key(wire::KeyId id) const;

  crypto::CookieJar cookies_;
  const std::vector<crypto::Key>& keys_;
  KeyPolicy policy_;
};

// `key` is that of an OPEN whose MAC was right, and vouches for the answer; nothing: nobody does.
[[nodiscard]] HandshakeAnswer make_refusal(const wire::Nonce& nonce, wire::RefuseReason reason,
                                           std::optional<Duration> come_again_after = {},
                                           const crypto::Key* key = nullptr);

}  // namespace wyndrvr::engine
