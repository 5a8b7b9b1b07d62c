// Writes that never wait: to pipes that are read late, never, or no more.
#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/fd.hpp"
#include "os/line_writer.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os {
namespace {

using testing::kDeadline;
using testing::wait_for;

std::string left_out(std::uint64_t lines) {
  return fmt::format("[{}]\n", lines);
}

// The n-th of lines of 100 octets.
std::string line(unsigned number) {
  return fmt::format("{:>99}\n", number);
}

class LineWriterTest : public ::testing::TestWithParam<const char*> {
 protected:
  LineWriterTest() {
    std::array<int, 2> ends{};
    const std::string kind = GetParam();
    if (kind == "pipe") {
      EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    } else {
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    }
    reader = Fd(ends[0]);
    end = Fd(ends[1]);
    (void)std::signal(SIGPIPE, SIG_IGN);
  }
  // What there is to read until `last` has come.
  std::string read_until(std::string_view last) const {
    std::string text;
    std::array<char, 4096> block;
    while (!text.ends_with(last) && wait_for(reader.get(), POLLIN, kDeadline)) {
      const ssize_t count = ::read(reader.get(), block.data(), block.size());
      if (count <= 0) break;
      text.append(block.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

  Fd reader;
  Fd end;
};

TEST_P(LineWriterTest, LinesArriveInOrder) {
  LineWriter writer(end.get(), left_out);
  std::string all;
  for (unsigned i = 0; i < 20; ++i) {
    writer.write(line(i));
    all += line(i);
  }
  EXPECT_EQ(read_until(line(19)), all);
  EXPECT_TRUE(writer.wait(kDeadline));
  EXPECT_EQ(writer.written(), all.size());
  EXPECT_FALSE(writer.error());
}

TEST_P(LineWriterTest, ReaderWhoNeverReadsMakesNobodyWait) {
  LineWriter writer(end.get(), left_out);
  // Ten times what the pipe and the queue hold: this loop would never end.
  for (unsigned i = 0; i < 100'000; ++i) writer.write(line(i));
  EXPECT_FALSE(writer.wait(1ms));
  EXPECT_FALSE(writer.error());
}

TEST_P(LineWriterTest, LateReaderIsToldHowManyLinesWereLeftOut) {
  LineWriter writer(end.get(), left_out);
  constexpr unsigned kLines = 20'000;
  for (unsigned i = 0; i < kLines; ++i) writer.write(line(i));
  const std::string text = read_until("]\n");
  // Lines 0, 1, 2, …, each whole, then the count of all others.
  const std::size_t told = text.rfind('[');
  ASSERT_NE(told, std::string::npos);
  EXPECT_EQ(told % line(0).size(), 0U);
  const std::size_t shown = told / line(0).size();
  EXPECT_EQ(text.substr(told), left_out(kLines - shown));
  for (unsigned i = 0; i < shown; ++i) {
    ASSERT_EQ(text.substr(i * line(0).size(), line(0).size()), line(i));
  }
  writer.write("after\n");
  EXPECT_EQ(read_until("after\n"), "after\n");
}

TEST_P(LineWriterTest, WhatMustBeKeptReachesALateReader) {
  LineWriter writer(end.get(), left_out);
  for (unsigned i = 0; i < 20'000; ++i) writer.write(line(i));
  const std::string result = std::string(500'000, 'x') + "\nend\n";
  writer.write_always(result);
  const std::string text = read_until("\nend\n");
  EXPECT_TRUE(text.ends_with(result));
  EXPECT_TRUE(writer.wait(kDeadline));
}

TEST_P(LineWriterTest, ReaderWhoHasGoneIsAnErrorThatIsSignalled) {
  LineWriter writer(end.get(), left_out);
  writer.write("heard\n");
  EXPECT_EQ(read_until("\n"), "heard\n");
  EXPECT_FALSE(wait_for(writer.failure(), POLLIN, 0ms));
  reader.reset();
  writer.write("lost\n");
  EXPECT_TRUE(wait_for(writer.failure(), POLLIN, kDeadline));
  EXPECT_EQ(writer.error(), EPIPE);
  EXPECT_TRUE(writer.wait(kDeadline));
}

TEST_P(LineWriterTest, NonBlockingDescriptorIsLeftSoAndStillWritten) {
  ASSERT_EQ(::fcntl(end.get(), F_SETFL, O_NONBLOCK), 0);
  LineWriter writer(end.get(), left_out);
  const std::string result = std::string(500'000, 'x') + "\nend\n";
  writer.write_always(result);
  EXPECT_EQ(read_until("\nend\n").size(), result.size());
  EXPECT_NE(::fcntl(end.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_P(LineWriterTest, BlockingDescriptorStaysOne) {
  LineWriter writer(end.get(), left_out);
  for (unsigned i = 0; i < 20'000; ++i) writer.write(line(i));
  EXPECT_EQ(::fcntl(end.get(), F_GETFL) & O_NONBLOCK, 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LineWriterTest, ::testing::Values("pipe", "socket"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(LineWriter, FullDeviceIsAnError) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  LineWriter writer(full.get(), left_out);
  writer.write("text\n");
  EXPECT_TRUE(writer.wait(kDeadline));
  EXPECT_EQ(writer.error(), ENOSPC);
}

TEST(LineWriter, DescriptorThatCannotBeWrittenIsAnError) {
  const Fd folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  LineWriter writer(folder.get(), left_out);
  writer.write("text\n");
  EXPECT_TRUE(writer.wait(kDeadline));
  EXPECT_EQ(writer.error(), EBADF);
}

TEST(LineWriter, TerminalIsWritten) {
  const Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master.valid());
  ASSERT_EQ(::grantpt(master.get()), 0);
  ASSERT_EQ(::unlockpt(master.get()), 0);
  const Fd terminal(::open(::ptsname(master.get()), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal.valid());
  LineWriter writer(terminal.get(), left_out);
  writer.write("text\n");
  EXPECT_TRUE(writer.wait(kDeadline));
  EXPECT_FALSE(writer.error());
  // Nobody reads: it fills, and nobody waits for it.
  for (unsigned i = 0; i < 20'000; ++i) writer.write(line(i));
  EXPECT_FALSE(writer.wait(1ms));
}

}  // namespace
}  // namespace wyndrvr::os
