"""Connecting to the server under test: sections 1 and 7, and what a stranger may not do."""

import re
import signal

from harness import LATENCY, PATIENCE, BinaryTestCase, Program, Server
from peer014 import Client014, wire


class Assignment(BinaryTestCase):
    def test_lowest_free_ports_come_first_and_a_repeat_gets_the_same(self):
        with Server() as server, Client014(server.address) as a, Client014(server.address) as b:
            first = wire.parse_assignment(a.ask())
            self.assertEqual(first[:3], (server.first, server.first + 1, server.first + 2))
            for _ in range(3):
                self.assertEqual(wire.parse_assignment(a.ask()), first)
            second = wire.parse_assignment(b.ask())
            self.assertEqual(second[:3], (server.first + 3, server.first + 4, server.first + 5))
            self.assertEqual(wire.parse_assignment(a.ask()), first)

    def test_a_half_proven_client_still_gets_the_same_numbers(self):
        with Server() as server, Client014(server.address) as client:
            first = client.connect()
            client.beat(["control", "upload"])
            self.assertTrue(client.run(PATIENCE, until=lambda: len(client.answered) == 2))
            self.assertEqual(wire.parse_assignment(client.ask()), first)

    def test_connect_after_comms_up_does_not_disturb_the_session(self):
        with Server() as server, Client014(server.address) as client:
            client.connect()
            client.prove()
            client.ask(timeout=0.3)
            client.answered.clear()
            client.prove()

    def test_keys_differ_between_clients(self):
        with Server() as server:
            clients = [Client014(server.address) for _ in range(6)]
            keys = {client.connect()[3] for client in clients}
            for client in clients:
                client.close()
        self.assertGreater(len(keys), 3)

    def test_ranges_with_commas_are_used_in_order(self):
        with Server(ports=12) as server:
            spare = server.first
            server.stop()
        ranges = f"{spare}-{spare + 1},{spare + 4}-{spare + 6}"
        with Program("--port-ranges", ranges, "--server", f"127.0.0.1:{spare - 1}") as server:
            server.wait_line("stdout", "^Server started on")
            with Client014(("127.0.0.1", spare - 1)) as client:
                assignment = wire.parse_assignment(client.ask())
        self.assertEqual(assignment[:3], (spare, spare + 1, spare + 4))

    def test_what_is_not_connect_gets_no_answer(self):
        junk = [b"", b"C", b"CONNEC", b"connect", b"CONNECTX", b"CONNECT\0", b"\0" * 20,
                b"x" * 1400, b"x" * 9000, b"CONNECT" * 200, b"\xff" * 21, b"7000,7001,7002,1",
                wire.pack(0, 1, 0, 0, wire.heartbeat_0("1.5"))]
        with Server() as server, Client014(server.address) as client:
            for datagram in junk:
                client.main.send(datagram, server.address)
            self.assertIsNone(client.listen_main(0.5))
            assignment = wire.parse_assignment(client.ask())
            self.assertEqual(assignment[0], server.first, "junk took ports")

    def test_no_more_answers_than_connects_before_proof(self):
        with Server() as server, Client014(server.address) as client:
            answers = 1 if client.ask() else 0
            while client.listen_main(1.2) is not None:
                answers += 1
            self.assertEqual(answers, 1)


class Lines(BinaryTestCase):
    def test_lines_that_scripts_look_for(self):
        with Server() as server, Client014(server.address, heartbeat_rate=0.1) as client:
            host, port = client.main.address
            client.connect()
            client.prove()
            patterns = [rf"^Server latency on {label} to {re.escape(host)}:{port}: {LATENCY}$"
                        for label in ("CONTROL  ", "UPLOAD   ", "DOWNLOAD ")]
            client.run(PATIENCE, until=lambda: all(len(server.find("stderr", pattern)) >= 3
                                                   for pattern in patterns))
            server.wait_line("stdout", rf"^Client connected: {re.escape(host)}:{port}$")
            for pattern in patterns:
                server.wait_line("stderr", pattern, count=3)
            lines = server.find("stderr", r"^Server latency on")
            values = [float(re.search(r": (-?[\d.]+) ms$", line)[1]) for line in lines]
            self.assertTrue(all(0 <= v for v in values), values)
            connected = server.find("stdout", r"^Client connected:")
            self.assertEqual(len(connected), 1, connected)

    def test_sigterm_ends_with_zero_and_averages(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Server() as server, Client014(server.address, heartbeat_rate=0.1) as client:
                client.connect()
                client.prove()
                before = len(server.stdout) + len(server.stderr)
                self.assertEqual(server.stop(number), 0)
                last = "\n".join([*server.stdout, *server.stderr])
                self.assertGreater(len(server.stdout) + len(server.stderr), before)
                self.assertRegex(last, r"(?i)average")

    def test_a_second_server_on_the_port_fails_with_a_message(self):
        with Server() as server:
            with Program("--server", f"127.0.0.1:{server.address[1]}") as other:
                self.assertEqual(other.wait(), 1)
                self.assertRegex(other.errors(), str(server.address[1]))
                self.assertRegex(other.errors(), r"(?i)in use|already|cannot|could not|failed")
            with Client014(server.address) as client:
                client.connect()

    def test_full_drop_rate_sends_nothing(self):
        with Server("--test-drop-rate", "1.0") as server, Client014(server.address) as client:
            for _ in range(3):
                self.assertIsNone(client.ask(timeout=0.3))
            self.assertTrue(server.running())
