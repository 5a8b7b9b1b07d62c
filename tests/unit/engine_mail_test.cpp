// What may be lost on its way is decided by the message's type alone.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "engine/mail.hpp"
#include "engine/message.hpp"
#include "engine/test_control.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;

constexpr std::size_t kHalf = 16;  // messages, of Mail's 32
constexpr ChannelId kMailedTest{7};

void fill_half(Mail& mail) {
  for (std::size_t i = 0; i < kHalf; ++i) mail.post(Mailbox::kCoordinator, HeartbeatSample{});
}

template <class T>
bool survives_a_crowd() {
  Mail mail(Mailbox::kControl);
  fill_half(mail);
  mail.post(Mailbox::kCoordinator, T{});
  const bool lost = mail.dropped() == 1;
  EXPECT_EQ(take_all(mail).size(), lost ? kHalf : kHalf + 1);
  return !lost;
}

template <std::size_t... Index>
void expect_by_type(std::index_sequence<Index...>) {
  const auto check = []<class T>(const T& message) {
    EXPECT_EQ(survives_a_crowd<T>(), delivery_of(message) == Delivery::kAlways)
        << "message " << Message(message).index();
  };
  (check(std::variant_alternative_t<Index, Message>{}), ...);
}

TEST(Mail, TheTypeOfAMessageDecidesWhetherItMayBeLost) {
  expect_by_type(std::make_index_sequence<std::variant_size_v<Message>>());
}

TEST(Mail, OnlySamplesAndStateMayBeLost) {
  EXPECT_EQ(delivery_of(HeartbeatSample{}), Delivery::kMayLose);
  EXPECT_EQ(delivery_of(Trace{}), Delivery::kMayLose);
  EXPECT_EQ(delivery_of(SenderProgress{}), Delivery::kNewest);
  EXPECT_EQ(delivery_of(ReceiverProgress{}), Delivery::kNewest);
  EXPECT_EQ(delivery_of(TestBroken{}), Delivery::kAlways);
  EXPECT_EQ(delivery_of(TestReported{}), Delivery::kAlways);
}

// A test that the other end has broken off must never look like one that was whole.
TEST(Mail, AStopOfTheOtherEndIsToldHoweverManySamplesWait) {
  TestTerms terms;
  terms.directions = wire::Directions::kUpload;
  TestControl control({.side = Side::kServer, .terms = terms});
  Mail mail(Mailbox::kControl);
  const wire::StartTest start{{kMailedTest.value}, wire::TestDirection::kUpload, 1s};
  ASSERT_TRUE(control.on_command(kStart, start, mail));
  control.on_port_ready(kStart, kMailedTest);
  ASSERT_TRUE(control.poll(kStart, mail));
  (void)take_all(mail);
  fill_half(mail);
  const wire::StopTest stop{{kMailedTest.value}, wire::StopReason::kSustainedLoss};
  ASSERT_TRUE(control.on_command(kStart + 1ms, stop, mail));
  EXPECT_EQ(mail.dropped(), 0U);
  const auto broken = only<TestBroken>(take_all(mail));
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->reason, wire::StopReason::kSustainedLoss);
}

}  // namespace
}  // namespace wyndrvr::engine
