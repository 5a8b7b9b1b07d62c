// The property tests. Their inputs come from one seed, so a program that passed passes again;
// RC_PARAMS="seed=N" in the environment chooses another one, and `scripts/nightly` does.
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>

namespace {

void choose_seed() {
  constexpr auto kSeed = "seed=6711";
  const char* given = std::getenv("RC_PARAMS");
  const std::string params = given != nullptr ? given : "";
  if (params.find("seed=") != std::string::npos) return;
  ::setenv("RC_PARAMS", (params.empty() ? kSeed : params + " " + kSeed).c_str(), 1);
}

}  // namespace

int main(int argc, char** argv) {
  choose_seed();
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
