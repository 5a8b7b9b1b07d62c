"""Fixed rates are kept, limits are, full speed is fast, losses are those that were drawn."""

import places  # noqa: F401  (first: it puts the harnesses on the path)
import dialect_limits_test as limits
from directions import MODES, WAYS, DirectionsTestCase, in_mode, serve
from harness import Program
from peer014 import Server014, wire

RATE = 50e6


class Fixed(DirectionsTestCase):
    def test_every_direction_with_one_and_many_streams_in_every_mode(self):
        for mode in MODES:
            with serve(*in_mode(mode), ports=90) as server:
                for way in WAYS:
                    for streams in (1, 4, 16):
                        with self.subTest(mode=mode, way=way, streams=streams):
                            self.check(server, mode, way, streams)

    def check(self, server, mode, way, streams):
        document = self.measure(server.address, way, "--duration", "0.5", "--rate", "50M",
                                "--streams", streams, *in_mode(mode))
        for test in self.check_tests(document, way, streams):
            self.assertAlmostEqual(test["rate_bps"], RATE, delta=0.1 * RATE)
            self.assertAlmostEqual(test["duration_s"], 0.5, delta=0.1)
            self.assertLess(test["packets"]["lost"], 0.05 * test["packets"]["sent"], test)

    def test_every_length_of_datagram(self):
        with serve() as server:
            for way in ("--bwup", "--bwdown"):
                for payload, rate in ((64, "2M"), (1400, "20M"), (9000, "50M"), (65507, "100M")):
                    with self.subTest(way=way, payload=payload):
                        document = self.measure(server.address, way, "--payload", payload,
                                                "--rate", rate, "--duration", "0.5")
                        packets = self.check_tests(document, way, payload=payload)[0]["packets"]
                        self.assertLess(packets["lost"], 0.05 * packets["sent"], packets)

    def test_so_many_octets_take_so_long(self):
        with serve() as server:
            for way in WAYS:
                document = self.measure(server.address, way, "--bytes", "1M", "--rate", "50M")
                for test in document["tests"]:
                    self.assertAlmostEqual(test["duration_s"], 0.16, delta=0.04)

    def test_what_is_lost_is_as_much_as_was_drawn_and_is_sent_again(self):
        with serve("--test-drop-rate", "0.05") as server:
            for way in ("--bwup", "--bwdown"):
                document = self.measure(server.address, way, "--duration", "2", "--rate", "20M",
                                        "--test-drop-rate", "0.05")
                packets = document["tests"][0]["packets"]
                self.assertAlmostEqual(packets["lost"] / packets["sent"], 0.05, delta=0.025)
                # All but what was lost towards the end: several reports must say so before.
                self.assertTrue(0.5 * packets["lost"] < packets["retransmitted"] <= packets["lost"],
                                packets)

    def test_a_fixed_rate_in_0_14(self):
        with Server014() as server:
            document = self.measure(server.address, "--bwup", "--duration", "1", "--rate", "2M",
                                    "--payload", "500", dialect="0.14")
        self.assertAlmostEqual(document["tests"][0]["rate_bps"], 2e6, delta=0.15e6)

    def test_heartbeats_keep_their_interval_in_a_test(self):
        with serve() as server:
            document = self.measure(server.address, "--bwboth", "--duration", "1", "--rate", "20M",
                                    config={"heartbeat_rate": 100})
        for test in document["tests"]:
            for role, figures in test["latency"].items():
                self.assertTrue(7 <= figures["sent"] <= 13, (role, figures))


class FullSpeed(DirectionsTestCase):
    def test_every_mode_sends_a_hundred_megabit(self):
        for mode, way, streams in (("SINGLE", "--bwup", 1), ("THREAD", "--bwdown", 4),
                                   ("PROCESS", "--bwboth", 2), ("SINGLE", "--bwdown", 1)):
            with self.subTest(mode=mode, way=way), serve(*in_mode(mode)) as server:
                document = self.measure(server.address, way, "--duration", "1", "--streams",
                                        streams, *in_mode(mode), "--rate", "max")
                for test in self.check_tests(document, way, streams, method="max"):
                    print(f"{self.id()} {mode} {way}: {test['rate_bps'] / 1e6:.0f} Mbit/s")
                    self.assertGreater(test["rate_bps"], 100e6, test)

    def test_it_does_not_starve_heartbeats(self):
        with Server014() as server, Program(
                f"127.0.0.1:{server.address[1]}", "--bwup", "--duration", "1", "--json",
                config={"heartbeat_rate": 100}) as program:
            self.assertEqual(program.finish(), 0, program.errors())
            self.assertGreaterEqual(len(server.tape.all("control", True, wire.HEARTBEAT_0)), 8)


class Limited(limits.OfATest):
    def test_rates_and_durations_are_those_that_are_granted(self):
        for way in ("--bwup", "--bwdown"):
            with self.subTest(way=way):
                test = self.restricted(way, *limits.MAX_DURATION)
                self.assertAlmostEqual(test["duration_s"], 1, delta=0.1)
                test = self.restricted(way, *limits.MAX_RATE)
                self.assertAlmostEqual(test["rate_bps"], 10e6, delta=0.6e6)
                test = self.restricted(way, *limits.MAX_RATE_OF_MAX)
                self.assertLess(test["rate_bps"], 10.6e6)


for _name in [name for name in dir(limits.OfATest) if name.startswith("test_")]:
    setattr(Limited, _name, None)    # they are tests of the gate
