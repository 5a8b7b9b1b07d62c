#include <gtest/gtest.h>

#include "engine/message_rules.hpp"

namespace wyndrvr::engine {
namespace message_rules_test {

constexpr Mailbox kControl = Mailbox::kControl;
constexpr Mailbox kUpload = Mailbox::kUpload;
constexpr Mailbox kCoordinator = Mailbox::kCoordinator;

bool client_takes(Mailbox from, const Message& message) {
  return may_send({Side::kClient, from, kCoordinator}, message);
}
bool server_takes(Mailbox from, const Message& message) {
  return may_send({Side::kServer, from, kCoordinator}, message);
}

TEST(MessageRules, OnlyControlSpeaksOfTests) {
  for (const Message& message :
       {Message(TestStarted{}), Message(TestReported{}), Message(TestBroken{}),
        Message(TestFailed{ProblemCode::kNoResult})}) {
    EXPECT_TRUE(client_takes(kControl, message)) << message.index();
    EXPECT_TRUE(server_takes(kControl, message)) << message.index();
    EXPECT_FALSE(client_takes(kUpload, message)) << message.index();
    EXPECT_FALSE(server_takes(kUpload, message)) << message.index();
  }
  EXPECT_FALSE(client_takes(kUpload, ResultArrived{}));
}

TEST(MessageRules, EachEndHasItsOwn) {
  EXPECT_TRUE(client_takes(kControl, ResultArrived{}));
  EXPECT_FALSE(server_takes(kControl, ResultArrived{}));
  EXPECT_TRUE(server_takes(kControl, ResultDelivered{}));
  EXPECT_FALSE(client_takes(kControl, ResultDelivered{}));
  EXPECT_TRUE(client_takes(kUpload, HeartbeatsDone{}));
  EXPECT_FALSE(server_takes(kUpload, HeartbeatsDone{}));
  EXPECT_TRUE(client_takes(kUpload, PortTrouble{}));
  EXPECT_FALSE(server_takes(kUpload, PortTrouble{}));
}

TEST(MessageRules, ACodeThatNoTestFailsWithIsNotTaken) {
  EXPECT_FALSE(client_takes(kControl, TestFailed{ProblemCode::kServerFailed}));
}

TEST(MessageRules, NobodyCommandsACoordinator) {
  for (const Message& message : {Message(StartTest{}), Message(Go{}), Message(Drain{}),
                                 Message(Quiet{}), Message(PortReady{})}) {
    EXPECT_FALSE(client_takes(kControl, message)) << message.index();
    EXPECT_FALSE(server_takes(kControl, message)) << message.index();
  }
}

TEST(MessageRules, SiblingsAnswerControlAndDoNotCommandIt) {
  EXPECT_TRUE(may_send({Side::kClient, kUpload, kControl}, PortReady{}));
  EXPECT_TRUE(may_send({Side::kServer, kUpload, kControl}, TestFinished{}));
  EXPECT_FALSE(may_send({Side::kClient, kUpload, kControl}, StartTest{}));
  EXPECT_FALSE(may_send({Side::kClient, kUpload, kControl}, Drain{}));
  EXPECT_TRUE(may_send({Side::kClient, kControl, kUpload}, Go{}));
  EXPECT_FALSE(may_send({Side::kClient, kControl, kUpload}, Quiet{}));
  EXPECT_FALSE(may_send({Side::kClient, Mailbox::kDownload, kUpload}, Go{}));
}

TEST(MessageRules, TheCoordinatorMaySayEverything) {
  EXPECT_TRUE(may_send({Side::kServer, kCoordinator, kUpload}, Drain{}));
}

}  // namespace message_rules_test
}  // namespace wyndrvr::engine
