// What a topology may not change: when a letter arrives, and in which order.
#include "sim/mail_carrier.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wyndrvr::sim {
namespace mail_carrier_test {

using engine::Mailbox;

class Carrier : public ::testing::TestWithParam<Topology> {
 protected:
  struct Arrival {
    TrueTime at;
    Mailbox to;
    ipc::Letter letter;
    bool operator==(const Arrival&) const = default;
  };

  static Scenario with_room(std::size_t frames) {
    Scenario scenario = quiet_scenario();
    scenario.channel_room = frames;
    return scenario;
  }
  void make(const Scenario& scenario) {
    environment_ = std::make_unique<Environment>(scenario, GetParam());
    carrier_ = make_mail_carrier(*environment_, "test", [this](Mailbox to, const auto& letter) {
      arrivals_.push_back({environment_->queue.now(), to, letter});
    });
  }
  void send(Mailbox from, Mailbox to, const engine::Message& message, Duration due) {
    carrier_->send(to, {from, message}, true_time(due));
    sent_.push_back({true_time(due), to, {from, message}});
  }
  void run() {
    while (environment_->queue.run_one(true_time(10s))) {
    }
    for (const std::string& finding : environment_->findings.texts()) ADD_FAILURE() << finding;
  }

  std::unique_ptr<Environment> environment_;
  std::unique_ptr<MailCarrier> carrier_;
  std::vector<Arrival> sent_;
  std::vector<Arrival> arrivals_;
};

engine::Message go(std::uint32_t channel) {
  return engine::Go{{channel}, Instant(1s), 2s};
}

TEST_P(Carrier, NothingArrivesBeforeItsTurn) {
  make(with_room(8));
  send(Mailbox::kControl, Mailbox::kUpload, go(1), Duration(0));
  EXPECT_TRUE(arrivals_.empty());
  run();
  ASSERT_EQ(arrivals_.size(), 1U);
  EXPECT_EQ(arrivals_[0].letter.message, go(1));
}

TEST_P(Carrier, EveryLetterArrivesWhenItIsDueHoweverSmallTheRoom) {
  for (const std::size_t room : {1U, 2U, 100U}) {
    arrivals_.clear();
    sent_.clear();
    make(with_room(room));
    for (std::uint32_t i = 0; i < 50; ++i) {
      send(Mailbox::kControl, Mailbox::kUpload, go(i), (i / 10) * 1ms);
    }
    run();
    EXPECT_EQ(arrivals_.size(), 50U);
    for (std::size_t i = 0; i < arrivals_.size(); ++i) {
      EXPECT_EQ(arrivals_[i].at, sent_[i].at) << room << ' ' << i;
      EXPECT_EQ(arrivals_[i].letter, sent_[i].letter) << room << ' ' << i;
    }
  }
}

TEST_P(Carrier, LettersOfDifferentSendersArriveInOrderOfTime) {
  make(with_room(1));
  send(Mailbox::kControl, Mailbox::kCoordinator, go(1), 3ms);
  send(Mailbox::kUpload, Mailbox::kCoordinator, go(2), 1ms);
  send(Mailbox::kDownload, Mailbox::kCoordinator, go(3), 2ms);
  send(Mailbox::kCoordinator, Mailbox::kUpload, go(4), 1ms);
  run();
  ASSERT_EQ(arrivals_.size(), 4U);
  EXPECT_EQ(arrivals_[0].letter.message, go(2));
  EXPECT_EQ(arrivals_[1].letter.message, go(4));
  EXPECT_EQ(arrivals_[1].to, Mailbox::kUpload);
  EXPECT_EQ(arrivals_[2].letter.message, go(3));
  EXPECT_EQ(arrivals_[3].letter.message, go(1));
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Carrier, ::testing::ValuesIn(kTopologies),
                         [](const auto& one) {
                           std::string text(name(one.param));
                           std::erase(text, '-');
                           return text;
                         });

TEST(CrowdedChannel, DeliversTheNewestStateAlone) {
  Scenario scenario = crowded(quiet_scenario());
  Environment environment(scenario, Topology::kChannels);
  std::vector<std::uint64_t> packets;
  const auto carrier = make_mail_carrier(environment, "test", [&](Mailbox, const auto& letter) {
    packets.push_back(std::get<engine::SenderProgress>(letter.message).totals.packets);
  });
  for (std::uint64_t i = 1; i <= 5; ++i) {
    carrier->send(Mailbox::kCoordinator,
                  {Mailbox::kUpload, engine::SenderProgress{{7}, {.packets = i}}}, true_time(1ms));
  }
  while (environment.queue.run_one(true_time(1s))) {
  }
  EXPECT_EQ(packets, (std::vector<std::uint64_t>{1, 5}));
  EXPECT_TRUE(environment.findings.texts().empty());
}

TEST(TopologyName, ReadsBack) {
  for (const Topology topology : kTopologies) EXPECT_EQ(parse_topology(name(topology)), topology);
  EXPECT_FALSE(parse_topology("one loop"));
  EXPECT_FALSE(parse_topology(""));
}

}  // namespace mail_carrier_test
}  // namespace wyndrvr::sim
