"""Uploads by the client under test to the independent server: sections 3 to 6."""

import json
import re
import time
import uuid

from harness import BinaryTestCase, Program, run_client
from peer014 import Faults, Server014, SpanSet, audit_stream, fraction_within, wire

SLOW = {"heartbeat_rate": 200, "send_sleep": 300}   # some thousand packets a second at most


class Upload(BinaryTestCase):
    def upload(self, *options, faults=None, config=None, duration="1", code=0, **server_options):
        """One test; the program, the server and the JSON result."""
        with Server014(faults=faults, **server_options) as server:
            program = run_client(server.address, "--bwup", "--duration", duration, "--json",
                                 *options, config={**SLOW, **(config or {})}, timeout=14.5)
            self.assertEqual(program.code, code, program.errors())
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
        self.assertEqual(len(requests), 1)
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
        # By the kernel's stamps: this server may read what has arrived much later.
        sending = (data[-1].stamp_ns - data[0].stamp_ns) / 1e9
        self.assertLess(sending, 1.15)
        self.assertGreater(sending, 0.9)
        self.assertGreater(len(data), 300)
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
        first = server.tape.all("control", False, wire.TEST_RESULT)[0].time
        self.assertAlmostEqual(time.monotonic() - first, 5.0, delta=1.0)

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
            program = run_client(server.address, "--bwup", "--duration", "1", "--test-verbose",
                                 config=SLOW)
            self.assertEqual(program.code, 0, program.errors())
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
        self.assertEqual(len(requests), 5)
        self.assertEqual(len({r.packet.body for r in requests}), 1)
        self.assertEqual([r.packet.sequence for r in requests], list(range(5)))
        self.assertGreaterEqual(fraction_within([r.time for r in requests], 0.1, 0.03), 0.75)
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
        results = server.tape.all("control", False, wire.TEST_RESULT)
        acks = server.tape.all("control", True, wire.TEST_RESULT)
        self.assertEqual(len(results), 7)
        self.assertEqual(len(acks), 7)
        for ack in acks:
            uuid.UUID(ack.packet.json()["guid"])
            self.assertEqual(ack.packet.json()["guid"], server.tests[0].guid)

    def test_lost_numbers_are_sent_again_once(self):
        lost = {0: 1, 5: 1, 6: 1, 50: 1, 51: 1, 53: 2}
        _, server, document = self.upload(faults=Faults(drop_numbers=dict(lost)), duration="1.5",
                                          adjustment_delay=0.2)
        audit = self.check_stream(server, document)
        again = [number for _, number in audit.retransmissions]
        self.assertEqual(sorted(again), [0, 5, 6, 50, 51, 53, 53])
        self.assertEqual(server.tests[0].result["retransmit_count"], 7)
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
        self.assertEqual([n for _, n in audit.retransmissions], [3])
        self.check_rule(server, audit, 4)
        self.assertLess(audit.retransmissions[0][0], server.tests[0].start + 0.6 + 0.15)

    def test_a_report_that_never_changes(self):
        static = [(0, 4), (10, 20), (100, 2**64 - 1)]
        _, server, document = self.upload(faults=Faults(static_flow=static), duration="1.5",
                                          adjustment_delay=0.5)
        data = audit_stream(self.data(server))
        # It began with that set, so 5..9 and 21..99 are never sent: the audit must not object
        # to anything else.
        numbers = {r.packet.number for r in self.data(server)}
        self.assertTrue(numbers >= set(range(0, 5)) | set(range(10, 21)))
        again = [n for _, n in data.retransmissions]
        self.assertTrue(again, "missing in every report, never sent again")
        self.assertTrue(set(again) <= set(range(5)) | set(range(10, 21)), sorted(set(again)))
        self.assertLess(len(again), 16 * 40, "sent again more often than it was reported")

    def test_broken_reports_change_nothing(self):
        broken = [b"", b"\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\2" + b"\0" * 16,
                  wire.pack_ranges([(2**63, 1)]), wire.pack_ranges([(5, 9), (0, 3)]),
                  wire.pack_ranges([(0, 9)]) + b"x", wire.pack_ranges([(0, 9), (9, 12)])]
        _, server, document = self.upload(faults=Faults(raw_flow=broken), adjustment_delay=0.1)
        self.assertGreater(len(server.tests[0].flow_sent), 50)
        self.assertEqual(self.check_stream(server, document).retransmissions, [])

    def test_thirty_percent_loss_both_ways(self):
        faults = Faults(seed=7, drop_in=0.3, drop_out=0.3)
        _, server, document = self.upload(faults=faults, adjustment_delay=0.3, duration="2")
        audit = self.check_stream(server, document)
        self.assertGreater(len(audit.retransmissions), 100)
        self.check_report(server, document)
        self.check_rule(server, audit, 9)
        packets = document["tests"][0]["packets"]
        self.assertEqual(packets["lost"],
                         packets["sent"] - server.tests[0].result["packet_count"])

    def test_heartbeats_go_on_during_the_test(self):
        _, server, _ = self.upload(config={"heartbeat_rate": 100})
        for role in wire.ROLES:
            beats = server.tape.all(role, True, wire.HEARTBEAT_0)
            self.assertGreaterEqual(len(beats), 9, role)

    def test_a_server_that_vanishes_mid_test(self):
        with Server014(faults=Faults(close_after=0.4)) as server:
            begin = time.monotonic()
            program = run_client(server.address, "--bwup", "--duration", "1", config=SLOW)
            self.assertEqual(program.code, 1)
            self.assertLess(time.monotonic() - begin, 14)
            self.assertTrue(program.errors())

    def test_bwup_that_is_never_acknowledged(self):
        with Server014(faults=Faults(drop_acks=10**6)) as server:
            program = run_client(server.address, "--bwup", "--duration", "1", config=SLOW)
            self.assertEqual(program.code, 1)
            self.assertEqual(self.data(server), [], "data without acknowledgement")
            self.assertGreater(len(server.tape.all("control", True, wire.CONTROL)), 5)

    def test_a_full_speed_test_does_not_starve_the_rest(self):
        with Server014() as server, Program(
                f"127.0.0.1:{server.address[1]}", "--bwup", "--duration", "1", "--json",
                config={"heartbeat_rate": 100}) as program:
            self.assertEqual(program.wait(14), 0, program.errors())
            self.check_result(json.loads("\n".join(program.stdout)))
            self.assertGreaterEqual(len(server.tape.all("control", True, wire.HEARTBEAT_0)), 8)


class Lose:
    """Loses the first `times` datagrams of a type."""

    def __init__(self, kind, times):
        self.kind, self.left = kind, times

    def __call__(self, _role, data):
        if len(data) >= 20 and data[0] == self.kind and self.left > 0:
            self.left -= 1
            return True
        return False
