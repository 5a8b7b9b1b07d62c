// Files that are no plain files: what stands there stays, and is written.
#include <array>
#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/entropy.hpp"
#include "os/file.hpp"
#include "os/file_place.hpp"

namespace wyndrvr::os {
namespace {

using ::testing::HasSubstr;
using Kind = FilePlace::Kind;

class FilePlaceTest : public ::testing::Test {
 protected:
  FilePlaceTest()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("os_file_place_test_{:016x}", entropy64())) {
    std::filesystem::create_directory(folder_);
  }
  ~FilePlaceTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  // Why nothing of this size can be written there; empty where it can.
  static std::string refusal(const std::string& at, std::size_t octets = 100) {
    auto place = find_place(at);
    if (!place) return place.error().message;
    const auto checked = check_place(*place, octets);
    return checked ? "" : checked.error().message;
  }
  static bool same(const std::string& text, const Fd& reader) {
    std::string read(text.size(), '\0');
    return ::read(reader.get(), read.data(), read.size()) == static_cast<ssize_t>(text.size()) &&
           read == text;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(FilePlaceTest, FifoIsWrittenAndStays) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  const Fd reader(::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(write_file(path("fifo"), "text"));
  EXPECT_TRUE(same("text", reader));
  EXPECT_TRUE(std::filesystem::is_fifo(path("fifo")));
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FilePlaceTest, FifoWithoutAReaderIsInOrder) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  auto place = find_place(path("fifo")).value();
  EXPECT_EQ(place.kind, Kind::kStream);
  EXPECT_FALSE(check_place(place, 100).value().valid());
  const Fd reader(::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_TRUE(open_stream(place).value().valid());
}

TEST_F(FilePlaceTest, DeviceIsWrittenAndStays) {
  if (::mknod(path("null").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) {
    GTEST_SKIP() << "this user may not make device nodes";
  }
  const Fd usable(::open(path("null").c_str(), O_WRONLY | O_CLOEXEC));
  if (!usable.valid()) GTEST_SKIP() << "device nodes do not work in this folder";
  ASSERT_TRUE(write_file(path("null"), "text"));
  EXPECT_TRUE(std::filesystem::is_character_file(path("null")));
  std::filesystem::create_symlink("null", path("link"));
  ASSERT_TRUE(write_file(path("link"), "text"));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_TRUE(std::filesystem::is_character_file(path("null")));
  EXPECT_EQ(entries(), 2U);
}

TEST_F(FilePlaceTest, LinkThatLeadsNowhereMakesItsTarget) {
  ASSERT_TRUE(make_folders(path("below")));
  std::filesystem::create_symlink("below/file", path("link"));
  EXPECT_EQ(refusal(path("link")), "");
  ASSERT_TRUE(write_file(path("link"), "text"));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(read_text_file(path("below/file"), 10).value(), "text");
}

TEST_F(FilePlaceTest, LinkToALinkStaysOne) {
  ASSERT_TRUE(write_file(path("file"), "old"));
  std::filesystem::create_symlink("file", path("one"));
  std::filesystem::create_symlink(path("one"), path("two"));
  ASSERT_TRUE(write_file(path("two"), "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(path("one")));
  EXPECT_TRUE(std::filesystem::is_symlink(path("two")));
  EXPECT_EQ(read_text_file(path("file"), 10).value(), "new");
}

TEST_F(FilePlaceTest, LinksWithoutEndAreRefused) {
  std::filesystem::create_symlink("one", path("two"));
  std::filesystem::create_symlink("two", path("one"));
  EXPECT_THAT(refusal(path("one")), HasSubstr("Too many levels of symbolic links"));
}

TEST_F(FilePlaceTest, OpenDescriptorIsWrittenByItsPath) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  const Fd end(ends[1]);
  for (const char* folder : {"/dev/fd", "/proc/self/fd"}) {
    const std::string at = fmt::format("{}/{}", folder, end.get());
    EXPECT_EQ(find_place(at).value().descriptor, end.get()) << at;
    ASSERT_TRUE(write_file(at, "text"));
    EXPECT_TRUE(same("text", reader));
  }
  std::filesystem::create_symlink(fmt::format("/dev/fd/{}", end.get()), path("link"));
  EXPECT_EQ(find_place(path("link")).value().descriptor, end.get());
}

TEST_F(FilePlaceTest, OpenFileIsGoneOnWithWhereItStands) {
  const Fd file(::open(path("file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), "before ", 7), 7);
  ASSERT_TRUE(write_file(fmt::format("/dev/fd/{}", file.get()), "after"));
  EXPECT_EQ(read_text_file(path("file"), 100).value(), "before after");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FilePlaceTest, DescriptorForReadingIsRefused) {
  const Fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(refusal(fmt::format("/dev/fd/{}", file.get())), HasSubstr("Bad file descriptor"));
}

TEST_F(FilePlaceTest, PipeWithoutAReaderIsRefused) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd end(ends[1]);
  ::close(ends[0]);
  EXPECT_THAT(refusal(fmt::format("/dev/fd/{}", end.get())), HasSubstr("Broken pipe"));
}

TEST_F(FilePlaceTest, FullDeviceIsRefused) {
  EXPECT_THAT(refusal("/dev/full"), HasSubstr("No space left on device"));
}

TEST_F(FilePlaceTest, MoreThanTheFileSystemHoldsIsRefused) {
  EXPECT_THAT(refusal(path("new"), 1UZ << 60),
              ::testing::AnyOf(HasSubstr("No space left"), HasSubstr("File too large")));
  ASSERT_TRUE(write_file(path("old"), "text"));
  EXPECT_NE(refusal(path("old"), 1UZ << 60), "");
  EXPECT_EQ(entries(), 1U) << "nothing is left of the trial";
  EXPECT_EQ(read_text_file(path("old"), 10).value(), "text");
}

TEST_F(FilePlaceTest, WhatCannotBeWrittenIsRefusedByItsCause) {
  EXPECT_THAT(refusal(path("")), HasSubstr("is a folder"));
  EXPECT_EQ(refusal(path("no/file")), "there is no folder " + path("no"));
  ASSERT_TRUE(write_file(path("file"), ""));
  EXPECT_THAT(refusal(path("file/below")), HasSubstr("Not a directory"));
  EXPECT_EQ(refusal(path("new/")), "there is no folder " + path("new/"));
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(refusal(path("socket")), HasSubstr("is a socket"));
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  EXPECT_EQ(refusal(path("file")), "");
  EXPECT_EQ(refusal("/dev/null"), "");
}

TEST_F(FilePlaceTest, LongNameLeavesRoomForTheNewFileBeside) {
  const std::string name(250, 'n');  // of 255 at most
  ASSERT_TRUE(write_file(path(name), "old"));
  ASSERT_TRUE(write_file(path(name), "new"));
  EXPECT_EQ(read_text_file(path(name), 10).value(), "new");
}

}  // namespace
}  // namespace wyndrvr::os
