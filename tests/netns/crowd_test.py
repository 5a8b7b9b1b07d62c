"""A server that holds: 300 clients of 0.14, a flood, a client killed in the middle of a test."""

import os
import random
import signal
import socket
import struct

from lab import SERVER, LabTestCase, inside  # first: it puts the harness on the path
from harness import DIALECTS, PATIENCE
from peer014 import Client014
from swarm import Swarm

# All come from one address, which may have all of the ports here.
MANY = ("--max-sessions-per-address", "1000", "--max-sessions-per-network", "1000")
FLOOD = 30_000
FLOOD_RULES = """
table inet watch {
  counter asked { }
  counter answered { }
  chain input {
    type filter hook input priority 0; policy accept;
    udp dport 6711 counter name asked
  }
  chain output {
    type filter hook output priority 0; policy accept;
    ip daddr 10.214.0.0/16 counter name answered
  }
}
"""


def resident_kib(pid):
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def descriptors(pid):
    """Open descriptors of a process."""
    return len(os.listdir(f"/proc/{pid}/fd"))


class Crowd(LabTestCase):
    about_seconds = 10
    heavy = True

    def test_three_hundred_clients_at_once(self):
        lab = self.lab()
        server = self.serve(lab, *MANY)
        with inside(lab.client):
            swarm = Swarm((SERVER, 6711), 300)
            try:
                swarm.run(PATIENCE, until=lambda: swarm.proven() == 300)
                refused = [c.refused for c in swarm.clients if c.refused]
                self.assertEqual(refused, [])
                self.assertEqual(swarm.proven(), 300)
                ports = [p for c in swarm.clients for p in c.assignment[:3]]
                self.assertEqual(sorted(ports), list(range(7000, 7900)))
                swarm.run(PATIENCE, until=lambda: swarm.least_answers() >= 3)
                self.assertGreaterEqual(swarm.least_answers(), 3)
                print(f"{self.id()}: {resident_kib(server.pid)} KiB")
            finally:
                swarm.close()
        self.assertTrue(server.running())
        self.assertEqual(server.stop(), 0)

    def flood(self, lab):
        """Raw CONNECTs from random addresses of 10.214/16 to the server's main port."""
        dice = random.Random(11)
        target = socket.inet_aton(SERVER)
        with inside(lab.client):
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            for _ in range(FLOOD):
                source = bytes((10, 214, dice.randrange(256), dice.randrange(1, 255)))
                raw.sendto(struct.pack(">BBHHHBBH", 0x45, 0, 35, 0, 0, 64, 17, 0) + source + target
                           + struct.pack(">HHHH", dice.randrange(1024, 65535), 6711, 15, 0)
                           + b"CONNECT", (SERVER, 0))
            raw.close()

    def test_a_flood_of_forged_connects(self):
        lab = self.lab()
        lab.rules(lab.server, FLOOD_RULES)
        server = self.serve(lab, *MANY)
        memory, files = resident_kib(server.pid), descriptors(server.pid)
        with inside(lab.client):
            resident = Client014((SERVER, 6711), local="10.213.1.2", heartbeat_rate=0.5)
            resident.connect()
            resident.prove()
        self.addCleanup(resident.close)
        self.flood(lab)
        during = resident_kib(server.pid), descriptors(server.pid)
        resident.answered.clear()
        with inside(lab.client):
            resident.prove()               # who was there before is still served
            resident.run(PATIENCE, until=lambda: descriptors(server.pid) < files + 50)
            resident.prove()
            with Client014((SERVER, 6711), local="10.213.1.2") as later:
                later.connect()
                later.prove()
        after = resident_kib(server.pid), descriptors(server.pid)
        counted = lab.counters(lab.server)
        print(f"{self.id()}: {counted}, KiB/fds {memory}/{files} before, {during} after the "
              f"flood, {after} later; {len(server.stdout)}+{len(server.stderr)} lines")
        self.assertGreaterEqual(counted["asked"], FLOOD)
        self.assertLessEqual(counted["answered"], counted["asked"])
        self.assertLess(max(during[0], after[0]) - memory, 64 * 1024)
        self.assertLess(during[1], 1000 + files + 50)
        self.assertLess(after[1], files + 50, "ports of forged clients were kept")
        self.assertLess(len(server.stderr), 1000, "a line for each forged packet")
        self.assertTrue(server.running())
        self.assertEqual(server.stop(), 0)

    def test_a_client_killed_mid_test_gives_its_ports_back(self):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                self.kill_mid_test(dialect)

    def kill_mid_test(self, dialect):
        lab = self.lab()
        server = self.serve(lab, "--idle-timeout", "5000", ports=3)
        with self.client(lab, "--bwup", "--duration", "300", "--rate", "20M", "--dialect",
                         dialect) as client:
            client.wait_line("stderr", r"^\[")
            client.process.send_signal(signal.SIGKILL)
            client.wait()
        with inside(lab.client):
            with Client014((SERVER, 6711), local="10.213.1.2") as early:
                self.assertTrue(early.ask().startswith(b"REFUSED"), "its ports went too early")
            server.wait_line("stdout", "^Client left")
            with Client014((SERVER, 6711), local="10.213.1.2") as late:
                self.assertEqual(late.connect()[0], 7000, "the killed client kept its ports")
                late.prove()
        self.assertTrue(server.running())
