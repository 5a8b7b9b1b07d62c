"""Intervals of what either end repeats, and round trips, against the independent peers of 0.14."""

import statistics

import places  # noqa: F401  (first: it puts the harnesses on the path)
import peer1
from harness import BinaryTestCase, Server, run_client
from peer014 import Client014, Faults, Server014, fraction_within, wire

QUICK = {"heartbeat_rate": 50}
SLOW = {"heartbeat_rate": 200, "send_sleep": 1000}


class OfAClient(BinaryTestCase):
    def test_connects_are_a_second_apart(self):
        with Server014(faults=Faults(never_answer=True)) as server:
            run_client(server.address, "--dialect", "0.14", config=QUICK)
            for gap in places.gaps(server.tape.all("main", True)):
                self.assertAlmostEqual(gap, 1.0, delta=0.1)

    def test_hellos_follow_their_schedule_before_a_connect(self):
        with Server014(faults=Faults(only_connect=True)) as server:
            run_client(server.address, "--count", "2", config=QUICK)
            for gap, expected in zip(places.gaps(server.tape.all("main", True)),
                                     (0.1, 0.2, 0.4, 0.5, 0.5)):
                self.assertAlmostEqual(gap, expected, delta=0.05)

    def test_giving_up_takes_ten_seconds_in_dialect_1_and_five_in_0_14(self):
        for dialect, seconds in (("0.14", 5.0), ("1", 9.7), ("auto", 9.7)):
            with self.subTest(dialect=dialect), \
                    Server014(faults=Faults(never_answer=True)) as server:
                program = run_client(server.address, "--dialect", dialect, config=QUICK)
                ended = program.stderr[-1].time - program.started
                self.assertAlmostEqual(ended, seconds, delta=0.8)

    def test_heartbeats_begin_at_once_and_keep_their_interval(self):
        with Server014() as server:
            run_client(server.address, "--count", "20", config=QUICK)
        assigned = server.tape.all("main", False)[0].time
        for role in wire.ROLES:
            beats = server.tape.all(role, True, wire.HEARTBEAT_0)
            self.assertLess(beats[0].time - assigned, 0.2)
            self.assertAlmostEqual(statistics.mean(places.gaps(beats)), 0.05, delta=0.01)

    def test_a_bwup_is_resent_every_tenth_of_a_second(self):
        with Server014(faults=Faults(drop_acks=8)) as server:
            run_client(server.address, "--bwup", "--duration", "0.3", config=SLOW)
        times = [r.time for r in server.tape.all("control", True, wire.CONTROL)]
        self.assertGreaterEqual(fraction_within(times, 0.1, 0.03), 0.75)

    def test_data_is_sent_for_the_time_asked_for(self):
        with Server014() as server:
            run_client(server.address, "--bwup", "--duration", "1", config=SLOW)
        data = server.tape.all("upload", True, wire.BANDWIDTH_TEST)
        # By the kernel's stamps: this server may read what has arrived much later.
        self.assertAlmostEqual((data[-1].stamp_ns - data[0].stamp_ns) / 1e9, 1.0, delta=0.15)


class OfAServer(BinaryTestCase):
    def client(self, server):
        """A proven client with a slow heartbeat."""
        client = Client014(server.address, heartbeat_rate=60)
        self.addCleanup(client.close)
        client.connect()
        client.prove()
        return client

    def test_reports_follow_both_keys(self):
        for config, interval in ((None, 0.1), ({"adjustment_delay": 400, "flow_control_rate": 8},
                                               0.05)):
            with self.subTest(interval=interval), Server(config=config) as server:
                client = self.client(server)
                client.request_upload(30)
                client.run(1.2)
                records = client.tape.all("upload", True, wire.FLOW_CONTROL)
                self.assertAlmostEqual(len(records), 1.2 / interval, delta=3)
                self.assertGreater(fraction_within([r.time for r in records], interval, 0.02), 0.8)

    def test_a_result_is_resent_every_tenth_of_a_second(self):
        with Server() as server:
            client = self.client(server)
            client.request_upload(0.3)
            client.run(1.35)
            records = client.tape.all("control", True, wire.TEST_RESULT)
            self.assertGreaterEqual(len(records), 8)
            self.assertGreater(fraction_within([r.time for r in records], 0.1, 0.03), 0.7)

    def test_kernel_round_trip_is_short(self):
        with Server() as server:
            client = self.client(server)
            client.round_trips.clear()
            for _ in range(60):
                client.beat()
                client.run(0.02)
            for role in wire.ROLES:
                median = statistics.median([v for r, v in client.round_trips if r == role])
                print(f"{self.id()} {role}: {median * 1e6:.0f} us")
                self.assertLess(median, 300e-6, role)

    def test_a_handshake_takes_under_ten_milliseconds(self):
        with Server() as server, peer1.Asker(server.address) as asker:
            begin = asker.hello()
            self.assertIsNotNone(begin)
            self.assertIsNotNone(asker.open(begin.body, timeout=0.01))
