// The client's half of dialect 1's handshake: HELLO until COOKIE, OPEN until GRANT
// (docs/PROTOCOL.md, "Main port"); or, with a server that speaks 0.14 only, its assignment. Where
// nothing but 0.14 is wanted, CONNECT alone.
//
// Loss of any datagram only delays: each step sends up to kMostSendings times, and takes the first
// answer that fits. Nothing is believed that does not carry this run's nonce; with a key, no GRANT
// and no REFUSE without its MAC, save those that a server must send to whom it cannot
// authenticate, and those are believed only when no GRANT has come for kDoubt after the first of
// them. With a key there is no falling back to 0.14. Pure; `now` is an argument.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "crypto/session_keys.hpp"
#include "wire/connect.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::engine {

class HandshakeClient {
 public:
  // Of HELLO, of OPEN: at 30 % loss both ways HELLO fails once in 700,000 (0.51^20), OPEN once in
  // 50,000 (0.51^16).
  static constexpr unsigned kMostSendings = 20;
  static constexpr Duration kFirstWait = 100ms;  // doubles up to kLongestWait
  static constexpr Duration kLongestWait = 500ms;
  // From this sending on every other one is a CONNECT, for servers that know nothing else.
  static constexpr unsigned kConnectFrom = 6;

  // In the second step some are a HELLO: a server that was restarted does not know its cookies.
  static constexpr unsigned kHelloAgainFrom = 9;
  static constexpr unsigned kHelloAgainEvery = 3;

  // A refusal that no key vouches for counts after so long: whoever can read the path can forge it,
  // but cannot hold the server's own answers back.
  static constexpr Duration kDoubt = 1s;

  // A busy server is asked again so often, whatever it says: the tests of others may end early.
  static constexpr Duration kLongestBusyWait = 5s;
  static constexpr Duration kShortestBusyWait = 1s;
  // So that clients who wait do not come all at once: up to this share of the wait more, or less
  // where it would be too long.
  static constexpr double kBusyJitter = 0.2;

  // In 0.14 alone: CONNECT so often, so far apart.
  static constexpr unsigned kMostConnects = 5;
  static constexpr Duration kConnectInterval = 1s;

  enum class Dialects : std::uint8_t { kAuto, kOneOnly, kOriginalOnly };

  struct Options {
    wire::Nonce nonce{};
    wire::SessionFields wanted;
    const crypto::Key* key = nullptr;  // outlives the handshake
    Dialects dialects = Dialects::kAuto;
    std::uint64_t seed = 0;  // of the jitter
  };

  // --- outcomes ---
  struct Granted {
    wire::Grant grant;
    std::optional<crypto::SessionKeys> keys;  // where there is a key
  };
  struct FellBack {  // to 0.14
    wire::Assignment assignment;
  };
  struct Refused {
    wire::RefuseReason reason{};
  };
  struct RefusedByOld {  // by a server of ours that speaks 0.14 only
    wire::RefusalReason reason{};
  };
  struct NoAnswer {
    bool spoke_original = false;  // something that answers in 0.14, which was not to be spoken
  };
  struct Busy {                   // not the end: OPEN is sent again
    Duration come_again_after{};  // says the server: when the tests of others are to be over
    Duration asking_again_in{};
  };
  using Event = std::variant<Granted, FellBack, Refused, RefusedByOld, NoAnswer, Busy>;

  HandshakeClient(const Options& options, Instant now);

  // From the server's main address, nothing else.
  void on_datagram(Instant now, ByteView datagram);
  void on_timer(Instant now);

  // Valid until the next call.
  [[nodiscard]] std::optional<ByteView> poll_transmit();
  [[nodiscard]] std::optional<Event> poll_event();
  [[nodiscard]] std::optional<Instant> poll_deadline() const;
  // Some server has answered with a cookie: from now on, only that one counts.
  [[nodiscard]] bool has_cookie() const { return step_ == Step::kOpen; }

 private:
  enum class Step : std::uint8_t { kHello, kOpen, kDone };

  void begin(Step step, Instant at);
  void send(Instant now);
  void on_cookie(Instant now, const wire::Cookie& cookie);
  void on_grant(const wire::Grant& grant);
  void on_refuse(Instant now, const wire::Refuse& refuse);
  [[nodiscard]] bool authentic(const wire::Refuse& refuse) const;
  void on_busy(Instant now, Duration come_again_after);
  void on_old_answer(ByteView datagram);
  [[nodiscard]] bool may_fall_back() const;
  [[nodiscard]] bool original_only() const { return options_.dialects == Dialects::kOriginalOnly; }
  [[nodiscard]] unsigned most_sendings() const {
    return original_only() ? kMostConnects : kMostSendings;
  }
  void finish(Event event);
  void write_connect();
  void write_hello();
  void write_open();

  Options options_;
  Step step_ = Step::kHello;
  unsigned sendings_ = 0;
  Instant next_;
  Duration wait_{};
  wire::CookieValue cookie_;
  std::optional<wire::RefuseReason> doubtful_;  // said by somebody whom no key vouches for
  Instant doubtful_until_;
  bool spoke_original_ = false;
  bool waits_ = false;  // the server is busy, and the next OPEN is not out yet
  base::Random random_;
  std::optional<Event> event_;
  std::array<std::byte, wire::kMaxHandshakeSize> out_{};
  std::size_t out_size_ = 0;  // 0: nothing to send
};

}  // namespace wyndrvr::engine
