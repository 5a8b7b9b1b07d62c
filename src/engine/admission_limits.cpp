#include "engine/admission_limits.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "engine/port_kind.hpp"
#include "engine/port_pool.hpp"

namespace wyndrvr::engine {
namespace {

using wire::SessionFields;

constexpr BitRate kLeastGrantedRate{1};
constexpr BitRate kNoRateBound{std::numeric_limits<double>::infinity()};

// The smaller one, where absent means without a bound.
template <class Quantity>
std::optional<Quantity> smaller_bound(std::optional<Quantity> a, std::optional<Quantity> b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

BitRate whole_bits(BitRate rate) {
  return std::clamp(BitRate{std::floor(rate.bps)}, kLeastGrantedRate, SessionFields::kMaxRate);
}

unsigned direction_count(const TestTerms& terms) {
  return static_cast<unsigned>(std::popcount(static_cast<std::uint8_t>(terms.directions)));
}

}  // namespace

TestTerms restrict(TestTerms wanted, const ServerLimits& limits) {
  const Duration longest = std::min(wanted.duration, limits.max_test_duration);
  wanted.duration = std::max<Duration>(std::chrono::floor<std::chrono::milliseconds>(longest),
                                       SessionFields::kMinDuration);
  wanted.rate = smaller_bound(wanted.rate, limits.max_rate);
  if (wanted.rate) wanted.rate = whole_bits(*wanted.rate);
  wanted.octets = smaller_bound(wanted.octets, limits.max_test_bytes);
  if (wanted.octets) wanted.octets = std::max(*wanted.octets, SessionFields::kMinOctets);
  constexpr auto kLeastPayload = static_cast<std::uint32_t>(SessionFields::kMinPayload.value);
  wanted.payload_bytes =
      std::max(std::min(wanted.payload_bytes, limits.max_payload), kLeastPayload);
  wanted.streams = std::max<std::uint8_t>(std::min(wanted.streams, limits.max_streams), 1);
  return wanted;
}

SessionShares shares_of(std::span<const PortRange> ranges) {
  const std::size_t sessions = PortPool(ranges).size() / kPortCount;
  const std::size_t all_but_one = std::max<std::size_t>(sessions, 2) - 1;
  const auto share = [&](std::size_t part) {
    const std::size_t least = std::min(SessionShares::kLeastShare, all_but_one);
    return std::max(sessions / part, least);
  };
  constexpr std::size_t kQuarter = 4;
  constexpr std::size_t kHalf = 2;
  return {.per_address = share(kQuarter),
          .per_network = share(kHalf),
          .unproven = std::min(share(kHalf), ServerLimits{}.max_unproven_sessions)};
}

std::optional<TestTerms> RateBook::grant(TestTerms terms) const {
  const unsigned directions = direction_count(terms);
  if (!total_ || directions == 0) return terms;
  const BitRate left{(total_->bps - taken_.bps) / directions};
  const BitRate when_idle =
      std::min(terms.rate.value_or(kNoRateBound), BitRate{total_->bps / directions});
  // What is left may be less than when_idle by no more than a part of a bit, from the division.
  const BitRate least = !terms.adaptive ? whole_bits(when_idle) : when_idle * kLeastShare;
  if (left < std::max(least, kLeastGrantedRate)) return std::nullopt;
  terms.rate = whole_bits(std::min(when_idle, left));
  return terms;
}

void RateBook::enter(std::uint64_t session, const TestTerms& terms, Instant over) {
  const unsigned directions = direction_count(terms);
  if (!total_ || directions == 0 || !terms.rate) return;
  const Entry entry{*terms.rate * directions, over};
  WYNDRVR_CHECK(entries_.emplace(session, entry).second);
  by_end_.emplace(over, session);
  taken_.bps += entry.rate.bps;
}

void RateBook::leave(std::uint64_t session) {
  const auto found = entries_.find(session);
  if (found == entries_.end()) return;
  taken_.bps -= found->second.rate.bps;
  by_end_.erase({found->second.over, session});
  entries_.erase(found);
}

Duration RateBook::come_again_after(Instant now) const {
  const Duration wait = by_end_.empty() ? Duration{} : by_end_.begin()->first - now;
  return std::clamp<Duration>(std::chrono::ceil<std::chrono::milliseconds>(wait), kShortestWait,
                              kLongestWait);
}

std::optional<std::uint64_t> RateBook::find_overdue(Instant now) const {
  if (by_end_.empty() || now < by_end_.begin()->first + kOverdueAfter) return std::nullopt;
  return by_end_.begin()->second;
}

}  // namespace wyndrvr::engine
