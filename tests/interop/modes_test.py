"""All modes of both ends under test against the independent peer, with and without loss."""

import json
import signal

from harness import BinaryTestCase, Program, Server
from peer014 import Client014, Faults, Server014, audit_stream, true_retransmissions, wire
from together import check_all, reserve_ports

MODES = ("SINGLE", "THREAD", "PROCESS")
LOSS = 0.1
RATE = 500               # datagrams a second of the independent client
SLOW = {"heartbeat_rate": 50, "send_sleep": 1000}    # and of the program under test, about


class ServerModes(BinaryTestCase):
    """Each case is a server with two clients after each other."""

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
            begin = len(client.round_trips)
            client.run(1.0)
            answered = {role: sum(r == role for r, _ in client.round_trips[begin:])
                        for role in wire.ROLES}
            for role, count in answered.items():
                self.assertGreater(count, 25 if loss else 40, answered)
                sent = client.tape.all(role, False, wire.HEARTBEAT_0)
                got = client.tape.all(role, True, wire.HEARTBEAT_1)
                self.assertLessEqual(len(got), len(sent))
                if not loss:
                    self.assertGreaterEqual(len(got), len(sent) - 1, role)
            self.assertLess(sorted(s for _, s in client.round_trips)[len(client.round_trips) // 2],
                            0.02)

    def measure_upload(self, server, loss):
        """The result is what was delivered, to the octet."""
        faults = Faults(seed=3, drop_in=loss, drop_out=loss)
        with Client014(server.address, faults=faults, heartbeat_rate=0.2) as client:
            client.connect()
            client.prove(10)
            transfer = client.upload(1.0, RATE, linger=0.4)
            sent = client.tape.all("upload", False, wire.BANDWIDTH_TEST)
            delivered = [r for r in sent if not r.dropped]
            result = transfer.result
            counted = delivered[:result["packet_count"]]
            # What leaves at the very end may come after the server's clock has run out.
            self.assertGreaterEqual(len(counted), len(delivered) - 40)
            self.assertEqual(result["bytes_received"], sum(r.length for r in counted))
            self.assertEqual(result["retransmit_count"],
                             true_retransmissions([r.packet for r in counted]))
            self.assertEqual(audit_stream(sent).errors, [])
            if loss:
                self.assertGreater(transfer.retransmissions, 10)
            else:
                self.assertEqual((transfer.retransmissions, len(counted)), (0, len(sent)))
            channels = {r.packet.channel for r in client.tape.all("control", True, wire.CONTROL)}
            self.assertEqual(channels, {transfer.channel})

    def measure(self, ports, sessions, drop_rate):
        with self.serve(ports, sessions, drop_rate) as server:
            self.measure_latency(server, drop_rate)
            self.measure_upload(server, drop_rate)
            self.assertEqual(server.stop(), 0)
            trouble = [line for line in server.stderr if "latency" not in line]
            self.assertEqual(trouble, [])

    def test_without_loss(self):
        check_all(self, self.measure, [(p, s, 0.0) for p in MODES for s in MODES], 6)

    def test_with_loss_at_both_ends(self):
        check_all(self, self.measure, [(p, s, LOSS) for p in MODES for s in MODES], 6)


class ClientModes(BinaryTestCase):
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
            self.assertEqual(program.wait(10), 0, program.errors())
            document = self.document(program, ports, sessions)
            for role in wire.ROLES:
                answers = server.tape.all(role, False, wire.HEARTBEAT_1, dropped=False)
                echoes = server.tape.all(role, True, wire.HEARTBEAT_2)
                figures = document["latency"][role]
                self.assertEqual((figures["sent"], figures["received"]), (40, len(answers)))
                self.assertEqual(len(echoes), len(answers))

    def measure_upload(self, ports, sessions, loss):
        with Server014(faults=Faults(seed=6, drop_in=loss, drop_out=loss), adjustment_delay=0.3) \
                as server, self.program(server, ports, sessions, "--bwup", "--duration", "1",
                                        config=SLOW) as program:
            program.wait_line("stderr", "^Result received", 10)
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
            if loss:
                self.assertGreater(len(audit.retransmissions), 10)
            else:
                self.assertEqual(audit.retransmissions, [])
            acks = server.tape.all("control", True, wire.TEST_RESULT)
            self.assertEqual({a.packet.json()["guid"] for a in acks}, {server.tests[0].guid})

    def test_latency(self):
        check_all(self, self.measure_latency, [(p, s, loss) for p in MODES for s in MODES
                                               for loss in (0.0, LOSS)], 6)

    def test_upload(self):
        # What a client is told of sessions changes nothing for it: once is enough.
        check_all(self, self.measure_upload, [(p, p, loss) for p in MODES for loss in (0.0, LOSS)],
                  6)
