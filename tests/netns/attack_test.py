"""Attacks on dialect 1 with raw sockets: whoever cannot read a path must gain nothing.

The attacker sits in the client's namespace and forges sources of 10.214.0.0/16, which lead back
there: what the server sends to them is what a victim would get.
"""

import json
import os
import random
import socket
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

from lab import CLIENT, SERVER, LabTestCase, inside  # first: it puts the harness on the path
from crowd_test import descriptors, resident_kib
from harness import PATIENCE, promptly
from peer1 import Asker

HERE = Path(__file__).resolve().parent
MANY = 20_000            # tests/nightly sends a million
EACH = 200               # of each kind: so many fit into the buffer of any socket
IP_UDP = 28              # octets of headers
WATCH_RULES = """
table inet watch {
  counter asked { }
  counter answered { }
  chain input {
    type filter hook input priority 0; policy accept;
    ip saddr 10.214.0.0/16 counter name asked
  }
  chain output {
    type filter hook output priority 0; policy accept;
    ip daddr 10.214.0.0/16 counter name answered
  }
}
"""
NONCE_AT, NONCE_SIZE = 12, 16
PATH_NONCE_AT, PATH_NONCE_SIZE = 20, 8


def main_packet(magic, kind, length, flags=0, size=None):
    """A datagram of the main port; nonce and body are random."""
    head = magic + bytes((kind, 1, flags)) + struct.pack(">H", length)
    body = random.Random(kind).randbytes(length - len(head))
    return (head + body).ljust(size or length, b"\0")


def path_packet(kind, body, channel=0):
    """A datagram of one of the three ports, with a random path nonce."""
    return (bytes((kind,)) + channel.to_bytes(3, "big") + struct.pack(">QQ", 1, 0)
            + random.Random(kind).randbytes(PATH_NONCE_SIZE) + body)


def huge_report():
    """A REPORT that grants everything there is."""
    return struct.pack(">IQH", 1_000_000, 1 << 62, 250) + bytes(104) + struct.pack(">H", 0)


# Every message type: name -> (payload, where it differs from one to the next)
MAIN = {
    "HELLO": main_packet(b"CONNECT", 1, 28, size=512),
    "COOKIE": main_packet(b"WYNDRVR", 2, 48),
    "OPEN": main_packet(b"CONNECT", 3, 48, size=512),
    "GRANT": main_packet(b"WYNDRVR", 4, 58),
    "REFUSE": main_packet(b"WYNDRVR", 5, 33),
    "CLOSE": main_packet(b"CONNECT", 6, 37),
    "CLOSE of a server": main_packet(b"WYNDRVR", 6, 37),
    "another dialect": (lambda p: p[:8] + b"\x09" + p[9:])(
        main_packet(b"CONNECT", 1, 28, size=512)),
}
PATH = {
    "HEARTBEAT_0": path_packet(0x80, bytes(48)),
    "HEARTBEAT_1": path_packet(0x81, bytes(48)),
    "HEARTBEAT_2": path_packet(0x82, bytes(16)),
    "REPORT": path_packet(0x83, huge_report(), channel=1),
    "DATA": path_packet(0x84, bytes(1372), channel=1),
    "START": path_packet(0x86, b"\x01" + struct.pack(">IBI", 2, 2, 10_000)),
    "STOP": path_packet(0x86, b"\x03" + struct.pack(">IB", 2, 1)),
    "RESULT": path_packet(0x87, struct.pack(">I", 2) + bytes(104 + 24)),
}


class Attack(LabTestCase):
    about_seconds = 8
    heavy = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.spoof_path = Path(cls.folder.name) / "spoof"
        subprocess.run(["gcc", "-O2", "-o", cls.spoof_path, HERE / "spoof.c"], check=True)

    def spoof(self, lab, payload, port, count, at, size, source=(), pause_us=0):
        """Sends forged datagrams; the octets of UDP payload that they had."""
        command = [*lab.inside_command(lab.client), str(self.spoof_path), SERVER, str(port),
                   str(count), str(pause_us), str(at), str(size), *map(str, source)]
        done = subprocess.run(command, input=payload, timeout=2 * PATIENCE, check=True,
                              stdout=subprocess.PIPE)
        return int(done.stdout)

    def octets(self, lab):
        """Counter's name -> octets of IP packets, in the server's namespace, when all is read."""
        lab.settle(lab.server)
        with inside(lab.client), Asker((SERVER, 6711), CLIENT) as asker:
            asker.hello(PATIENCE)    # what it answers, it answers after all that was read before
        return lab.counters(lab.server, "bytes")

    def test_forged_hellos_leave_the_server_as_it_was(self):
        self.flood(MANY)

    def flood(self, count):
        """So many forged HELLOs, of which most may be lost on the way: those that come count."""
        lab = self.lab()
        lab.rules(lab.server, WATCH_RULES)
        server = self.serve(lab)
        self.spoof(lab, MAIN["HELLO"], 6711, 10_000, NONCE_AT, NONCE_SIZE)
        memory, files = resident_kib(server.pid), descriptors(server.pid)
        lines = len(server.stdout) + len(server.stderr)
        self.spoof(lab, MAIN["HELLO"], 6711, count, NONCE_AT, NONCE_SIZE)
        counted = self.octets(lab)
        packets = lab.counters(lab.server)
        print(f"{self.id()}: {packets}, {counted} octets, {memory} KiB before, "
              f"{resident_kib(server.pid)} after")
        self.assertGreater(packets["answered"], 0, "the server answered nothing at all")
        self.assertLessEqual(counted["answered"], counted["asked"])
        self.assertLess(resident_kib(server.pid) - memory, 1024)
        self.assertEqual(descriptors(server.pid), files)
        self.assertEqual(len(server.stdout) + len(server.stderr), lines, "a line for a forgery")
        with self.client(lab, "--count", "2", "--heartbeat-rate", "100") as client:
            self.assertEqual(client.wait(), 0, client.errors())
        self.assertEqual(server.stop(), 0)
        return packets

    def test_no_forged_message_amplifies_or_disturbs(self):
        lab = self.lab()
        lab.rules(lab.server, WATCH_RULES)
        server = self.serve(lab, ports=3)
        with self.client(lab, "--heartbeat-rate", "50", "--json") as client:
            client.wait_line("stderr", "^Client latency DOWNLOAD")
            before = self.octets(lab)
            files = descriptors(server.pid)
            for name, payload in MAIN.items():
                gain = self.gain_of(lab, payload, [6711], NONCE_AT, NONCE_SIZE)
                print(f"{self.id()}: {name}: {gain:.3f} octets back for each one sent")
                self.assertLessEqual(gain, 1.0, name)
            for name, payload in PATH.items():
                gain = self.gain_of(lab, payload, [6711, 7000, 7001, 7002], PATH_NONCE_AT,
                                    PATH_NONCE_SIZE)
                self.assertEqual(gain, 0.0, f"{name}: somebody who cannot read was answered")
            self.assertEqual(descriptors(server.pid), files, "a forgery has opened something")
            self.assertEqual(client.stop(), 0, client.errors())
        self.assertGreater(self.octets(lab)["asked"], before["asked"])
        document = self.document_of(client)
        self.assert_untroubled(document)
        for port, figures in document["latency"].items():
            self.assertEqual(figures["lost"], 0, port)
        self.assertEqual(server.stop(), 0)

    def gain_of(self, lab, payload, ports, at, size):
        before = self.octets(lab)
        for port in ports:
            self.spoof(lab, payload, port, EACH, at, size)
            lab.settle(lab.server)   # what a flood pushes out of a socket's buffer is lost
        after = self.octets(lab)
        asked = after["asked"] - before["asked"]
        self.assertEqual(asked, EACH * len(ports) * (len(payload) + IP_UDP))
        return (after["answered"] - before["answered"]) / asked

    @staticmethod
    def ports_of(pid):
        """The local UDP ports of a process's own sockets."""
        inodes = set()
        for link in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{link}")
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        with open(f"/proc/{pid}/net/udp", encoding="ascii") as file:
            rows = [line.split() for line in list(file)[1:]]
        return [int(row[1].split(":")[1], 16) for row in rows if row[9] in inodes]

    def test_a_download_is_not_steered_by_who_knows_only_its_ports(self):
        lab = self.lab()
        self.serve(lab, ports=3, prefix=promptly())
        with self.client(lab, "--bwdown", "--rate", "20M", "--duration", "5", "--interval",
                         "200", "--json", prefix=promptly()) as client:
            client.wait_line("stderr", r"^\[")
            for source_port in self.ports_of(client.pid):
                for name in ("REPORT", "STOP", "RESULT", "DATA", "HEARTBEAT_2"):
                    for port in (7000, 7001, 7002):
                        self.spoof(lab, PATH[name], port, 200, PATH_NONCE_AT, PATH_NONCE_SIZE,
                                   (CLIENT, source_port))
                self.spoof(lab, MAIN["CLOSE"], 6711, 200, NONCE_AT, 25, (CLIENT, source_port))
            self.assertTrue(client.running(), "a forgery has ended the run")
            self.assertEqual(client.wait(), 0, client.errors())
        document = self.document_of(client)
        test = document["tests"][0]
        print(f"{self.id()}: {test['packets']}")
        self.assert_untroubled(document)
        self.assertEqual(test["packets"]["lost"], 0)
        # A forged REPORT would have had it send faster than it was asked to.
        self.assertLessEqual(8 * test["bytes_received"], 20e6 * 5 * 1.05)

    def test_copies_of_a_keyed_session_are_dropped_and_counted(self):
        lab = self.lab()
        keys = Path(self.folder.name) / "keys"
        keys.write_text(f"7 {bytes(range(32)).hex()}\n", encoding="ascii")
        keys.chmod(0o600)
        self.serve(lab, "--key-file", keys)
        listening, stopping = threading.Event(), threading.Event()

        def replay():
            """Sends all that the server sends to the client once more, a little later."""
            with inside(lab.router):
                every_protocol = 3      # what leaves is shown to those alone who want all
                ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                    socket.htons(every_protocol))
                ear.bind(("rc", every_protocol))
            ear.settimeout(0.1)
            listening.set()
            seen = []
            while not stopping.is_set():
                try:
                    frame, address = ear.recvfrom(4096)
                except TimeoutError:
                    continue
                # What leaves on this device, from a session's port.
                if address[2] != socket.PACKET_OUTGOING or frame[12:14] != b"\x08\x00":
                    continue
                if frame[23] != socket.IPPROTO_UDP or frame[34:36] == b"\x1a\x37":
                    continue
                if frame in seen:
                    continue
                seen.append(frame)
                # Its checksum is left to a device that does not exist: without one, then.
                ear.send(frame[:40] + b"\0\0" + frame[42:])
            ear.close()

        thread = threading.Thread(target=replay, daemon=True)
        thread.start()
        self.assertTrue(listening.wait(PATIENCE))
        try:
            with self.client(lab, "--key-file", keys, "--count", "20", "--heartbeat-rate",
                             "50", "--json") as client:
                self.assertEqual(client.wait(), 0, client.errors())
        finally:
            stopping.set()
            thread.join(PATIENCE)
        document = self.document_of(client)
        self.assert_untroubled(document)
        drops = document["ignored_datagrams"]
        print(f"{self.id()}: {drops}")
        self.assertGreater(sum(port.get("replayed", 0) for port in drops.values()), 0)
        for port, figures in document["latency"].items():
            self.assertEqual((figures["received"], figures["lost"]), (20, 0), port)
