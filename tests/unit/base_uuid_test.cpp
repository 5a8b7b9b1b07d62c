#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/uuid.hpp"

namespace wyndrvr::base {
namespace uuid_test {

TEST(Uuid, TextReadsBackAsTheSame) {
  Random random(1);
  for (int i = 0; i < 100; ++i) {
    const Uuid uuid = make_uuid_v4(random);
    EXPECT_EQ(parse_uuid(to_string(uuid)), uuid);
  }
}

TEST(Uuid, ExampleOfTheRfcReadsAndWrites) {
  const std::string text = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";  // RFC 9562 section 4
  const auto uuid = parse_uuid(text);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->bytes[0], std::byte{0xf8});
  EXPECT_EQ(uuid->bytes[15], std::byte{0xf6});
  EXPECT_EQ(to_string(*uuid), text);
}

TEST(Uuid, EitherCaseIsRead) {
  EXPECT_EQ(parse_uuid("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"),
            parse_uuid("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
}

TEST(Uuid, OtherFormsAreRefused) {
  EXPECT_FALSE(parse_uuid(""));
  EXPECT_FALSE(parse_uuid("f81d4fae7dec11d0a76500a0c91e6bf6"));
  EXPECT_FALSE(parse_uuid("f81d4fae-7dec-11d0-a765-00a0c91e6bf"));
  EXPECT_FALSE(parse_uuid("f81d4fae-7dec-11d0-a765-00a0c91e6bf6 "));
  EXPECT_FALSE(parse_uuid("g81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
  EXPECT_FALSE(parse_uuid("f81d4fae-7dec-11d0-a765+00a0c91e6bf6"));
  EXPECT_FALSE(parse_uuid("f81d4fa-e7dec-11d0-a765-00a0c91e6bf6"));
}

TEST(Uuid, Version4HasItsVersionAndVariant) {
  Random random(2);
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = to_string(make_uuid_v4(random));
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
    all.insert(text);
  }
  EXPECT_EQ(all.size(), 1000U);
}

TEST(Uuid, Version7BeginsWithTheTimeInMilliseconds) {
  Random random(3);
  // The example of RFC 9562, appendix A.6: 2022-02-22 14:22:22 -05:00.
  const WallTime time{std::chrono::milliseconds(0x017F22E279B0)};
  const std::string text = to_string(make_uuid_v7(random, time));
  EXPECT_EQ(text.substr(0, 15), "017f22e2-79b0-7");
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
}

TEST(Uuid, Version7SortsByTime) {
  Random random(4);
  const WallTime time{1'700'000'000s};
  EXPECT_LT(make_uuid_v7(random, time), make_uuid_v7(random, time + 1ms));
}

}  // namespace uuid_test
}  // namespace wyndrvr::base
