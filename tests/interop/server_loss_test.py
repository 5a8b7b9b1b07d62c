"""Whole uploads of the independent client through a bad network to the server under test."""

from harness import PATIENCE, BinaryTestCase, Server, eventually
from peer014 import Client014, Faults, audit_stream, true_retransmissions, wire


STALL = 0.5      # s before the test's end: what was sent earlier has come, on a busy machine too


class LossyUploads(BinaryTestCase):
    about_seconds = 4

    def upload(self, loss, legacy_tail=False, duration=2.0):
        faults = Faults(seed=int(loss * 100) + 5, drop_in=loss, drop_out=loss)
        with Server(config={"adjustment_delay": 300}) as server, \
                Client014(server.address, faults=faults, heartbeat_rate=0.2,
                          legacy_tail=legacy_tail) as client:
            client.connect()
            client.prove()
            # An acknowledgement may be lost: until the server has had one.
            transfer = client.upload(duration, 1000, linger=PATIENCE, until=lambda: server.find(
                "stdout", "^Client left"))
            sent = client.tape.all("upload", False, wire.BANDWIDTH_TEST)
            delivered = [r for r in sent if not r.dropped]
            result = transfer.result
            # The server's clock starts with the first BWUP that it gets, and it stops counting
            # at the agreed end (a moment more to let the path drain is fine).
            start = next(r.time for r in client.tape.all("control", False, wire.CONTROL)
                         if not r.dropped)
            due = sum(r.time < start + duration - STALL for r in delivered)
            self.assertLessEqual(result["packet_count"], len(delivered))
            self.assertGreaterEqual(result["packet_count"], due)
            self.assertEqual(result["bytes_received"],
                             sum(r.length for r in delivered[:result["packet_count"]]))
            counted = delivered[:result["packet_count"]]
            self.assertEqual(result["retransmit_count"],
                             true_retransmissions([r.packet for r in counted]))
            self.assertEqual(audit_stream(sent).errors, [])
            client.close()
            with Client014(server.address) as second:
                self.assertEqual(second.connect()[0], server.first)
            self.assertTrue(server.running())
        return transfer

    def sends_again(self, loss, **options):
        """A machine that is too busy to send for a while sends nothing again: once more, then."""
        eventually(lambda: self.upload(loss, **options).retransmissions, "retransmissions")

    def test_no_loss(self):
        transfer = self.upload(0.0)
        self.assertEqual(transfer.retransmissions, 0)

    def test_ten_percent_both_ways(self):
        self.sends_again(0.1)

    def test_thirty_percent_both_ways(self):
        self.sends_again(0.3, duration=3.0)

    def test_original_clients_that_send_again_what_is_in_flight(self):
        self.upload(0.1, legacy_tail=True)
