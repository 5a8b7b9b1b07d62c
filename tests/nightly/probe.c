/* A bare UDP exchange over loopback with kernel stamps: what the path itself takes.
 *
 * usage: probe COUNT INTERVAL_US     prints one round trip in ns per line:
 * (client receive stamp - client transmit stamp) - (server's clock before its send - server's
 * receive stamp). The server is a child process that blocks in recvmsg. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LENGTH 64

static int64_t ns(struct timespec t) { return t.tv_sec * 1000000000LL + t.tv_nsec; }

static int64_t now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return ns(t);
}

static int open_socket(struct sockaddr_in *bound, int flags) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof *bound;
  if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) != 0 ||
      getsockname(fd, (struct sockaddr *)bound, &length) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) != 0) {
    perror("socket");
    exit(1);
  }
  return fd;
}

/* One datagram with its software stamp, 0 where it has none. */
static ssize_t receive(int fd, char *data, struct sockaddr_in *from, int flags, int64_t *stamp) {
  char control[512];
  struct iovec part = {data, LENGTH};
  struct msghdr message = {.msg_name = from, .msg_namelen = from ? sizeof *from : 0,
                           .msg_iov = &part, .msg_iovlen = 1,
                           .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(fd, &message, flags);
  *stamp = 0;
  if (got < 0) return got;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPING) {
      struct scm_timestamping stamps;
      memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
      *stamp = ns(stamps.ts[0]);
    }
  }
  return got;
}

static void serve(int fd) {
  char data[LENGTH];
  for (;;) {
    struct sockaddr_in from;
    int64_t stamp;
    if (receive(fd, data, &from, 0, &stamp) < LENGTH) continue;
    int64_t turnaround = now(CLOCK_REALTIME) - stamp;
    memcpy(data + 8, &turnaround, 8);
    sendto(fd, data, LENGTH, 0, (struct sockaddr *)&from, sizeof from);
  }
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 100, interval = argc > 2 ? atoi(argv[2]) : 10000;
  struct sockaddr_in server, client;
  int receiving = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
  int server_fd = open_socket(&server, receiving);
  int fd = open_socket(&client, receiving | SOF_TIMESTAMPING_TX_SOFTWARE |
                                    SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(server_fd);
  }
  int64_t next = now(CLOCK_MONOTONIC);
  for (int64_t i = 0; i < count; ++i) {
    char data[LENGTH] = {0};
    int64_t sent = 0, received = 0, turnaround = 0, id = -1;
    memcpy(data, &i, 8);
    next += interval * 1000LL;
    struct timespec until = {next / 1000000000, next % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    sendto(fd, data, LENGTH, 0, (struct sockaddr *)&server, sizeof server);
    struct timeval patience = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (id != i) {
      if (receive(fd, data, NULL, 0, &received) < LENGTH) break;
      memcpy(&id, data, 8);
    }
    memcpy(&turnaround, data + 8, 8);
    char scratch[LENGTH];
    if (id != i || receive(fd, scratch, NULL, MSG_ERRQUEUE, &sent) < 0) continue;
    if (sent && received) printf("%lld\n", (long long)(received - sent - turnaround));
  }
  kill(child, SIGKILL);
  return 0;
}
