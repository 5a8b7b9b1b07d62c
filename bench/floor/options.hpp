// What the floor probe is asked to do, as parsed from its command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wyndrvr::floor {

enum class Method : std::uint8_t {
  kSingle,  // one system call a datagram, blocking
  kMmsg,    // sendmmsg(2) and recvmmsg(2) in batches
  kGso,     // UDP_SEGMENT trains by sendmmsg, UDP_GRO by recvmmsg
  kUring,   // UDP_SEGMENT trains and multishot UDP_GRO receives by io_uring(7)
};

// Which ends run in this command. Both is the default; one each is for two hosts.
enum class Ends : std::uint8_t { kBoth, kSender, kReceiver };

struct Options {
  Method method = Method::kGso;
  Ends ends = Ends::kBoth;
  std::size_t payload_bytes = 1400;
  double seconds = 3;
  std::string from = "127.0.0.1";  // IPv4 addresses of the sender and of the receiver
  std::string to = "127.0.0.1";
  std::string from_netns;  // names as in ip-netns(8); empty: where the command was started
  std::string to_netns;
  std::uint16_t port = 0;      // the receiver's; 0 = any free one, which needs Ends::kBoth
  std::int64_t sleep_us = -1;  // of a receiver after a partial batch; < 0 = the method's default
  std::size_t streams = 1;     // sockets at the sender, which take turns
  std::size_t count = 200;     // exchanges
  std::int64_t interval_us = 10'000;
};

}  // namespace wyndrvr::floor
