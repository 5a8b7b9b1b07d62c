"""The client under test in latency mode, against the independent server: sections 1, 2 and 7."""

import json
import signal
import tempfile
import time

from harness import LATENCY, BinaryTestCase, Program, eventually, run_client
from peer014 import Faults, Server014, wire

LABELS = ("CONTROL  ", "UPLOAD   ", "DOWNLOAD ")
QUICK = {"heartbeat_rate": 50}
ORIGINAL = ("--dialect", "0.14")


class Connecting(BinaryTestCase):
    def test_five_connects_then_a_clear_end(self):
        with Server014(faults=Faults(never_answer=True)) as server:
            program = run_client(server.address, *ORIGINAL, config=QUICK)
            self.assertEqual(program.code, 1)
            self.assertTrue(program.find("stderr", "^Timeout waiting for server response"),
                            program.stderr)
            records = server.tape.all("main", True)
            self.assertEqual([r.data for r in records], [b"CONNECT"] * 5)
            self.assertEqual(len({r.peer for r in records}), 1, "each CONNECT from another port")

    def test_a_late_answer_is_taken(self):
        with Server014(faults=Faults(ignore_connects=2)) as server:
            program = run_client(server.address, "--count", "2", *ORIGINAL, config=QUICK)
            self.assertEqual(program.code, 0, program.errors())
            self.assertGreaterEqual(len(server.tape.all("main", True)), 3)

    def test_a_refusal_ends_with_a_clear_message(self):
        with Server014(faults=Faults(refuse=b"REFUSED no free ports")) as server:
            program = run_client(server.address, config=QUICK)
            self.assertEqual(program.code, 1)
            self.assertRegex(program.errors(), r"(?i)refused")

    def test_nonsense_instead_of_an_assignment(self):
        for nonsense in (b"\xff\xfe\x00", b"7000,7001,7002", b"0,0,0,0", b"7000,7001,7002,99999",
                         b"70000,7001,7002,5", b"a,b,c,d", b"x" * 1400, b"-1,2,3,4", b"1,2,3,4,5"):
            with Server014(faults=Faults(refuse=nonsense)) as server:
                with Program(f"127.0.0.1:{server.address[1]}", config=QUICK) as program:
                    eventually(lambda server=server, program=program: not program.running()
                               or len(server.tape.all("main", True)) > 1, "the next try, or an end")
                    # It may give up at once or wait for a better answer, but must not crash.
                    self.assertIn(program.process.poll(), (None, 1), nonsense)
                    self.assertFalse(program.find("stdout", "connected successfully"))

    def test_closed_port_is_no_answer(self):
        with Server014() as server:
            address = server.address
        program = run_client(address, *ORIGINAL, config=QUICK)
        self.assertEqual(program.code, 1)
        self.assertTrue(program.errors())

    def test_a_second_assignment_is_ignored(self):
        with Server014(faults=Faults(answer_twice=True)) as server:
            program = run_client(server.address, "--count", "3", config=QUICK)
            self.assertEqual(program.code, 0, program.errors())
            keys = {r.packet.channel for r in server.tape.all(incoming=True,
                                                              kind=wire.HEARTBEAT_0)}
            self.assertEqual(keys, {server.ended[0].key if server.ended
                                    else next(iter(server.sessions.values())).key})


class Heartbeats(BinaryTestCase):
    def test_lines_and_packets_of_a_counted_run(self):
        begin = time.time()
        with Server014() as server:
            program = run_client(server.address, "--count", "6", config=QUICK)
            session = next(iter(server.sessions.values()))
        self.assertEqual(program.code, 0, program.errors())
        host, port = server.address
        self.assertTrue(program.find("stdout", rf"^Connecting to server {host}:{port}"))
        self.assertTrue(program.find("stdout", r"^Received port assignment:"))
        self.assertTrue(program.find("stdout", r"^Client connected successfully"))
        for label in LABELS:
            lines = program.find("stderr", rf"^Client latency {label}: {LATENCY}$")
            self.assertEqual(len(lines), 6, (label, program.stderr))
        self.assertRegex("\n".join([*program.stdout, *program.stderr]), r"(?i)average")
        sources = set()
        for role in wire.ROLES:
            beats = server.tape.all(role, True, wire.HEARTBEAT_0)
            echoes = server.tape.all(role, True, wire.HEARTBEAT_2)
            answers = server.tape.all(role, False, wire.HEARTBEAT_1)
            self.assertEqual((len(beats), len(echoes)), (6, 6), role)
            sources.add(beats[0].peer)
            everything = server.tape.all(role, True)
            self.assertEqual({r.packet.channel for r in everything}, {session.key})
            self.assertEqual([r.packet.sequence for r in everything], list(range(12)), role)
            self.assertEqual({r.packet.offset for r in everything}, {0})
            self.assertEqual({r.peer for r in everything}, {beats[0].peer})
            for beat, answer, echo in zip(beats, answers, echoes):
                self.assertTrue(begin <= beat.packet.json()["timestamp"] <= time.time())
                for field in ("client_timestamp", "server_timestamp"):
                    self.assertEqual(echo.packet.tokens()[field], answer.packet.tokens()[field])
        self.assertEqual(len(sources), 3, "three sockets, one for each port")
        self.assertNotIn(server.tape.all("main", True)[0].peer, sources)
        self.assertEqual(session.proven, set(wire.ROLES))

    def test_server_timestamps_are_opaque(self):
        for stamp in ("1732280000", "1732280000.123456789012345678901234567890", "0.5", "1e9"):
            with Server014(faults=Faults(server_timestamp=stamp)) as server:
                program = run_client(server.address, "--count", "2", config=QUICK)
                self.assertEqual(program.code, 0, (stamp, program.errors()))
                echoes = server.tape.all(incoming=True, kind=wire.HEARTBEAT_2)
                self.assertEqual(len(echoes), 6, stamp)
                for echo in echoes:
                    self.assertEqual(echo.packet.tokens()["server_timestamp"], stamp)

    def test_duration_ends_a_latency_run(self):
        with Server014() as server:
            program = run_client(server.address, "--duration", "1", config=QUICK)
            self.assertEqual(program.code, 0, program.errors())
            self.assertGreater(len(server.tape.all("control", True, wire.HEARTBEAT_0)), 1)

    def test_sigint_and_sigterm_print_averages(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with Server014() as server, Program(f"127.0.0.1:{server.address[1]}",
                                                config=QUICK) as program:
                program.wait_line("stderr", "^Client latency DOWNLOAD", count=3)
                self.assertEqual(program.stop(number), 0)
                self.assertRegex("\n".join([*program.stdout, *program.stderr]), r"(?i)average")

    def test_garbage_and_wrong_keys_have_no_effect(self):
        junk = [b"", b"\0", b"\0" * 19, b"\0" * 20, b"\0" * 21, b"\xff" * 1400, b"\xff" * 1401,
                b"x" * 9000, wire.pack(1, 0xffffff, 0, 0, wire.heartbeat_12("1", "2")),
                wire.pack(3, 1, 0, 0, b"\xff\xff\xff\xff"), wire.pack(6, 1, 0, 0, b"{"),
                wire.pack(7, 1, 0, 0, b'{"cmd":"TEST_RESULT","ack":1}'), wire.pack(200, 1, 0)]
        with Server014(faults=Faults(garbage=junk)) as server:
            program = run_client(server.address, "--count", "5", "--json", config=QUICK)
            self.assertEqual(program.code, 0, program.errors())
            document = json.loads("\n".join(program.stdout))
            self.check_result(document)
            for role in wire.ROLES:
                self.assertEqual(len(server.tape.all(role, True, wire.HEARTBEAT_2)), 5)
                self.assertEqual(document["latency"][role]["received"], 5)
            self.assertEqual(server.tape.all(incoming=True, kind=wire.TEST_RESULT), [])

    def test_heartbeats_lost_are_counted_as_lost(self):
        faults = Faults(seed=9, drop_in=0.1, drop_out=0.1)
        with Server014(faults=faults) as server:
            program = run_client(server.address, "--count", "60", "--json",
                                 config={"heartbeat_rate": 20})
            document = json.loads("\n".join(program.stdout))
            self.assertEqual(program.code, 0, program.errors())
            self.check_result(document)
            for role in wire.ROLES:
                answers = server.tape.all(role, False, wire.HEARTBEAT_1, dropped=False)
                figures = document["latency"][role]
                self.assertEqual((figures["sent"], figures["received"]), (60, len(answers)))

    def test_json_goes_to_a_file_and_units_are_right(self):
        with Server014() as server:
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            path = folder.name + "/result.json"
            begin = time.monotonic()
            program = run_client(server.address, "--count", "10", "--json", path, config=QUICK)
            most_ns = 1e9 * (time.monotonic() - begin)
            self.assertEqual(program.code, 0, program.errors())
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
        self.check_result(document)
        self.assertEqual(document["target"], f"127.0.0.1:{server.address[1]}")
        self.assertTrue(document["valid"], document)
        figures = document["latency"]["control"]
        self.assertEqual((figures["sent"], figures["received"], figures["lost"]), (10, 10, 0))
        # No round trip through Python takes under 1 us, and none longer than the whole run.
        self.assertTrue(1_000 < figures["rtt_ns"]["p50"] < most_ns, figures)
