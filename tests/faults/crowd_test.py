"""Many clients at once, and many that only pretend to be."""

import contextlib
import socket
import time

from processes import (DIALECTS, PROCESS, ROLES, SINGLE, THREAD, Client, FaultTestCase, Host,
                       check_all, modes, wait_until)
from peer014 import Client014, wire

CLIENTS = 50
FORGED = 60


class Crowd(FaultTestCase):
    def fifty(self, sessions):
        with Host(*modes(PROCESS, sessions), "--idle-timeout", "1500", ports=200) as host, \
                contextlib.ExitStack() as stack:
            before = len(host.descriptors())
            begin = time.monotonic()
            clients = [stack.enter_context(Client(host.address, "--duration", "4",
                                                  *modes(PROCESS), config={"heartbeat_rate": 200},
                                                  dialect=DIALECTS[turn % len(DIALECTS)]))
                       for turn in range(CLIENTS)]
            each = 3 + (1 if sessions == PROCESS else 0)
            wait_until(lambda: len(host.find("stdout", "^Client connected")) == CLIENTS, 10,
                       "fifty connected clients")
            proven = time.monotonic() - begin
            self.assertEqual(len(host.left()), CLIENTS * each)
            for client in clients:
                document = self.result_of(client, 0, 12)
                self.assertTrue(document["valid"], document["problems"])
                self.assertEqual(len(document["workers"]), 3)
                for role in ROLES:
                    figures = document["latency"][role]
                    self.assertEqual(figures["lost"], 0, role)
                    self.assertGreaterEqual(figures["received"], 3, role)
                client.wait_reaped(0.5)
            wait_until(lambda: len(host.find("stdout", "^Client left")) == CLIENTS, 5,
                       "fifty clients that left")
            host.wait_alone()
            self.assertEqual(len(host.members()), 1)
            self.assertEqual(len(host.descriptors()), before)
            self.assertEqual(host.losses(), [])
            with Client014(host.address) as later:
                self.assertEqual(later.connect()[0], host.first)
                later.prove()
            self.assertEqual(host.stop(), 0)
        print(f"{self.id()}: {CLIENTS} clients proven in {proven:.2f} s")

    def test_fifty_with_processes_for_ports(self):
        self.fifty(SINGLE)

    def test_fifty_with_processes_for_sessions_and_ports(self):
        self.fifty(PROCESS)


class Forged(FaultTestCase):
    """CONNECTs whose senders never write to the ports that they get."""

    def forge(self, ports, sessions):
        with Host(*modes(ports, sessions), ports=3 * FORGED + 3) as host, \
                contextlib.ExitStack() as stack:
            idle = len(host.members()), host.threads()
            sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                       for _ in range(FORGED)]
            for forger in sockets:
                forger.settimeout(1)
                forger.sendto(b"CONNECT", host.address)
                wire.parse_assignment(forger.recv(100))
            deadline = time.monotonic() + 1.0
            while time.monotonic() < deadline:
                self.assertEqual((len(host.members()), host.threads()), idle, host.left())
                time.sleep(0.01)
            self.assertGreater(len(host.descriptors()), 3 * FORGED)
            # One that means it gets what it needs, and it alone.
            with Client014(host.address) as real:
                real.connect()
                real.prove()
                expected = {PROCESS: 3, THREAD: 0, SINGLE: 0}[ports] + (sessions == PROCESS)
                self.assertEqual(len(host.left()), expected, host.left())
            # In the end nothing is kept of the others.
            wait_until(lambda: len(host.descriptors()) < 3 * FORGED, 7, "an end of the forgers")
            self.assertEqual(host.stop(), 0)

    def test_start_neither_processes_nor_threads(self):
        check_all(self, self.forge,
                  [(PROCESS, SINGLE), (SINGLE, PROCESS), (PROCESS, PROCESS), (THREAD, THREAD)])
