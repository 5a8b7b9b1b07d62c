// The rules between keys, and that every key arrives where it has its effect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/run_config.hpp"

namespace wyndrvr::app {
namespace run_config_test {

using ::testing::AllOf;
using ::testing::HasSubstr;

Settings with(std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  Settings settings;
  for (const auto& [name, text] : values) {
    const KeySpec& spec = spec_of(find_key(name).value());
    const auto set = settings.set(spec.key, text, Origin::option(option_name(spec)));
    EXPECT_TRUE(set.has_value()) << name;
  }
  return settings;
}

// Where the CPUs do not matter.
Result<runtime::ClientRun> client_run(const Settings& settings, const ClientWishes& wishes = {}) {
  return make_client_run(settings, wishes, {0});
}

Result<runtime::ServerRun> server_run(const Settings& settings) {
  return make_server_run(settings, {0});
}

TEST(RunConfig, ClientTakesEveryKeyThatConcernsIt) {
  const Settings settings = with({{"heartbeat_rate", "10"},
                                  {"adjustment_delay", "200"},
                                  {"flow_control_rate", "4"},
                                  {"ucm_delay", "30"},
                                  {"ucm_rate", "40"},
                                  {"incoming_blocking_level", "5"},
                                  {"incoming_sleep", "6"},
                                  {"send_sleep", "7"},
                                  {"max_send_time", "8"},
                                  {"client_block_time", "9"},
                                  {"server_block_time", "99"},
                                  {"gso", "off"},
                                  {"gro", "ON"},
                                  {"bw_packet_length", "1000"},
                                  {"duration", "2.5"},
                                  {"test_verbose", "yes"},
                                  {"test_delay", "11"},
                                  {"test_drop_rate", "0.25"}});
  const auto run = client_run(
      settings,
      {.directions = wire::Directions::kUpload, .heartbeat_count = {}, .progress_interval = 250ms});
  ASSERT_TRUE(run.has_value()) << run.error().message;
  EXPECT_EQ(run->engine.protocol.heartbeat_interval, 10ms);
  EXPECT_EQ(run->engine.protocol.report_interval(), 50ms);
  EXPECT_EQ(run->engine.protocol.control_resend_interval, 30ms);
  EXPECT_EQ(run->engine.protocol.result_resend_interval, 40ms);
  EXPECT_TRUE(run->engine.protocol.trace);
  EXPECT_EQ(run->engine.progress_interval, 250ms);
  ASSERT_TRUE(run->engine.upload.has_value());
  EXPECT_EQ(run->engine.upload->duration, 2500ms);
  EXPECT_EQ(run->engine.upload->payload_bytes, 1000U);
  EXPECT_FALSE(run->engine.latency_duration.has_value());
  EXPECT_EQ(run->tuning.gather, 5us);
  EXPECT_EQ(run->tuning.incoming_sleep, 6us);
  EXPECT_EQ(run->tuning.send_sleep, 7us);
  EXPECT_EQ(run->tuning.max_send_time, 8us);
  EXPECT_EQ(run->tuning.block_limit, 9ms);
  EXPECT_EQ(run->tuning.test_delay, 11ms);
  EXPECT_EQ(run->tuning.drop_probability, 0.25);
  EXPECT_EQ(run->tuning.offloads.gso, os::Offload::kOff);
  EXPECT_EQ(run->tuning.offloads.gro, os::Offload::kOn);
}

TEST(RunConfig, ServerTakesEveryKeyThatConcernsIt) {
  const Settings settings = with({{"port_ranges", "9000-9010,9020-9030"},
                                  {"bind_port", "9015"},
                                  {"server_block_time", "3"},
                                  {"client_block_time", "99"},
                                  {"gro", "off"},
                                  {"idle_timeout", "1500"},
                                  {"max_session_duration", "7200"},
                                  {"max_sessions", "5"},
                                  {"max_sessions_per_address", "4"},
                                  {"max_unproven_sessions", "3"},
                                  {"max_test_duration", "60"},
                                  {"max_sessions_per_network", "2"},
                                  {"max_rate", "500M"},
                                  {"max_total_rate", "5G"},
                                  {"max_test_bytes", "2GiB"},
                                  {"max_streams", "8"},
                                  {"max_payload", "1472"},
                                  {"interface", "eth0"}});
  const auto run = server_run(settings);
  ASSERT_TRUE(run.has_value()) << run.error().message;
  EXPECT_EQ(run->port, Port{9015});
  EXPECT_EQ(run->interface, "eth0");
  EXPECT_EQ(run->engine.port_ranges, (PortRanges{{{9000}, {9010}}, {{9020}, {9030}}}));
  EXPECT_EQ(run->tuning.block_limit, 3ms);
  EXPECT_EQ(run->tuning.offloads.gso, os::Offload::kAuto);
  EXPECT_EQ(run->tuning.offloads.gro, os::Offload::kOff);
  EXPECT_EQ(run->engine.limits.idle_timeout, 1500ms);
  EXPECT_EQ(run->engine.limits.max_session_duration, 2h);
  EXPECT_EQ(run->engine.limits.max_sessions, 5U);
  EXPECT_EQ(run->engine.limits.max_sessions_per_address, 4U);
  EXPECT_EQ(run->engine.limits.max_unproven_sessions, 3U);
  EXPECT_EQ(run->engine.limits.max_test_duration, 60s);
  EXPECT_EQ(run->engine.limits.max_sessions_per_network, 2U);
  EXPECT_EQ(run->engine.limits.max_rate, BitRate{5e8});
  EXPECT_EQ(run->engine.limits.max_total_rate, BitRate{5e9});
  EXPECT_EQ(run->engine.limits.max_test_bytes, ByteCount{2'147'483'648});
  EXPECT_EQ(run->engine.limits.max_streams, 8U);
  EXPECT_EQ(run->engine.limits.max_payload, 1472U);
}

TEST(RunConfig, SharesOfSessionsFollowFromThePorts) {
  struct Case {
    const char* ranges;
    std::size_t per_address;
    std::size_t per_network;
    std::size_t unproven;
  };
  for (const Case& expected : {Case{"7000-8000", 83, 166, 166},  // 333 sessions
                               Case{"10000-60000", 4166, 8333, 400}, Case{"7000-7119", 10, 20, 20},
                               Case{"7000-7029", 4, 5, 5},  // ten: not two of them
                               Case{"7000-7005", 1, 1, 1}, Case{"7000-7002", 1, 1, 1}}) {
    const auto run = server_run(with({{"port_ranges", expected.ranges}}));
    ASSERT_TRUE(run.has_value()) << run.error().message;
    EXPECT_EQ(run->engine.limits.max_sessions_per_address, expected.per_address) << expected.ranges;
    EXPECT_EQ(run->engine.limits.max_sessions_per_network, expected.per_network) << expected.ranges;
    EXPECT_EQ(run->engine.limits.max_unproven_sessions, expected.unproven) << expected.ranges;
    EXPECT_EQ(run->engine.limits.max_session_duration, 24h);
  }
}

TEST(RunConfig, AServerServesEverybodyInBothDialectsUnlessToldOtherwise) {
  const auto run = server_run(Settings());
  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(run->engine.dialect, engine::DialectChoice::kAuto);
  EXPECT_FALSE(run->engine.key_required);
  EXPECT_THAT(run->engine.allow, ::testing::IsEmpty());
  EXPECT_THAT(run->engine.deny, ::testing::IsEmpty());
  EXPECT_EQ(run->engine.limits.max_rate, std::nullopt);
  EXPECT_EQ(run->engine.limits.max_total_rate, std::nullopt);
  EXPECT_EQ(run->engine.limits.max_test_bytes, std::nullopt);
}

TEST(RunConfig, AServerMayAskForAKey) {
  const auto run = server_run(with({{"require_key", "yes"}, {"key_file", "k"}, {"dialect", "1"}}));
  ASSERT_TRUE(run.has_value()) << run.error().message;
  EXPECT_TRUE(run->engine.key_required);
  EXPECT_EQ(run->engine.dialect, engine::DialectChoice::kOne);
  const auto without = server_run(with({{"require_key", "yes"}}));
  ASSERT_FALSE(without.has_value());
  EXPECT_THAT(without.error().message,
              AllOf(HasSubstr("require_key=yes (option --require-key)"), HasSubstr("key_file")));
}

TEST(RunConfig, DurationEndsALatencyRunOnlyWhenItIsAnOption) {
  Settings settings;
  ASSERT_TRUE(settings.set(Key::kDuration, "5", Origin::file("config", 1)));
  const auto from_file = client_run(settings);
  ASSERT_TRUE(from_file.has_value());
  EXPECT_FALSE(from_file->engine.latency_duration.has_value());
  ASSERT_TRUE(settings.set(Key::kDuration, "6", Origin::option("--duration")));
  const auto from_option = client_run(settings);
  ASSERT_TRUE(from_option.has_value());
  EXPECT_EQ(from_option->engine.latency_duration, 6s);
  EXPECT_FALSE(from_option->engine.upload.has_value());
}

TEST(RunConfig, DurationOfTheFileIsATestsLength) {
  Settings settings;
  ASSERT_TRUE(settings.set(Key::kDuration, "5", Origin::file("config", 1)));
  const auto run = client_run(settings, {.directions = wire::Directions::kUpload});
  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(run->engine.upload->duration, 5s);
}

TEST(RunConfig, ReportsMoreOftenThanEveryMillisecondAreRefusedNamingBothKeys) {
  EXPECT_TRUE(check_consistent(with({{"adjustment_delay", "10"}, {"flow_control_rate", "10"}}),
                               Role::kBoth));
  const Settings settings = with({{"adjustment_delay", "9"}, {"flow_control_rate", "10"}});
  for (const auto& error :
       {client_run(settings).error().message, server_run(settings).error().message}) {
    EXPECT_THAT(error, AllOf(HasSubstr("adjustment_delay=9 (option --adjustment-delay)"),
                             HasSubstr("flow_control_rate=10"), HasSubstr("1 ms")));
  }
}

TEST(RunConfig, ChosenRangesMustNotHoldTheMainPort) {
  const auto run = server_run(with({{"port_ranges", "6700-6720"}}));
  ASSERT_FALSE(run.has_value());
  EXPECT_THAT(run.error().message, AllOf(HasSubstr("port_ranges=6700-6720"),
                                         HasSubstr("bind_port=6711"), HasSubstr("default")));
  EXPECT_TRUE(client_run(with({{"port_ranges", "6700-6720"}})).has_value())
      << "a client has no main port";
}

TEST(RunConfig, DefaultRangesGiveWayToTheMainPort) {
  const auto inside = server_run(with({{"bind_port", "7500"}}));
  ASSERT_TRUE(inside.has_value());
  EXPECT_EQ(inside->engine.port_ranges, (PortRanges{{{7000}, {7499}}, {{7501}, {8000}}}));
  const auto first = server_run(with({{"bind_port", "7000"}}));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->engine.port_ranges, (PortRanges{{{7001}, {8000}}}));
  const auto last = server_run(with({{"bind_port", "8000"}}));
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->engine.port_ranges, (PortRanges{{{7000}, {7999}}}));
}

TEST(RunConfig, EveryCombinationOfModesIsTaken) {
  using enum runtime::PlacementMode;
  for (const auto ports : {kSingle, kThread, kProcess}) {
    for (const auto sessions : {kSingle, kThread, kProcess}) {
      const Settings settings = with(
          {{"port_parallelability", name(ports)}, {"connection_parallelibility", name(sessions)}});
      const auto client = client_run(settings);
      ASSERT_TRUE(client.has_value()) << client.error().message;
      EXPECT_EQ(client->ports, ports);
      const auto server = server_run(settings);
      ASSERT_TRUE(server.has_value()) << server.error().message;
      EXPECT_EQ(server->ports, ports);
      EXPECT_EQ(server->sessions, sessions);
    }
  }
}

TEST(RunConfig, BothEndsTakeTheCpusInTheirOrder) {
  const Settings settings = with({{"cpu", "6,0-1"}});
  const auto client = make_client_run(settings, {}, {0, 1, 2, 6});
  ASSERT_TRUE(client.has_value()) << client.error().message;
  EXPECT_EQ(client->cpus, (CpuList{6, 0, 1}));
  const auto server = make_server_run(settings, {0, 1, 6});
  ASSERT_TRUE(server.has_value()) << server.error().message;
  EXPECT_EQ(server->cpus, (CpuList{6, 0, 1}));
}

TEST(RunConfig, WithoutAListNoCpuIsChosenOrChecked) {
  const auto client = make_client_run(Settings(), {}, {});
  ASSERT_TRUE(client.has_value()) << client.error().message;
  EXPECT_TRUE(client->cpus.empty());
  const auto server = make_server_run(Settings(), {});
  ASSERT_TRUE(server.has_value()) << server.error().message;
  EXPECT_TRUE(server->cpus.empty());
}

TEST(RunConfig, CpusThatTheProcessMayNotUseAreRefusedNamingBothSides) {
  const Settings settings = with({{"cpu", "0-5,9"}});
  const CpuList allowed = {0, 2, 3, 4, 8};
  const auto client = make_client_run(settings, {}, allowed);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().message,
            "cpu=0-5,9 (option --cpu): this process may not use CPU 1,5,9, only 0,2-4,8");
  const auto server = make_server_run(settings, allowed);
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().message, client.error().message);
}

TEST(RunConfig, CpusAreTakenWhereTheAllowedOnesAreNotKnown) {
  const auto client = make_client_run(with({{"cpu", "5"}}), {}, {});
  ASSERT_TRUE(client.has_value()) << client.error().message;
  EXPECT_EQ(client->cpus, CpuList{5});
}

TEST(RunConfig, AFileMayNameCpusThatThisHostLacks) {
  EXPECT_TRUE(check_consistent(with({{"cpu", "1023"}}), Role::kBoth));
}

}  // namespace run_config_test
}  // namespace wyndrvr::app
