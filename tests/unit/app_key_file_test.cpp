#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/key_file.hpp"
#include "os/entropy.hpp"
#include "os/file.hpp"
#include "unit/crypto_test_support.hpp"

namespace wyndrvr::app {
namespace key_file_test {

using crypto::testing::hex;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kDigits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const std::string kOther = "F0E1D2C3B4A5968778695A4B3C2D1E0F0f1e2d3c4b5a69788796a5b4c3d2e1f0";

// What went wrong; empty when nothing did.
std::string error_of(const std::string& text) {
  const auto keys = parse_key_file(text, "/etc/keys");
  return keys ? std::string() : keys.error().message;
}

TEST(KeyFile, KeysComeInTheOrderOfTheFile) {
  const auto keys = parse_key_file("7 " + kDigits + "\n0 " + kOther + "\n", "keys");
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].id, 7U);
  EXPECT_EQ(hex((*keys)[0].octets.view()), kDigits);
  EXPECT_EQ((*keys)[1].id, 0U);
  EXPECT_EQ(hex((*keys)[1].octets.view()),
            "f0e1d2c3b4a5968778695a4b3c2d1e0f0f1e2d3c4b5a69788796a5b4c3d2e1f0");
}

TEST(KeyFile, CommentsBlanksAndLineEndsOfAllKindsAreAccepted) {
  const auto keys = parse_key_file("# a comment with 12 words\r\n\r\n \t\n\t4294967295 \t" +
                                       kDigits + " \t# until June\r\n#\n1 " + kOther + "#next",
                                   "keys");
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].id, 4'294'967'295U);
  EXPECT_EQ((*keys)[1].id, 1U);
}

TEST(KeyFile, ErrorsNameFileAndLine) {
  const std::string good = "1 " + kDigits + "\n";
  EXPECT_THAT(error_of(good + "\n# c\n2 12\n"), HasSubstr("/etc/keys:4: "));
  EXPECT_THAT(error_of("nonsense"), HasSubstr("/etc/keys:1: "));
}

TEST(KeyFile, AnIdIsADecimalNumberOf32Bits) {
  for (const char* id :
       {"4294967296", "-1", "+1", "0x1", "1.0", "a", "1,", "99999999999999999999"}) {
    EXPECT_THAT(error_of(std::string(id) + " " + kDigits), HasSubstr("id, a number from 0")) << id;
  }
}

TEST(KeyFile, AKeyHasSixtyFourHexadecimalDigits) {
  EXPECT_THAT(error_of("1"), HasSubstr("here are 0 characters"));
  EXPECT_THAT(error_of("1 " + kDigits.substr(1)), HasSubstr("here are 63 characters"));
  EXPECT_THAT(error_of("1 " + kDigits + "0"), HasSubstr("here are 65 characters"));
  for (const char wrong : {'g', 'G', ' ', '-', '\0', '\x80', ':'}) {
    std::string digits = kDigits;
    digits[10] = wrong;
    EXPECT_NE(error_of("1 " + digits), "") << wrong;
  }
  EXPECT_THAT(error_of("1 " + kDigits + " more"), HasSubstr("something follows"));
}

TEST(KeyFile, AnIdThatIsThereAlreadyIsAnErrorThatNamesBothLines) {
  const std::string error = error_of("1 " + kDigits + "\n\n2 " + kDigits + "\n1 " + kOther);
  EXPECT_THAT(error, HasSubstr("/etc/keys:4: "));
  EXPECT_THAT(error, HasSubstr("line 1"));
}

TEST(KeyFile, SixtyFourKeysAreAllowedAndOneMoreIsNot) {
  std::string text;
  for (int id = 0; id < 64; ++id) text += std::to_string(id) + " " + kDigits + "\n";
  EXPECT_EQ(error_of(text), "");
  EXPECT_THAT(error_of(text + "64 " + kDigits), HasSubstr("64 keys at most"));
}

TEST(KeyFile, WithoutAKeyIsAnError) {
  EXPECT_THAT(error_of(""), HasSubstr("/etc/keys: it holds no key"));
  EXPECT_THAT(error_of("# 1 " + kDigits + "\n"), HasSubstr("no key"));
}

// However the line is wrong: id and key exchanged, the key alone, broken, or twice.
TEST(KeyFile, NoErrorShowsAnythingOfAKey) {
  const std::string marked = "ca11ab1e" + kDigits.substr(8);
  std::string broken = marked;
  broken.back() = 'x';
  for (const std::string& text :
       {marked, marked + " 1", "1 " + marked + "00", "1 " + broken, "1 " + marked.substr(2),
        "1 " + marked + " " + marked, "1" + marked, "1 " + marked + "\n1 " + marked, "1=" + marked,
        "1 0x" + marked}) {
    const std::string error = error_of(text);
    ASSERT_NE(error, "") << text;
    EXPECT_THAT(error, Not(HasSubstr("ca11"))) << text;
    EXPECT_THAT(error, Not(HasSubstr("ab1e"))) << text;
    EXPECT_THAT(error, Not(HasSubstr(kDigits.substr(20, 6)))) << text;
  }
}

// A folder of its own for each test, gone afterwards.
class LoadKeyFile : public ::testing::Test {
 protected:
  LoadKeyFile()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("key_file_test_{:016x}", os::entropy64())) {
    std::filesystem::create_directory(folder_);
  }
  ~LoadKeyFile() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::string path() const { return folder_ / "keys"; }
  void write(const std::string& text, mode_t mode = 0600) const {
    ASSERT_TRUE(os::write_file(path(), text, 0600));
    ASSERT_EQ(::chmod(path().c_str(), mode), 0);
  }
  [[nodiscard]] std::string error() const {
    const auto keys = load_key_file(path());
    return keys ? std::string() : keys.error().message;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(LoadKeyFile, OfItsOwnerAloneIsRead) {
  for (const mode_t mode : {0600U, 0400U}) {
    write("3 " + kDigits + "\n", mode);
    const auto keys = load_key_file(path());
    ASSERT_TRUE(keys) << keys.error().message;
    ASSERT_EQ(keys->size(), 1U);
    EXPECT_EQ(keys->front().id, 3U);
    EXPECT_EQ(hex(keys->front().octets.view()), kDigits);
  }
}

TEST_F(LoadKeyFile, ThatGroupOrOthersMayUseInAnyWayIsRefused) {
  for (const mode_t bit : {0040U, 0020U, 0010U, 0004U, 0002U, 0001U}) {
    write("3 " + kDigits + "\n", 0600U | bit);
    EXPECT_THAT(error(), HasSubstr(path())) << bit;
    EXPECT_THAT(error(), HasSubstr(fmt::format("{:04o}", 0600U | bit))) << bit;
    EXPECT_THAT(error(), HasSubstr("chmod 600")) << bit;
  }
}

TEST_F(LoadKeyFile, ThatIsMissingIsAnErrorThatNamesIt) {
  EXPECT_THAT(error(), HasSubstr(path()));
}

TEST_F(LoadKeyFile, ThatIsAFolderIsRefused) {
  ASSERT_EQ(::mkdir(path().c_str(), 0700), 0);
  EXPECT_THAT(error(), HasSubstr("not a regular file"));
}

TEST_F(LoadKeyFile, ThatIsAPipeIsRefusedWithoutWaitingForItsWriter) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_THAT(error(), HasSubstr("not a regular file"));
}

TEST_F(LoadKeyFile, BehindALinkIsJudgedByTheFile) {
  write("3 " + kDigits + "\n", 0644);
  const std::string link = path() + ".link";
  ASSERT_EQ(::symlink(path().c_str(), link.c_str()), 0);
  EXPECT_FALSE(load_key_file(link));
  ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
  EXPECT_TRUE(load_key_file(link));
}

TEST_F(LoadKeyFile, Of64KiBIsReadAndOneOctetMoreIsRefused) {
  const std::string line = "3 " + kDigits + "\n";
  write(line + std::string(kMaxKeyFileSize - line.size(), '#'));
  EXPECT_EQ(error(), "");
  write(line + std::string(kMaxKeyFileSize - line.size() + 1, '#'));
  EXPECT_THAT(error(), HasSubstr("65536 bytes"));
}

TEST_F(LoadKeyFile, ThatIsWrongNamesFileAndLine) {
  write("# comment\n3 12\n");
  EXPECT_THAT(error(), HasSubstr(path() + ":2: "));
}

}  // namespace key_file_test
}  // namespace wyndrvr::app
