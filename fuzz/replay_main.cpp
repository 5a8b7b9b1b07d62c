// Runs a fuzzer's test function once over every file of the folders given as arguments.
//
// For the ordinary test run, with any compiler: what a fuzzer found once stays fixed. Fails when
// it finds no file at all, so that a lost corpus is noticed.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool replay_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return false;
  }
  const std::vector<char> octets{std::istreambuf_iterator<char>(file), {}};
  std::fprintf(stderr, "%s: %zu octets\n", path.c_str(), octets.size());
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size());
  return true;
}

// The number of files replayed, or -1 when the folder or one of its files cannot be read.
int replay_folder(const std::filesystem::path& folder) {
  std::error_code error;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.is_regular_file()) continue;
    if (!replay_file(entry.path())) return -1;
    ++count;
  }
  if (error) {
    std::fprintf(stderr, "cannot read %s: %s\n", folder.c_str(), error.message().c_str());
    return -1;
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  int total = 0;
  for (int i = 1; i < argc; ++i) {
    const int count = replay_folder(argv[i]);
    if (count < 0) return 1;
    total += count;
  }
  std::fprintf(stderr, "replayed %d files\n", total);
  return total > 0 ? 0 : 1;
}
