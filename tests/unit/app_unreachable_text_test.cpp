#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/unreachable_text.hpp"

namespace wyndrvr::app {
namespace unreachable_text_test {

using engine::ProblemCode;
using engine::Unreachable;

TEST(UnreachableText, EveryCauseHasANameAndWordsOfItsOwn) {
  std::set<std::string> names;
  std::set<std::string> words;
  const auto last = static_cast<unsigned>(engine::kLastUnreachable);
  for (unsigned i = 0; i <= last; ++i) {
    names.emplace(name_of(static_cast<Unreachable>(i)));
    words.emplace(words_of(static_cast<Unreachable>(i)));
  }
  EXPECT_EQ(names.size(), last + 1);
  EXPECT_EQ(words.size(), last + 1);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(ProblemText, NamesTheCauseAndHowOften) {
  engine::Problem problem{ProblemCode::kNoAnswer, "192.0.2.7:6711 cannot be reached",
                          Unreachable::kLocalFirewall};
  EXPECT_EQ(problem_text(problem),
            "192.0.2.7:6711 cannot be reached: Operation not permitted: does a local firewall drop "
            "it?");
  problem = {ProblemCode::kSustainedLoss, "more than half of it was lost", std::nullopt, 9'192};
  EXPECT_EQ(problem_text(problem), "more than half of it was lost (9192 times)");
}

TEST(ProblemText, ThatNobodyListensIsSaidOnce) {
  EXPECT_EQ(problem_text({ProblemCode::kNoAnswer, "nobody listens on 192.0.2.7:6711",
                          Unreachable::kNobodyListens}),
            "nobody listens on 192.0.2.7:6711");
}

}  // namespace unreachable_text_test
}  // namespace wyndrvr::app
