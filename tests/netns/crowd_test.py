"""A server that holds: 300 clients of 0.14, 1,000 of our own, a flood, a client killed mid-test."""

import json
import os
import random
import signal
import socket
import struct
import subprocess
import time
import unittest

from lab import SERVER, LabTestCase, inside  # first: it puts the harness on the path
from harness import BINARY, DIALECTS, Program, Server
from peer014 import Client014
from swarm import Swarm

# Next to the program, where it is built (bench/swarm.cpp).
SWARM = BINARY.with_name("wyndrvr-swarm")
CROWD = 1_000
# What an idle client may cost its server, of private memory.
CLIENT_KIB = 32
FLOOD = 100_000
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
    def serve(self, lab, *options, ports=1000):
        """The program in the server's namespace on port 6711."""
        server = Server(*options, host=SERVER, port=6711, first=7000, ports=ports,
                        prefix=lab.inside_command(lab.server))
        self.addCleanup(server.kill)
        return server

    def test_three_hundred_clients_at_once(self):
        lab = self.lab()
        server = self.serve(lab)
        with inside(lab.client):
            swarm = Swarm((SERVER, 6711), 300)
            try:
                begin = time.monotonic()
                swarm.run(8, until=lambda: swarm.proven() == 300)
                took = time.monotonic() - begin
                refused = [c.refused for c in swarm.clients if c.refused]
                self.assertEqual(refused, [])
                self.assertEqual(swarm.proven(), 300)
                ports = [p for c in swarm.clients for p in c.assignment[:3]]
                self.assertEqual(sorted(ports), list(range(7000, 7900)))
                swarm.run(2)
                for client in swarm.clients:
                    for role, answers in client.answers.items():
                        self.assertGreaterEqual(answers, 3, role)
                print(f"{self.id()}: 300 clients proven in {took:.2f} s, "
                      f"{resident_kib(server.pid)} KiB")
            finally:
                swarm.close()
        self.assertTrue(server.running())
        self.assertEqual(server.stop(), 0)

    @unittest.skipUnless(SWARM.exists(), f"{SWARM} is not built")
    def test_a_thousand_idle_clients_cost_little_and_lose_nothing(self):
        for options in (("--dialect", "1"), ("--dialect", "1", "--single-port"),
                        ("--dialect", "0.14")):
            with self.subTest(options=" ".join(options)):
                self.crowd(*options)

    def crowd(self, *options):
        """A thousand clients of our own, a heartbeat a second on each port."""
        lab = self.lab()
        server = self.serve(lab, "--max-sessions-per-address", str(2 * CROWD),
                            "--max-sessions-per-network", str(2 * CROWD), ports=3 * CROWD)
        swarm = subprocess.run(
            [*lab.inside_command(lab.client), str(SWARM), "--server", f"{SERVER}:6711",
             "--clients", str(CROWD), "--connects", "500", "--seconds", "5",
             "--watch", str(server.pid), "--json", *options],
            timeout=60, text=True, capture_output=True, check=False)
        self.assertTrue(swarm.stdout, swarm.stderr)
        figures = json.loads(swarm.stdout)
        print(f"{self.id()}: {figures}")
        self.assertEqual(figures["connected"], CROWD)
        self.assertEqual(figures["lost"], 0)
        self.assertGreater(figures["answered"], 3 * CROWD * 5)
        # A figure of none at all would mean that the wrong process was looked at.
        self.assertGreater(figures["server_kib_each"], 4)
        self.assertLessEqual(figures["server_kib_each"], CLIENT_KIB)
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
        server = self.serve(lab)
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
            resident.run(5.7)
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
        server = self.serve(lab, "--idle-timeout", "1500")
        with Program(f"{SERVER}:6711", "--bwup", "--duration", "20", "--dialect", dialect,
                     prefix=lab.inside_command(lab.client)) as client:
            server.wait_line("stdout", "^Client connected", 5)
            time.sleep(1.0)
            self.assertTrue(client.running(), client.errors())
            client.process.send_signal(signal.SIGKILL)
            client.wait(2)
        with inside(lab.client):
            with Client014((SERVER, 6711), local="10.213.1.2") as early:
                self.assertEqual(early.connect()[0], 7003)
            time.sleep(3.0)
            with Client014((SERVER, 6711), local="10.213.1.2") as late:
                self.assertEqual(late.connect()[0], 7000, "the killed client kept its ports")
                late.prove()
        self.assertTrue(server.running())
