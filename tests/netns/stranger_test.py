"""Addresses on real links: those that open nothing, and those that a path must not move to."""

import socket
import unittest

from lab import SERVER, LabTestCase, inside, run

from harness import Program, Server, eventually
from peer014 import wire

SOON = 30.0
ROUTER = "10.213.2.1"               # the router's address on the server's link
ROUTER6, SERVER6, ANYCAST6 = "fd00:2::1", "fd00:2::2", "fd00:2::"
# Without a state: connection tracking would keep flows that are under way as they are.
NAT_RULES = f"""
table ip moving {{
  chain postrouting {{
    type filter hook postrouting priority 0; policy accept;
    oifname "rs" ip protocol udp ip saddr set {ROUTER}
  }}
}}
"""
WATCH_RULES = f"""
table inet watch {{
  counter moved {{ }}
  counter answered {{ }}
  chain input {{
    type filter hook input priority 0; policy accept;
    ip saddr {ROUTER} ip protocol udp counter name moved
  }}
  chain output {{
    type filter hook output priority 0; policy accept;
    ip daddr {ROUTER} ip protocol udp counter name answered
  }}
}}
"""


class Strangers(LabTestCase):
    def serve(self, lab, *options, host=SERVER):
        server = Server(*options, host=host, port=6711, first=7000, ports=30,
                        prefix=lab.inside_command(lab.server))
        self.addCleanup(server.kill)
        return server

    def test_multicast_and_anycast_open_nothing(self):
        lab = self.lab()
        run(*lab.inside_command(lab.server), "sh", "-c",
            "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
        for name, device, address in ((lab.server, "eth0", SERVER6), (lab.router, "rs", ROUTER6)):
            run("ip", "-n", name, "address", "add", f"{address}/64", "dev", device, "nodad")
        self.serve(lab, host="[::]")
        with inside(lab.router):
            link = socket.if_nametoindex("rs")
            stranger = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        for one in (stranger, client):
            self.addCleanup(one.close)
            one.settimeout(SOON)
        hello = (b"CONNECT\x01\x01\x00\x00\x1c" + bytes(16)).ljust(512, b"\0")
        # The link is up, and its addresses are known.
        client.sendto(b"CONNECT", (SERVER6, 6711))
        first = wire.parse_assignment(client.recv(2048))
        self.assertEqual(first[0], 7000)
        for _ in range(20):
            for address in (("ff02::1", 6711, 0, link), ("ff02::2", 6711, 0, link),
                            (ANYCAST6, 6711)):
                for question in (b"CONNECT", hello):
                    stranger.sendto(question, address)
        with inside(lab.router):
            late = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.addCleanup(late.close)
        late.settimeout(SOON)
        late.sendto(b"CONNECT", (SERVER6, 6711))
        self.assertEqual(wire.parse_assignment(late.recv(2048))[0], 7003, "ports were taken")

    def test_a_path_does_not_move_to_a_denied_address(self):
        for mode in ("SINGLE", "THREAD", "PROCESS"):
            with self.subTest(mode=mode):
                self.move(mode)

    def move(self, mode):
        lab = self.lab()
        lab.rules(lab.server, WATCH_RULES)
        self.serve(lab, "--deny", ROUTER, "--port-parallelability", mode,
                   "--connection-parallelibility", mode)
        with Program(f"{SERVER}:6711", "--bwup", "--rate", "2M", "--duration", "60",
                     prefix=lab.inside_command(lab.client)) as client:
            client.wait_line("stderr", r"^\[", SOON)
            lab.rules(lab.router, NAT_RULES)
            # The client looks for its paths every 200 ms, from each socket.
            eventually(lambda: lab.counters(lab.server)["moved"] > 50, "datagrams from there")
            self.assertEqual(lab.counters(lab.server)["answered"], 0, "a denied address")


if __name__ == "__main__":
    unittest.main()
