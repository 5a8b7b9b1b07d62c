#include <gtest/gtest.h>

#include "engine/test_terms.hpp"

namespace wyndrvr::engine {
namespace test_terms_test {

// Unlike the defaults in every respect.
TestTerms unusual_terms() {
  return {.directions = wire::Directions::kBoth,
          .duration = 1234ms,
          .rate = BitRate{5e6},
          .adaptive = false,
          .payload_bytes = 777,
          .streams = 9,
          .reliable = true,
          .octets = ByteCount{4321},
          .single_port = true,
          .data_tags = true,
          .fragment = true,
          .traffic_class = 0xb8};
}

TEST(TestTerms, EveryFieldIsWritten) {
  const wire::SessionFields fields = fields_of(unusual_terms());
  EXPECT_EQ(fields.directions, wire::Directions::kBoth);
  EXPECT_EQ(fields.duration, 1234ms);
  EXPECT_EQ(fields.rate, wire::WantedRate{BitRate{5e6}});
  EXPECT_EQ(fields.payload, ByteCount{777});
  EXPECT_EQ(fields.streams, 9);
  EXPECT_EQ(fields.reliable, true);
  EXPECT_EQ(fields.octets, ByteCount{4321});
  EXPECT_EQ(fields.single_port, true);
  EXPECT_EQ(fields.data_tags, true);
  EXPECT_EQ(fields.fragment, true);
  EXPECT_EQ(fields.traffic_class, 0xb8);
}

TEST(TestTerms, AsFastAsItGoesIsSaidAndNoBoundOfOctetsIsNot) {
  const wire::SessionFields fields = fields_of(TestTerms{});
  ASSERT_TRUE(fields.rate);
  EXPECT_FALSE(fields.rate->fixed);
  EXPECT_FALSE(fields.octets);
  EXPECT_EQ(fields.streams, 1);
  EXPECT_EQ(fields.reliable, false) << "said, not left out";
}

TEST(TestTerms, WhatIsWrittenReadsBackWhateverIsThereOtherwise) {
  EXPECT_EQ(terms_of(fields_of(unusual_terms()), TestTerms{}), unusual_terms());
  TestTerms expected;
  expected.octets = unusual_terms().octets;  // the only one that cannot be said to be absent
  EXPECT_EQ(terms_of(fields_of(TestTerms{}), unusual_terms()), expected);
}

TEST(TestTerms, WhatAFieldDoesNotSayStaysAsItIs) {
  EXPECT_EQ(terms_of({}, unusual_terms()), unusual_terms());
  wire::SessionFields fields;
  fields.streams = 3;
  TestTerms expected = unusual_terms();
  expected.streams = 3;
  EXPECT_EQ(terms_of(fields, unusual_terms()), expected);
}

}  // namespace test_terms_test
}  // namespace wyndrvr::engine
