/* Sends UDP datagrams with forged IPv4 sources, BATCH at once and PAUSE_US later the next.
 *
 * usage: spoof TARGET PORT COUNT PAUSE_US RANDOM_AT RANDOM_SIZE [SOURCE SOURCE_PORT] <PAYLOAD
 * Each has the payload of standard input with other octets at RANDOM_AT, and comes from any address
 * of 10.214.0.0/16, or from SOURCE. Prints the octets sent, as UDP payload. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define MAX_PAYLOAD 2048

struct frame {
  struct iphdr ip;
  struct udphdr udp;
  uint8_t payload[MAX_PAYLOAD];
} __attribute__((packed));

static uint64_t state = 88172645463325252ULL;
static uint64_t dice(void) { /* xorshift64 */
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

int main(int argc, char** argv) {
  static struct frame frames[BATCH];
  static uint8_t payload[MAX_PAYLOAD];
  if (argc != 7 && argc != 9) return 2;
  struct sockaddr_in target = {.sin_family = AF_INET};
  if (inet_pton(AF_INET, argv[1], &target.sin_addr) != 1) return 2;
  const uint16_t port = (uint16_t)atoi(argv[2]);
  const long count = atol(argv[3]);
  const useconds_t pause = (useconds_t)atol(argv[4]);
  const size_t random_at = (size_t)atol(argv[5]), random_size = (size_t)atol(argv[6]);
  struct in_addr fixed = {0};
  if (argc == 9 && inet_pton(AF_INET, argv[7], &fixed) != 1) return 2;
  const ssize_t length = read(0, payload, sizeof payload);
  if (length < 0 || random_at + random_size > (size_t)length) return 2;

  const int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (raw < 0) return perror("socket"), 1;
  const int buffer = 8 << 20;
  setsockopt(raw, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);

  struct mmsghdr messages[BATCH];
  struct iovec vectors[BATCH];
  for (long sent = 0; sent < count;) {
    int batch = 0;
    for (; batch < BATCH && sent + batch < count; ++batch) {
      struct frame* frame = &frames[batch];
      const size_t size = sizeof frame->ip + sizeof frame->udp + (size_t)length;
      memcpy(frame->payload, payload, (size_t)length);
      for (size_t i = 0; i < random_size; ++i) frame->payload[random_at + i] = (uint8_t)dice();
      frame->ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
      frame->ip.tot_len = htons((uint16_t)size);
      frame->ip.daddr = target.sin_addr.s_addr;
      frame->ip.saddr = argc == 9 ? fixed.s_addr : htonl(0x0AD60000U | (dice() & 0xFFFFU));
      frame->udp.source = htons(argc == 9 ? (uint16_t)atoi(argv[8])
                                          : (uint16_t)(1024 + dice() % 64000));
      frame->udp.dest = htons(port);
      frame->udp.len = htons((uint16_t)(sizeof frame->udp + (size_t)length));
      frame->udp.check = 0;
      vectors[batch] = (struct iovec){frame, size};
      messages[batch].msg_hdr = (struct msghdr){
          .msg_name = &target, .msg_namelen = sizeof target, .msg_iov = &vectors[batch],
          .msg_iovlen = 1};
    }
    const int done = sendmmsg(raw, messages, (unsigned)batch, 0);
    if (done < 0) return perror("sendmmsg"), 1;
    sent += done;
    if (pause > 0) usleep(pause);
  }
  printf("%lld\n", (long long)count * length);
  return 0;
}
