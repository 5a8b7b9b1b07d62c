"""A program and all processes that it started: who they are, what they hold, whether they go.

Each program is the leader of a process group of its own, and its workers stay in that group. So
what is left of a program is found also when the program itself is gone, and other programs of the
same name on this machine are left alone.
"""

import json
import os
import re
import resource
import signal
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "interop"))

from harness import (DIALECTS, BinaryTestCase, Program, Server,  # noqa: E402,F401  (needs the path
                     eventually, pass_time, promptly)             # above; tests take some from here)
from peer014 import Server014  # noqa: E402
from together import check_all, reserve_ports  # noqa: E402,F401  (the tests take it from here)

ROLES = ("control", "upload", "download")
SINGLE, THREAD, PROCESS = MODES = ("SINGLE", "THREAD", "PROCESS")
SLOW = {"send_sleep": 3000, "heartbeat_rate": 100}   # a test that leaves the machine to others

# Workers that die of SIGSEGV or SIGABRT need not leave their memory behind.
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def modes(ports, sessions=None):
    """The options for a mode of the ports and, for a server, one of the sessions."""
    options = ["--port-parallelability", ports]
    return options + (["--connection-parallelibility", sessions] if sessions else [])


def both(cases):
    """Each case once for each dialect, which comes first."""
    return [(dialect, *case) for case in cases for dialect in DIALECTS]


def read(pid, name):
    """A file of /proc/PID, or None where there is no such process."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return None


def stat_of(pid):
    """(state, parent, group) of a process, or None."""
    text = read(pid, "stat")
    if not text:
        return None
    fields = text[text.rindex(b")") + 2:].split()
    return fields[0].decode(), int(fields[1]), int(fields[2])


def title_of(pid):
    """What ps(1) shows: argv of a process, joined; empty for a zombie."""
    return (read(pid, "cmdline") or b"").rstrip(b"\0").replace(b"\0", b" ").decode()


def status_of(pid):
    """/proc/PID/status as a dict of strings."""
    lines = (read(pid, "status") or b"").decode().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def state_of(pid):
    """R, S, T, Z, …, or None."""
    stat = stat_of(pid)
    return stat and stat[0]


class Family:
    """Mixed into a Program: it and its workers are a process group, and end together.

    The group is that of a daemon: no terminal stops it, and nobody wakes a stopped worker whose
    leader has ended.
    """
    SPAWN = {"start_new_session": True}

    def members(self):
        """pid -> (state, parent) of all processes of the group, zombies included."""
        found = {}
        for name in os.listdir("/proc"):
            stat = stat_of(name) if name.isdigit() else None
            if stat and stat[2] == self.pid:
                found[int(name)] = stat[:2]
        return found

    def titled(self):
        """pid -> title of all workers."""
        titles = {pid: title_of(pid) for pid in self.members() if pid != self.pid}
        return {pid: title for pid, title in titles.items() if title.startswith("wyndrvr: ")}

    def workers(self, peer=None):
        """Role -> pid of the workers, of all or of those whose title ends with `peer`."""
        found = {}
        for pid, title in self.titled().items():
            match = re.fullmatch(r"wyndrvr: (\w+) (\S+)", title)
            if match and peer in (None, match[2]):
                found[match[1]] = pid
        return found

    def wait_workers(self, roles=ROLES, peer=None):
        """Role -> pid, once there is one for each role."""
        return eventually(lambda: (found := self.workers(peer)).keys() >= set(roles) and found,
                          f"workers {roles} of {self.command[-1]}")

    def left(self):
        """What is left beside the leader. init may take its time to reap what it inherited."""
        return {pid: (*stat, title_of(pid)) for pid, stat in self.members().items()
                if pid != self.pid and stat != ("Z", 1)}

    def wait_alone(self):
        """Waits until no worker is left."""
        eventually(lambda: not self.left(), lambda: f"no workers; there are {self.left()}")

    def wait_reaped(self):
        """Waits until there is no process of it, not even a zombie at init."""
        eventually(lambda: not self.members(), lambda: f"nobody; there are {self.members()}")

    def wait_stopped(self):
        """Waits until its main process stands still (SIGSTOP)."""
        eventually(lambda: state_of(self.pid) == "T", "a stop")

    def signal_group(self, number):
        """As a terminal does it."""
        os.killpg(self.pid, number)

    def descriptors(self, pid=None):
        """Descriptor -> what it is, of the leader or another process."""
        folder = Path(f"/proc/{pid or self.pid}/fd")
        found = {}
        for entry in os.listdir(folder):
            try:
                found[int(entry)] = os.readlink(folder / entry)
            except OSError:
                continue             # closed since
        return found

    def threads(self):
        """How many threads its main process has."""
        return int(status_of(self.pid)["Threads"])

    def kill(self):
        """Ends it and all that it started, in any case."""
        for pid in self.members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        super().kill()


class Client(Family, Program):
    """A client of one dialect with --json; `document()` is what it wrote."""

    def __init__(self, address, *arguments, dialect="1", config=None, **options):
        self.dialect = dialect
        super().__init__(f"{address[0]}:{address[1]}", *arguments, "--json", "--dialect", dialect,
                         config={"heartbeat_rate": 20} if config is None else config, **options)

    def document(self):
        """Its result."""
        return json.loads("\n".join(self.stdout))

    def lines(self, role):
        """How many round trips of a port it has shown."""
        return len(self.find("stderr", f"^Client latency {role.upper()} "))

    def wait_beats(self, count=2, roles=ROLES):
        """Waits for `count` more round trips of each role."""
        goals = {role: self.lines(role) + count for role in roles}
        eventually(lambda: all(self.lines(r) >= goal for r, goal in goals.items()),
                   lambda: f"{count} more heartbeats on {roles}: {self.stderr[-3:]}")


class Host(Server, Family, Program):
    """A server. `ports` is how many it may give away, three for each client."""

    def __init__(self, *arguments, ports=30, **options):
        super().__init__(*arguments, ports=ports, first=reserve_ports(ports + 1) + 1, **options)

    def losses(self):
        """What it said about lost ports and sessions."""
        return self.find("stderr", r"^Client \S+: \w+ worker ")


def server_of(dialect):
    """A server to test clients with; that of 0.14 is the independent peer."""
    return Server014() if dialect == "0.14" else Host(ports=3)


class Job:
    """Mixed into a Family: its group is one that a shell starts, and that a terminal suspends."""
    SPAWN = {"process_group": 0}


class ClientJob(Job, Client):
    """A client that can be suspended."""


class HostJob(Job, Host):
    """A server that can be suspended."""


class FaultTestCase(BinaryTestCase):
    """A test of programs and their workers."""

    def result_of(self, client, code):
        """The checked result of a client that is about to end with this exit code."""
        self.assertEqual(client.wait(), code, client.errors())
        client.wait_alone()
        document = client.document()
        self.check_result(document, dialect=client.dialect)
        return document
