"""Uploads by the client under test to the independent server: sections 3 to 6."""

import json
import re
import time
import uuid

from harness import BinaryTestCase, Program, eventually, run_client
from peer014 import Faults, Server014, SpanSet, audit_stream, wire

SLOW = {"heartbeat_rate": 200, "send_sleep": 1000}   # a thousand packets a second at most


class Upload(BinaryTestCase):
    def upload(self, *options, faults=None, config=None, duration="1", until=lambda server: server.tests[0].acked,
               **server_options):
        """One test; the program, the server and the JSON result.

        Once it has the result the client lingers to acknowledge repeats: until `until(server)`.
        """
        with Server014(faults=faults, **server_options) as server, \
                Program(f"127.0.0.1:{server.address[1]}", "--bwup", "--duration", duration, "--json",
                        *options, config={**SLOW, **(config or {})}) as program:
            program.wait_line("stderr", "^Result received; acknowledging repeats")
            eventually(lambda: until(server), "what the client lingers for")
            self.assertEqual(program.stop(), 0, program.errors())
            document = json.loads("\n".join(program.stdout))
            self.check_result(document)
        return program, server, document

    def data(self, server):
        return server.tape.all("upload", True, wire.BANDWIDTH_TEST)

    def check_stream(self, server, document):
        """The audit of what was sent, compared with what the client says that it sent."""
        audit = audit_stream(self.data(server))
        self.assertEqual(audit.errors, [])
        packets = document["tests"][0]["packets"]
        self.assertEqual(packets["sent"], audit.sent)
        self.assertEqual(packets["retransmitted"], len(audit.retransmissions))
        return audit

    def test_clean_upload_step_by_step(self):
        program, server, document = self.upload()
        requests = server.tape.all("control", True, wire.CONTROL)
        packet = requests[0].packet
        self.assertEqual(packet.json(), {"cmd": "BWUP", "channel": packet.channel, "duration": 1})
        self.assertTrue(1 <= packet.channel < 2**24)
        self.assertEqual((packet.sequence, packet.offset), (0, 0))
        key = server.ended[0].key
        self.assertNotEqual(packet.channel, key)
        data = self.data(server)
        self.assertEqual({r.packet.channel for r in data}, {packet.channel})
        ack = server.tape.all("control", False, wire.CONTROL)[0]
        self.assertGreater(data[0].time, ack.time - 0.001, "data before the acknowledgement")
        self.assertEqual({r.length for r in data}, {20 + len(wire.dummy(900))})
        for record in data[:200]:
            body = record.packet.json()
            self.assertEqual(list(body), ["dummy_data"])
            self.assertEqual(len(body["dummy_data"]), 900)
            self.assertTrue(all(32 <= ord(c) < 127 for c in body["dummy_data"]))
        audit = self.check_stream(server, document)
        self.assertEqual(audit.retransmissions, [])
        self.check_report(server, document)
        acks = server.tape.all("control", True, wire.TEST_RESULT)
        self.assertEqual(acks[0].packet.json(),
                         {"cmd": "TEST_RESULT", "ack": 0, "guid": server.tests[0].guid})
        self.assertEqual(acks[0].packet.channel, packet.channel)

    def test_lingers_for_five_seconds_and_ends_by_itself(self):
        with Server014() as server:
            program = run_client(server.address, "--bwup", "--duration", "0.3", config=SLOW)
            self.assertEqual(program.code, 0, program.errors())
            ended = time.monotonic()
            first = server.tape.all("control", False, wire.TEST_RESULT)[0].time
            self.assertGreaterEqual(ended - first, 5.0)

    def check_report(self, server, document):
        """The result's figures are those of the server."""
        result, test = server.tests[0].result, document["tests"][0]
        self.assertEqual((test["kind"], test["direction"], test["method"]),
                         ("upload", "upload", "0.14"))
        self.assertEqual(test["packets"]["received"], result["packet_count"])
        self.assertEqual(test["bytes_received"], result["bytes_received"])
        self.assertAlmostEqual(test["rate_bps"], result["bandwidth_bps"],
                               delta=0.02 * result["bandwidth_bps"])
        self.assertEqual(test["payload_bytes"], 20 + len(wire.dummy(900)))

    def test_human_lines_units_and_debug_lines(self):
        with Server014() as server:
            with Program(f"127.0.0.1:{server.address[1]}", "--bwup", "--duration", "1",
                         "--test-verbose", config=SLOW) as program:
                self.assertEqual(program.finish(), 0, program.errors())
            text = "\n".join(program.stdout)
            self.assertRegex(text, r"[kMG]?bit/s|[kMG]bps")
            self.assertNotRegex(text, r"Mibit|Mbit/s.*1024")
            rate = server.tests[0].result["bandwidth_bps"]
            shown = [float(n) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[u] for n, u in
                     re.findall(r"([\d.]+) ?([kMG]?)(?:bit/s|bps)", text)]
            self.assertTrue(any(abs(v - rate) < 0.02 * rate for v in shown), (shown, rate))
            channel = server.tests[0].channel
        for pattern in (rf"^Client sent BWUP packet on channel {channel}",
                        "^Client received BWUP ack from server",
                        rf"^Client received FLOW_CONTROL on channel {channel}"):
            self.assertTrue(program.find("stderr", pattern), pattern)

    def test_bwup_is_resent_until_acknowledged(self):
        _, server, document = self.upload(faults=Faults(drop_acks=4))
        requests = server.tape.all("control", True, wire.CONTROL)
        self.assertGreaterEqual(len(requests), 5)
        self.assertEqual(len({r.packet.body for r in requests}), 1)
        self.assertEqual([r.packet.sequence for r in requests], list(range(len(requests))))
        ack = server.tape.all("control", False, wire.CONTROL)[0]
        self.assertGreater(self.data(server)[0].time, ack.time - 0.001)
        self.check_stream(server, document)

    def test_packet_length(self):
        for length in (100, 1362):
            _, server, document = self.upload("--bw-packet-length", str(length),
                                              duration="0.5")
            self.assertEqual({r.length for r in self.data(server)}, {20 + len(wire.dummy(length))})
            self.check_stream(server, document)

    def test_every_result_is_acknowledged_with_its_guid(self):
        faults = Faults(drop_acks=0, drop_in_if=Lose(wire.TEST_RESULT, 6))
        _, server, _ = self.upload(faults=faults)
        acks = server.tape.all("control", True, wire.TEST_RESULT)
        self.assertGreaterEqual(len(acks), 7)
        for ack in acks:
            uuid.UUID(ack.packet.json()["guid"])
            self.assertEqual(ack.packet.json()["guid"], server.tests[0].guid)

    def test_lost_numbers_and_no_others_are_sent_again(self):
        lost = {0: 1, 5: 1, 6: 1, 50: 1, 51: 1, 53: 2}
        _, server, document = self.upload(faults=Faults(drop_numbers=dict(lost)), duration="1.5",
                                          adjustment_delay=0.2)
        audit = self.check_stream(server, document)
        again = [number for _, number in audit.retransmissions]
        # One that takes long is sent once more for the report that left before it came.
        self.assertEqual(set(again), {0, 5, 6, 50, 51, 53})
        self.assertGreaterEqual(again.count(53), 2)
        self.assertEqual(server.tests[0].result["retransmit_count"], len(again))
        self.assertEqual(len(server.tests[0].missing), 1, server.tests[0].missing)
        self.check_rule(server, audit, 10)

    def check_rule(self, server, audit, buffered):
        """Section 4: nothing before the buffer is full, nothing above what a report spoke of."""
        sent = server.tests[0].flow_sent
        for when, number in audit.retransmissions:
            known = [SpanSet(ranges) for at, ranges in sent if at <= when + 0.001]
            self.assertGreaterEqual(len(known), buffered, f"{number} again before the buffer "
                                                          "was full")
            top = max(k.tail() if k.tail() is not None else k.ranges()[-1][1] + 1
                      for k in known)
            self.assertLess(number, top, "sent again what is merely in flight")
            self.assertTrue(any(number in k for k in known[-buffered - 2:]), number)

    def test_flow_control_rate_is_the_buffer(self):
        _, server, document = self.upload("--flow-control-rate", "4", adjustment_delay=0.6,
                                          flow_control_rate=4, duration="1.2",
                                          faults=Faults(drop_numbers={3: 1}))
        audit = self.check_stream(server, document)
        self.assertEqual({n for _, n in audit.retransmissions}, {3})
        self.check_rule(server, audit, 4)

    def test_a_report_that_never_changes(self):
        static = [(0, 4), (10, 20), (100, 2**64 - 1)]
        # At a rate of its own it would go on with a datagram or two: nothing seems to arrive.
        _, server, document = self.upload("--rate", "1M", faults=Faults(static_flow=static),
                                          duration="1.5", adjustment_delay=0.5)
        data = audit_stream(self.data(server))
        # It began with that set, so 5..9 and 21..99 are never sent: the audit must not object
        # to anything else.
        numbers = {r.packet.number for r in self.data(server)}
        self.assertTrue(numbers >= set(range(0, 5)) | set(range(10, 21)))
        again = [n for _, n in data.retransmissions]
        self.assertTrue(again, "missing in every report, never sent again")
        self.assertTrue(set(again) <= set(range(5)) | set(range(10, 21)), sorted(set(again)))
        self.assertLessEqual(len(again), 16 * len(server.tests[0].flow_sent),
                             "sent again more often than it was reported")

    def test_broken_reports_change_nothing(self):
        broken = [b"", b"\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\2" + b"\0" * 16,
                  wire.pack_ranges([(2**63, 1)]), wire.pack_ranges([(5, 9), (0, 3)]),
                  wire.pack_ranges([(0, 9)]) + b"x", wire.pack_ranges([(0, 9), (9, 12)])]
        _, server, document = self.upload(faults=Faults(raw_flow=broken), adjustment_delay=0.1)
        self.assertGreaterEqual(len(server.tests[0].flow_sent), len(broken))
        self.assertEqual(self.check_stream(server, document).retransmissions, [])

    def test_thirty_percent_loss_both_ways(self):
        faults = Faults(seed=7, drop_in=0.3, drop_out=0.3)
        _, server, document = self.upload(faults=faults, adjustment_delay=0.3, duration="2")
        audit = self.check_stream(server, document)
        self.assertGreater(len(audit.retransmissions), 0)
        self.check_report(server, document)
        self.check_rule(server, audit, 9)
        packets = document["tests"][0]["packets"]
        self.assertEqual(packets["lost"],
                         packets["sent"] - server.tests[0].result["packet_count"])

    def test_heartbeats_go_on_during_the_test(self):
        _, server, _ = self.upload(config={"heartbeat_rate": 100})
        for role in wire.ROLES:
            during = [r for r in server.tape.all(role, True, wire.HEARTBEAT_0)
                      if r.time > server.tests[0].start]
            self.assertGreater(len(during), 0, role)

    def test_a_server_that_vanishes_mid_test(self):
        with Server014(faults=Faults(close_after=0.4)) as server:
            program = run_client(server.address, "--bwup", "--duration", "1", config=SLOW)
            self.assertEqual(program.code, 1)
            self.assertTrue(program.errors())

    def test_bwup_that_is_never_acknowledged(self):
        with Server014(faults=Faults(drop_acks=10**6)) as server:
            program = run_client(server.address, "--bwup", "--duration", "1", config=SLOW)
            self.assertEqual(program.code, 1)
            self.assertEqual(self.data(server), [], "data without acknowledgement")
            self.assertGreater(len(server.tape.all("control", True, wire.CONTROL)), 5)


class Lose:
    """Loses the first `times` datagrams of a type."""

    def __init__(self, kind, times):
        self.kind, self.left = kind, times

    def __call__(self, _role, data):
        if len(data) >= 20 and data[0] == self.kind and self.left > 0:
            self.left -= 1
            return True
        return False
