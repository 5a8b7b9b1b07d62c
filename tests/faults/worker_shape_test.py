"""What a worker process is: its name, its rights, its descriptors, its memory."""

import re
from pathlib import Path

from processes import (DIALECTS, PROCESS, ROLES, SINGLE, THREAD, Client, FaultTestCase, Host,
                       eventually, modes, read, status_of)
from harness import BINARY  # after processes, which puts it on the path

MOST_DESCRIPTORS = 96    # a client's port has a socket of its own for each of up to 64 streams
MOST_PSS_KIB = 2048      # what a worker may cost, its share of shared pages included
SANITIZED = (b"__asan_", b"__tsan_", b"__msan_")


def built_with():
    """(system call filter, sanitizer) of the program under test."""
    image = BINARY.read_bytes()
    sanitizer = any(mark in image for mark in SANITIZED)
    return b"libseccomp.so" in image and not sanitizer, sanitizer


def pss_kib(pid):
    """Proportional set size, or 0 where the process has gone."""
    found = re.search(rb"^Pss:\s+(\d+) kB", read(pid, "smaps_rollup") or b"", re.M)
    return int(found[1]) if found else 0


def inodes(table):
    """The inodes of a table of sockets in /proc/net."""
    at = {"udp": 9, "unix": 6}[table]
    rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return {row[at] for row in rows}


def kinds(descriptors):
    """Sorted kinds of descriptors from 3 on: channel, epoll, pidfd, signals, udp, words (a pipe)."""
    tables = {"udp": inodes("udp"), "channel": inodes("unix")}
    found = []
    for number, what in descriptors.items():
        if number < 3:
            continue
        inode = re.match(r"socket:\[(\d+)\]", what)
        names = {"anon_inode:[eventpoll]": "epoll", "anon_inode:[pidfd]": "pidfd",
                 "anon_inode:[signalfd]": "signals"}
        socket = next((k for k, v in tables.items() if inode and inode[1] in v), None)
        words = "words" if what.startswith("pipe:") else what
        found.append(socket or names.get(what, words))
    return sorted(found)


class Shape(FaultTestCase):
    def pair(self, dialect, ports=PROCESS, sessions=SINGLE, client_ports=PROCESS):
        """A server and a client that has had answers on all ports."""
        host = Host(*modes(ports, sessions), prefix=("env", "WYNDRVR_TEST_SECRET=1"))
        self.addCleanup(host.kill)
        client = Client(host.address, *modes(client_ports), dialect=dialect,
                        prefix=("env", "WYNDRVR_TEST_SECRET=1"))
        self.addCleanup(client.kill)
        client.wait_beats()
        return host, client

    def check_rights(self, pid, filtered=True):
        status = status_of(pid)
        self.assertEqual(status["NoNewPrivs"], "1")
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        if built_with()[0]:
            self.assertEqual(status["Seccomp"], "2" if filtered else "0")

    def check_surroundings(self, program, pid):
        names = {entry.split(b"=")[0] for entry in read(pid, "environ").split(b"\0") if entry}
        self.assertEqual({n for n in names if not n.endswith(b"SAN_OPTIONS")}
                         - {b"LD_LIBRARY_PATH"}, set())
        self.assertIn(b"WYNDRVR_TEST_SECRET=1", read(program.pid, "environ"))
        held, own = program.descriptors(pid), program.descriptors()
        self.assertEqual([held[n] for n in (0, 1)], ["/dev/null", "/dev/null"])
        if not built_with()[1]:
            # What it writes goes to its supervisor alone.
            self.assertRegex(held[2], "^pipe:")
            self.assertNotIn(held[2], [own[n] for n in (0, 1, 2)])
        limit = re.search(rb"Max open files\s+(\d+)\s+(\d+)", read(pid, "limits"))
        return kinds(held), int(limit[2])

    def check_ports(self, program, peers, workers):
        for role in ROLES:
            with self.subTest(program=program.command[-1], role=role):
                pid = workers[role]
                self.assertEqual(read(pid, "cmdline"),
                                 f"wyndrvr: {role} {peers[role]}".encode() + b"\0")
                self.assertEqual(read(pid, "comm"), f"wyndrvr:{role}"[:15].encode() + b"\n")
                self.check_rights(pid)
                held, limit = self.check_surroundings(program, pid)
                siblings = ["channel"] * (2 if role == "control" else 1)
                self.assertEqual(held, sorted(["channel", "udp", "epoll", "signals", *siblings]))
                self.assertLessEqual(limit, MOST_DESCRIPTORS)
                self.assertEqual(status_of(pid)["Threads"], "1")

    def client_address(self, host):
        """Where the server's one client is."""
        return host.wait_line("stdout", r"^Client connected: ").split()[-1]

    def test_three_processes_at_each_end(self):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                self.check_three_at_each_end(dialect)

    def check_three_at_each_end(self, dialect):
        host, client = self.pair(dialect)
        assigned = client.find("stderr", "^Received port assignment:")[0]
        ports = re.findall(r"\w+ (\d+)", assigned)
        self.check_ports(client, {role: f"{host.address[0]}:{port}"
                                  for role, port in zip(ROLES, ports)}, client.wait_workers())
        peer = self.client_address(host)
        self.check_ports(host, dict.fromkeys(ROLES, peer), host.wait_workers())
        self.assertEqual(len(host.members()), 4, host.left())
        self.assertEqual(len(client.members()), 4, client.left())
        pids = {role: client.workers()[role] for role in ROLES}
        client.process.terminate()
        document = self.result_of(client, 0)
        self.assertEqual({w["port"]: w["pid"] for w in document["workers"]}, pids)

    def check_session(self, dialect, ports, filtered, threads, expected):
        """The server, with one client's session, and the descriptor limit of the session."""
        host, _ = self.pair(dialect, ports, PROCESS, SINGLE)
        pid = host.wait_workers(["session"])["session"]
        self.assertEqual(read(pid, "cmdline"),
                         f"wyndrvr: session {self.client_address(host)}".encode() + b"\0")
        self.assertEqual(read(pid, "comm"), b"wyndrvr:session\n")
        self.check_rights(pid, filtered)
        held, limit = self.check_surroundings(host, pid)
        if expected is not None:
            self.assertEqual(held, sorted(expected))
        self.assertEqual(held.count("udp"), 0 if ports == PROCESS else 3)
        self.assertEqual(int(status_of(pid)["Threads"]), threads)
        return host, limit

    def test_a_process_for_a_session(self):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                host, limit = self.check_session(dialect, SINGLE, True, 1,
                                                 ["channel", "epoll", "signals", *["udp"] * 3])
                self.assertLessEqual(limit, MOST_DESCRIPTORS)
                self.assertEqual(len(host.members()), 2, host.left())

    def test_a_process_for_a_session_with_threads(self):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                host, limit = self.check_session(dialect, THREAD, True, 4, None)
                self.assertLessEqual(limit, 64)
                self.assertEqual(len(host.members()), 2, host.left())

    def test_a_process_for_a_session_with_processes(self):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                self.check_session_with_processes(dialect)

    def check_session_with_processes(self, dialect):
        host, _ = self.check_session(dialect, PROCESS, False, 1,
                                     ["channel", "epoll", "signals", *["channel"] * 3,
                                      *["pidfd"] * 3, *["words"] * (0 if built_with()[1] else 3)])
        workers = host.workers()
        for role in ROLES:
            self.assertEqual(status_of(workers[role])["PPid"], str(workers["session"]))
            self.check_rights(workers[role])
        self.assertEqual(len(host.members()), 5, host.left())


class Memory(FaultTestCase):
    def peak(self, *programs):
        """Title -> the most memory of any worker, seen until the client has its result or ends."""
        peaks = {}
        client = programs[-1]

        def is_over():
            for program in programs:
                for pid, title in program.titled().items():
                    peaks[title] = max(peaks.get(title, 0), pss_kib(pid))
            return client.find("stderr", "^Result received") or not client.running()

        eventually(is_over, "an end of the test")
        return peaks

    def check(self, expected, sessions, *options):
        if built_with()[1]:
            self.skipTest("a sanitizer's memory is not the program's")
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                self.check_one(dialect, expected, sessions, *options)

    def check_one(self, dialect, expected, sessions, *options):
        ports = SINGLE if sessions == PROCESS else PROCESS
        with Host(*modes(ports, sessions), *options) as host, \
                Client(host.address, "--bwup", "--duration", "1.5", *modes(PROCESS), *options,
                       dialect=dialect) as client:
            client.wait_beats()
            idle = {title: pss_kib(pid) for p in (host, client)
                    for pid, title in p.titled().items()}
            peaks = self.peak(host, client)
            client.finish()
            self.result_of(client, 0)
        print(f"{self.id()} in {dialect}: KiB idle {sorted(idle.values())}, under load "
              f"{sorted(peaks.values())}")
        self.assertEqual(len(peaks), expected, peaks)
        for title, kib in {**idle, **peaks}.items():
            self.assertTrue(0 < kib <= MOST_PSS_KIB, (title, kib))

    def test_of_ports_at_full_speed(self):
        self.check(6, SINGLE)

    def test_of_ports_with_loss(self):
        self.check(6, SINGLE, "--test-drop-rate", "0.1")

    def test_of_sessions_at_full_speed(self):
        self.check(4, PROCESS)
