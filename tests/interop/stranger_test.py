"""What a stranger cannot do: take ports, start workers, be answered more than he sends."""

import os
import select
import socket
import time
import unittest
from pathlib import Path

from harness import BinaryTestCase, Server
from peer014 import Client014, wire

SOON = 30.0                     # for what comes at once on an idle machine
FORCED = 47                     # octets of a port's first HEARTBEAT_1 beyond its HEARTBEAT_0
HEADERS = 28                    # of IPv4 and UDP
BROADCAST = "127.255.255.255"   # of the loopback network


def udp(local="127.0.0.1"):
    """A socket that may send to a broadcast address."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    made.bind((local, 0))
    return made


def descendants(pid):
    """All processes that a process has started, and those that they have."""
    found, ahead = [], [pid]
    while ahead:
        parent = ahead.pop()
        try:
            tasks = list(Path(f"/proc/{parent}/task").iterdir())
            children = [int(child) for task in tasks
                        for child in (task / "children").read_text().split()]
        except OSError:
            continue
        found += children
        ahead += children
    return found


class Ports(BinaryTestCase):
    def setUp(self):
        self.server = Server(host="0.0.0.0", ports=12)      # so many for four clients
        self.addCleanup(self.server.kill)

    def first_port_at(self, address="127.0.0.1"):
        """The first of the ports that a client gets who asks at this address."""
        with Client014((address, self.server.address[1])) as client:
            return client.connect()[0]

    def test_a_broadcast_opens_nothing(self):
        hello = (b"CONNECT\x01\x01\x00\x00\x1c" + os.urandom(16)).ljust(512, b"\0")
        strangers = [udp() for _ in range(10)]
        for stranger in strangers:
            self.addCleanup(stranger.close)
            stranger.setblocking(False)
            for question in (b"CONNECT", hello):
                stranger.sendto(question, (BROADCAST, self.server.address[1]))
        # Heard in order: the server has dealt with all of that once it answers this.
        self.assertEqual(self.first_port_at(), self.server.first)
        for stranger in strangers:
            with self.assertRaises(BlockingIOError):
                stranger.recv(2048)

    def test_ports_taken_at_one_address_are_free_at_another(self):
        for port in range(self.server.first, self.server.last + 1):
            holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.addCleanup(holder.close)
            holder.bind(("127.0.0.2", port))
        with Client014(("127.0.0.2", self.server.address[1]), local="127.0.0.2") as late:
            self.assertEqual(late.ask(timeout=SOON), b"REFUSED no free ports")
        self.assertEqual(self.first_port_at(), self.server.first)


class Workers(BinaryTestCase):
    def test_forged_datagrams_start_no_process(self):
        options = ("--port-parallelability", "PROCESS", "--connection-parallelibility", "PROCESS")
        with Server(*options) as server:
            clients = [Client014(server.address) for _ in range(5)]
            for client in clients:
                self.addCleanup(client.close)
                client.connect()
            forgers = [udp("127.0.0.2"), udp("127.0.0.1")]
            for forger in forgers:
                self.addCleanup(forger.close)
            for client in clients:
                own = wire.pack(wire.HEARTBEAT_0, client.key, 0, 0, wire.heartbeat_0("1.5"))
                bwup = wire.pack(wire.CONTROL, 77, 0, 0, wire.bwup(77, 10))
                for port in client.ports.values():
                    for bytes_ in (b"", b"x", os.urandom(1400), bwup,
                                   wire.pack(wire.HEARTBEAT_0, client.key + 1, 0, 0,
                                             wire.heartbeat_0("1.5")),
                                   wire.pack(wire.HEARTBEAT_2, client.key, 0, 0,
                                             wire.heartbeat_12("1", "2")),
                                   wire.pack(wire.HEARTBEAT_0, client.key, 0, 0, b"{}")):
                        for forger in forgers:
                            forger.sendto(bytes_, port)
                    forgers[0].sendto(own, port)    # right, but from another address
            # By the time that a real client is served, all that came before has been looked at.
            with Client014(server.address) as real:
                real.connect()
                real.prove(SOON)
                self.assertEqual(len(descendants(server.pid)), 4, "its own, and one for each port")
            self.assertEqual(server.stop(timeout=SOON), 0)


class Octets(BinaryTestCase):
    """What leaves for an address that has proven nothing, counted by its owner."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.kill)
        self.client = Client014(self.server.address)
        self.addCleanup(self.client.close)

    def exchange(self, role, datagrams):
        """Sends without ever proving anything; (octets, IP octets) in and out, and all sizes out.

        Ends with a request that pays for its own answer: what comes before that is all. It is
        repeated, because what came with it may have used up what it has paid."""
        pipe, port = self.client.pipes[role], self.client.ports[role]
        sent, sizes, ended = list(datagrams), [], False
        for data in datagrams:
            pipe.socket.sendto(data, port)
        pipe.socket.setblocking(False)
        for number in range(int(SOON / 0.2)):
            sent.append(wire.pack(wire.HEARTBEAT_0, self.client.key, number, 0,
                                  {"timestamp": number + 0.125, "x": "y" * 500}))
            pipe.socket.sendto(sent[-1], port)
            while select.select([pipe.socket], [], [], 0.2)[0]:
                answer = pipe.socket.recv(2048)
                sizes.append(len(answer))
                ended = ended or b".125, " in answer
            if ended:
                break
        else:
            self.fail("the last request was never answered")
        return ((sum(map(len, sent)), sum(map(len, sent)) + HEADERS * len(sent)),
                (sum(sizes), sum(sizes) + HEADERS * len(sizes)), sizes)

    def heartbeats(self, count, stamp=None):
        return [wire.pack(wire.HEARTBEAT_0, self.client.key, number, 0,
                          wire.heartbeat_0(stamp or f"{time.time():.6f}"))
                for number in range(count)]

    def test_octets_before_proof_are_bounded(self):
        for role, stamp in (("upload", None), ("download", "0"), ("control", None)):
            # A session of its own: it lasts for 4.9 s.
            self.client = Client014(self.server.address)
            self.addCleanup(self.client.close)
            self.client.connect()
            asked, answered, sizes = self.exchange(role, self.heartbeats(40, stamp))
            print(f"{self.id()}: {role}: {asked} in, {answered} out (octets, IP octets)")
            self.assertGreater(len(sizes), 8, "a client whose answers are lost is answered again")
            self.assertLessEqual(answered[0], asked[0] + FORCED)
            self.assertLessEqual(answered[1], asked[1] + FORCED)

    def test_the_first_answer_is_what_0_14_forces(self):
        self.client.connect()
        for role in wire.ROLES:
            pipe, heartbeat = self.client.pipes[role], self.heartbeats(1)[0]
            pipe.socket.settimeout(SOON)
            pipe.socket.sendto(heartbeat, self.client.ports[role])
            self.assertEqual(len(pipe.socket.recv(2048)), len(heartbeat) + 46)

    def test_bwup_is_not_answered_without_the_key(self):
        self.client.connect()
        bwups = [wire.pack(wire.CONTROL, 77, number, 0, wire.bwup(77, 1)) for number in range(40)]
        asked, answered, sizes = self.exchange("control", bwups)
        marks = (asked[0] - sum(map(len, bwups))) // 500
        self.assertLessEqual(len(sizes), marks, "something else was answered")

    def test_bwup_before_proof_gets_no_more_than_it_brings(self):
        self.client.connect()
        first = self.heartbeats(1)
        bwups = [wire.pack(wire.CONTROL, 77, number, 0, wire.bwup(77, 1)) for number in range(40)]
        asked, answered, sizes = self.exchange("control", first + bwups)
        print(f"{self.id()}: {asked} in, {answered} out (octets, IP octets)")
        self.assertGreater(len(sizes), 3, "no acknowledgement at all")
        self.assertLessEqual(answered[0], asked[0] + FORCED)
        self.assertLessEqual(answered[1], asked[1] + FORCED)

    def test_our_own_client_pays_for_its_extensions(self):
        """It learns from its first answers that the server is ours, as ever."""
        document = self.measure(self.server.address, "--dialect", "0.14", "--count", "2",
                                dialect="0.14", config={"heartbeat_rate": 100}, timeout=SOON)
        self.assert_untroubled(document)
        self.assertIn("network_rtt_ns", document["latency"]["control"])


class Shares(BinaryTestCase):
    def test_one_address_has_a_quarter_of_the_ports(self):
        with Server(ports=48, shares=True) as server:       # for 16 clients
            for _ in range(4):
                client = Client014(server.address)
                self.addCleanup(client.close)
                client.connect()
                client.prove(SOON)
            with Client014(server.address) as late, \
                    Client014(server.address, local="127.1.0.1") as other:
                self.assertEqual(late.ask(timeout=SOON), b"REFUSED address limit")
                other.connect()

    def test_a_session_has_a_lifetime(self):
        with Server("--max-session-duration", "1", config={"heartbeat_rate": 100}) as server, \
                Client014(server.address, heartbeat_rate=0.1) as client:
            client.connect()
            client.prove(SOON)
            self.assertTrue(client.run(SOON, until=lambda: server.find("stdout", "^Client left")))
            server.wait_line("stdout", "^Client left: .*max_session_duration", SOON)


if __name__ == "__main__":
    unittest.main()
