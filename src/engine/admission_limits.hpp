// What a server's limits make of the terms that a client of dialect 1 wants (docs/PROTOCOL.md,
// "Fields"), and how much of the rate of all tests is left.
//
// Decides about terms, not about sessions: their number is the acceptor's business. What a test
// sends is bound to the terms by its ports; here is only the book-keeping. Pure.
//
// Example:
//   const auto terms = book.grant(restrict(wanted, limits));
//   if (!terms) return busy(book.come_again_after(now));
//   book.enter(session, *terms, must_be_over_at);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/config.hpp"
#include "engine/test_terms.hpp"

namespace wyndrvr::engine {

// Never more than is wanted, in any respect; in whole units of what GRANT tells, so that both sides
// have the same numbers. Of the total rate it knows nothing.
[[nodiscard]] TestTerms restrict(TestTerms wanted, const ServerLimits& limits);

// Limits of sessions that follow from the ports where nobody has set them, so that nobody holds a
// whole server.
struct SessionShares {
  // What so few ports hold is for people who know each other: a quarter of it would be nobody's.
  static constexpr std::size_t kLeastShare = 4;

  std::size_t per_address = 1;  // a quarter of what the ports hold
  std::size_t per_network = 1;  // half
  std::size_t unproven = 1;     // half, at most ServerLimits's 400: what forged CONNECTs can take
};
// Of sessions with three ports each. Where there are fewer than 16, kLeastShare, but one less than
// all of them.
[[nodiscard]] SessionShares shares_of(std::span<const PortRange> ranges);

// Which session has how much of `max_total_rate`. At most one entry for each session that the
// acceptor admits.
class RateBook {
 public:
  // A test that goes as fast as it can is content with this share of what an idle server gives it.
  static constexpr double kLeastShare = 0.1;
  static constexpr Duration kShortestWait = 1s;
  static constexpr Duration kLongestWait = 1h;
  // A session that is not over so long after it should have been makes room where room is wanted.
  static constexpr Duration kOverdueAfter = 10s;

  // Without a total rate everything is granted.
  explicit RateBook(std::optional<BitRate> total) : total_(total) {}

  // `terms` with a rate that is left, or nothing: busy. A fixed rate is granted as far as an idle
  // server would, or not at all: a test at another rate is another test. What is as fast as it goes
  // gets what is left. Both directions at once take their rate twice.
  [[nodiscard]] std::optional<TestTerms> grant(TestTerms terms) const;

  void enter(std::uint64_t session, const TestTerms& terms, Instant over);
  void leave(std::uint64_t session);

  // Until the first one has to be over; between kShortestWait and kLongestWait, in whole ms.
  [[nodiscard]] Duration come_again_after(Instant now) const;
  [[nodiscard]] std::optional<std::uint64_t> find_overdue(Instant now) const;

  [[nodiscard]] BitRate taken() const { return taken_; }

 private:
  struct Entry {
    BitRate rate;  // of all directions
    Instant over;
  };

  std::optional<BitRate> total_;
  BitRate taken_;  // exact: a sum of whole numbers below 2^53
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::set<std::pair<Instant, std::uint64_t>> by_end_;
};

}  // namespace wyndrvr::engine
