// Bounds of texts, vectors and enums, and what is refused in set-ups and reports.
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "ipc/report_fields.hpp"
#include "ipc/setup_fields.hpp"

namespace wyndrvr::ipc {
namespace fields_test {

std::vector<std::byte> octets_of(const auto& value) {
  std::vector<std::byte> octets;
  write_frame(value, octets);
  return octets;
}

// A count of two octets and so many more.
std::vector<std::byte> counted(std::size_t count, std::size_t octets) {
  std::vector<std::byte> frame(2 + octets, std::byte{'x'});
  base::store_big_endian(frame.data(), count, 2);
  return frame;
}

TEST(Archive, ATextOfTheMaximumIsKept) {
  const std::string text(kMaxTextSize, 't');
  EXPECT_EQ(read_frame<std::string>(octets_of(text)), text);
}

TEST(Archive, ALongerTextIsCutWhenItIsWritten) {
  const std::string text(kMaxTextSize + 1, 't');
  EXPECT_EQ(read_frame<std::string>(octets_of(text)), text.substr(0, kMaxTextSize));
  EXPECT_EQ(read_frame<std::string>(octets_of(std::string(70'000, 't'))),
            text.substr(0, kMaxTextSize));
}

TEST(Archive, ATextThatSaysThatItIsLongerIsRefused) {
  EXPECT_TRUE(read_frame<std::string>(counted(kMaxTextSize, kMaxTextSize)));
  EXPECT_FALSE(read_frame<std::string>(counted(kMaxTextSize + 1, kMaxTextSize + 1)));
}

TEST(Archive, AVectorKeepsItsOrderAndAnEmptyOneIsEmpty) {
  const std::vector<std::uint16_t> values = {3, 1, 2};
  EXPECT_EQ(read_frame<std::vector<std::uint16_t>>(octets_of(values)), values);
  EXPECT_EQ(read_frame<std::vector<std::uint16_t>>(counted(0, 0)), std::vector<std::uint16_t>{});
}

TEST(Archive, AVectorOfMoreThanTheMaximumIsRefused) {
  EXPECT_TRUE(read_frame<std::vector<std::uint8_t>>(counted(kMaxVectorSize, kMaxVectorSize)));
  EXPECT_FALSE(
      read_frame<std::vector<std::uint8_t>>(counted(kMaxVectorSize + 1, kMaxVectorSize + 1)));
}

TEST(Archive, AVectorOfMoreThanThereIsIsRefused) {
  EXPECT_FALSE(read_frame<std::vector<std::uint8_t>>(counted(10, 9)));
  EXPECT_FALSE(read_frame<std::vector<engine::SessionId>>(counted(kMaxVectorSize, 8)));
}

TEST(Archive, AVariantIsToldByItsIndex) {
  using Variant = std::variant<std::uint8_t, engine::Connected, std::string>;
  const auto frame = octets_of(Variant("ab"));
  ASSERT_EQ(frame.size(), 5U);
  EXPECT_EQ(std::get<std::string>(*read_frame<Variant>(frame)), "ab");
  EXPECT_EQ(read_frame<Variant>(octets_of(Variant(engine::Connected{})))->index(), 1U);
}

TEST(Archive, AVariantWithAnUnknownIndexIsRefused) {
  using Variant = std::variant<std::uint8_t, bool>;
  std::vector<std::byte> frame = octets_of(Variant(true));
  EXPECT_TRUE(read_frame<Variant>(frame));
  frame[0] = std::byte{2};
  EXPECT_FALSE(read_frame<Variant>(frame));
  frame[0] = std::byte{255};
  EXPECT_FALSE(read_frame<Variant>(frame));
}

TEST(SetupFields, AnAddressOfAnUnknownFamilyIsRefused) {
  std::vector<std::byte> frame = octets_of(Endpoint{parse_ip("192.0.2.7").value(), {4242}});
  EXPECT_EQ(to_string(*read_frame<Endpoint>(frame)), "192.0.2.7:4242");
  frame[0] = std::byte{2};
  EXPECT_FALSE(read_frame<Endpoint>(frame));
}

TEST(SetupFields, AZoneStaysWithItsAddress) {
  const Endpoint endpoint{parse_ip("fe80::1%7").value(), {1}};
  EXPECT_EQ(read_frame<Endpoint>(octets_of(endpoint)), endpoint);
}

TEST(SetupFields, AnAddressThatHeldAnotherFamilyBeforeKeepsNothingOfIt) {
  Reader reader({});
  const auto frame = octets_of(parse_ip("192.0.2.7").value());
  reader = Reader(frame);
  IpAddress address = parse_ip("2001:db8::1%3").value();
  transfer(reader, address);
  EXPECT_EQ(address, parse_ip("192.0.2.7").value());
}

TEST(SetupFields, AnUnknownSideKindOrTruthValueOfAPortIsRefused) {
  const std::vector<std::byte> frame = octets_of(engine::PortConfig{});
  ASSERT_TRUE(read_frame<engine::PortConfig>(frame));
  for (const std::size_t at : {0U, 1U}) {
    std::vector<std::byte> wrong = frame;
    wrong[at] = std::byte{3};
    EXPECT_FALSE(read_frame<engine::PortConfig>(wrong)) << at;
  }
}

TEST(SetupFields, ASetupFitsIntoAFrame) {
  EXPECT_LE(octets_of(engine::PortConfig{}).size() + octets_of(engine::SessionSetup{}).size() +
                octets_of(engine::ServerLimits{}).size(),
            kMaxFrameSize / 2);
}

TEST(ReportFields, TheLongestCauseAndTheLongestProgressFitIntoAFrame) {
  const engine::Report lost =
      engine::PortLost{{parse_ip("::1").value(), {1}}, {}, std::string(5000, 'c')};
  EXPECT_LE(octets_of(lost).size(), kMaxFrameSize);
  const auto again = read_frame<engine::Report>(octets_of(lost));
  EXPECT_EQ(std::get<engine::PortLost>(*again).cause.size(), kMaxTextSize);
  const engine::Report progress = engine::TestProgress{{}, {}, {}, {}, engine::ReceiverTotals{}};
  EXPECT_LE(octets_of(progress).size(), kMaxFrameSize);
}

TEST(ReportFields, AnUnknownEndOfASessionIsRefused) {
  engine::ClientGone gone{};
  gone.client.address = parse_ip("::1").value();
  std::vector<std::byte> frame = octets_of(engine::Report(gone));
  ASSERT_TRUE(read_frame<engine::Report>(frame));
  const std::size_t at = 1 + octets_of(gone.client).size();
  frame[at] = std::byte{100};
  EXPECT_FALSE(read_frame<engine::Report>(frame));
}

TEST(ReportFields, AnUnknownReportIsRefused) {
  const std::vector<std::byte> frame(1,
                                     static_cast<std::byte>(std::variant_size_v<engine::Report>));
  EXPECT_FALSE(read_frame<engine::Report>(frame));
}

}  // namespace fields_test
}  // namespace wyndrvr::ipc
