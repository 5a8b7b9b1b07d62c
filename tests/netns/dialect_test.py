"""Dialect 1 on real paths: loss at the start, a NAT that rebinds, a receiver that dies, both ways."""

import concurrent.futures
import json
import signal
import socket
import struct
import time

from lab import SERVER, LabTestCase, Sampler, inside  # first: puts the harness on the path
from harness import BinaryTestCase, Program, Server

LOSS_RULES = """
table inet loss {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip protocol udp numgen random mod 1000 < 300 drop
  }
}
"""
NAT_RULES = """
table ip nat {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "rs" ip protocol udp masquerade to :{ports}
  }}
}}
"""


def flush_connections():
    """Forgets all of the namespace's connection tracking (ctnetlink: IPCTNL_MSG_CT_DELETE)."""
    netlink_netfilter, delete, request_ack = 12, 1 << 8 | 2, 5
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, netlink_netfilter)
    sock.bind((0, 0))
    sock.send(struct.pack("=IHHII", 20, delete, request_ack, 1, 0) + struct.pack("=BBH", 0, 0, 0))
    answer = sock.recv(4096)
    sock.close()
    error = struct.unpack_from("=i", answer, 16)[0]
    if error != 0:
        raise OSError(-error, "ctnetlink")


class Dialect(LabTestCase):
    check = BinaryTestCase.check_result
    _check_test = BinaryTestCase._check_test
    _check_numbers = BinaryTestCase._check_numbers
    _check_quantiles = BinaryTestCase._check_quantiles
    _check_schema = BinaryTestCase._check_schema

    def serve(self, lab, *options):
        server = Server(*options, host=SERVER, port=6711, first=7000, ports=1000,
                        prefix=lab.inside_command(lab.server))
        self.addCleanup(server.kill)
        return server

    def client(self, lab, *options):
        return Program(f"{SERVER}:6711", *options, prefix=lab.inside_command(lab.client))

    def document(self, lab, *options, timeout=20, code=0):
        with self.client(lab, *options, "--json") as client:
            self.assertEqual(client.wait(timeout), code, client.errors())
            document = json.loads("\n".join(client.stdout))
        self.check(document, dialect="1")
        return document

    def test_a_hundred_of_a_hundred_begin_at_thirty_percent_loss_both_ways(self):
        lab = self.lab()
        lab.rules(lab.router, LOSS_RULES)
        self.serve(lab)

        def one(_):
            with self.client(lab, "--dialect", "1", "--count", "1", "--duration", "12") as client:
                begin = time.monotonic()
                client.wait_line("stdout", "^Client connected successfully", 15)
                took = time.monotonic() - begin
                client.wait(20)
            return took

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            times = sorted(pool.map(one, range(100)))
        print(f"{self.id()}: begun after {times[50]:.2f} s (median), {times[-1]:.2f} s (longest)")
        self.assertEqual(len(times), 100)

    def test_download_equals_upload_on_a_symmetric_link(self):
        lab = self.lab()
        for device in ("rc", "rs"):
            lab.shape(lab.router, device, "rate", "100mbit", "burst", "32k", "latency", "50ms")
        self.serve(lab)

        def rates():
            return [self.document(lab, way, "--duration", "4")["tests"][0]["rate_bps"]
                    for way in ("--bwup", "--bwdown")]

        def apart(figures):
            return abs(figures[1] / figures[0] - 1)

        figures = self.undisturbed(rates, lambda figures: apart(figures) < 0.05)
        print(f"{self.id()}: {figures[0] / 1e6:.2f} and {figures[1] / 1e6:.2f} Mbit/s")
        self.assertLess(apart(figures), 0.05, figures)

    def rebind(self, way):
        lab = self.lab()
        lab.rules(lab.router, NAT_RULES.format(ports="40000-44999"))
        self.serve(lab)
        with Sampler(lab.server if way == "--bwup" else lab.client) as sampler:
            with self.client(lab, way, "--duration", "6", "--rate", "20M", "--streams", "2",
                             "--json") as client:
                client.wait_line("stderr", r"^\[", 6, count=2)
                moved = time.monotonic()
                with inside(lab.router):
                    lab.rules(lab.router, "delete table ip nat\n"
                              + NAT_RULES.format(ports="50000-54999"))
                    flush_connections()
                self.assertEqual(client.wait(15), 0, client.errors())
                document = json.loads("\n".join(client.stdout))
        self.check(document, dialect="1")
        self.assertEqual(document["problems"], [])
        # How long nothing came: the longest time in which the device saw under 10 kB.
        gap = self.longest_gap([s for s in sampler.samples if moved - 0.2 < s[0] < moved + 2])
        test = document["tests"][0]
        print(f"{self.id()}: {test['packets']}, silent for {gap * 1e3:.0f} ms")
        self.assertLess(gap, 1.0, "the path was not found again")
        self.assertGreater(test["packets"]["received"], 0.8 * test["packets"]["sent"])

    @staticmethod
    def longest_gap(samples):
        longest, begin = 0.0, 0
        for end in range(len(samples)):
            while samples[end][1] - samples[begin][1] > 10_000:
                begin += 1
            longest = max(longest, samples[end][0] - samples[begin][0])
        return longest

    def test_an_upload_survives_a_nat_that_rebinds(self):
        self.rebind("--bwup")

    def test_a_download_survives_a_nat_that_rebinds(self):
        self.rebind("--bwdown")

    def silence(self, number):
        """Milliseconds from the receiver's end to the last octet of data sent to it."""
        lab = self.lab()
        self.serve(lab)
        with Sampler(lab.client) as sampler:
            with self.client(lab, "--bwdown", "--duration", "20", "--rate", "100M") as client:
                client.wait_line("stderr", r"^\[", 6)
                client.process.send_signal(number)
                gone = time.monotonic()
                time.sleep(2)
                if number == signal.SIGSTOP:
                    client.process.send_signal(signal.SIGKILL)
                client.wait(5)
        samples = [s for s in sampler.samples if s[0] < gone + 1.9]
        steps = [b[0] for a, b in zip(samples, samples[1:]) if b[1] - a[1] > 1400]
        print(f"{self.id()}: last data {1e3 * (steps[-1] - gone):.0f} ms after the signal")
        return steps[-1] - gone

    def test_a_killed_receiver_is_sent_nothing_after_a_quarter_of_a_second(self):
        self.assertLess(self.silence(signal.SIGKILL), 0.25 + 0.05)

    def test_a_stopped_receiver_is_sent_nothing_after_a_quarter_of_a_second(self):
        self.assertLess(self.silence(signal.SIGSTOP), 0.25 + 0.05)
