"""Dialect 1 on real paths: a NAT that rebinds, and a receiver that dies."""

import signal
import socket
import struct

from lab import LabTestCase, inside  # first: it puts the harness on the path
from harness import eventually, pass_time

# Counts what comes through each of the two ranges of ports.
NAT_RULES = """
table ip nat {{
  counter translated_{ports} {{ }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "rs" ip protocol udp masquerade to :{ports}-{last}
  }}
  chain count {{
    type filter hook postrouting priority 300; policy accept;
    oifname "rs" udp sport {ports}-{last} counter name translated_{ports}
  }}
}}
"""
DATA_RULES = """
table inet watch {
  counter data { }
  chain input {
    type filter hook prerouting priority 0; policy accept;
    ip protocol udp udp length > 1000 counter name data
  }
}
"""
QUIET_SECONDS = 0.5      # without a datagram of a test that sends thousands a second


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


def rebind(lab):
    """The router's NAT forgets all connections, and gives them other ports."""
    with inside(lab.router):
        lab.rules(lab.router, "delete table ip nat\n" + NAT_RULES.format(ports=50000, last=54999))
        flush_connections()


class Dialect(LabTestCase):
    about_seconds = 5

    def rebinds(self, way):
        lab = self.lab()
        lab.rules(lab.router, NAT_RULES.format(ports=40000, last=44999))
        self.serve(lab)
        with self.client(lab, way, "--duration", "3", "--rate", "20M", "--streams", "2",
                         "--interval", "200", "--json") as client:
            client.wait_line("stderr", r"^\[", count=2)
            self.assertGreater(lab.counters(lab.router)["translated_40000"], 0)
            rebind(lab)
            self.assertEqual(client.wait(), 0, client.errors())
        document = self.document_of(client)
        self.assert_untroubled(document)
        self.assertGreater(lab.counters(lab.router)["translated_50000"], 0)
        test = document["tests"][0]
        print(f"{self.id()}: {test['packets']}")
        self.assertGreater(test["intervals"][-1]["bytes"], 0, "the path was not found again")

    def test_an_upload_survives_a_nat_that_rebinds(self):
        self.rebinds("--bwup")

    def test_a_download_survives_a_nat_that_rebinds(self):
        self.rebinds("--bwdown")

    def falls_silent(self, number):
        """The server stops sending to a receiver that has gone, long before its test's end."""
        lab = self.lab()
        lab.rules(lab.client, DATA_RULES)
        self.serve(lab)
        with self.client(lab, "--bwdown", "--duration", "300", "--rate", "20M") as client:
            client.wait_line("stderr", r"^\[")
            client.process.send_signal(number)

            def is_quiet():
                before = lab.counters(lab.client)["data"]
                pass_time(QUIET_SECONDS)
                return lab.counters(lab.client)["data"] == before

            self.assertGreater(lab.counters(lab.client)["data"], 0)
            eventually(is_quiet, "an end of the data")
            if number == signal.SIGSTOP:
                client.process.send_signal(signal.SIGKILL)
            client.wait()

    def test_a_killed_receiver_is_sent_nothing_any_more(self):
        self.falls_silent(signal.SIGKILL)

    def test_a_stopped_receiver_is_sent_nothing_any_more(self):
        self.falls_silent(signal.SIGSTOP)
