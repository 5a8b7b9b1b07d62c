#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "runtime/worker_loss.hpp"

namespace wyndrvr::runtime {
namespace worker_loss_test {

TEST(WorkerLoss, WordsAreAddedForTheLogAlone) {
  const WorkerLoss loss{.cause = "upload worker (pid 42) was killed by SIGABRT",
                        .words = last_words_of("wyndrvr: bug at x.cpp:7: y does not hold\n")};
  EXPECT_EQ(loss.cause, "upload worker (pid 42) was killed by SIGABRT");
  EXPECT_EQ(loss.text(),
            "upload worker (pid 42) was killed by SIGABRT; it wrote: "
            "wyndrvr: bug at x.cpp:7: y does not hold");
  EXPECT_EQ((WorkerLoss{.cause = "gone", .words = ""}).text(), "gone");
}

TEST(WorkerLoss, RawOctetsBecomePrintableOnOneLine) {
  EXPECT_EQ(last_words_of("\x1b[2J\x1b]0;owned\a\r\nClient left\xff"),
            "?[2J?]0;owned?? Client left?");
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  EXPECT_TRUE(std::ranges::all_of(last_words_of(all), [](char c) { return c >= ' ' && c < 0x7f; }));
}

TEST(WorkerLoss, WordsAreBounded) {
  EXPECT_EQ(last_words_of(std::string(100'000, 'x')).size(), kMostWords);
  EXPECT_EQ(last_words_of(" \n\n "), "");
}

}  // namespace worker_loss_test
}  // namespace wyndrvr::runtime
