"""A full queue of the server's own host is not the network's loss, and forged ICMP is nobody's."""

import contextlib
import json
import re
import socket
import struct
import threading

from lab import CLIENT, SERVER, SERVER_6, LabTestCase, inside, run  # first: puts the path
from harness import BinaryTestCase, Program, Server

PORTS = (7000, 7001, 7002)
PATIENCE = 60                                     # s, of a run that lasts 1
# Destination unreachable: network, host, protocol, port, too big, prohibited (RFC 792, RFC 1812).
CODES = (0, 1, 2, 3, 4, 10, 13)


def checksum(octets):
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def unreachable(code, source, target):
    """An ICMP error of 36 octets that quotes a datagram from `source` to `target`."""
    quoted = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 1428, 1, 0x4000, 64, 17, 0,
                         socket.inet_aton(source[0]), socket.inet_aton(target[0]))
    quoted += struct.pack(">HHHH", source[1], target[1], 1408, 0)
    head = struct.pack(">BBHHH", 3, code, 0, 0, 552 if code == 4 else 0)
    return struct.pack(">BBH", 3, code, checksum(head + quoted)) + head[4:] + quoted


class OwnQueue(LabTestCase):
    check = BinaryTestCase.check_result
    _check_test = BinaryTestCase._check_test
    _check_numbers = BinaryTestCase._check_numbers
    _check_quantiles = BinaryTestCase._check_quantiles
    _check_schema = BinaryTestCase._check_schema

    def download(self, lab, target, *options, bind=SERVER):
        """A download at more than the server's own shaper lets through; its test."""
        with Server(host=bind, port=6711, first=7000, prefix=lab.inside_command(lab.server)):
            with Program(target, "--bwdown", "--duration", 1, "--json", "--dialect", "1", *options,
                         prefix=lab.inside_command(lab.client)) as client:
                self.assertEqual(client.finish(PATIENCE), 0, client.errors())
        document = json.loads("\n".join(client.stdout))
        self.check(document, dialect="1")
        return document["tests"][0]

    def check_own_queue(self, lab, *arguments, **more):
        """Whatever the queue drops is not the network's, and something did come."""
        test = self.download(lab, *arguments, **more)
        dropped = int(re.search(r"dropped (\d+)", run(
            "tc", "-n", lab.server, "-s", "qdisc", "show", "dev", "eth0")).group(1))
        print(f"{self.id()}: {test['packets']}, {test['lost_by_cause']}, the queue dropped {dropped}")
        self.assertGreater(dropped, 0, "the queue was never full")
        self.assertGreater(test["packets"]["received"], 0)
        self.assertEqual(test["lost_by_cause"]["network"], 0, test)

    def shaped_lab(self):
        """A server whose own queue is short."""
        lab = self.lab()
        lab.shape(lab.server, "eth0", "rate", "2mbit", "burst", "4k", "limit", "10k")
        return lab

    def test_drops_at_the_servers_own_queue_are_not_the_networks(self):
        lab = self.shaped_lab()
        for options in (("--rate", "30M"), ("--rate", "30M", "--streams", "4"),
                        ("--rate", "30M", "--reliable", "on")):
            with self.subTest(options=options):
                self.check_own_queue(lab, f"{SERVER}:6711", *options)

    def test_drops_at_the_servers_own_queue_are_not_the_networks_over_ipv6(self):
        lab = self.shaped_lab()
        lab.add_ipv6()
        self.check_own_queue(lab, f"[{SERVER_6}]:6711", "--rate", "30M", bind=f"[{SERVER_6}]")

    @staticmethod
    def client_ports(lab):
        """The UDP ports that are bound in the client's namespace."""
        with inside(lab.client):
            with open("/proc/thread-self/net/udp", encoding="ascii") as table:
                return [int(line.split()[1].rpartition(":")[2], 16) for line in list(table)[1:]]

    @contextlib.contextmanager
    def forger(self, lab):
        """Sends ICMP errors about all that leaves the server's ports, from the router."""
        stop = threading.Event()
        sent = []

        def forge():
            with inside(lab.router):
                raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            while not stop.is_set():
                targets = [(CLIENT, port) for port in self.client_ports(lab)] + [(CLIENT, 9)]
                for _ in range(20):
                    for target in targets:
                        for port in PORTS:
                            for code in CODES:
                                raw.sendto(unreachable(code, (SERVER, port), target), (SERVER, 0))
                                sent.append(code)
            raw.close()

        thread = threading.Thread(target=forge, daemon=True)
        thread.start()
        try:
            yield sent
        finally:
            stop.set()
            thread.join(PATIENCE)

    def test_forged_icmp_ends_no_test_and_is_no_failed_send(self):
        for way in ("--bwdown", "--bwup"):
            with self.subTest(way=way):
                lab = self.lab()
                with (Server(host=SERVER, port=6711, first=PORTS[0], ports=len(PORTS),
                             prefix=lab.inside_command(lab.server)),
                      self.forger(lab) as forged,
                      Program(f"{SERVER}:6711", way, "--rate", "10M", "--duration", 1, "--json",
                              "--dialect", "1", prefix=lab.inside_command(lab.client)) as client):
                    self.assertEqual(client.finish(PATIENCE), 0, client.errors())
                document = json.loads("\n".join(client.stdout))
                self.check(document, dialect="1")
                test = document["tests"][0]
                print(f"{self.id()} {way}: {len(forged)} forged, {test['packets']}")
                self.assertGreater(len(forged), 100)
                self.assertTrue(document["valid"], document["problems"])
                self.assertEqual(test["lost_by_cause"]["sender_local"], 0, test)
                self.assertNotIn("W103", [p["code"] for p in document["problems"]])
                self.assertGreater(test["packets"]["received"], 0)
