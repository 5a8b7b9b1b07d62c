"""Many clients at once, and many that only pretend to be."""

import contextlib
import socket

from processes import (DIALECTS, PROCESS, ROLES, SINGLE, THREAD, Client, FaultTestCase, Host,
                       check_all, eventually, modes)
from harness import PATIENCE
from peer014 import Client014, wire

CLIENTS = 50
FORGED = 60
# All come from one address, which may have all of the ports here.
MANY = ("--max-sessions-per-address", "100", "--max-sessions-per-network", "100")
# A client of 0.14 leaves by falling silent. No busy machine keeps one silent for so long.
IDLE = ("--idle-timeout", "8000")


class Crowd(FaultTestCase):
    about_seconds = 20
    heavy = True

    def fifty(self, sessions):
        """Each client lives until all of them have been served, however long their start takes."""
        with Host(*modes(PROCESS, sessions), *MANY, *IDLE, ports=200) as host, \
                contextlib.ExitStack() as stack:
            before = len(host.descriptors())
            clients = [stack.enter_context(Client(host.address, *modes(PROCESS),
                                                  config={"heartbeat_rate": 200},
                                                  dialect=DIALECTS[turn % len(DIALECTS)]))
                       for turn in range(CLIENTS)]
            eventually(lambda: len(host.find("stdout", "^Client connected")) == CLIENTS,
                       "fifty connected clients")
            for client in clients:
                eventually(lambda client=client: all(client.lines(role) >= 3 for role in ROLES),
                           client.errors)
            self.assertEqual(len(host.left()), CLIENTS * (3 + (sessions == PROCESS)))
            for client in clients:
                client.process.terminate()
            for client in clients:
                self.check_client(client)
            eventually(lambda: len(host.find("stdout", "^Client left")) == CLIENTS,
                       "fifty clients that left")
            host.wait_alone()
            self.assertEqual(len(host.members()), 1)
            self.assertEqual(len(host.descriptors()), before)
            self.assertEqual(host.losses(), [])
            with Client014(host.address) as later:
                self.assertEqual(later.connect()[0], host.first)
                later.prove()
            self.assertEqual(host.stop(), 0)

    def check_client(self, client):
        """It was told to end: nothing was lost, and nothing of it is left."""
        document = self.result_of(client, 0)
        self.assertTrue(document["valid"], document["problems"])
        self.assertEqual(len(document["workers"]), 3)
        for role in ROLES:
            figures = document["latency"][role]
            self.assertEqual(figures["lost"], 0, role)
            self.assertGreaterEqual(figures["received"], 3, role)
        client.wait_reaped()

    def test_fifty_with_processes_for_ports(self):
        self.fifty(SINGLE)

    def test_fifty_with_processes_for_sessions_and_ports(self):
        self.fifty(PROCESS)


class Forged(FaultTestCase):
    """CONNECTs whose senders never write to the ports that they get."""

    def forge(self, ports, sessions):
        with Host(*modes(ports, sessions), *MANY, ports=3 * FORGED + 3) as host, \
                contextlib.ExitStack() as stack:
            idle = len(host.members()), host.threads()
            quiet = len(host.descriptors())
            sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                       for _ in range(FORGED)]
            for forger in sockets:
                forger.settimeout(PATIENCE)
                forger.sendto(b"CONNECT", host.address)
                wire.parse_assignment(forger.recv(100))
            self.assertEqual((len(host.members()), host.threads()), idle, host.left())
            self.assertGreater(len(host.descriptors()), quiet)
            # One that means it gets what it needs, and it alone: by now all others were looked at.
            with Client014(host.address) as real:
                real.connect()
                real.prove()
                expected = {PROCESS: 3, THREAD: 0, SINGLE: 0}[ports] + (sessions == PROCESS)
                self.assertEqual(len(host.left()), expected, host.left())
                # In the end nothing is kept of the others.
                eventually(lambda: len(host.descriptors()) < quiet + 3 + FORGED,
                           "an end of the forgers")
                self.assertEqual(len(host.left()), expected, host.left())
            self.assertEqual(host.stop(), 0)

    def test_start_neither_processes_nor_threads(self):
        check_all(self, self.forge,
                  [(PROCESS, SINGLE), (SINGLE, PROCESS), (PROCESS, PROCESS), (THREAD, THREAD)])
