#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/entropy.hpp"
#include "os/file.hpp"

namespace wyndrvr::os {
namespace file_test {

using ::testing::HasSubstr;

// A folder of its own for each test, gone afterwards.
class FileTest : public ::testing::Test {
 protected:
  FileTest()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("os_file_test_{:016x}", entropy64())) {
    std::filesystem::create_directory(folder_);
  }
  ~FileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  static mode_t mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(FileTest, WhatIsWrittenIsRead) {
  const std::string text = std::string("one\ntwo\0three", 13) + std::string(40'000, 'x');
  ASSERT_TRUE(write_file(path("file"), text));
  EXPECT_EQ(read_text_file(path("file"), text.size()).value(), text);
  EXPECT_EQ(entries(), 1U);  // no temporary file is left
}

TEST_F(FileTest, LargerThanAllowedIsAnErrorThatNamesFileAndLimit) {
  ASSERT_TRUE(write_file(path("file"), "12345"));
  EXPECT_TRUE(read_text_file(path("file"), 5));
  const auto text = read_text_file(path("file"), 4);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr(path("file")));
  EXPECT_THAT(text.error().message, HasSubstr("4 bytes"));
}

TEST_F(FileTest, MissingFileIsAnErrorAndItsKindSaysSo) {
  const auto text = read_text_file(path("none"), 10);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("No such file"));
  EXPECT_EQ(file_kind(path("none")).value(), FileKind::kMissing);
}

TEST_F(FileTest, KindsAreTold) {
  ASSERT_TRUE(write_file(path("file"), ""));
  EXPECT_EQ(file_kind(path("file")).value(), FileKind::kFile);
  EXPECT_EQ(file_kind(path("")).value(), FileKind::kFolder);
  EXPECT_EQ(file_kind("/dev/null").value(), FileKind::kOther);
  EXPECT_EQ(file_kind(path("file/below")).value(), FileKind::kMissing);
}

TEST_F(FileTest, FolderCannotBeRead) {
  const auto text = read_text_file(path(""), 10);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("Is a directory"));
}

TEST_F(FileTest, ReplacedFileKeepsItsMode) {
  ASSERT_TRUE(write_file(path("file"), "old"));
  ASSERT_EQ(::chmod(path("file").c_str(), 0640), 0);
  ASSERT_TRUE(write_file(path("file"), "new"));
  EXPECT_EQ(mode_of(path("file")), 0640U);
  EXPECT_EQ(read_text_file(path("file"), 10).value(), "new");
}

TEST_F(FileTest, NewFileGetsTheModeLessTheUmask) {
  const mode_t old = ::umask(0027);
  ASSERT_TRUE(write_file(path("usual"), ""));
  ASSERT_TRUE(write_file(path("secret"), "", 0600));
  ::umask(old);
  EXPECT_EQ(mode_of(path("usual")), 0640U);
  EXPECT_EQ(mode_of(path("secret")), 0600U);
}

TEST_F(FileTest, SymbolicLinkStaysALink) {
  ASSERT_TRUE(write_file(path("real"), "old"));
  std::filesystem::create_symlink("real", path("link"));
  ASSERT_TRUE(write_file(path("link"), "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(read_text_file(path("real"), 10).value(), "new");
}

TEST_F(FileTest, WriteThatFailsLeavesNothingBehind) {
  ASSERT_TRUE(make_folders(path("folder")));
  const auto written = write_file(path("folder"), "text");  // a folder is in the way
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("is a folder"));
  EXPECT_EQ(entries(), 1U);
  EXPECT_FALSE(write_file(path("no/such/folder"), "text"));
}

TEST_F(FileTest, FoldersAreMadeWithThoseAboveAndAgainWithoutError) {
  ASSERT_TRUE(make_folders(path("a/b/c")));
  EXPECT_EQ(file_kind(path("a/b/c")).value(), FileKind::kFolder);
  EXPECT_TRUE(make_folders(path("a/b/c")));
}

TEST_F(FileTest, FileInTheWayOfAFolderIsAnErrorThatNamesIt) {
  ASSERT_TRUE(write_file(path("file"), ""));
  const auto made = make_folders(path("file/below"));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr(path("file/below")));
  EXPECT_FALSE(make_folders(path("file")));
}

}  // namespace file_test
}  // namespace wyndrvr::os
