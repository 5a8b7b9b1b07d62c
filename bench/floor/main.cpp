// wyndrvr-floor: what the kernel allows. Bare system calls, nothing in between.
//
// It is what the program is measured against (bench/compare): a flow as fast as the given method
// goes, or exchanges of single datagrams with kernel stamps. It knows no protocol. One line of JSON
// goes to stdout.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "exchange.hpp"
#include "options.hpp"
#include "throughput.hpp"

namespace wyndrvr::floor {
namespace {

constexpr const char* kUsage =
    "Usage:\n"
    "  wyndrvr-floor throughput [--method gso|mmsg|single|uring] [--size OCTETS] [--seconds S]\n"
    "                           [--streams N] [--sleep-us N] [--port N]\n"
    "                           [--receive-only | --send-only] [ends]\n"
    "  wyndrvr-floor exchange   [--count N] [--interval-us N] [ends]\n"
    "Ends: [--from ADDR] [--to ADDR] [--from-netns NAME] [--to-netns NAME]\n";

[[noreturn]] void reject(std::string_view what) {
  std::fprintf(stderr, "wyndrvr-floor: %.*s\n%s", static_cast<int>(what.size()), what.data(),
               kUsage);
  std::exit(2);
}

template <typename Number>
Number number_of(std::string_view text, Number low, Number high) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    reject(text);
  }
  return value;
}

Method method_of(std::string_view name) {
  if (name == "gso") return Method::kGso;
  if (name == "mmsg") return Method::kMmsg;
  if (name == "single") return Method::kSingle;
  if (name == "uring") return Method::kUring;
  reject(name);
}

void take_value(Options& options, std::string_view name, const char* value) {
  if (name == "--method") {
    options.method = method_of(value);
  } else if (name == "--size") {
    options.payload_bytes = number_of<std::size_t>(value, 1, 9'000);
  } else if (name == "--seconds") {
    options.seconds = number_of<double>(value, 0.01, 3600);
  } else if (name == "--from") {
    options.from = value;
  } else if (name == "--to") {
    options.to = value;
  } else if (name == "--from-netns") {
    options.from_netns = value;
  } else if (name == "--to-netns") {
    options.to_netns = value;
  } else if (name == "--port") {
    options.port = number_of<std::uint16_t>(value, 0, 65'535);
  } else if (name == "--sleep-us") {
    options.sleep_us = number_of<std::int64_t>(value, 0, 1'000'000);
  } else if (name == "--streams") {
    options.streams = number_of<std::size_t>(value, 1, 64);
  } else if (name == "--count") {
    options.count = number_of<std::size_t>(value, 1, 1'000'000);
  } else if (name == "--interval-us") {
    options.interval_us = number_of<std::int64_t>(value, 0, 10'000'000);
  } else {
    reject(name);
  }
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--receive-only") {
      options.ends = Ends::kReceiver;
    } else if (name == "--send-only") {
      options.ends = Ends::kSender;
    } else if (i + 1 == argc) {
      reject(name);
    } else {
      take_value(options, name, argv[++i]);
    }
  }
  if (options.ends == Ends::kSender && options.port == 0) reject("--send-only needs --port");
  return options;
}

int run(int argc, char** argv) {
  if (argc < 2) reject("throughput or exchange?");
  const Options options = parse(argc, argv);
  if (std::strcmp(argv[1], "throughput") == 0) return run_throughput(options);
  if (std::strcmp(argv[1], "exchange") == 0) return run_exchange(options);
  reject(argv[1]);
}

}  // namespace
}  // namespace wyndrvr::floor

int main(int argc, char** argv) {
  return wyndrvr::floor::run(argc, argv);
}
