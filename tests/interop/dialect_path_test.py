"""What the datagrams look like on the path, and which way they go: DSCP, ECN, TTL, addresses."""

import os
import select
import socket
import threading
import unittest

from harness import BinaryTestCase, Program, Server, free_ports

QUICK = {"heartbeat_rate": 50}
EVERY_PROTOCOL = 3
OWN = "127.77.2.9"
EF, AF41, LE, ECT_0 = 46, 34, 1, 2


class Ear(threading.Thread):
    """Hears UDP to or from some ports on loopback: (to the server, TOS, TTL, client's address)."""

    def __init__(self, ports):
        super().__init__(daemon=True)
        self._ports = ports
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                     socket.htons(EVERY_PROTOCOL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.bind(("lo", EVERY_PROTOCOL))
        self._stopping = threading.Event()
        self.heard = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self._stopping.set()
        self.join(5)
        self._socket.close()

    def run(self):
        while not self._stopping.is_set():
            if not select.select([self._socket], [], [], 0.05)[0]:
                continue
            frame, address = self._socket.recvfrom(200)
            if address[2] == socket.PACKET_OUTGOING or frame[12:14] != b"\x08\x00":
                continue             # loopback shows each packet twice
            packet = frame[14:]
            if packet[9] != socket.IPPROTO_UDP:
                continue
            source, target = (int.from_bytes(packet[20 + at:22 + at], "big") for at in (0, 2))
            if target in self._ports:
                self.heard.append((True, packet[1], packet[8], socket.inet_ntoa(packet[12:16])))
            elif source in self._ports:
                self.heard.append((False, packet[1], packet[8], socket.inet_ntoa(packet[16:20])))

    def some(self, to_server):
        """TOS, TTL and client's address of one direction, each once."""
        return [set(values) for values in zip(*(h[1:] for h in self.heard if h[0] == to_server))]


@unittest.skipIf(os.geteuid() != 0, "raw sockets need root")
class Marks(BinaryTestCase):
    def marked(self, *arguments, dialect="1"):
        """What is heard on the three ports, of the client and of the server, in a test."""
        with Server() as server:
            with Ear(range(server.first, server.last + 1)) as ear:
                document = self.measure(server.address, *arguments, "--duration", "0.4", "--rate",
                                        "5M", "--dialect", dialect, dialect=dialect, config=QUICK)
        return document, ear.some(True), ear.some(False)

    def test_without_options_nothing_is_marked(self):
        _, client, server = self.marked("--bwboth")
        self.assertEqual((client[:2], server[:2]), ([{0}, {64}], [{0}, {64}]))
        self.assertEqual(client[2], {"127.0.0.1"})

    def test_the_code_point_is_on_all_that_either_side_sends(self):
        for way, name, code in (("--bwup", "EF", EF), ("--bwdown", "af41", AF41),
                                ("--bwdown", "1", LE)):
            with self.subTest(name=name):
                _, client, server = self.marked(way, "--dscp", name)
                self.assertEqual((client[0], server[0]), ({code << 2}, {code << 2}))

    def test_ecn_marks_data_at_least_and_counts_none_where_there_is_no_congestion(self):
        document, client, server = self.marked("--bwboth", "--ecn", "--dscp", "EF")
        for heard in (client[0], server[0]):
            self.assertIn(EF << 2 | ECT_0, heard)
            self.assertLessEqual(heard, {EF << 2, EF << 2 | ECT_0})
        for test in document["tests"]:
            self.assertEqual(test["packets"]["ecn_ce"], 0)

    def test_the_clients_ttl(self):
        _, client, _ = self.marked("--bwup", "--ttl", "7")
        self.assertEqual(client[1], {7})

    def test_in_0_14_the_client_marks_what_it_sends(self):
        with Server() as server, Ear(range(server.first, server.last + 1)) as ear, \
                Program(f"127.0.0.1:{server.address[1]}", "--dialect", "0.14", "--bwup",
                        "--duration", "0.4", "--dscp", "EF", "--ttl", "9",
                        config={"send_sleep": 1000}) as client:
            client.wait_line("stderr", "^Result received")
            client.stop()
        self.assertEqual(ear.some(True)[:2], [{EF << 2}, {9}])

    def test_bind_is_the_source_of_everything(self):
        for options in ((), ("--single-port",), ("--streams", "4")):
            _, client, server = self.marked("--bwboth", "--bind", OWN, *options)
            self.assertEqual((client[2], server[2]), ({OWN}, {OWN}), options)


class Ways(BinaryTestCase):
    def test_the_loopback_interface_alone(self):
        with Server() as server:
            self.measure(server.address, "--bwboth", "--duration", "0.3", "--rate", "5M",
                         "--interface", "lo")

    def test_ipv6(self):
        first = free_ports(30)
        with Program("--server", "[::1]:0",
                     config={"port_ranges": f"{first}-{first + 29}"}) as server:
            line = server.wait_line("stdout", r"^Server started on \[::1\]:\d+")
            address = "[::1]", int(line.rsplit(":", 1)[1])
            document = self.measure(address, "--bwboth", "--duration", "0.3", "--rate", "5M",
                                    "--streams", "2", "--bind", "::1", "--dscp", "EF")
            self.assertEqual(document["server"], f"[::1]:{address[1]}")
            headers = document["tests"][0]
            self.assertAlmostEqual(headers["ip_rate_bps"] / headers["rate_bps"], 1448 / 1400,
                                   delta=1e-3)

    def test_a_way_that_does_not_exist_is_an_error_that_names_it(self):
        for arguments, name in ((("--interface", "none0"), "none0"),
                                (("--bind", "192.0.2.77"), "192.0.2.77"),
                                (("--bind", "::1"), "--bind")):
            with self.subTest(arguments=arguments), \
                    Program("127.0.0.1:9", *arguments) as program:
                self.assertIn(program.wait(), (1, 2), program.errors())
                self.assertIn(name, program.errors() + "\n".join(program.stdout))


class BadUsage(BinaryTestCase):
    def test_bad_values_end_with_two_and_are_named(self):
        for option, *values in (("--dscp", "64", "-1", "EFF", ""), ("--ttl", "0", "256", "x"),
                                ("--streams", "0", "65", "x"), ("--rate", "0", "fast", "-5M", "5X"),
                                ("--payload", "63", "65508", "1k"), ("--bytes", "-1", "x"),
                                ("--reliable", "maybe"), ("--dialect", "2", "0.13", ""),
                                ("--bind", "here", "127.0.0.300"), ("--interface", "a" * 16),
                                ("--max-rate", "x"), ("--max-total-rate", "-1"),
                                ("--max-streams", "0", "65"), ("--max-payload", "63", "65508"),
                                ("--max-test-duration", "0"), ("--max-test-bytes", "x"),
                                ("--max-sessions-per-network", "0"),
                                ("--allow", "10.0.0.0/33", "x", "10.0.0.1/8,"),
                                ("--deny", "::/129", "10.0.0.0/-1")):
            for value in values:
                with self.subTest(option=option, value=value), \
                        Program("127.0.0.1:9", f"{option}={value}") as program:
                    self.assertEqual(program.wait(), 2, program.errors())
                    self.assertIn(option, program.errors())

    def test_what_does_not_go_together(self):
        for arguments, pattern in ((("--bwup", "--bwdown"), "--bwdown"),
                                   (("--bwboth", "--bwup"), "--bw"),
                                   (("--dialect", "0.14", "--bwdown"), "--bwdown"),
                                   (("--dialect", "0.14", "--bwup", "--streams", "2"), "--streams"),
                                   (("--dialect", "0.14", "--single-port"), "--single-port"),
                                   (("--bwup", "--payload", "65508"), "--payload"),
                                   (("--bwup", "--count", "3"), "--count")):
            with self.subTest(arguments=arguments), \
                    Program("127.0.0.1:9", *arguments) as program:
                self.assertEqual(program.wait(), 2, program.errors())
                self.assertRegex(program.errors(), pattern)
