// Loopback made dependable on a busy machine: order, arrival, and ports where nobody listens.
#pragma once

#include <string_view>

#include <gtest/gtest.h>
#include <sched.h>

#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {

// Keeps this thread, and the threads that it starts, on the processor that it is on. Loopback
// queues a datagram at the processor that sent it, so datagrams from two of them may overtake each
// other (net/core/dev.c, enqueue_to_backlog).
class OneProcessor {
 public:
  OneProcessor() {
    EXPECT_EQ(::sched_getaffinity(0, sizeof before_, &before_), 0);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(::sched_getcpu(), &here);
    EXPECT_EQ(::sched_setaffinity(0, sizeof here, &here), 0);
  }
  ~OneProcessor() { EXPECT_EQ(::sched_setaffinity(0, sizeof before_, &before_), 0); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

  // Waits until everything that this thread has sent so far has arrived: a datagram that is sent
  // after it comes after it. A busy kernel delivers some time after send(2) has returned.
  static void settle() {
    UdpSocket sender = open_on("127.0.0.1");
    UdpSocket receiver = open_on("127.0.0.1");
    EXPECT_EQ(sender.send(single(receiver.local(), "last")).status, SendOutcome::Status::kDone);
    EXPECT_EQ(receive_datagrams(receiver, 1).size(), 1U);
  }

 private:
  cpu_set_t before_{};
};

class OnOneProcessor : public ::testing::Test {
 protected:
  OneProcessor processor;
};

// Its port answers others with ICMP port unreachable for as long as this lives: the socket listens
// to one peer only. A port that was closed might be given to another program.
inline UdpSocket deaf_socket(std::string_view text) {
  return open_on(text, {.peer = Endpoint{address(text), Port{1}}});
}

}  // namespace wyndrvr::os::testing
