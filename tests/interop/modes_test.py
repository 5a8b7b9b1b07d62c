"""All modes of both ends under test against the independent peer, with and without loss."""

import json
import signal

from harness import PATIENCE, BinaryTestCase, Program, Server, eventually
from peer014 import Client014, Faults, Server014, audit_stream, true_retransmissions, wire
from together import check_all, reserve_ports

MODES = ("SINGLE", "THREAD", "PROCESS")
LOSS = 0.1
UPLOAD_SECONDS = 3
RATE = 200               # datagrams a second of the independent client
SLOW = {"heartbeat_rate": 50, "send_sleep": 3000}    # and of the program under test, about
STALL = 0.5      # s before the test's end: what was sent earlier has come, on a busy machine too


class ServerModes(BinaryTestCase):
    """Each case is a server with two clients after each other."""
    about_seconds = 8

    def serve(self, ports, sessions, drop_rate):
        base = reserve_ports(31)
        return Server("--port-parallelability", ports, "--connection-parallelibility", sessions,
                      "--test-drop-rate", str(drop_rate), config={"adjustment_delay": 300},
                      first=base + 1)

    def measure_latency(self, server, loss):
        """Heartbeats on all ports: answered all, or as many as the loss leaves over."""
        with Client014(server.address, heartbeat_rate=0.02) as client:
            client.connect()
            client.prove()

            def got(role):
                return len(client.tape.all(role, True, wire.HEARTBEAT_1))

            client.run(PATIENCE, until=lambda: all(got(role) >= 30 for role in wire.ROLES))
            client.heartbeat_rate = PATIENCE     # no further ones but one that is due
            if not loss:
                self.assertTrue(client.run(PATIENCE, until=client.beaten))
            for role in wire.ROLES:
                sent = len(client.tape.all(role, False, wire.HEARTBEAT_0))
                self.assertGreaterEqual(got(role), 30, role)
                self.assertLessEqual(got(role), sent, role)

    def measure_upload(self, server, loss):
        """The result is what was delivered, to the octet."""
        faults = Faults(seed=3, drop_in=loss, drop_out=loss)
        with Client014(server.address, faults=faults, heartbeat_rate=0.2) as client:
            client.connect()
            client.prove()
            left = len(server.find("stdout", "^Client left"))
            transfer = client.upload(UPLOAD_SECONDS, RATE, linger=PATIENCE, until=lambda: len(server.find(
                "stdout", "^Client left")) > left)
            sent = client.tape.all("upload", False, wire.BANDWIDTH_TEST)
            delivered = [r for r in sent if not r.dropped]
            result = transfer.result
            counted = delivered[:result["packet_count"]]
            # What leaves at the very end may come after the server's clock has run out.
            start = next(r.time for r in client.tape.all("control", False, wire.CONTROL)
                         if not r.dropped)
            self.assertGreaterEqual(len(counted), sum(r.time < start + UPLOAD_SECONDS - STALL
                                                      for r in delivered))
            self.assertEqual(result["bytes_received"], sum(r.length for r in counted))
            self.assertEqual(result["retransmit_count"],
                             true_retransmissions([r.packet for r in counted]))
            self.assertEqual(audit_stream(sent).errors, [])
            if not loss:
                self.assertEqual(transfer.retransmissions, 0)
            channels = {r.packet.channel for r in client.tape.all("control", True, wire.CONTROL)}
            self.assertEqual(channels, {transfer.channel})
            return transfer.retransmissions

    def measure(self, ports, sessions, drop_rate):
        with self.serve(ports, sessions, drop_rate) as server:
            self.measure_latency(server, drop_rate)
            # A machine that is too busy to send for a while sends nothing again: once more, then.
            eventually(lambda: self.measure_upload(server, drop_rate) or not drop_rate,
                       "an upload with retransmissions")
            self.assertEqual(server.stop(), 0)
            trouble = [line for line in server.stderr if "latency" not in line]
            self.assertEqual(trouble, [])

    def test_without_loss(self):
        check_all(self, self.measure, [(p, s, 0.0) for p in MODES for s in MODES], 6)

    def test_with_loss_at_both_ends(self):
        check_all(self, self.measure, [(p, s, LOSS) for p in MODES for s in MODES], 6)


class ClientModes(BinaryTestCase):
    about_seconds = 8

    def program(self, server, ports, sessions, *options, config):
        return Program(f"127.0.0.1:{server.address[1]}", "--port-parallelability", ports,
                       "--connection-parallelibility", sessions, *options, "--json",
                       config=config)

    def document(self, program, ports, sessions):
        document = json.loads("\n".join(program.stdout))
        self.check_result(document)
        self.assertEqual(document["mode"], {"port": ports, "connection": sessions})
        self.assertEqual(len(document.get("workers", [])), 3 if ports == "PROCESS" else 0)
        return document

    def measure_latency(self, ports, sessions, loss):
        with Server014(faults=Faults(seed=5, drop_in=loss, drop_out=loss)) as server, \
                self.program(server, ports, sessions, "--count", "40",
                             config={"heartbeat_rate": 20}) as program:
            self.assertEqual(program.wait(), 0, program.errors())
            document = self.document(program, ports, sessions)
            for role in wire.ROLES:
                answers = server.tape.all(role, False, wire.HEARTBEAT_1, dropped=False)
                echoes = server.tape.all(role, True, wire.HEARTBEAT_2)
                figures = document["latency"][role]
                self.assertEqual((figures["sent"], figures["received"]), (40, len(answers)))
                self.assertEqual(len(echoes), len(answers))

    def measure_upload(self, ports, sessions, loss):
        with Server014(faults=Faults(seed=6, drop_in=loss, drop_out=loss), adjustment_delay=0.3) \
                as server, self.program(server, ports, sessions, "--bwup", "--duration", "3",
                                        config=SLOW) as program:
            program.wait_line("stderr", "^Result received")
            self.assertEqual(program.stop(signal.SIGINT), 0, program.errors())
            document = self.document(program, ports, sessions)
            self.assertTrue(document["valid"], document["problems"])
            audit = audit_stream(server.tape.all("upload", True, wire.BANDWIDTH_TEST))
            self.assertEqual(audit.errors, [])
            result, test = server.tests[0].result, document["tests"][0]
            self.assertEqual(test["packets"]["sent"], audit.sent)
            self.assertEqual(test["packets"]["received"], result["packet_count"])
            self.assertEqual(test["packets"]["retransmitted"], len(audit.retransmissions))
            self.assertEqual(test["bytes_received"], result["bytes_received"])
            if not loss:
                self.assertEqual(audit.retransmissions, [])
            acks = eventually(lambda: server.tape.all("control", True, wire.TEST_RESULT), "an ack")
            self.assertEqual({a.packet.json()["guid"] for a in acks}, {server.tests[0].guid})
            return len(audit.retransmissions)

    def test_latency(self):
        check_all(self, self.measure_latency, [(p, s, loss) for p in MODES for s in MODES
                                               for loss in (0.0, LOSS)], 4)

    def test_upload(self):
        # What a client is told of sessions changes nothing for it: once is enough.
        check_all(self, lambda *case: eventually(
            lambda: self.measure_upload(*case) or not case[-1], "an upload with retransmissions"),
                  [(p, p, loss) for p in MODES for loss in (0.0, LOSS)], 3)
