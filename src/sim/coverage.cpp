#include "sim/coverage.hpp"

#include <fmt/format.h>

namespace wyndrvr::sim {
namespace {

constexpr std::array<std::string_view, kSeenCount> kNames = {
    "upload tests asked for",
    "upload tests with a result",
    "upload results compared exactly",
    "... with loss",
    "... with duplicates",
    "... with reordering",
    "... with retransmissions",
    "... loss equal to the links' drops",
    "... drain cut off",
    "... datagrams refused by the sending kernel",
    "... intervals",
    "valid runs",
    "latency totals compared exactly (ports)",
    "... of them with heartbeats under load",
    "round trips compared exactly",
    "network round trips compared",
    "heartbeats reported lost",
    "server round trips compared exactly",
    "ports whose path lost nothing",
    "clients stopped by the user",
    "clients that vanished",
    "servers that vanished",
    "servers shut down",
    "links with an outage",
    "clients without an answer",
    "clients refused",
    "clients with a port unproven",
    "clients without an acknowledgement",
    "clients without a result",
    "clients whose server went silent",
    "clients that could not open ports",
    "clients that lost a port",
    "... in an upload, which that ended",
    "... in a latency run",
    "clients told that the server failed",
    "sessions ended: result delivered",
    "sessions ended: idle",
    "sessions ended: unproven",
    "sessions ended: result undelivered",
    "sessions ended: evicted",
    "sessions ended: shutdown",
    "sessions ended: failed",
    "sessions that lost a port",
    "sessions lost as a whole",
    "... losses that a client was to be told",
    "ENDED sent",
    "sessions that nobody wrote to",
    "sessions that could not be launched",
    "ports in use by others",
    "assignments sent again",
    "garbage datagrams",
    "garbage datagrams accepted by an actor",
    "corrupt datagrams accepted by an actor",
    "replies counted against a budget",
    "state messages lost",
    "letters that waited for room",
    "letters that newer ones replaced",
    "probes served at the end",
    "datagrams compared with their grant",
    "sessions ended: closed by the client",
    "CLOSE sent",
    "ports that a NAT has rebound",
    "datagrams forged from off the path",
    "datagrams sent again from on the path",
    "clients that spoke dialect 1",
    "clients that spoke 0.14",
    "tests of dialect 1 compared exactly",
    "... with loss",
    "... downloads",
    "... of several streams",
    "... with tags",
    "... loss equal to its causes",
    "... ended for sustained loss",
    "clients told to come again",
    "datagrams that launched no session",
    "sessions ended: time over",
};

}  // namespace

std::string_view name(Seen seen) {
  return kNames[static_cast<std::size_t>(seen)];
}

void Coverage::add_run(const Coverage& run) {
  ++runs_;
  for (std::size_t i = 0; i < kSeenCount; ++i) {
    totals_[i] += run.totals_[i];
    if (run.totals_[i] > 0) ++runs_with_[i];
  }
}

std::string Coverage::table() const {
  std::string text =
      fmt::format("{:<46} {:>10} {:>10}\n", fmt::format("of {} seeds", runs_), "in all", "seeds");
  for (std::size_t i = 0; i < kSeenCount; ++i) {
    text += fmt::format("{:<46} {:>10} {:>10}\n", kNames[i], totals_[i], runs_with_[i]);
  }
  return text;
}

}  // namespace wyndrvr::sim
