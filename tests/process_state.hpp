// Tests share a process: whatever a test changes of it, it must set back. This listener compares
// the process before and after each test, and fails the test that leaves something behind.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.hpp"
#include "sanitizers.hpp"

namespace wyndrvr::testing {

using ProcessState = std::map<std::string, std::string>;

inline std::string whole_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string link_target(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::read_symlink(path, error).string();
}

// A set of signals, without the two that the C library handles for its threads (nptl(7)).
inline std::string signal_set(const std::string& hexadecimal) {
  constexpr unsigned long long kOfTheLibrary = 3ULL << 31U;  // numbers 32 and 33
  return std::to_string(std::stoull(hexadecimal, nullptr, 16) & ~kOfTheLibrary);
}

// Signals, filters, rights, processors, limits, folder, environment, network, descriptors,
// children.
inline ProcessState process_state() {
  constexpr std::array<std::string_view, 12> kOfStatus = {
      "Name:",   "Umask:",  "Threads:", "SigBlk:",     "SigIgn:",  "SigCgt:",
      "CapEff:", "CapInh:", "Uid:",     "NoNewPrivs:", "Seccomp:", "Cpus_allowed_list:"};
  ProcessState state;
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    // ThreadSanitizer begins a thread of its own with a program's first.
    if (kThreadSanitizer && line.starts_with("Threads:")) continue;
    for (const std::string_view key : kOfStatus) {
      if (!line.starts_with(key)) continue;
      const std::string value = line.substr(key.size());
      state[std::string(key)] = key.starts_with("Sig") ? signal_set(value) : value;
    }
  }
  state["limits"] = whole_file("/proc/self/limits");
  state["folder"] = link_target("/proc/self/cwd");
  state["network"] = link_target("/proc/thread-self/ns/net");
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t sign = text.find('=');
    state["variable " + std::string(text.substr(0, sign))] = text.substr(sign + 1);
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const std::string target = link_target(entry.path());
    // Not the folder that is being read.
    if (!target.ends_with("/fd")) state["descriptor " + entry.path().filename().string()] = target;
  }
  siginfo_t info{};
  const bool none = ::waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) != 0;
  state["children"] = none ? "none" : "some";
  return state;
}

// In words; empty where nothing has changed.
inline std::string changes(const ProcessState& before, const ProcessState& after) {
  std::string text;
  for (const auto& [key, value] : before) {
    const auto now = after.find(key);
    if (now == after.end()) {
      text += key + " is gone\n";
    } else if (now->second != value) {
      text += key + " was '" + value + "', is '" + now->second + "'\n";
    }
  }
  for (const auto& [key, value] : after) {
    if (!before.contains(key)) text += key + " is new: '" + value + "'\n";
  }
  return text;
}

class StateWatch final : public ::testing::EmptyTestEventListener {
 public:
  void OnTestStart(const ::testing::TestInfo&) override { before_ = process_state(); }
  void OnTestEnd(const ::testing::TestInfo&) override {
    // A thread that was joined is counted for a moment more.
    const Instant deadline = os::monotonic_now() + 10s;
    std::string changed = changes(before_, process_state());
    while (!changed.empty() && os::monotonic_now() < deadline) {
      changed = changes(before_, process_state());
    }
    if (!changed.empty()) ADD_FAILURE() << "the test leaves the process changed:\n" << changed;
  }

 private:
  ProcessState before_;
};

// After InitGoogleTest.
inline void watch_process_state() {
  ::testing::UnitTest::GetInstance()->listeners().Append(new StateWatch);
}

}  // namespace wyndrvr::testing
