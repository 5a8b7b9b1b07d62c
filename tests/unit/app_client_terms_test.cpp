// What a client asks for in dialect 1, what of it 0.14 can do, and what is refused before a run.
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_edit.hpp"
#include "app/config_file.hpp"
#include "app/run_config.hpp"

namespace wyndrvr::app {
namespace client_terms_test {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using wire::Directions;
using KeyValues = std::vector<std::pair<Key, std::string_view>>;

Settings chosen(const KeyValues& values) {
  Settings settings;
  for (const auto& [key, text] : values) {
    const auto set = settings.set(key, text, Origin::option(option_name(spec_of(key))));
    EXPECT_TRUE(set.has_value()) << set.error().message;
  }
  return settings;
}

Result<runtime::ClientRun> run_of(const Settings& settings, Directions directions) {
  ClientWishes wishes;
  wishes.directions = directions;
  return make_client_run(settings, wishes, {0});
}

runtime::ClientRun valid_run(const Settings& settings, Directions directions) {
  const auto run = run_of(settings, directions);
  EXPECT_TRUE(run.has_value()) << run.error().message;
  return run.value_or(runtime::ClientRun{});
}

std::string error_with(const Settings& settings, Directions directions) {
  const auto run = run_of(settings, directions);
  return run ? "<accepted>" : run.error().message;
}

TEST(ClientTerms, EveryWishArrivesInTheTermsOrAtTheSocket) {
  const auto run = valid_run(chosen({{Key::kRate, "25M"},
                                     {Key::kPayload, "1200"},
                                     {Key::kStreams, "4"},
                                     {Key::kReliable, "on"},
                                     {Key::kBytes, "1Mi"},
                                     {Key::kFragment, "yes"},
                                     {Key::kDataTags, "yes"},
                                     {Key::kKeyFile, "keys"},
                                     {Key::kDscp, "EF"},
                                     {Key::kEcn, "yes"},
                                     {Key::kTtl, "7"},
                                     {Key::kBind, "192.0.2.1"},
                                     {Key::kInterface, "eth0"},
                                     {Key::kSinglePort, "yes"},
                                     {Key::kDuration, "2"},
                                     {Key::kDialect, "1"}}),
                             Directions::kBoth);
  const engine::TestTerms expected{.directions = Directions::kBoth,
                                   .duration = 2s,
                                   .rate = BitRate{25e6},
                                   .adaptive = false,
                                   .payload_bytes = 1200,
                                   .streams = 4,
                                   .reliable = true,
                                   .octets = ByteCount{1'048'576},
                                   .single_port = true,
                                   .data_tags = true,
                                   .fragment = true,
                                   .traffic_class = 0xba};  // EF and ECT(0)
  EXPECT_EQ(run.engine.terms, expected);
  EXPECT_EQ(run.engine.dialect, engine::DialectChoice::kOne);
  EXPECT_EQ(run.sockets.traffic_class, 0xba);
  EXPECT_EQ(run.sockets.hop_limit, 7);
  EXPECT_EQ(run.sockets.interface, "eth0");
  EXPECT_FALSE(run.sockets.never_fragment);
}

TEST(ClientTerms, APlainUploadIsTheOriginalsInZeroFourteen) {
  const auto run = valid_run(Settings(), Directions::kUpload);
  EXPECT_EQ(run.engine.dialect, engine::DialectChoice::kAuto);
  EXPECT_THAT(run.engine.not_in_original, IsEmpty());
  ASSERT_TRUE(run.engine.upload.has_value());
  EXPECT_EQ(run.engine.upload->duration, 30s);
  EXPECT_EQ(run.engine.upload->payload_bytes, 900U);
  EXPECT_EQ(run.engine.upload->rate, std::nullopt);
  EXPECT_EQ(run.engine.terms.payload_bytes, 1400U);
  EXPECT_FALSE(run.engine.terms.reliable);
  EXPECT_TRUE(run.sockets.never_fragment);
}

TEST(ClientTerms, WhatTheSenderDoesAloneCanBeHadInZeroFourteen) {
  const auto run = valid_run(chosen({{Key::kDialect, "0.14"},
                                     {Key::kRate, "3M"},
                                     {Key::kDscp, "CS1"},
                                     {Key::kEcn, "yes"},
                                     {Key::kTtl, "9"},
                                     {Key::kBind, "192.0.2.1"},
                                     {Key::kFragment, "yes"},
                                     {Key::kReliable, "on"},
                                     {Key::kPayload, "1400"}}),
                             Directions::kUpload);
  ASSERT_TRUE(run.engine.upload.has_value());
  EXPECT_EQ(run.engine.upload->rate, BitRate{3e6});
  EXPECT_EQ(run.engine.upload->payload_bytes, 1362U) << "the longest that 0.14 has";
}

TEST(ClientTerms, WhatZeroFourteenLacksIsSaidInWordsAndRefusedWithIt) {
  struct Case {
    Directions directions;
    KeyValues values;
    std::string_view option;
  };
  const std::vector<Case> cases = {
      {Directions::kDownload, {}, "--bwdown"},
      {Directions::kBoth, {}, "--bwboth"},
      {Directions::kUpload, {{Key::kStreams, "2"}}, "--streams 2"},
      {Directions::kUpload, {{Key::kReliable, "off"}}, "--reliable off"},
      {Directions::kUpload, {{Key::kBytes, "1M"}}, "--bytes"},
      {Directions::kUpload, {{Key::kPayload, "1401"}}, "--payload"},
      {Directions::kUpload, {{Key::kSinglePort, "yes"}}, "--single-port"},
      {Directions::kLatencyOnly, {{Key::kSinglePort, "yes"}}, "--single-port"},
  };
  for (const Case& item : cases) {
    Settings settings = chosen(item.values);
    const auto run = valid_run(settings, item.directions);
    EXPECT_FALSE(run.engine.upload.has_value()) << item.option;
    EXPECT_THAT(run.engine.not_in_original, HasSubstr(item.option));
    ASSERT_TRUE(settings.set(Key::kDialect, "0.14", Origin::option("--dialect")));
    EXPECT_THAT(error_with(settings, item.directions),
                AllOf(HasSubstr("dialect=0.14 (option --dialect)"), HasSubstr(item.option)));
  }
}

TEST(ClientTerms, AKeyIsNeverGivenUpForAnOriginalServer) {
  for (const Directions directions : {Directions::kLatencyOnly, Directions::kUpload}) {
    const auto run = valid_run(chosen({{Key::kKeyFile, "k"}}), directions);
    EXPECT_FALSE(run.engine.upload.has_value());
    EXPECT_THAT(run.engine.not_in_original, HasSubstr("--key-file"));
    EXPECT_THAT(error_with(chosen({{Key::kKeyFile, "k"}, {Key::kDialect, "0.14"}}), directions),
                AllOf(HasSubstr("key_file=k (option --key-file)"), HasSubstr("dialect=0.14")));
  }
  // One file may serve both ends.
  EXPECT_TRUE(check_consistent(chosen({{Key::kDataTags, "true"}}), Role::kServer));
  EXPECT_FALSE(check_consistent(chosen({{Key::kDataTags, "true"}}), Role::kClient));
  EXPECT_TRUE(check_consistent(chosen({{Key::kRequireKey, "true"}}), Role::kClient));
  EXPECT_FALSE(check_consistent(chosen({{Key::kRequireKey, "true"}}), Role::kServer));
  EXPECT_FALSE(
      check_consistent(chosen({{Key::kKeyFile, "k"}, {Key::kDialect, "0.14"}}), Role::kBoth));
}

TEST(ClientTerms, DataTagsNeedAKey) {
  EXPECT_THAT(error_with(chosen({{Key::kDataTags, "yes"}}), Directions::kUpload),
              AllOf(HasSubstr("data_tags=yes"), HasSubstr("key_file")));
}

TEST(ClientTerms, TestsOptionsDoNotKeepALatencyRunFromAnOriginalServer) {
  const auto run =
      valid_run(chosen({{Key::kStreams, "8"}, {Key::kBytes, "1G"}}), Directions::kLatencyOnly);
  EXPECT_THAT(run.engine.not_in_original, IsEmpty());
  EXPECT_EQ(run.engine.terms.directions, Directions::kLatencyOnly);
}

TEST(ClientTerms, TheOriginalsPacketLengthSetsThePayloadWhereNothingElseDoes) {
  Settings settings = chosen({{Key::kBwPacketLength, "100"}});
  EXPECT_EQ(valid_run(settings, Directions::kUpload).engine.terms.payload_bytes, 138U);
  ASSERT_TRUE(settings.set(Key::kPayload, "1000", Origin::file("f", 1)));
  auto run = valid_run(settings, Directions::kUpload);
  EXPECT_EQ(run.engine.terms.payload_bytes, 138U) << "the command line goes before the file";
  EXPECT_EQ(run.engine.upload->payload_bytes, 100U);
  ASSERT_TRUE(settings.set(Key::kPayload, "1000", Origin::option("--payload")));
  ASSERT_TRUE(settings.set(Key::kBwPacketLength, "100", Origin::file("f", 2)));
  run = valid_run(settings, Directions::kUpload);
  EXPECT_EQ(run.engine.terms.payload_bytes, 1000U);
  EXPECT_EQ(run.engine.upload->payload_bytes, 962U) << "the same datagrams in 0.14";
}

TEST(ClientTerms, AFileOfDefaultsChangesNothing) {
  Settings settings;
  const std::string text = new_config_text({});
  ASSERT_TRUE(apply_config(settings, text, "f").has_value());
  const auto run = valid_run(settings, Directions::kUpload);
  const auto plain = valid_run(Settings(), Directions::kUpload);
  EXPECT_THAT(run.engine.not_in_original, IsEmpty());
  ASSERT_TRUE(run.engine.upload.has_value());
  EXPECT_EQ(run.engine.upload->payload_bytes, plain.engine.upload->payload_bytes);
  EXPECT_EQ(run.engine.terms, plain.engine.terms);
}

}  // namespace client_terms_test
}  // namespace wyndrvr::app
