// The supervisor's side of a worker whose other end is a bare channel in the test's hand: what it
// takes from it, and what ends it.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/clock.hpp"
#include "os/seqpacket.hpp"
#include "runtime/worker.hpp"
#include "runtime/worker_placement.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::runtime {
namespace worker_test {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// A worker that was taken over: it says what the test wants, and ends when it is killed.
struct Puppet {
  os::Fd channel;
  bool killed = false;

  void say(const Frame& frame) const {
    std::vector<std::byte> octets;
    encode(frame, octets);
    EXPECT_EQ(os::send_frame(channel.get(), octets), os::ChannelStatus::kDone);
  }
  void greet() const { say(Hello{*wire::SmallText<32>::from(WYNDRVR_VERSION)}); }
};

class PuppetBody final : public WorkerBody {
 public:
  explicit PuppetBody(std::shared_ptr<Puppet> puppet) : puppet_(std::move(puppet)) {}
  [[nodiscard]] std::optional<std::string> reap() override {
    return puppet_->killed ? std::optional<std::string>("was killed by SIGKILL") : std::nullopt;
  }
  void terminate() override { puppet_->killed = true; }
  void kill() override { puppet_->killed = true; }
  [[nodiscard]] std::string take_words() override { return "\x1b[2Jowned\n"; }

 private:
  std::shared_ptr<Puppet> puppet_;
};

// Those that were started, in order. A StartBody is a plain function.
std::vector<std::shared_ptr<Puppet>> started;

Result<std::unique_ptr<WorkerBody>> start_puppet(const std::string& /*title*/,
                                                 std::vector<os::Fd> descriptors) {
  started.push_back(std::make_shared<Puppet>(std::move(descriptors.front())));
  return std::make_unique<PuppetBody>(started.back());
}

class Clockwork : public EventSource {
 public:
  Clockwork() : loop(std::move(*EventLoop::create({}))) {
    timer_ = *loop.add(EventLoop::kNoDescriptor, *this);
    started.clear();
  }
  ~Clockwork() override {
    loop.remove(timer_);
    started.clear();
  }
  void on_ready(const Readiness&) override {}
  void on_wake(Instant) override { loop.stop(); }
  // Everything that the loop has to do now.
  void settle() {
    loop.set_deadline(timer_, os::monotonic_now() + 1ms);
    ASSERT_TRUE(loop.run());
  }
  template <class Condition>
  [[nodiscard]] bool settle_until(Condition condition) {
    const Instant limit = os::monotonic_now() + os::testing::kDeadline;
    while (!condition() && os::monotonic_now() < limit) settle();
    return condition();
  }

  EventLoop loop;

 private:
  EventLoop::Id timer_{};
};

class UntrustedWorkerTest : public ::testing::Test, public Worker::Listener {
 protected:
  void SetUp() override {
    worker = std::make_unique<Worker>(clockwork.loop, "upload", *this);
    ASSERT_TRUE(worker->start(start_puppet, "192.0.2.7:4242", {}));
  }
  void on_worker_prepared(Worker&) override { ++prepared; }
  bool on_worker_frame(Worker&, Frame frame) override {
    ++taken;
    return std::holds_alternative<ipc::Letter>(frame);
  }
  void on_worker_lost(Worker&, const WorkerLoss& loss) override { losses.push_back(loss); }
  void on_worker_gone(Worker&) override { ++gone; }

  [[nodiscard]] const Puppet& puppet() const { return *started.front(); }
  // It is killed for what it has said.
  void expect_lost() {
    ASSERT_TRUE(clockwork.settle_until([this] { return gone > 0; }));
    EXPECT_TRUE(puppet().killed);
    ASSERT_EQ(losses.size(), 1U);
    EXPECT_EQ(losses[0].cause, "upload worker sent a message that no such worker sends");
    EXPECT_EQ(losses[0].words, "?[2Jowned") << "printable, and apart from the cause";
  }

  Clockwork clockwork;
  std::unique_ptr<Worker> worker;
  int prepared = 0;
  int taken = 0;
  int gone = 0;
  std::vector<WorkerLoss> losses;
};

TEST_F(UntrustedWorkerTest, WhatComesInOrderIsTaken) {
  puppet().greet();
  puppet().say(Prepared{});
  puppet().say(ipc::Letter{});
  ASSERT_TRUE(clockwork.settle_until([this] { return taken == 1; }));
  EXPECT_EQ(prepared, 1);
  EXPECT_TRUE(losses.empty());
}

TEST_F(UntrustedWorkerTest, WordsBeforeItsGreetingEndIt) {
  puppet().say(ipc::Letter{});
  expect_lost();
  EXPECT_EQ(taken, 0);
}

TEST_F(UntrustedWorkerTest, ASecondGreetingEndsIt) {
  puppet().greet();
  puppet().greet();
  expect_lost();
}

TEST_F(UntrustedWorkerTest, BeingPreparedTwiceEndsItAndIsToldOnce) {
  puppet().greet();
  puppet().say(Prepared{});
  puppet().say(Prepared{});
  expect_lost();
  EXPECT_EQ(prepared, 1);
}

TEST_F(UntrustedWorkerTest, NothingIsListenedToAfterwards) {
  puppet().greet();
  puppet().say(Prepared{});
  puppet().say(Begin{});
  for (int i = 0; i < 20; ++i) puppet().say(ipc::Letter{});
  expect_lost();
  EXPECT_EQ(taken, 1) << "the one that nobody understood";
}

TEST_F(UntrustedWorkerTest, WhyItFailedIsItsOwnWordsOnlyBeforeItIsPrepared) {
  puppet().greet();
  puppet().say(Prepared{});
  puppet().say(SetupFailed{"\x1b[2J was killed by its supervisor"});
  started.front()->killed = true;
  started.front()->channel.reset();
  ASSERT_TRUE(clockwork.settle_until([this] { return gone > 0; }));
  EXPECT_EQ(losses[0].cause, "upload worker was killed by SIGKILL");
}

// --- three of them ---

class UntrustedPortsTest : public ::testing::Test, public PlacementListener {
 protected:
  UntrustedPortsTest() : placement({clockwork.loop, receive_buffer, {}}, start_puppet, *this) {}
  void SetUp() override {
    PortSockets sockets;
    PortConfigs configs;
    for (const engine::PortKind kind : engine::kPortKinds) {
      const std::size_t i = engine::index_of(kind);
      configs[i].kind = kind;
      auto socket = os::UdpSocket::open({.bind = {*parse_ip("127.0.0.1"), Port{0}}});
      ASSERT_TRUE(socket);
      sockets[i].push_back(std::move(*socket));
    }
    placement.launch(std::move(sockets), configs);
    for (const auto& puppet : started) {
      puppet->greet();
      puppet->say(Prepared{});
    }
    ASSERT_TRUE(clockwork.settle_until([this] { return launched; }));
  }
  void TearDown() override {
    for (const auto& puppet : started) puppet->killed = true;
  }
  void on_port_message(engine::PortKind from, const engine::Message&) override {
    heard.push_back(from);
  }
  void on_launched() override { launched = true; }
  void on_launch_failed(const std::string&) override {}
  void on_port_lost(engine::PortKind port, const WorkerLoss&) override { lost.push_back(port); }
  void on_placement_stopped() override {}

  Clockwork clockwork;
  os::ReceiveBuffer receive_buffer{1, 2048};
  WorkerPlacement placement;
  bool launched = false;
  std::vector<engine::PortKind> heard;
  std::vector<engine::PortKind> lost;
};

TEST_F(UntrustedPortsTest, ALetterIsOfThePortWhoseChannelItCameBy) {
  started[1]->say(ipc::Letter{engine::Mailbox::kControl, engine::HeartbeatSample{},
                              engine::Mailbox::kDownload});
  ASSERT_TRUE(clockwork.settle_until([this] { return !heard.empty(); }));
  EXPECT_THAT(heard, ElementsAre(engine::PortKind::kUpload));
}

TEST_F(UntrustedPortsTest, WhatNoSuchPortSaysEndsItsWorkerAlone) {
  started[1]->say(ipc::Letter{engine::Mailbox::kUpload, engine::ResultArrived{},
                              engine::Mailbox::kCoordinator});
  ASSERT_TRUE(clockwork.settle_until([this] { return !lost.empty(); }));
  EXPECT_THAT(lost, ElementsAre(engine::PortKind::kUpload));
  EXPECT_TRUE(heard.empty());
  EXPECT_FALSE(started[0]->killed);
}

TEST_F(UntrustedPortsTest, AFrameThatIsNoLetterEndsItsWorker) {
  started[2]->say(engine::Report{engine::ClientConnected{}});
  ASSERT_TRUE(clockwork.settle_until([this] { return !lost.empty(); }));
  EXPECT_THAT(lost, ElementsAre(engine::PortKind::kDownload));
}

}  // namespace worker_test
}  // namespace wyndrvr::runtime
