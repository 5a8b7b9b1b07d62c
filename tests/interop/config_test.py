"""Command line and configuration files of the program under test: section 7."""

import itertools
import json
import os
import tempfile
from pathlib import Path

from harness import DIALECTS, BinaryTestCase, Program, Server, free_ports, run_client
from peer014 import Client014, Faults, Server014, wire
from together import check_all

OLD_STYLE = """\
# wyndrvr configuration, as an old version wrote it
bind_addr=127.0.0.1
bind_port={port}    # the main socket
port_ranges={first}-{last}\t# for clients

connection_parallelibility=SINGLE   # one of SINGLE, THREAD, PROCESS
port_parallelability=SINGLE
incoming_blocking_level=0
incoming_sleep=0
send_sleep=0
max_send_time=0
heartbeat_rate=40     # ms
adjustment_delay=1000
flow_control_rate=10
server_block_time=100
client_block_time=100
ucm_delay=100
ucm_rate=100
bw_packet_length=900
duration=30
test_verbose=false  
test_delay=0
test_drop_rate=0.0   
"""


class Files(BinaryTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_old_style_file_serves_both_ends(self):
        base = free_ports(7)
        text = OLD_STYLE.format(port=base, first=base + 1, last=base + 6)
        with Program("--server", config=text) as server:
            server.wait_line("stdout", rf"^Server started on 127\.0\.0\.1:{base}$")
            with Client014(("127.0.0.1", base)) as client:
                self.assertEqual(wire.parse_assignment(client.ask())[:3],
                                 (base + 1, base + 2, base + 3))
        with Server014() as peer:
            # By default there are 5 s between them: they would take longer than is waited for.
            program = run_client(peer.address, "--count", "40", config=text)
            self.assertEqual(program.code, 0, program.errors())
            self.assertEqual(len(peer.tape.all("control", True, wire.HEARTBEAT_0)), 40)

    def test_options_win_over_the_file(self):
        with Server014() as peer:
            program = run_client(peer.address, "--count", "5", "--heartbeat-rate", "30",
                                 config={"heartbeat_rate": 60_000})
            self.assertEqual(program.code, 0, program.errors())
            self.assertEqual(len(peer.tape.all("control", True, wire.HEARTBEAT_0)), 5)

    def test_half_given_server_address_takes_the_rest_from_the_file(self):
        base = free_ports(8)
        config = {"bind_addr": "127.0.0.1", "bind_port": base,
                  "port_ranges": f"{base + 2}-{base + 7}"}
        with Program("--server", f":{base + 1}", config=config) as server:
            server.wait_line("stdout", rf"^Server started on 127\.0\.0\.1:{base + 1}$")
        with Program("--server", "127.0.0.1:", config=config) as server:
            server.wait_line("stdout", rf"^Server started on 127\.0\.0\.1:{base}$")
        with Program("--server", "127.0.0.1", config=config) as server:
            server.wait_line("stdout", rf"^Server started on 127\.0\.0\.1:{base}$")

    def test_bad_values_in_a_file_are_named(self):
        for line in ("heartbeat_rate=soon", "port_ranges=9-1", "test_drop_rate=2",
                     "connection_parallelibility=MANY", "bind_port=70000", "duration=-3",
                     "cpu=0-", "cpu=2,2"):
            key = line.split("=")[0]
            with Program("127.0.0.1:9", config=line + "\n") as program:
                self.assertEqual(program.wait(), 2, line)
                self.assertIn(key, program.errors())

    def test_a_folder_that_holds_config(self):
        base = free_ports(4)
        (self.folder / "config").write_text(
            f"bind_addr=127.0.0.1\nbind_port={base}\nport_ranges={base + 1}-{base + 3}\n")
        with Program("--server", config_path=self.folder) as server:
            server.wait_line("stdout", rf"^Server started on 127\.0\.0\.1:{base}$")

    def test_default_file_is_in_home(self):
        base = free_ports(4)
        home = self.folder / "home"
        (home / ".wyndrvr").mkdir(parents=True)
        (home / ".wyndrvr/config").write_text(
            f"bind_addr=127.0.0.1\nbind_port={base}\nport_ranges={base + 1}-{base + 3}\n")
        with Program("--server", config_path=False, home=home) as server:
            server.wait_line("stdout", rf"^Server started on 127\.0\.0\.1:{base}$")

    def create(self, path, *options):
        """Runs --create-config; stdout."""
        with Program("--create-config", *options, config_path=path,
                     home=self.folder) as program:
            self.assertEqual(program.wait(), 0, program.errors())
            return "\n".join(program.stdout)

    def test_create_edit_and_leave_alone(self):
        path = self.folder / "new.conf"
        text = self.create(path, "--heartbeat-rate", "123", "--port-ranges", "9000-9010",
                           "--cpu", "0-3,6", "--port-parallelability", "process")
        self.assertRegex(text, rf"(?m)^Created .*configuration file: {path}$")
        lines = self.values(path)
        self.assertEqual((lines["heartbeat_rate"], lines["port_ranges"]), ("123", "9000-9010"))
        self.assertEqual((lines["cpu"], lines["port_parallelability"]), ("0-3,6", "process"))
        before = path.read_bytes()
        text = self.create(path, "--heartbeat-rate", "123")
        self.assertRegex(text, rf"(?m)^Configuration file unchanged: {path}$")
        self.assertEqual(path.read_bytes(), before)
        text = self.create(path, "--heartbeat-rate", "456", "--ucm-rate", "70")
        self.assertRegex(text, rf"(?m)^WARNING: Edited existing configuration file: {path}$")
        self.assertRegex(text, r"(?m)^\s*heartbeat_rate: 123 -> 456$")
        self.assertRegex(text, r"(?m)^\s*ucm_rate: .* -> 70$")
        self.assertNotIn("port_ranges:", text)
        lines = self.values(path)
        self.assertEqual((lines["heartbeat_rate"], lines["ucm_rate"], lines["port_ranges"]),
                         ("456", "70", "9000-9010"))

    def test_editing_keeps_comments_and_other_lines(self):
        path = self.folder / "old.conf"
        path.write_text("# mine\nheartbeat_rate=50   # quick\n\nduration=7\n")
        self.create(path, "--heartbeat-rate", "60")
        text = path.read_text()
        self.assertIn("# mine", text)
        self.assertIn("# quick", text)
        lines = self.values(path)
        self.assertEqual((lines["heartbeat_rate"], lines["duration"]), ("60", "7"))

    def test_created_in_home_by_default(self):
        text = self.create(False, "--duration", "9")
        path = self.folder / ".wyndrvr/config"
        self.assertRegex(text, rf"(?m)^Created .*configuration file: {path}$")
        self.assertEqual(self.values(path)["duration"], "9")

    @staticmethod
    def values(path):
        """key -> value of a file, comments gone."""
        pairs = [line.split("#")[0].strip().split("=", 1)
                 for line in path.read_text().splitlines() if line.split("#")[0].strip()]
        return {key.strip(): value.strip() for key, value in pairs}


class Modes(BinaryTestCase):
    """How ports and sessions are placed, and on which CPUs: accepted at both ends."""

    MODES = ("SINGLE", "THREAD", "PROCESS")

    def test_every_combination_measures_at_a_client(self):
        for port, connection in itertools.product(self.MODES, repeat=2):
            with self.subTest(port=port, connection=connection), Server014() as peer, \
                    tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "result.json"
                program = run_client(peer.address, "--count", "3", "--json", path,
                                     "--port-parallelability", port,
                                     "--connection-parallelibility", connection.lower(),
                                     config={"heartbeat_rate": 50})
                self.assertEqual(program.code, 0, program.errors())
                document = json.loads(path.read_text(encoding="utf-8"))
                self.check_result(document)
                self.assertEqual(document["mode"], {"port": port, "connection": connection})
                self.assertEqual("workers" in document, port == "PROCESS")
                if port == "PROCESS":
                    self.check_workers(document["workers"], program.pid)

    def check_workers(self, workers, parent):
        """One process for each port, and none of them the program itself."""
        self.assertEqual(sorted(worker["port"] for worker in workers),
                         ["control", "download", "upload"])
        self.assertEqual(len({worker["pid"] for worker in workers} | {parent}), 4)

    def test_every_combination_serves(self):
        for port, connection in itertools.product(self.MODES, repeat=2):
            config = {"port_parallelability": port, "connection_parallelibility": connection}
            with self.subTest(port=port, connection=connection), Server(config=config) as server:
                with Client014(server.address) as client:
                    client.connect()
                    client.prove()
                server.wait_line("stdout", "^Client connected: ")
                self.assertEqual(server.stop(), 0, server.errors())

    def test_started_ports_are_said_when_verbose(self):
        for port, workers, dialect in (("THREAD", "threads", "1"), ("PROCESS", "processes", "1"),
                                       ("THREAD", "threads", "0.14"),
                                       ("PROCESS", "processes", "0.14")):
            with Server("--test-verbose", "--port-parallelability", port) as server:
                program = run_client(server.address, "--count", "2", "--test-verbose",
                                     "--port-parallelability", port, "--dialect", dialect,
                                     config={"heartbeat_rate": 50})
                self.assertEqual(program.code, 0, program.errors())
                self.assertTrue(program.find(
                    "stderr", rf"^Client started port {workers} \({port} mode\)$"))
                server.wait_line("stderr",
                                 rf"^Started port {workers} for client 127\.0\.0\.1:\d+$")

    def test_loops_run_on_the_cpus_that_were_asked_for(self):
        cpu = max(os.sched_getaffinity(0))
        with Server("--cpu", str(cpu)) as server:
            self.assertEqual(os.sched_getaffinity(server.pid), {cpu})
            program = run_client(server.address, "--count", "2", "--cpu", str(cpu),
                                 config={"heartbeat_rate": 50})
            self.assertEqual(program.code, 0, program.errors())

    def test_cpus_that_cannot_be_used_are_bad_usage(self):
        allowed = sorted(os.sched_getaffinity(0))
        foreign = allowed[-1] + 1
        for arguments in (["127.0.0.1:9"], ["--server", "127.0.0.1:0"]):
            with Program(*arguments, "--cpu", f"{allowed[0]},{foreign}") as program:
                self.assertEqual(program.wait(), 2, program.errors())
                self.assertIn("--cpu", program.errors())
                self.assertRegex(program.errors(),
                                 rf"may not use CPU {foreign}, only {allowed[0]}\b")

    def test_an_empty_list_on_the_command_line_beats_the_file(self):
        with Server014() as peer:
            program = run_client(peer.address, "--count", "2", "--cpu=",
                                 config={"cpu": 8000, "heartbeat_rate": 50})
            self.assertEqual(program.code, 0, program.errors())


class BadUsage(BinaryTestCase):
    def test_bad_options_end_with_two_and_are_named(self):
        for options, name in ((["--no-such-option"], "--no-such-option"),
                              (["--heartbeat-rate", "soon"], "--heartbeat-rate"),
                              (["--heartbeat-rate", "-5"], "--heartbeat-rate"),
                              (["--test-drop-rate", "1.5"], "--test-drop-rate"),
                              (["--duration", "-1"], "--duration"),
                              (["--duration", "nan"], "--duration"),
                              (["--count", "x"], "--count"),
                              (["--bw-packet-length", "9000"], "--bw-packet-length"),
                              (["--port-ranges", "9-1"], "--port-ranges"),
                              (["--port-ranges", "1-70000"], "--port-ranges"),
                              (["--port-parallelability", "FORK"], "--port-parallelability"),
                              (["--connection-parallelibility", "BOTH"],
                               "--connection-parallelibility"),
                              (["--cpu", "x"], "--cpu"),
                              (["--cpu", "3-1"], "--cpu"),
                              (["--cpu", "1,1"], "--cpu"),
                              (["--cpu", "1,,2"], "--cpu"),
                              (["--cpu", "0-8191"], "--cpu"),
                              (["--cpu", "-1"], "--cpu"),
                              (["--cpu"], "--cpu"),
                              (["--flow-control-rate", "0"], "--flow-control-rate")):
            with Program("127.0.0.1:9", *options) as program:
                self.assertEqual(program.wait(), 2, (options, program.errors()))
                self.assertIn(name, program.errors())

    def test_bad_addresses(self):
        for address in ("127.0.0.1:99999", "127.0.0.1:x"):
            with Program(address) as program:
                self.assertEqual(program.wait(), 2, program.errors())
                self.assertTrue(program.errors())

    def test_version_and_help(self):
        for option in ("--version", "--help"):
            with Program(option) as program:
                self.assertEqual(program.wait(), 0)
                self.assertTrue(program.stdout)
        for key in ("--port-ranges", "--idle-timeout", "--heartbeat-rate", "--json", "--count",
                    "--bwup", "--create-config", "--test-drop-rate", "--cpu",
                    "--port-parallelability", "--connection-parallelibility"):
            self.assertIn(key, "\n".join(program.stdout))

    def test_full_drop_rate_of_a_client_sends_nothing(self):
        with Server014() as peer:
            check_all(self, self.drop_everything, [(peer, dialect) for dialect in DIALECTS])
            self.assertEqual(peer.tape.all(), [])

    def drop_everything(self, peer, dialect):
        program = run_client(peer.address, "--test-drop-rate", "1.0", "--dialect", dialect)
        self.assertEqual(program.code, 1)

    def test_delay_slows_but_works(self):
        with Server014(faults=Faults()) as peer:
            program = run_client(peer.address, "--count", "3", "--test-delay", "20",
                                 config={"heartbeat_rate": 100})
            self.assertEqual(program.code, 0, program.errors())
            self.assertEqual(len(peer.tape.all("upload", True, wire.HEARTBEAT_2)), 3)

    def test_verbose_server_lines(self):
        with Server("--test-verbose") as server, Client014(server.address) as client:
            client.connect()
            client.prove()
            channel = client.request_upload(0.4)
            packet = client.expect("control", wire.TEST_RESULT, channel=channel)
            client.send("control", wire.TEST_RESULT, channel,
                        wire.result_ack(packet.json()["guid"]))
            for pattern in ("^Server received BWUP packet from", "^Server sent UCM",
                            r"^Server deleted UCM .*\(ack=0\)",
                            f"^Server started upload bandwidth test on channel {channel}",
                            f"^Server sent FLOW_CONTROL on channel {channel}"):
                server.wait_line("stderr", pattern)
