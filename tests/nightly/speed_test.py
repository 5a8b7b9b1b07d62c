"""Speed on loopback: the round trip against a bare exchange, and the rates of tests.

Timings: the bare exchange and the program take turns, and medians over all turns are compared, so
that a machine that slows down slows both.
"""

import json
import pathlib
import statistics
import subprocess
import tempfile

import places  # noqa: F401  (first: it puts the harnesses on the path)
from harness import DIALECTS, BinaryTestCase, Program, Server

HERE = pathlib.Path(__file__).resolve().parent
TURNS = 5
HEARTBEATS = 120
INTERVAL_MS = 10


class Speed(BinaryTestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="wyndrvr-speed-")
        self.addCleanup(self.folder.cleanup)
        self.server = Server()
        self.addCleanup(self.server.kill)

    def document(self, *options):
        """The result document of one run of the program against the server."""
        path = pathlib.Path(self.folder.name) / "result.json"
        host, port = self.server.address
        with Program(f"{host}:{port}", *options, f"--json={path}") as program:
            self.assertEqual(program.finish(), 0, program.errors())
        return json.loads(path.read_text())

    def bare_round_trips(self):
        """Kernel round trips of the bare exchange, in ns."""
        probe = pathlib.Path(self.folder.name) / "probe"
        if not probe.exists():
            subprocess.run(["gcc", "-O2", "-o", probe, HERE / "probe.c"], check=True)
        lines = subprocess.run([probe, str(HEARTBEATS), str(INTERVAL_MS * 1000)], check=True,
                               capture_output=True, text=True, timeout=30).stdout.split()
        return [int(line) for line in lines]

    def test_idle_round_trip_is_near_a_bare_exchange(self):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                self.check_round_trip(dialect)

    def check_round_trip(self, dialect):
        ratios, ours, bare = [], [], []
        for _ in range(TURNS):
            document = self.document("--heartbeat-rate", str(INTERVAL_MS), "--count",
                                     str(HEARTBEATS), "--dialect", dialect)
            ours.append(document["latency"]["control"]["network_rtt_ns"]["p50"])
            bare.append(statistics.median(self.bare_round_trips()))
            ratios.append(ours[-1] / bare[-1])
        ratio = statistics.median(ratios)
        print(f"{self.id()} in {dialect}: median of {TURNS} turns "
              f"{statistics.median(ours):.0f} ns, bare {statistics.median(bare):.0f} ns, ratio "
              f"{ratio:.2f}")
        self.assertLessEqual(ratio, 1.5, (ours, bare))

    def test_a_test_on_loopback_reaches_a_gigabit(self):
        for dialect, way in (("0.14", "--bwup"), ("1", "--bwup"), ("1", "--bwdown")):
            with self.subTest(dialect=dialect, way=way):
                rates = [self.document(way, "--duration", "3", "--dialect", dialect)
                         ["tests"][0]["rate_bps"] for _ in range(3)]
                print(f"{self.id()} {way} in {dialect}: {[f'{r / 1e9:.2f}' for r in rates]} Gbit/s")
                self.assertGreaterEqual(statistics.median(rates), 1e9)
