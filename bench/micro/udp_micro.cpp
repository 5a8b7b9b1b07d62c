// What the batch layer makes of a train of datagrams over loopback: sent by GSO or by sendmmsg,
// received with GRO or without. One thread, so a send's time holds the kernel's receive path too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "os/receive_batch.hpp"
#include "os/send_request.hpp"
#include "os/udp_socket.hpp"

namespace wyndrvr::micro {
namespace {

constexpr std::uint32_t kBufferBytes = 32U << 20U;
// One super-packet on every kernel with GSO.
constexpr std::size_t kTrainSegments = 64;
constexpr std::size_t kTrainSlots = 4;
constexpr std::size_t kTrainSlotBytes = 65'535;

struct SocketPair {
  os::UdpSocket sender;
  os::UdpSocket receiver;
};

Result<SocketPair> open_pair(os::Offload offload, std::size_t size) {
  const Endpoint loopback{.address = {{127, 0, 0, 1}}, .port = {}};
  auto sender = os::UdpSocket::open({.bind = loopback, .gso = offload});
  if (!sender) return std::unexpected(sender.error());
  auto receiver = os::UdpSocket::open({.bind = loopback,
                                       .gro = offload,
                                       .longest_datagram = static_cast<std::uint32_t>(size),
                                       .receive_buffer = kBufferBytes});
  if (!receiver) return std::unexpected(receiver.error());
  return SocketPair{.sender = std::move(*sender), .receiver = std::move(*receiver)};
}

// Takes all that is there; returns the octets.
std::size_t drain(os::UdpSocket& socket, os::ReceiveBuffer& buffer) {
  std::size_t bytes = 0;
  for (;;) {
    const auto batch = socket.receive(buffer);
    if (!batch || batch->empty()) return bytes;
    for (const os::Received& received : *batch) bytes += received.bytes.size();
  }
}

// Arguments: size of a datagram; GSO and GRO, or neither.
void loopback_train(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const auto offload = state.range(1) != 0 ? os::Offload::kOn : os::Offload::kOff;
  auto pair = open_pair(offload, size);
  if (!pair) {
    state.SkipWithError(pair.error().message.c_str());
    return;
  }
  const std::size_t segments = std::min(kTrainSegments, os::kMaxTrainBytes / size);
  const std::vector<std::byte> train(segments * size, std::byte{42});
  const os::SendRequest request{.to = pair->receiver.local(),
                                .from = std::nullopt,
                                .bytes = train,
                                .segment_size = static_cast<std::uint32_t>(size),
                                .gso_allowed = true,
                                .stamp_token = std::nullopt};
  os::ReceiveBuffer buffer(kTrainSlots, kTrainSlotBytes);
  std::size_t datagrams = 0;
  for (auto _ : state) {
    const os::SendOutcome sent = pair->sender.send(request);
    if (sent.status != os::SendOutcome::Status::kDone) {
      state.SkipWithError("not sent");
      break;
    }
    if (drain(pair->receiver, buffer) != train.size()) {
      state.SkipWithError("not received");
      break;
    }
    datagrams += segments;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(datagrams));
  state.SetBytesProcessed(static_cast<std::int64_t>(datagrams * size));
}
BENCHMARK(loopback_train)
    ->ArgNames({"size", "offload"})
    ->Args({1400, 1})
    ->Args({1400, 0})
    ->Args({64, 1})
    ->Args({64, 0});

}  // namespace
}  // namespace wyndrvr::micro
