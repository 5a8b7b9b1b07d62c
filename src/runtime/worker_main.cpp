#include "runtime/worker_main.hpp"

#include <string_view>
#include <utility>

#include <fcntl.h>

#include "os/seqpacket.hpp"
#include "os/signals.hpp"
#include "runtime/port_socket.hpp"
#include "runtime/port_worker.hpp"
#include "runtime/session_worker.hpp"
#include "runtime/worker_frames.hpp"
#include "runtime/worker_process.hpp"

namespace wyndrvr::runtime {
namespace {

// How long a worker waits for its set-up. The supervisor gives up sooner.
constexpr Duration kSetupTimeout = 10s;

// Inherited descriptors begin here (os/child_process.hpp). A port has the most: its channel, its
// sockets, and its siblings' channels.
constexpr int kFirstDescriptor = 3;
constexpr int kMostDescriptors = 1 + static_cast<int>(kMaxPortSockets) + 2;

std::optional<Frame> receive_setup(int channel) {
  std::vector<std::byte> octets;
  encode(Hello{*wire::SmallText<32>::from(WYNDRVR_VERSION)}, octets);
  if (os::send_frame(channel, octets) != os::ChannelStatus::kDone) return std::nullopt;
  if (!os::wait_readable(channel, kSetupTimeout)) return std::nullopt;
  std::vector<std::byte> buffer(kMaxSetupSize);
  const os::ReceivedFrame received = os::receive_frame(channel, buffer);
  if (received.status != os::ChannelStatus::kDone || received.truncated) return std::nullopt;
  return decode_frame(received.bytes);
}

}  // namespace

int run_worker(std::vector<os::Fd> descriptors, Surroundings surroundings) {
  const int channel = descriptors.front().get();
  const auto setup = receive_setup(channel);
  if (!setup) return kWorkerWithoutSetup;
  // Told while the channel is still open.
  const auto tell = [channel](const Error& error) {
    std::vector<std::byte> octets;
    encode(SetupFailed{error.message}, octets);
    (void)os::send_frame(channel, octets);
  };
  if (const auto* port = std::get_if<PortSetup>(&*setup)) {
    return run_port_worker(*port, std::move(descriptors), surroundings, tell);
  }
  if (const auto* session = std::get_if<SessionStart>(&*setup)) {
    return run_session_worker(*session, std::move(descriptors), surroundings, tell);
  }
  return kWorkerWithoutSetup;
}

std::optional<int> run_if_worker(int argc, char** argv) {
  if (argc != 1 || !std::string_view(argv[0]).starts_with(kWorkerTitlePrefix)) return std::nullopt;
  os::ignore_write_signals();
  std::vector<os::Fd> descriptors;
  for (int fd = kFirstDescriptor; fd < kFirstDescriptor + kMostDescriptors; ++fd) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) break;
    descriptors.emplace_back(fd);
  }
  // Somebody's idea of a joke, rather than our supervisor.
  if (descriptors.empty() || !os::is_channel(kFirstDescriptor)) return kWorkerWithoutSetup;
  return run_worker(std::move(descriptors), Surroundings::kOwnProcess);
}

}  // namespace wyndrvr::runtime
