"""The two independent peers against each other: they must be right before they may judge."""

import random
import unittest

from peer014 import (TOP, Client014, Faults, NoAnswer, Refused, Server014, SpanSet, audit_stream,
                     wire)


class SpanSetAgainstPlainSets(unittest.TestCase):
    def test_random_operations_match_a_plain_set(self):
        dice = random.Random(7)
        for _ in range(300):
            spans, plain = SpanSet(), set()
            for _ in range(60):
                if dice.random() < 0.5:
                    begin = dice.randrange(100)
                    end = begin + dice.randrange(12)
                    spans.add(begin, end)
                    plain |= set(range(begin, end + 1))
                else:
                    number = dice.randrange(110)
                    self.assertEqual(spans.discard(number), number in plain)
                    plain.discard(number)
                ranges = spans.ranges()
                self.assertEqual({n for b, e in ranges for n in range(b, e + 1)}, plain)
                for (_, end), (begin, _) in zip(ranges, ranges[1:]):
                    self.assertGreater(begin, end + 1)

    def test_intersection_and_below(self):
        dice = random.Random(8)
        for _ in range(200):
            a = {dice.randrange(80) for _ in range(30)}
            b = {dice.randrange(80) for _ in range(30)}
            both = SpanSet((n, n) for n in a).intersection(SpanSet((n, n) for n in b))
            self.assertEqual({n for x, y in both.ranges() for n in range(x, y + 1)}, a & b)
        self.assertEqual(SpanSet.everything().below(5).ranges(), [(0, 4)])
        self.assertEqual(SpanSet.everything().below(0).ranges(), [])

    def test_everything_keeps_its_tail(self):
        spans = SpanSet.everything()
        for number in (0, 5, 2, TOP):
            self.assertTrue(spans.discard(number))
        self.assertEqual(spans.ranges(), [(1, 1), (3, 4), (6, TOP - 1)])


class Wire(unittest.TestCase):
    def test_header_layout(self):
        data = wire.pack(4, 0x010203, 5, 2**64 - 1, b"x")
        self.assertEqual(data.hex(), "04010203" + "0000000000000005" + "ff" * 8 + "78")
        self.assertEqual(wire.parse(data).number, 6)
        self.assertIsNone(wire.parse(data[:19]))

    def test_ranges_layout_and_limits(self):
        self.assertEqual(wire.pack_ranges([(1, 2)]).hex(), "00000001" + "00" * 7 + "01"
                         + "00" * 7 + "02")
        many = [(2 * i, 2 * i) for i in range(100)]
        body = wire.pack_ranges(many)
        self.assertEqual(wire.parse_ranges(body), many[:86])
        self.assertLessEqual(len(body) + wire.HEADER_LENGTH, wire.MAX_PACKET)
        for bad in (b"", b"\0\0\0", b"\0\0\0\1", body + b"x", wire.pack_ranges([(2, 1)]),
                    wire.pack_ranges([(0, 5), (5, 9)])):
            with self.assertRaises(ValueError):
                wire.parse_ranges(bad)

    def test_assignment(self):
        self.assertEqual(wire.parse_assignment(b"7000,7001,7002,41877"), (7000, 7001, 7002, 41877))
        for bad in (b"7000,7001,7002", b"7000, 7001,7002,1", b"7000,7001,7002,60001", b"REFUSED"):
            with self.assertRaises(ValueError):
                wire.parse_assignment(bad)


class BothEnds(unittest.TestCase):
    def run_upload(self, loss, duration=1.5, **options):
        server = Server014(faults=Faults(seed=3, drop_in=loss, drop_out=loss),
                           adjustment_delay=0.3)
        with server, Client014(server.address, heartbeat_rate=0.2,
                               **options) as client:
            client.connect()
            client.prove()
            transfer = client.upload(duration, 800, linger=0.3)
            test = server.tests[0]
        return server, client, test, transfer

    def test_clean_upload_counts_agree(self):
        server, client, test, transfer = self.run_upload(0)
        self.assertEqual(transfer.result["packet_count"], test.packets)
        self.assertEqual(transfer.result["retransmit_count"], 0)
        audit = audit_stream(server.tape.all("upload", True, wire.BANDWIDTH_TEST))
        self.assertEqual(audit.errors, [])
        self.assertEqual(audit.sent, transfer.sent)
        self.assertEqual(len(server.ended), 1)
        self.assertEqual(client.answered, set(wire.ROLES))
        self.assertTrue(server.sessions == {})

    def test_lossy_upload_sends_again(self):
        server, _, _, transfer = self.run_upload(0.3, duration=2.0)
        audit = audit_stream(server.tape.all("upload", True, wire.BANDWIDTH_TEST))
        self.assertEqual(audit.errors, [])
        self.assertGreater(len(audit.retransmissions), 0)
        self.assertEqual(len(audit.retransmissions), transfer.retransmissions)

    def test_original_clients_resend_what_is_in_flight(self):
        _, _, test, transfer = self.run_upload(0, duration=1.0, legacy_tail=True)
        self.assertEqual(test.result["packet_count"], test.packets)
        self.assertGreaterEqual(transfer.retransmissions, 0)

    def test_ignored_connects_and_lost_acknowledgements(self):
        faults = Faults(ignore_connects=2, drop_acks=3)
        with Server014(faults=faults) as server, Client014(server.address) as client:
            client.connect()
            self.assertGreaterEqual(len(server.tape.all("main", True)), 3)
            client.prove()
            client.request_upload(0.5)
            self.assertGreaterEqual(len(server.tape.all("control", True, wire.CONTROL)), 4)

    def test_refusal_and_silence(self):
        with Server014(faults=Faults(refuse=b"REFUSED no ports")) as server:
            with Client014(server.address) as client, self.assertRaises(Refused):
                client.connect()
        with Server014(faults=Faults(never_answer=True)) as server:
            with Client014(server.address) as client, self.assertRaises(NoAnswer):
                client.connect(attempts=2)

    def test_repeated_connect_keeps_the_assignment(self):
        with Server014() as server, Client014(server.address) as client:
            self.assertEqual(client.ask(), client.ask())


if __name__ == "__main__":
    unittest.main()
