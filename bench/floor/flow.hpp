// The two ends of a flow: a sender that sends as fast as it can, and a receiver that counts.
//
// Each method has a sender and a receiver. They know nothing of processes or of the report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <netinet/in.h>

#include "options.hpp"

namespace wyndrvr::floor {

// Datagrams and time of one end. Plain data: it crosses a pipe between the two processes.
struct Tally {
  std::uint64_t datagrams = 0;
  std::uint64_t bytes = 0;    // UDP payload
  std::int64_t first_ns = 0;  // of the first and last batch, CLOCK_MONOTONIC; 0 = none
  std::int64_t last_ns = 0;
  double cpu_seconds = 0;

  void add(std::uint64_t batch_bytes, std::size_t payload_bytes, std::int64_t now_ns) {
    bytes += batch_bytes;
    // Segments are of one size, so a train needs no look at its control messages.
    datagrams += (batch_bytes + payload_bytes - 1) / payload_bytes;
    if (first_ns == 0) first_ns = now_ns;
    last_ns = now_ns;
  }
};

struct SendPlan {
  std::vector<int> sockets;  // connected; they take turns, batch by batch
  std::size_t payload_bytes = 0;
  std::int64_t until_ns = 0;  // CLOCK_MONOTONIC
};

struct ReceivePlan {
  int socket = -1;
  std::size_t payload_bytes = 0;
  std::int64_t sleep_us = 0;
  // Asked whenever nothing is there, with the time of the last batch (0 = none yet): has the sender
  // finished? What it sent must then be in the socket, as it is on loopback and veth.
  std::function<bool(std::int64_t)> is_over;
};

Tally send_flow(Method method, const SendPlan& plan);
Tally receive_flow(Method method, const ReceivePlan& plan);

// Of a train: as many as fit a UDP payload and the kernel takes.
std::size_t train_segments(std::size_t payload_bytes);

#ifdef WYNDRVR_URING
Tally send_by_uring(const SendPlan& plan);
Tally receive_by_uring(const ReceivePlan& plan);
#endif

}  // namespace wyndrvr::floor
