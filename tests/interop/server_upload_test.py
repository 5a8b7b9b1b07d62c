"""Upload tests with the server under test, scripted packet by packet: sections 3 to 6."""

import itertools
import time
import uuid

from harness import PATIENCE, BinaryTestCase, Server, eventually
from peer014 import TOP, Client014, wire

LONG = 300               # s of a test whose end is not waited for
SCRIPT_SECONDS, IN_TIME = 1.5, 0.5


class Scripted(BinaryTestCase):
    def open(self, config=None, **options):
        """A server and a proven client with a slow heartbeat."""
        server = Server(config=config)
        self.addCleanup(server.kill)
        client = Client014(server.address, heartbeat_rate=60, **options)
        self.addCleanup(client.close)
        client.connect()
        client.prove()
        return server, client

    def burst(self, client, channel, script, length=900):
        """Sends (N, E) pairs as given; returns octets sent."""
        total = 0
        for sequence, number in script:
            datagram = wire.pack(wire.BANDWIDTH_TEST, channel, sequence, sequence - number,
                                 wire.dummy(length))
            client.send_raw("upload", datagram)
            total += len(datagram)
        return total

    def result(self, client, channel):
        """The first TEST_RESULT, acknowledged."""
        packet = client.expect("control", wire.TEST_RESULT, channel=channel)
        self.assertIsNotNone(packet, "no TEST_RESULT")
        body = packet.json()
        client.send("control", wire.TEST_RESULT, channel, wire.result_ack(body["guid"]))
        return body

    def run_script(self, script, duration=SCRIPT_SECONDS):
        """A whole test with a script; octets sent and the result.

        All of the script must come within the test: a machine that was too busy for that tries again.
        """
        def attempt():
            _, client = self.open()
            begin = time.monotonic()
            channel = client.request_upload(duration)
            total = self.burst(client, channel, script)
            in_time = time.monotonic() < begin + IN_TIME
            result = self.result(client, channel)
            client.close()
            return in_time and (total, result)

        return eventually(attempt, "a script that is sent in time")

    # -- BWUP -----------------------------------------------------------------------------------

    def test_one_acknowledgement_for_each_bwup(self):
        _, client = self.open()
        for _ in range(5):
            client.send("control", wire.CONTROL, 4242, wire.bwup(4242, 1))
        client.run(PATIENCE, until=lambda: len(client.tape.all("control", True, wire.CONTROL)) >= 5)
        client.answered.clear()
        client.prove()               # an answer too many would come before these
        acks = [r.packet for r in client.tape.all("control", True, wire.CONTROL)]
        self.assertEqual(len(acks), 5)
        for sequence, ack in enumerate(acks):
            self.assertEqual((ack.channel, ack.sequence, ack.offset), (4242, sequence, 0))
            body = ack.json()
            self.assertEqual(body["cmd"], "BWUP")
            self.assertEqual(body["ack"], 0)
            self.assertIs(type(body["ack"]), int)
            self.assertEqual(body["channel"], 4242)
            self.assertEqual(body["duration"], 1)
            uuid.UUID(body["uid"])
        self.assertEqual(len({a.json()["uid"] for a in acks}), 1)

    def test_repeated_bwup_does_not_restart_the_clock(self):
        """Repeated until there is a result: otherwise there would never be one."""
        _, client = self.open()
        channel = client.request_upload(1.0, channel=4243)

        def repeat():
            client.send("control", wire.CONTROL, channel, wire.bwup(channel, 1.0))
            return client.expect("control", wire.TEST_RESULT, 0.1, channel)

        self.assertEqual(eventually(repeat, "a result").json()["duration"], 1.0)

    def test_fractional_and_integer_durations(self):
        for duration in (1, 1.5):
            with self.subTest(duration=duration):
                begin = time.monotonic()
                total, body = self.run_script([(0, 0)], duration)
                self.assertEqual(body["duration"], duration)
                self.assertIs(type(body["duration"]), float)
                self.assertEqual(body["bytes_received"], total)
                self.assertGreater(time.monotonic() - begin, duration)

    # -- FLOW_CONTROL ---------------------------------------------------------------------------

    def reports(self, client, ranges):
        """All FLOW_CONTROL until there is one with these ranges."""
        def records():
            return client.tape.all("upload", True, wire.FLOW_CONTROL)

        client.run(PATIENCE, until=lambda: records() and wire.parse_ranges(
            records()[-1].packet.body) == ranges)
        self.assertEqual(wire.parse_ranges(records()[-1].packet.body), ranges)
        return records()

    def flow(self, config):
        _, client = self.open(config)
        channel = client.request_upload(LONG)
        self.reports(client, [(0, TOP)])
        self.burst(client, channel, [(0, 0), (1, 1), (2, 5), (3, 7), (4, 6)])
        records = self.reports(client, [(2, 4), (8, TOP)])
        self.assertEqual([r.packet.sequence for r in records], list(range(len(records))))
        self.assertEqual({r.packet.channel for r in records}, {channel})
        self.assertEqual(wire.parse_ranges(records[0].packet.body), [(0, TOP)])

    def test_form_by_default(self):
        self.flow(None)

    def test_form_with_both_keys(self):
        self.flow({"adjustment_delay": 400, "flow_control_rate": 8})

    def test_at_most_86_ranges_the_lowest(self):
        _, client = self.open()
        channel = client.request_upload(LONG)
        self.burst(client, channel, [(n, 2 * n + 1) for n in range(200)])
        self.reports(client, [(2 * n, 2 * n) for n in range(86)])

    def test_no_flow_control_after_the_result_is_acknowledged(self):
        server, client = self.open()
        channel = client.request_upload(0.4)
        self.result(client, channel)
        server.wait_line("stdout", "^Client left")
        client.run(0.1)              # what was on its way
        before = len(client.tape.all(incoming=True))
        client.run(0.5)
        self.assertEqual(len(client.tape.all(incoming=True)), before)

    # -- counting -------------------------------------------------------------------------------

    def test_exact_counts_without_faults(self):
        total, body = self.run_script([(n, n) for n in range(500)])
        self.assertEqual((body["bytes_received"], body["packet_count"], body["retransmit_count"]),
                         (total, 500, 0))
        self.assertAlmostEqual(body["bandwidth_bps"], 8 * total / body["duration"], delta=1.0)
        self.assertEqual(body["cmd"], "TEST_RESULT")
        self.assertEqual(body["ack"], 1)
        uuid.UUID(body["guid"])
        uuid.UUID(body["uid"])

    def test_result_carries_the_uid_of_the_acknowledgement(self):
        _, client = self.open()
        client.send("control", wire.CONTROL, 99, wire.bwup(99, 0.3))
        ack = client.expect("control", wire.CONTROL).json()
        body = self.result(client, 99)
        self.assertEqual(body["uid"], ack["uid"])
        self.assertEqual(body["channel"], 99)

    def test_losses_are_not_counted(self):
        script = [(n, n) for n in range(300) if n % 7 != 3]
        total, body = self.run_script(script)
        self.assertEqual((body["bytes_received"], body["packet_count"], body["retransmit_count"]),
                         (total, len(script), 0))

    def test_duplicates_in_the_network_count_as_packets_not_as_retransmissions(self):
        script = list(itertools.chain.from_iterable([(n, n)] * (1 + (n % 5 == 0))
                                                    for n in range(200)))
        total, body = self.run_script(script)
        self.assertEqual((body["bytes_received"], body["packet_count"], body["retransmit_count"]),
                         (total, 240, 0))

    def test_reordering_is_not_retransmission(self):
        script = [(n ^ 3, n ^ 3) for n in range(400)]
        total, body = self.run_script(script)
        self.assertEqual((body["bytes_received"], body["packet_count"], body["retransmit_count"]),
                         (total, 400, 0))

    def test_retransmissions_that_end_on_a_new_number(self):
        script = [(n, n) for n in range(100)] + [(100, 40), (101, 41), (102, 90)]
        script += [(n, n - 3) for n in range(103, 150)]
        _, body = self.run_script([p for p in script if p not in ((40, 40), (41, 41), (90, 90))])
        self.assertEqual(body["retransmit_count"], 3)

    def test_retransmissions_at_the_very_end(self):
        # The original would report the last packet's offset: 140 here.
        script = [(n, n) for n in range(100) if n not in (10, 20)] + [(100, 10), (101, 20)]
        total, body = self.run_script(script)
        self.assertEqual(body["retransmit_count"], 2)
        self.assertEqual((body["bytes_received"], body["packet_count"]), (total, 100))

    def test_retransmissions_with_reordering(self):
        script = [(n, n) for n in range(50) if n != 7]
        script += [(51, 50), (50, 7), (53, 8), (52, 51), (54, 52)]
        _, body = self.run_script(script)
        self.assertEqual(body["retransmit_count"], 2)

    def test_lost_retransmissions_show_in_the_next_new_offset(self):
        script = [(n, n) for n in range(50) if n != 7]
        script += [(51, 7), (52, 50)]                # N=50 was a retransmission too, and got lost
        _, body = self.run_script(script)
        self.assertEqual(body["retransmit_count"], 2)

    def test_other_sizes_and_other_channels(self):
        _, client = self.open()
        channel = client.request_upload(3)
        total = self.burst(client, channel, [(0, 0)], 1)
        total += self.burst(client, channel, [(1, 1)], 1360)
        self.burst(client, channel % 1000 + 1, [(0, 0), (1, 1)])
        self.burst(client, client.key, [(0, 0)])
        client.pipes["control"].send(
            wire.pack(4, channel, 2, 0, wire.dummy(900)), client.ports["upload"])
        body = self.result(client, channel)
        self.assertEqual((body["bytes_received"], body["packet_count"]), (total, 2))

    def test_no_data_gives_a_result_of_zero(self):
        _, body = self.run_script([], 0.3)
        self.assertEqual((body["bytes_received"], body["packet_count"], body["bandwidth_bps"]),
                         (0, 0, 0))

    # -- TEST_RESULT ----------------------------------------------------------------------------

    def test_result_is_resent_until_acknowledged_and_the_ports_come_back(self):
        server, client = self.open()
        channel = client.request_upload(0.3)

        def results():
            return client.tape.all("control", True, wire.TEST_RESULT)

        client.run(PATIENCE, until=lambda: len(results()) >= 8)
        records = results()
        self.assertGreaterEqual(len(records), 8)
        self.assertEqual(len({r.packet.body for r in records}), 1)
        self.assertEqual([r.packet.sequence for r in records],
                         list(range(records[0].packet.sequence,
                                    records[0].packet.sequence + len(records))))
        wrong = wire.result_ack(str(uuid.uuid4()))
        client.send("control", wire.TEST_RESULT, channel, wrong)
        before = len(results())
        client.run(PATIENCE, until=lambda: len(results()) > before + 1)
        self.assertGreater(len(results()), before + 1, "a wrong guid ended it")
        client.send("control", wire.TEST_RESULT, channel,
                    wire.result_ack(records[0].packet.json()["guid"]))
        server.wait_line("stdout", "^Client left")
        client.run(0.1)              # what was on its way
        final = len(results())
        client.run(0.4)
        self.assertEqual(len(results()), final)
        with Client014(server.address) as second:
            self.assertEqual(second.connect()[0], server.first, "the ports did not come back")

    def test_heartbeats_go_on_during_a_test(self):
        _, client = self.open()
        client.request_upload(LONG)
        client.answered.clear()
        client.prove()
