// What the tests of worker processes share: children in a role of main.cpp, and looks at them from
// outside.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "os/child_process.hpp"
#include "os/seqpacket.hpp"
#include "sanitizers.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {

inline constexpr std::string_view kRolePrefix = "test child: ";

struct TestChild {
  ChildProcess process;
  Fd channel;  // to its descriptor 3
};

// Descriptor 3 is its channel, `more` follow. Aborts the test program when that fails.
inline TestChild start_child(std::string_view role, const std::vector<int>& more = {},
                             bool own_stderr = false) {
  auto pair = open_channel_pair();
  if (!pair) ADD_FAILURE() << pair.error().message;
  std::vector<int> descriptors{pair.value().b.get()};
  descriptors.insert(descriptors.end(), more.begin(), more.end());
  auto child = ChildProcess::spawn({.title = fmt::format("{}{}", kRolePrefix, role),
                                    .descriptors = descriptors,
                                    .own_stderr = own_stderr});
  if (!child) ADD_FAILURE() << child.error().message;
  return {std::move(child.value()), std::move(pair->a)};
}

// UBSan's look at an object's type takes a pipe, and fails the program where there is none to be
// had: fmt cannot word an error then.
inline bool can_do_without_descriptors() {
  return !wyndrvr::testing::kAddressSanitizer;
}

inline bool say(int channel, std::string_view text) {
  return send_frame(channel, as_bytes(text)) == ChannelStatus::kDone;
}

// The next frame's text; nothing at the end of the channel or at the deadline.
inline std::optional<std::string> next_frame(int channel) {
  std::array<std::byte, 4'096> buffer;
  if (!wait_readable(channel, kDeadline)) return std::nullopt;
  const ReceivedFrame frame = receive_frame(channel, buffer);
  if (frame.status != ChannelStatus::kDone) return std::nullopt;
  return std::string(as_text(frame.bytes));
}

// How it ended, in words; empty when it has not by the deadline.
inline std::string end_of(ChildProcess& process) {
  if (!wait_readable(process.pidfd(), kDeadline)) return {};
  const auto status = process.reap();
  return status ? describe(*status) : std::string();
}

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The value of "name:\tvalue" in /proc/<pid>/status.
inline std::string status_field(int pid, std::string_view name) {
  const std::string text = "\n" + file_text(fmt::format("/proc/{}/status", pid));
  const std::string key = fmt::format("\n{}:\t", name);
  const auto start = text.find(key);
  if (start == std::string::npos) return "no such field";
  const auto value = start + key.size();
  return text.substr(value, text.find('\n', value) - value);
}

// What each descriptor of a process is, as /proc shows it: "socket:[4711]", "/dev/null".
inline std::map<int, std::string> descriptors_of(int pid) {
  std::map<int, std::string> links;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid))) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    if (!error) links[std::stoi(entry.path().filename())] = target.string();
  }
  return links;
}

inline std::string link_of(int fd) {
  return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd)).string();
}

}  // namespace wyndrvr::os::testing
