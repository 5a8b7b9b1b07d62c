// The unit tests' main: GoogleTest, or the role of a child process.
//
// os::ChildProcess executes this very program, so a test's child is the test program again, with
// argv[0] = "test child: <role>" and its channel to the test as descriptor 3. The roles are below,
// one function each; what comes after the role's name is its argument. A role's result is its exit
// code.
#include <array>
#include <barrier>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/child_process.hpp"
#include "os/confinement.hpp"
#include "os/poller.hpp"
#include "os/seqpacket.hpp"
#include "os/signals.hpp"
#include "process_state.hpp"
#include "unit/child_test_support.hpp"

namespace wyndrvr::os::testing {
namespace {

using Arguments = std::istringstream;

constexpr int kChannel = 3;
constexpr Duration kForEver = 1h;  // the test ends its children

void wait_for_end(int channel) {
  std::array<std::byte, 64> buffer;
  while (wait_readable(channel, kForEver) &&
         receive_frame(channel, buffer).status != ChannelStatus::kClosed) {
  }
}

int exit_with(Arguments& arguments) {
  int code = 0;
  arguments >> code;
  return code;
}

// wait <channel>: says that it is there, by its pid, and stays until the channel ends.
int wait(Arguments& arguments) {
  int channel = kChannel;
  arguments >> channel;
  say(channel, std::to_string(::getpid()));
  wait_for_end(channel);
  return 0;
}

// shout <octets>: writes so many to stderr, as a terminal would obey them.
int shout(Arguments& arguments) {
  std::size_t octets = 0;
  arguments >> octets;
  std::string text;
  while (text.size() < octets) text += "\x1b[2JClient connected: 203.0.113.9:1\n";
  std::fputs(text.c_str(), stderr);
  return 0;
}

int echo(Arguments&) {
  std::array<std::byte, 4'096> buffer;
  while (wait_readable(kChannel, kForEver)) {
    const ReceivedFrame frame = receive_frame(kChannel, buffer);
    if (frame.status == ChannelStatus::kClosed) return 0;
    if (send_frame(kChannel, frame.bytes) != ChannelStatus::kDone) return 1;
  }
  return 1;
}

// A child of its own gets 5, 4, 3 and 0, in this order.
int reverse(Arguments&) {
  auto child = ChildProcess::spawn({.title = fmt::format("{}wait 5", kRolePrefix),
                                    .descriptors = {5, 4, kChannel, STDIN_FILENO}});
  return child && end_of(*child) == "exited with code 0" ? 0 : 1;
}

// Has a confined child that is stopped, says its pid and waits to be killed.
int parent(Arguments&) {
  TestChild child = start_child("confined plain nothing");
  if (!next_frame(child.channel.get())) return 1;
  child.process.signal(SIGSTOP);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child.process.pid()), &info, WSTOPPED | WNOWAIT);
  say(kChannel, std::to_string(child.process.pid()));
  wait_for_end(kChannel);
  return 0;
}

// Says whether anything is left of a child that could not be started.
std::string children_left() {
  siginfo_t info{};
  const bool none = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0 && errno == ECHILD;
  return none ? "no child left" : "a child is left";
}

void allow_no_more_descriptors() {
  const int next = ::dup(kChannel);
  ::close(next);
  const rlimit limit{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = static_cast<rlim_t>(next)};
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void allow_no_more_processes() {
  // Root is exempt from this limit (getrlimit(2)).
  constexpr uid_t kNobody = 65'534;
  if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) std::exit(1);
  const rlimit limit{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_NPROC, &limit);
}

// limited <by>: says how opening a channel and starting a child fail.
int limited(Arguments& arguments) {
  std::string by;
  arguments >> by;
  std::vector<int> descriptors;
  if (by == "descriptors" || by == "collision") allow_no_more_descriptors();
  if (by == "collision") descriptors = {STDERR_FILENO};
  if (by == "processes") allow_no_more_processes();
  if (by == "root" && ::chroot("/sys") != 0) return 1;
  const auto pair = open_channel_pair();
  say(kChannel, pair ? "a channel" : pair.error().message);
  const auto child = ChildProcess::spawn({.title = "victim", .descriptors = descriptors});
  say(kChannel, child ? "a child" : child.error().message);
  say(kChannel, children_left());
  return 0;
}

// What a confined worker tries; true where it came through.
using Deed = bool (*)();

bool open_file() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0;
}
bool open_socket() {
  return ::socket(AF_INET, SOCK_DGRAM, 0) >= 0;
}
bool start_process() {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  return pid > 0;
}
bool execute() {
  std::array<char*, 1> none{};
  return ::execve("/proc/self/exe", none.data(), none.data()) == 0;
}
// Its number was learnt before, for getppid(2) is not among the calls allowed.
pid_t parent_pid = 0;
bool signal_parent() {
  return ::kill(parent_pid, 0) == 0;
}
bool signal_parents_thread() {
  return ::tgkill(parent_pid, parent_pid, 0) == 0;
}
bool adopt_parent() {
  return ::fcntl(kChannel, F_SETOWN, parent_pid) == 0;
}
bool map_code() {
  return ::mmap(nullptr, 4'096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
         MAP_FAILED;
}
bool make_code() {
  void* page = ::mmap(nullptr, 4'096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return ::mprotect(page, 4'096, PROT_READ | PROT_EXEC) == 0;
}
bool open_channel() {
  return open_channel_pair().has_value();
}
bool open_network_pair() {
  std::array<int, 2> ends{};
  return ::socketpair(AF_INET, SOCK_STREAM, 0, ends.data()) == 0;
}
bool abort_itself() {
  std::abort();
}
bool do_nothing() {
  return true;
}

// More threads at once than malloc would have arenas; all allocate and give back enough for malloc
// to shrink.
bool start_threads() {
  constexpr int kThreads = 24;
  std::barrier all_there(kThreads);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&all_there] {
      all_there.arrive_and_wait();
      set_process_name("test thread");
      const std::vector<std::string> texts(1'000, std::string(200, 'x'));
      all_there.arrive_and_wait();
    });
  }
  return true;
}

// What a port's loop does: its own poller, a datagram to itself (socket 4), waits, a frame.
bool run_port() {
  auto poller = Poller::create();
  sockaddr_in self{};
  socklen_t length = sizeof self;
  if (!poller || !poller->add(4, 7) ||
      ::getsockname(4, reinterpret_cast<sockaddr*>(&self), &length) != 0) {
    return false;
  }
  set_timer_slack(Duration(1));
  std::array<char, 8> octets{};
  iovec part{.iov_base = octets.data(), .iov_len = octets.size()};
  mmsghdr message{};
  message.msg_hdr.msg_iov = &part;
  message.msg_hdr.msg_iovlen = 1;
  if (::sendto(4, "datagram", 8, 0, reinterpret_cast<sockaddr*>(&self), length) != 8) return false;
  const auto events = poller->wait(kDeadline);
  const bool received = ::recvmmsg(4, &message, 1, MSG_DONTWAIT, nullptr) == 1;
  sleep_for(Duration(1));
  const std::vector<std::byte> much(1'000'000);  // mmap and munmap
  std::fputs("", stderr);
  return events && !events->empty() && received &&
         as_text(std::as_bytes(std::span(octets))) == "datagram";
}

bool start_child_process() {
  TestChild child = start_child("wait");
  const auto pid = next_frame(child.channel.get());
  if (!pid) return false;
  say(kChannel, status_field(child.process.pid(), "CapEff"));
  return true;
}

const std::map<std::string, Deed> kDeeds{{"nothing", do_nothing},
                                         {"open", open_file},
                                         {"socket", open_socket},
                                         {"fork", start_process},
                                         {"execute", execute},
                                         {"kill", signal_parent},
                                         {"tgkill", signal_parents_thread},
                                         {"setown", adopt_parent},
                                         {"map-code", map_code},
                                         {"make-code", make_code},
                                         {"channel", open_channel},
                                         {"network-pair", open_network_pair},
                                         {"abort", abort_itself},
                                         {"threads", start_threads},
                                         {"port", run_port},
                                         {"child", start_child_process}};

// confined <plain|threads|processes> <deed>: says whether there is a filter, does the deed, says
// whether it came through, and stays until the channel ends.
int confined(Arguments& arguments) {
  std::string needs;
  std::string deed;
  arguments >> needs >> deed;
  parent_pid = ::getppid();
  const auto filter = confine({.threads = needs == "threads", .processes = needs == "processes"});
  if (!filter) {
    say(kChannel, filter.error().message);
    return 1;
  }
  set_process_name(deed);
  say(kChannel, *filter ? "filter" : "no filter");
  say(kChannel, kDeeds.at(deed)() ? "came through" : "failed");
  wait_for_end(kChannel);
  return 0;
}

using Role = int (*)(Arguments&);

const std::map<std::string, Role> kRoles{
    {"exit", exit_with},  {"wait", wait},     {"echo", echo},       {"shout", shout},
    {"reverse", reverse}, {"parent", parent}, {"limited", limited}, {"confined", confined}};

int play(std::string_view title) {
  Arguments arguments{std::string(title.substr(kRolePrefix.size()))};
  std::string role;
  arguments >> role;
  return kRoles.at(role)(arguments);
}

}  // namespace
}  // namespace wyndrvr::os::testing

int main(int argc, char** argv) {
  using namespace wyndrvr::os::testing;
  const std::string_view title = argc > 0 ? argv[0] : "";
  if (title.starts_with(kRolePrefix)) return play(title);
  ::testing::InitGoogleMock(&argc, argv);
  wyndrvr::os::ignore_write_signals();  // as the program does, which tests of it repeat
  wyndrvr::testing::watch_process_state();
  return RUN_ALL_TESTS();
}
