"""Tests between our own ends: every direction, number of streams, mode and length of datagram."""

import json
import re
from pathlib import Path

from directions import MODES, WAYS, DirectionsTestCase, in_mode, serve
from harness import DIALECTS, Program
from together import check_all

SHORT = ("--duration", "0.5")
RATE = "5M"
QUICK = {"heartbeat_rate": 100}


class Matrix(DirectionsTestCase):
    about_seconds = 12

    def fixed(self, server, mode, way, streams, dialect="1"):
        """At a low rate, many at once."""
        document = self.measure(server.address, way, *SHORT, "--rate", RATE, "--streams", streams,
                                *in_mode(mode), "--dialect", dialect, dialect=dialect)
        payload = 1400 if dialect == "1" else 938
        for test in self.check_tests(document, way, streams, payload):
            self.assertEqual(test["packets"]["duplicate"], 0)
            self.assertEqual(test["requested_rate_bps"], 5e6)
            if dialect == "1":
                self.assertEqual(test["packets"]["retransmitted"], 0)

    def test_every_direction_with_one_and_many_streams_in_every_mode(self):
        servers = {mode: serve(*in_mode(mode), ports=90) for mode in MODES}
        for server in servers.values():
            self.addCleanup(server.kill)
        check_all(self, lambda mode, *case: self.fixed(servers[mode], mode, *case),
                  [(mode, way, streams) for mode in MODES for way in WAYS
                   for streams in (1, 4, 16)] + [(mode, "--bwup", 1, "0.14") for mode in MODES], 4)
        for server in servers.values():
            self.assertEqual(server.stop(), 0, server.errors())
            self.assertEqual(server.find("stderr", "worker"), [])
            self.assertEqual(len(server.find("stdout", "^Client left: ")), 10)
            left = server.find("stdout", r"^Client left: .* \(closed by the client\)")
            self.assertEqual(len(left), 9, server.stdout)

    def test_as_fast_as_it_goes(self):
        for mode, way, streams in (("SINGLE", "--bwup", 1), ("THREAD", "--bwdown", 4),
                                   ("PROCESS", "--bwboth", 2), ("SINGLE", "--bwdown", 1)):
            with self.subTest(mode=mode, way=way), serve(*in_mode(mode)) as server:
                document = self.measure(server.address, way, "--duration", "0.3", "--streams",
                                        streams, *in_mode(mode), "--rate", "max")
                for test in self.check_tests(document, way, streams, method="max"):
                    self.assertNotIn("requested_rate_bps", test)


class Options(DirectionsTestCase):
    def setUp(self):
        self.server = serve()
        self.addCleanup(self.server.kill)

    def lossy(self, server, way, reliable):
        document = self.measure(server.address, way, "--duration", "2", "--rate", "5M",
                                "--reliable", reliable, "--test-drop-rate", "0.05")
        test = self.check_tests(document, way)[0]
        packets = test["packets"]
        # Of some 890 datagrams each is lost with a chance of 1 in 20: none with 0.95^890 = 10^-20.
        self.assertGreater(packets["lost"], 0)
        self.assertEqual(test["lost_by_cause"]["receiver_socket"], 0)
        if reliable == "off":
            self.assertEqual(packets["retransmitted"], 0)
            self.assertAlmostEqual(test["goodput_bps"], test["rate_bps"], delta=1)
        else:
            self.assertGreater(packets["retransmitted"], 0)

    def test_what_is_lost_is_counted_or_sent_again(self):
        """With ends that lose some of their own datagrams."""
        server = serve("--test-drop-rate", "0.05")
        self.addCleanup(server.kill)
        check_all(self, self.lossy, [(server, way, reliable) for way in ("--bwup", "--bwdown")
                                     for reliable in ("on", "off")])

    def so_many(self, way, streams):
        document = self.measure(self.server.address, way, "--bytes", "1M", "--rate", "20M",
                                "--duration", "300", "--streams", streams)
        for test in self.check_tests(document, way, streams):
            octets = 1400 * test["packets"]["sent"]
            self.assertAlmostEqual(octets, 1_000_000, delta=1400 * streams)

    def test_a_test_ends_after_so_many_octets(self):
        check_all(self, self.so_many, [(way, streams) for way in WAYS for streams in (1, 4)])

    def of_length(self, way, payload, rate):
        document = self.measure(self.server.address, way, "--payload", payload, "--rate", rate,
                                *SHORT)
        self.check_tests(document, way, payload=payload)

    def test_every_length_of_datagram(self):
        check_all(self, self.of_length,
                  [(way, payload, rate) for way in ("--bwup", "--bwdown") for payload, rate in
                   ((64, "500k"), (1400, "5M"), (9000, "5M"), (65507, "20M"))])

    def test_heartbeats_go_on_in_a_test(self):
        document = self.measure(self.server.address, "--bwboth", "--duration", "1", "--rate",
                                "20M", config=QUICK)
        for test in document["tests"]:
            for role, figures in test["latency"].items():
                self.assertGreater(figures["sent"], 0, (role, figures))
                self.assertEqual(figures["lost"], 0, role)

    def test_a_counted_latency_run(self):
        for dialect in DIALECTS:
            document = self.measure(self.server.address, "--count", "5", "--dialect", dialect,
                                    dialect=dialect, config={"heartbeat_rate": 30})
            self.assertEqual(document["tests"], [])
            for role, figures in document["latency"].items():
                self.assertEqual((figures["sent"], figures["received"]), (5, 5), role)
            self.assertEqual(len(document["latency"]), 3)

    def test_what_comes_out_for_people(self):
        with Program(f"127.0.0.1:{self.server.address[1]}", "--bwboth", "--streams", "2",
                     "--duration", "0.5", "--rate", "10M") as program:
            self.assertEqual(program.wait(), 0, program.errors())
            for text in ("^Upload test started on .*0.5 s", "^Download test started on",
                         "^Upload test, both directions at once", "^ +streams +2",
                         r"^ +asked for +10\.00 Mbit/s"):
                self.assertTrue(program.find("stdout", text), (text, program.stdout))


class SinglePort(DirectionsTestCase):
    @staticmethod
    def udp_ports(pids):
        """The local UDP ports of these processes."""
        inodes = set()
        for pid in pids:
            for link in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    inodes.update(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
                except OSError:
                    continue         # closed since
        rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
        return sorted(int(row[1].split(":")[1], 16) for row in rows if row[9] in inodes)

    @staticmethod
    def family(pid):
        """A process and all below it."""
        found, ahead = [], [pid]
        while ahead:
            found.append(ahead.pop())
            for task in Path(f"/proc/{found[-1]}/task").iterdir():
                ahead += map(int, (task / "children").read_text().split())
        return found

    def one_port(self, mode, way, streams):
        with serve(*in_mode(mode)) as server, \
                Program(f"127.0.0.1:{server.address[1]}", way, "--single-port", "--duration", "3",
                        "--rate", "5M", "--streams", streams, "--interval", "200", "--json",
                        *in_mode(mode)) as client:
            client.wait_line("stderr", r"^(up +|down +)?\[")
            held = self.udp_ports(self.family(server.pid))
            self.assertEqual(len(set(held)), 2)
            self.assertIn(server.address[1], held)
            self.assertEqual(client.wait(), 0, client.errors())
            document = self.document(client)
            self.check_tests(document, way, streams)

    def document(self, client):
        """The checked result of a client that has ended."""
        document = json.loads("\n".join(client.stdout))
        self.check_result(document, dialect="1")
        self.assertTrue(document["valid"], document["problems"])
        return document

    def test_all_three_ports_are_one(self):
        check_all(self, self.one_port, [(mode, way, streams) for mode in MODES
                                        for way, streams in (("--bwboth", 1), ("--bwdown", 4))], 6)
