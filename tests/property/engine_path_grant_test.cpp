// Whatever the rate, the delay, the loss and the number of streams: no data leaves without a valid
// grant, and none beyond it; no grant exceeds the test's bound in octets (PathSession checks each
// datagram); and both ends tell the truth.
#include <cstdint>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "unit/engine_path_support.hpp"

namespace wyndrvr::engine {
namespace path_grant_test {

using namespace testing;

TestTerms drawn_terms() {
  const auto directions = *rc::gen::element(wire::Directions::kUpload, wire::Directions::kDownload);
  TestTerms terms = path_terms(directions);
  terms.duration = 1ms * *rc::gen::inRange(50, 1500);
  terms.rate = BitRate{1e3 * *rc::gen::inRange(100, 40'000)};
  terms.adaptive = *rc::gen::arbitrary<bool>();
  terms.payload_bytes = static_cast<std::uint32_t>(*rc::gen::inRange(300, 9000));
  terms.streams = static_cast<std::uint8_t>(*rc::gen::inRange(1, 9));
  terms.reliable = *rc::gen::arbitrary<bool>();
  terms.single_port = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) {
    terms.octets = ByteCount{static_cast<std::uint64_t>(*rc::gen::inRange(1, 1'000'000))};
  }
  return terms;
}

RC_GTEST_PROP(PathGrants, NothingLeavesThatIsNotGranted, ()) {
  PathSession::Options options{.terms = drawn_terms()};
  options.faults.delay = 1ms * *rc::gen::inRange(0, 200);
  options.faults.loss = 0.01 * *rc::gen::inRange(0, 30);
  options.faults.duplicate = 0.01 * *rc::gen::inRange(0, 10);
  options.keys = *rc::gen::arbitrary<bool>();
  options.seed = *rc::gen::inRange<std::uint64_t>(1, 1000);
  PathSession session(options);
  RC_ASSERT(session.run_tests());
  const PortKind direction =
      options.terms.has(PortKind::kUpload) ? PortKind::kUpload : PortKind::kDownload;
  const DataTruth& truth = session.net.truth(direction);
  const auto told = session.reported(Side::kClient, direction);
  RC_ASSERT(told->receiver.unique == truth.sent - truth.lost);
  RC_ASSERT(!::testing::Test::HasFailure());
  if (options.terms.octets) {
    const std::uint64_t more = options.terms.streams * options.terms.payload_bytes;
    RC_ASSERT(truth.octets < options.terms.octets->value + more);
  }
}

}  // namespace path_grant_test
}  // namespace wyndrvr::engine
