// A test with too few datagrams for a rate says so, and why.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/test_figures.hpp"

namespace wyndrvr::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An upload of which so many datagrams of 1400 octets arrived, in so long.
engine::SessionResult upload_of(std::uint64_t datagrams, Duration span) {
  engine::TestOutcome test;
  test.dialect = engine::Dialect::kOne;
  test.has_result = true;
  test.payload_bytes = 1400;
  test.requested_rate = BitRate{1000};
  test.packets_received = datagrams;
  test.bytes_received = datagrams * 1400;
  engine::ReceiverTotals receiver;
  receiver.packets = receiver.unique = receiver.expected = datagrams;
  receiver.bytes = receiver.unique_bytes = test.bytes_received;
  receiver.first_to_last = span;
  test.receiver = receiver;
  engine::SessionResult result;
  result.tests = {test};
  return result;
}

std::string no_rate_message(const engine::SessionResult& result) {
  const auto problems = problems_of(result);
  const auto found =
      std::ranges::find(problems, engine::ProblemCode::kNoRate, &engine::Problem::code);
  return found == problems.end() ? "" : found->message;
}

TEST(NoRate, OfOneDatagramSaysWhyAndWhatToDo) {
  EXPECT_THAT(no_rate_message(upload_of(1, 0s)),
              AllOf(HasSubstr("1 datagram of the upload arrived"), HasSubstr("every 11.2 s"),
                    HasSubstr("--rate"), HasSubstr("--duration"), HasSubstr("--payload")));
  EXPECT_EQ(code_of(engine::ProblemCode::kNoRate), "W117");
}

TEST(NoRate, IsNotSaidWhereThereIsOneOrNothingArrived) {
  EXPECT_THAT(no_rate_message(upload_of(2, 11s)), IsEmpty());
  EXPECT_THAT(no_rate_message(upload_of(0, 0s)), IsEmpty()) << "W005 says that";
}

}  // namespace
}  // namespace wyndrvr::app
