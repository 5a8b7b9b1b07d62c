// What a server grants: never more than is wanted, than its limits, than is left.
#include <cstdint>
#include <map>
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/admission_limits.hpp"

namespace wyndrvr::engine {
namespace admission_limits_test {

std::uint64_t draw_amount(std::uint64_t least, std::uint64_t most) {
  return *rc::gen::inRange<std::uint64_t>(least, most + 1);
}

std::optional<BitRate> draw_rate(std::uint64_t most) {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  return BitRate{static_cast<double>(draw_amount(1, most))};
}

std::optional<ByteCount> draw_octets() {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  return ByteCount{draw_amount(1, 1000)};
}

TestTerms draw_terms() {
  TestTerms terms;
  terms.directions = static_cast<wire::Directions>(draw_amount(0, 3));
  terms.duration = 1ms * static_cast<std::int64_t>(draw_amount(1, 10'000));
  terms.rate = draw_rate(2000);
  terms.payload_bytes = static_cast<std::uint32_t>(draw_amount(64, 65'507));
  terms.streams = static_cast<std::uint8_t>(draw_amount(1, 64));
  terms.octets = draw_octets();
  return terms;
}

// Absent means without a bound.
template <class Quantity>
bool within(std::optional<Quantity> granted, std::optional<Quantity> bound) {
  return !bound || (granted && *granted <= *bound);
}

RC_GTEST_PROP(RestrictProperty, NothingExceedsWhatIsWantedOrALimit, ()) {
  ServerLimits limits;
  limits.max_test_duration = 1ms * static_cast<std::int64_t>(draw_amount(1, 10'000));
  limits.max_rate = draw_rate(2000);
  limits.max_test_bytes = draw_octets();
  limits.max_payload = static_cast<std::uint32_t>(draw_amount(64, 65'507));
  limits.max_streams = static_cast<std::uint8_t>(draw_amount(1, 64));
  const TestTerms wanted = draw_terms();
  const TestTerms granted = restrict(wanted, limits);
  RC_ASSERT(granted.duration <= wanted.duration && granted.duration <= limits.max_test_duration);
  RC_ASSERT(within(granted.rate, wanted.rate) && within(granted.rate, limits.max_rate));
  RC_ASSERT(within(granted.octets, wanted.octets) && within(granted.octets, limits.max_test_bytes));
  RC_ASSERT(granted.payload_bytes <= wanted.payload_bytes &&
            granted.payload_bytes <= limits.max_payload);
  RC_ASSERT(granted.streams <= wanted.streams && granted.streams <= limits.max_streams);
  RC_ASSERT(restrict(granted, limits) == granted);
}

RC_GTEST_PROP(RateBookProperty, TheTotalIsNeverExceededAndAllOfItComesBack, ()) {
  const BitRate total{static_cast<double>(draw_amount(1, 3000))};
  RateBook book(total);
  std::map<std::uint64_t, double> held;  // the model
  for (std::uint64_t id = 1; id <= 60; ++id) {
    const TestTerms wanted = draw_terms();
    const unsigned directions = wanted.directions == wire::Directions::kLatencyOnly ? 0
                                : wanted.directions == wire::Directions::kBoth      ? 2
                                                                                    : 1;
    if (const auto granted = book.grant(wanted)) {
      RC_ASSERT(within(granted->rate, wanted.rate));
      RC_ASSERT(directions == 0 || (granted->rate && granted->rate->bps >= 1));
      book.enter(id, *granted, Instant{1s * static_cast<std::int64_t>(draw_amount(0, 100))});
      if (directions > 0) held[id] = directions * granted->rate->bps;
    }
    if (*rc::gen::arbitrary<bool>() && !held.empty()) {
      book.leave(held.begin()->first);
      held.erase(held.begin());
    }
    double sum = 0;
    for (const auto& [holder, rate] : held) sum += rate;
    RC_ASSERT(book.taken().bps == sum);
    RC_ASSERT(sum <= total.bps);
  }
  for (const auto& [holder, rate] : held) book.leave(holder);
  RC_ASSERT(book.taken().bps == 0.0);
}

}  // namespace admission_limits_test
}  // namespace wyndrvr::engine
