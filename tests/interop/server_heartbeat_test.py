"""Heartbeats with the server under test: section 2."""

import time

from harness import PATIENCE, BinaryTestCase, Server
from peer014 import Client014, wire

STAMPS = ["1732280000.123456", "1732280000", "1732280000.123456789012345678901234567890",
          "0.1", "17322800001234567890", "1.7e9", "0"]


class Heartbeats(BinaryTestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.kill)
        self.client = Client014(self.server.address)
        self.addCleanup(self.client.close)
        self.client.connect()

    def test_each_port_answers_with_the_key_and_both_timestamps(self):
        client = self.client
        for role in wire.ROLES:
            before = time.time()
            client.beat([role], timestamp="1732280000.25")
            answer = client.expect(role, wire.HEARTBEAT_1)
            self.assertIsNotNone(answer, role)
            self.assertEqual(answer.channel, client.key)
            fields = answer.json()
            self.assertEqual(fields["client_timestamp"], 1732280000.25)
            self.assertIsInstance(fields["server_timestamp"], float)
            self.assertTrue(before <= fields["server_timestamp"] <= time.time(), fields)
            # A float has some 100 ns of resolution at today's dates: six decimals must be there.
            self.assertGreaterEqual(len(answer.tokens()["server_timestamp"].split(".")[1]), 4)

    def test_timestamps_are_opaque(self):
        client = self.client
        for role in wire.ROLES:
            for stamp in STAMPS:
                client.beat([role], timestamp=stamp)
                answer = client.expect(role, wire.HEARTBEAT_1)
                self.assertIsNotNone(answer, f"no answer to timestamp {stamp} on {role}")
                self.assertEqual(answer.tokens()["client_timestamp"], stamp)

    def test_body_form_does_not_matter(self):
        client = self.client
        for body in ('{"timestamp":5.5}', '{ "timestamp" :  5.5 }', '{"x": [1, {"y": null}], '
                     '"timestamp": 5.5, "z": "\\u00e9\u00e9"}', '{"timestamp": 5.5}\n'):
            client.send("control", wire.HEARTBEAT_0, client.key, body)
            answer = client.expect("control", wire.HEARTBEAT_1)
            self.assertIsNotNone(answer, body)
            self.assertEqual(answer.json()["client_timestamp"], 5.5)

    def test_sequence_numbers_count_per_port_and_channel_from_zero(self):
        client = self.client
        for _ in range(4):
            client.beat()
            self.assertTrue(client.run(PATIENCE, until=client.beaten))
        for role in wire.ROLES:
            records = client.tape.all(role, True, wire.HEARTBEAT_1)
            self.assertEqual([r.packet.sequence for r in records], [0, 1, 2, 3], role)
            self.assertEqual({r.packet.offset for r in records}, {0})

    def test_one_answer_for_each_and_none_for_the_last(self):
        client = self.client
        for _ in range(20):
            client.beat()
        self.assertTrue(client.run(PATIENCE, until=client.beaten))
        client.beat()                # what it answers comes after answers to all that was before
        self.assertTrue(client.run(PATIENCE, until=client.beaten))
        for role in wire.ROLES:
            self.assertEqual(len(client.tape.all(role, True)), 21, role)

    def test_server_measures_its_own_round_trip(self):
        client = self.client
        client.prove()
        self.assertTrue(client.run(PATIENCE, until=client.beaten))
        while client.expect("control", wire.HEARTBEAT_1, 0) is not None:
            pass                     # those of the proof are no answers to this
        lines = self.server.find("stderr", "^Server latency on CONTROL")
        client.send("control", wire.HEARTBEAT_0, client.key, wire.heartbeat_0("1.0"))
        answer = client.expect("control", wire.HEARTBEAT_1)
        self.assertIsNotNone(answer)
        # `expect` has answered it at once; one line more, and none for a repeat of nothing.
        self.server.wait_line("stderr", "^Server latency on CONTROL", count=len(lines) + 1)

    def test_a_forged_heartbeat_2_makes_no_absurd_latency(self):
        client = self.client
        client.prove()
        for stamp in ("-1e308", "1e308", "99999999999999999999999999", "0"):
            client.send("control", wire.HEARTBEAT_2, client.key, wire.heartbeat_12("1.0", stamp))
        client.answered.clear()
        client.prove()
        self.assertTrue(self.server.running())
        for line in self.server.find("stderr", "^Server latency on"):
            value = float(line.rsplit(": ", 1)[1].split()[0])
            self.assertTrue(0 <= value < 10000, line)
