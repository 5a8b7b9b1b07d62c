// The io_uring(7) ends of a flow. They do what the GSO ends do, by the same trains.
#include <cerrno>
#include <cstring>

#include <liburing.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "flow.hpp"
#include "socket.hpp"

namespace wyndrvr::floor {
namespace {

// Trains in flight; as many as one sendmmsg of the GSO sender.
constexpr unsigned kSendDepth = 4;
// Buffers that multishot receives fill, a train each with its header. A power of two.
constexpr unsigned kReceiveBuffers = 16;
constexpr std::size_t kReceiveBufferBytes = 65'536 + 256;
constexpr std::size_t kReceiveControlBytes = 64;
constexpr int kBufferGroup = 0;

io_uring open_ring(unsigned entries) {
  io_uring ring{};
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  const int error = io_uring_queue_init_params(entries, &ring, &params);
  if (error < 0) {
    errno = -error;
    fail("io_uring_queue_init");
  }
  return ring;
}

// Takes all completions that are there; returns the octets that they sent.
std::uint64_t reap_sends(io_uring& ring) {
  std::uint64_t bytes = 0;
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* done = nullptr;
  io_uring_for_each_cqe(&ring, head, done) {
    ++count;
    if (done->res >= 0) {
      bytes += static_cast<std::uint64_t>(done->res);
    } else if (done->res != -ENOBUFS) {
      errno = -done->res;
      fail("io_uring send");
    }
  }
  io_uring_cq_advance(&ring, count);
  return bytes;
}

// The ring of buffers that a multishot receive takes from, and the receive itself.
class TrainReceiver {
 public:
  explicit TrainReceiver(int socket)
      : socket_(socket),
        ring_(open_ring(2 * kReceiveBuffers)),
        memory_(kReceiveBuffers * kReceiveBufferBytes) {
    const std::size_t bytes = kReceiveBuffers * sizeof(io_uring_buf);
    void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (mapped == MAP_FAILED) fail("mmap");
    buffers_ = static_cast<io_uring_buf_ring*>(mapped);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(mapped);
    registration.ring_entries = kReceiveBuffers;
    registration.bgid = kBufferGroup;
    errno = -io_uring_register_buf_ring(&ring_, &registration, 0);
    if (errno != 0) fail("io_uring_register_buf_ring");
    io_uring_buf_ring_init(buffers_);
    for (unsigned i = 0; i < kReceiveBuffers; ++i) give_back(static_cast<unsigned short>(i), i);
    io_uring_buf_ring_advance(buffers_, kReceiveBuffers);
    layout_.msg_controllen = kReceiveControlBytes;
    arm();
  }
  TrainReceiver(const TrainReceiver&) = delete;
  TrainReceiver& operator=(const TrainReceiver&) = delete;
  ~TrainReceiver() { io_uring_queue_exit(&ring_); }

  struct Batch {
    std::uint64_t bytes = 0;
    unsigned trains = 0;
  };

  // What has come since the last call.
  Batch take() {
    io_uring_submit(&ring_);
    io_uring_get_events(&ring_);
    Batch batch;
    unsigned head = 0;
    unsigned count = 0;
    unsigned given = 0;
    bool ended = false;
    io_uring_cqe* done = nullptr;
    io_uring_for_each_cqe(&ring_, head, done) {
      ++count;
      // Without buffers left the receive ends; it is armed anew once they are back.
      if ((done->flags & IORING_CQE_F_MORE) == 0) ended = true;
      if (done->res < 0 && done->res != -ENOBUFS) {
        errno = -done->res;
        fail("io_uring receive");
      }
      if (done->res < 0) continue;
      const auto id = static_cast<unsigned short>(done->flags >> IORING_CQE_BUFFER_SHIFT);
      io_uring_recvmsg_out* out = io_uring_recvmsg_validate(memory_of(id), done->res, &layout_);
      if (out == nullptr) fail("io_uring_recvmsg_validate");
      batch.bytes += io_uring_recvmsg_payload_length(out, done->res, &layout_);
      ++batch.trains;
      give_back(id, given++);
    }
    io_uring_cq_advance(&ring_, count);
    io_uring_buf_ring_advance(buffers_, static_cast<int>(given));
    if (ended) arm();
    return batch;
  }

 private:
  [[nodiscard]] std::byte* memory_of(unsigned short id) {
    return memory_.data() + id * kReceiveBufferBytes;
  }
  void give_back(unsigned short id, unsigned position) {
    io_uring_buf_ring_add(buffers_, memory_of(id), kReceiveBufferBytes, id,
                          io_uring_buf_ring_mask(kReceiveBuffers), static_cast<int>(position));
  }
  void arm() {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) fail("io_uring_get_sqe");
    io_uring_prep_recvmsg_multishot(entry, socket_, &layout_, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = kBufferGroup;
  }

  int socket_;
  io_uring ring_;
  std::vector<std::byte> memory_;
  io_uring_buf_ring* buffers_ = nullptr;
  msghdr layout_{};
};

}  // namespace

Tally send_by_uring(const SendPlan& plan) {
  const std::size_t bytes = train_segments(plan.payload_bytes) * plan.payload_bytes;
  std::vector<std::byte> filled(kSendDepth * bytes);
  fill(filled);
  for (const int socket : plan.sockets) {
    set_option(socket, SOL_UDP, UDP_SEGMENT, static_cast<int>(plan.payload_bytes), "UDP_SEGMENT");
  }
  io_uring ring = open_ring(kSendDepth);
  // Registered sockets: no look-up and no reference for each send.
  require(io_uring_register_files(&ring, plan.sockets.data(),
                                  static_cast<unsigned>(plan.sockets.size())),
          "io_uring_register_files");
  Tally tally;
  std::int64_t now = monotonic_ns();
  for (std::size_t turn = 0; now < plan.until_ns; ++turn) {
    const int socket = static_cast<int>(turn % plan.sockets.size());
    for (unsigned i = 0; i < kSendDepth; ++i) {
      io_uring_sqe* entry = io_uring_get_sqe(&ring);
      io_uring_prep_send(entry, socket, filled.data() + i * bytes, bytes, 0);
      entry->flags |= IOSQE_FIXED_FILE;
    }
    if (io_uring_submit_and_wait(&ring, kSendDepth) < 0) fail("io_uring_submit_and_wait");
    const std::uint64_t sent = reap_sends(ring);
    now = monotonic_ns();
    if (sent > 0) tally.add(sent, plan.payload_bytes, now);
  }
  io_uring_queue_exit(&ring);
  return tally;
}

Tally receive_by_uring(const ReceivePlan& plan) {
  set_option(plan.socket, SOL_UDP, UDP_GRO, 1, "UDP_GRO");
  TrainReceiver receiver(plan.socket);
  Tally tally;
  for (;;) {
    const TrainReceiver::Batch batch = receiver.take();
    if (batch.trains > 0) tally.add(batch.bytes, plan.payload_bytes, monotonic_ns());
    if (batch.trains >= kReceiveBuffers / 2) continue;
    if (batch.trains == 0 && plan.is_over(tally.last_ns)) return tally;
    sleep_us(plan.sleep_us);
  }
}

}  // namespace wyndrvr::floor
