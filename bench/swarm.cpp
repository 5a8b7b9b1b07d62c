// wyndrvr-swarm: many clients of one server in one process, to see what a crowd costs the server.
//
//   wyndrvr-swarm [--server ADDR:PORT] [--clients N] [--heartbeat MS] [--seconds S]
//                 [--dialect 1|0.14] [--single-port] [--connects N] [--watch PID] [--json]
//
// The server must have the ports and the limits for so many, and both processes the descriptors: 3
// a client at the server and 4 here, or 1 and 2 with --single-port. For 10,000 clients:
//
//   ulimit -n 41000
//   wyndrvr --server 127.0.0.1:6711 --port-ranges 7000-37000 --max-sessions 12000 2> /dev/null &
//   wyndrvr-swarm --clients 10000 --seconds 20 --watch $!
//
// Where no process may have so many descriptors, two swarms of half the size do as well.
//
// The exit status is 1 where a client could not connect or a heartbeat was lost.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <sys/resource.h>

#include "os/descriptor_limit.hpp"
#include "os/signals.hpp"
#include "swarm_run.hpp"

namespace wyndrvr::bench {
namespace {

constexpr std::uint64_t kOtherDescriptors = 100;

struct SwarmCommand {
  SwarmOptions run;
  bool json = false;
};

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_endpoint(std::string_view text, Endpoint& endpoint) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const auto address = parse_ip(text.substr(0, colon));
  if (address) endpoint.address = *address;
  return address && read_number(text.substr(colon + 1), endpoint.port.value);
}

bool read_dialect(std::string_view text, engine::DialectChoice& dialect) {
  dialect = text == "1" ? engine::DialectChoice::kOne : engine::DialectChoice::kOriginal;
  return text == "1" || text == "0.14";
}

template <class Unit>
bool read_duration(std::string_view text, Duration& duration) {
  std::int64_t count = 0;
  if (!read_number(text, count) || count <= 0) return false;
  duration = Unit(count);
  return true;
}

bool read_option(std::string_view name, std::string_view value, SwarmOptions& run) {
  if (name == "--server") return read_endpoint(value, run.server);
  if (name == "--clients") return read_number(value, run.clients);
  if (name == "--heartbeat") {
    return read_duration<std::chrono::milliseconds>(value, run.heartbeat_interval);
  }
  if (name == "--seconds") return read_duration<std::chrono::seconds>(value, run.measured);
  if (name == "--dialect") return read_dialect(value, run.dialect);
  if (name == "--connects") {
    return read_number(value, run.connects_per_second) && run.connects_per_second > 0;
  }
  if (name == "--watch") return read_number(value, run.server_pid);
  return false;
}

std::optional<SwarmCommand> read_command(int count, char** arguments) {
  SwarmCommand command;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--json") {
      command.json = true;
    } else if (name == "--single-port") {
      command.run.single_port = true;
    } else if (i + 1 == count || !read_option(name, arguments[++i], command.run)) {
      fmt::print(stderr, "wyndrvr-swarm: cannot make sense of {}\n", name);
      return std::nullopt;
    }
  }
  return command;
}

// Beyond the hard limit too, where that is allowed.
void raise_descriptors(const SwarmOptions& options) {
  // The main socket, and those of the ports.
  const std::uint64_t of_client = options.single_port ? 2 : 1 + engine::kPortCount;
  const std::uint64_t wanted = options.clients * of_client + kOtherDescriptors;
  if (os::raise_descriptor_limit() >= wanted) return;
  const rlimit limit{wanted, wanted};
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  fmt::print(stderr, "wyndrvr-swarm: {} descriptors are needed (ulimit -n)\n", wanted);
}

double microseconds(const std::optional<stats::LatencySummary>& summary,
                    Duration stats::LatencySummary::* figure) {
  if (!summary) return 0;
  return static_cast<double>(((*summary).*figure).count()) / 1e3;
}

double share(Duration part, Duration whole) {
  return whole == Duration(0)
             ? 0
             : static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

double each(Duration cpu, std::uint64_t exchanges) {
  return exchanges == 0 ? 0
                        : static_cast<double>(cpu.count()) / 1e3 / static_cast<double>(exchanges);
}

double kibibytes_each(const SwarmOutcome& outcome) {
  if (!outcome.server_private_octets || outcome.connected == 0) return 0;
  return static_cast<double>(*outcome.server_private_octets) / 1024.0 /
         static_cast<double>(outcome.connected);
}

void print_json(const SwarmOptions& run, const SwarmOutcome& outcome) {
  using stats::LatencySummary;
  fmt::print(R"({{"clients":{},"connected":{},"measured_s":{:.3f},"exchanges":{},)"
             R"("sent":{},"answered":{},"lost":{},"skipped":{},)"
             R"("rtt_p50_us":{:.1f},"rtt_p99_us":{:.1f},"network_rtt_p50_us":{:.1f},)"
             R"("network_rtt_p99_us":{:.1f},"own_core":{:.4f})",
             run.clients, outcome.connected, static_cast<double>(outcome.measured.count()) / 1e9,
             outcome.exchanges, outcome.sent, outcome.answered, outcome.lost, outcome.skipped,
             microseconds(outcome.rtt, &LatencySummary::p50),
             microseconds(outcome.rtt, &LatencySummary::p99),
             microseconds(outcome.network_rtt, &LatencySummary::p50),
             microseconds(outcome.network_rtt, &LatencySummary::p99),
             share(outcome.own_cpu, outcome.measured));
  if (outcome.server_cpu) {
    fmt::print(R"(,"server_core":{:.4f},"server_us_each":{:.2f},"server_kib_each":{:.2f})",
               share(*outcome.server_cpu, outcome.measured),
               each(*outcome.server_cpu, outcome.exchanges), kibibytes_each(outcome));
  }
  fmt::print("}}\n");
}

void print_text(const SwarmOptions& run, const SwarmOutcome& outcome) {
  using stats::LatencySummary;
  fmt::print("clients      {} of {} connected\n", outcome.connected, run.clients);
  fmt::print("heartbeats   {} sent, {} answered, {} lost; {} skipped\n", outcome.sent,
             outcome.answered, outcome.lost, outcome.skipped);
  fmt::print("measured     {} exchanges in {:.1f} s\n", outcome.exchanges,
             static_cast<double>(outcome.measured.count()) / 1e9);
  fmt::print("round trip   p50 {:.0f} us, p99 {:.0f} us; on the network p50 {:.0f}, p99 {:.0f}\n",
             microseconds(outcome.rtt, &LatencySummary::p50),
             microseconds(outcome.rtt, &LatencySummary::p99),
             microseconds(outcome.network_rtt, &LatencySummary::p50),
             microseconds(outcome.network_rtt, &LatencySummary::p99));
  fmt::print("own CPU      {:.1f} % of a core\n", 100 * share(outcome.own_cpu, outcome.measured));
  if (!outcome.server_cpu) return;
  fmt::print("server CPU   {:.1f} % of a core, {:.2f} us an exchange\n",
             100 * share(*outcome.server_cpu, outcome.measured),
             each(*outcome.server_cpu, outcome.exchanges));
  fmt::print("server       {:.1f} KiB of private memory a client\n", kibibytes_each(outcome));
}

int run_swarm(const SwarmCommand& command) {
  os::ignore_write_signals();
  raise_descriptors(command.run);
  auto loop = runtime::EventLoop::create({});
  if (!loop) {
    fmt::print(stderr, "wyndrvr-swarm: {}\n", loop.error().message);
    return EXIT_FAILURE;
  }
  SwarmRun run(*loop, command.run);
  auto done = run.start();
  if (done) done = loop->run();
  if (!done) {
    fmt::print(stderr, "wyndrvr-swarm: {}\n", done.error().message);
    return EXIT_FAILURE;
  }
  const SwarmOutcome outcome = run.outcome();
  command.json ? print_json(command.run, outcome) : print_text(command.run, outcome);
  const bool all_well = outcome.connected == command.run.clients && outcome.lost == 0;
  return all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace wyndrvr::bench

int main(int argument_count, char** arguments) {
  const auto command = wyndrvr::bench::read_command(argument_count, arguments);
  if (!command) return 2;
  return wyndrvr::bench::run_swarm(*command);
}
