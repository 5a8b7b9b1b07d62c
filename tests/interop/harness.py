"""Starts, watches and stops the program under test. Every wait is bounded.

The program's path comes from WYNDRVR, by default build/release/wyndrvr of this repository. It
always gets a configuration file of its own and an empty HOME.
"""

import functools
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from peer014.server import Server014

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("WYNDRVR", ROOT / "build/release/wyndrvr")).absolute()
SCHEMA = ROOT / "docs/schema/result-1.json"
# What must come is waited for at least this long. No test depends on it but to fail: a machine that
# is busy, or that its host stops for a while, must not fail one.
PATIENCE = 120.0
POLL_SECONDS = (0.005, 0.05)         # between two looks at what is waited for: at first, at most
DIALECTS = ("0.14", "1")
LATENCY = r"-?\d+(\.\d+)? ms"
FIRST_PORT, PORT_SHARE, SHARES = 20000, 2000, 6
# Problems that tell of a busy host: its sockets overflowed, it was late, it sent too slowly.
BUSY_HOST = ("W102", "W105", "W109")


@functools.cache
def _port_share():
    """The claim to a share of the ports, and how many of them have been given.

    While a client still speaks to a server that was killed, another process's tests must not get
    that server's ports: to the client it would then only be silent, and not gone. The claim is a
    name among this network namespace's abstract sockets (unix(7)); it ends with the process.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for share in random.sample(range(SHARES), SHARES):
        first = FIRST_PORT + share * PORT_SHARE
        try:
            claim.bind(f"\0wyndrvr-test-ports-{first}")
        except OSError:
            continue
        return {"claim": claim, "first": first, "given": 0}
    raise RuntimeError(f"{SHARES} processes use the ports of the tests already")


def free_ports(count):
    """The first of `count` consecutive UDP ports that are all free on every address."""
    share = _port_share()
    for _ in range(200):
        if share["given"] + count > PORT_SHARE:
            share["given"] = 0
        base = share["first"] + share["given"]
        share["given"] += count
        sockets = []
        try:
            for port in range(base, base + count):
                sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sockets[-1].bind(("0.0.0.0", port))
            return base
        except OSError:
            continue
        finally:
            for sock in sockets:
                sock.close()
    raise RuntimeError("no free ports")


def looks(seconds):
    """Comes round whenever it is time for another look at something, until the time is over.

    The only place where a test sleeps.
    """
    deadline, pause = time.monotonic() + seconds, POLL_SECONDS[0]
    while True:
        over = time.monotonic() >= deadline
        yield
        if over:
            return
        time.sleep(pause)
        pause = min(1.3 * pause, POLL_SECONDS[1])


@functools.cache
def promptly():
    """Words before a command that must not be late on a busy machine; none where not allowed.

    For what the program counts as lost because it came after a test's end. Not at full speed: these
    processes go before all others.
    """
    words = ("chrt", "--fifo", "1")
    tried = subprocess.run([*words, "true"], check=False, stderr=subprocess.DEVNULL)
    return words if tried.returncode == 0 else ()


def eventually(condition, what):
    """The first true value of condition(); AssertionError where there is none in time.

    `what` says what was waited for, or is a function that does.
    """
    for _ in looks(PATIENCE):
        value = condition()
        if value:
            return value
    raise AssertionError(f"not within {PATIENCE:.0f} s: {what() if callable(what) else what}")


def pass_time(seconds):
    """Lets a time-out of the program run out, where nothing shows that it has.

    Only for what must not happen in the meantime: what must is waited for by `eventually`.
    """
    end = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= end, f"{seconds} s")


class Line(str):
    """A line of output that knows when it came."""
    time = 0.0


class Program:
    """One run of the program under test, with its output collected line by line."""
    SPAWN = {}               # further arguments of Popen

    def __init__(self, *arguments, config=None, prefix=(), config_path=None, home=None):
        self.folder = Path(tempfile.mkdtemp(prefix="wyndrvr-test-"))
        self.home = Path(home) if home else self.folder / "home"
        self.home.mkdir(exist_ok=True)
        if config_path is None:
            config_path = self.folder / "config"
            text = config if isinstance(config, str) else "".join(
                f"{key}={value}\n" for key, value in (config or {}).items())
            config_path.write_text(text, encoding="utf-8")
        options = ["--config", str(config_path)] if config_path else []
        self.command = [*prefix, str(BINARY), *options, *map(str, arguments)]
        environment = {"HOME": str(self.home), "PATH": os.environ.get("PATH", ""),
                       "LC_ALL": "C.UTF-8"}
        environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment, **self.SPAWN)
        self.stdout, self.stderr = [], []
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                         for pair in ((self.process.stdout, self.stdout),
                                      (self.process.stderr, self.stderr))]
        for reader in self._readers:
            reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()
        if exception[0] is not None and not issubclass(exception[0], unittest.SkipTest):
            print(f"\n--- {' '.join(self.command)} -> {self.process.returncode}")
            for name, lines in (("stdout", self.stdout), ("stderr", self.stderr)):
                for line in lines[-15:]:
                    print(f"    {name}: {line[:200]}")

    @staticmethod
    def _read(stream, lines):
        for raw in stream:
            line = Line(raw.decode("utf-8", "replace").rstrip("\n"))
            line.time = time.monotonic()
            lines.append(line)

    @property
    def pid(self):
        """The process's id."""
        return self.process.pid

    def count_descriptors(self):
        """How many descriptors its main process has open: each port that a client has is one."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def running(self):
        """Whether it has not ended."""
        return self.process.poll() is None

    def find(self, stream, pattern):
        """All lines so far of a stream in which the regular expression is found."""
        return [line for line in list(getattr(self, stream)) if re.search(pattern, line)]

    def wait_line(self, stream, pattern, timeout=0.0, count=1):
        """The count-th line that matches; AssertionError where it does not come in time."""
        timeout = max(timeout, PATIENCE)
        lines, seen = getattr(self, stream), 0
        for _ in looks(timeout):
            over = not self.running() and not self._reading()    # before the look, not after it
            for line in lines[seen:]:
                seen += 1
                count -= re.search(pattern, line) is not None
                if count == 0:
                    return line
            if over:
                break
        raise AssertionError(f"no line like {pattern!r} on {stream} within {timeout} s, or "
                             f"{count} too few; got {lines[-10:]}")

    def _reading(self):
        return any(reader.is_alive() for reader in self._readers)

    def wait(self, timeout=0.0):
        """The exit code; AssertionError where it does not end in time."""
        timeout = max(timeout, PATIENCE)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s: {self.command[1:]}") from None
        for reader in self._readers:
            reader.join(PATIENCE)    # until the last of its workers has closed the pipes, too
        for server in list(Server014.live):
            server.settle()          # what it sent last is on the tape
        return code

    def stop(self, number=signal.SIGTERM, timeout=0.0):
        """Sends the signal and returns the exit code."""
        self.process.send_signal(number)
        return self.wait(timeout)

    def finish(self, timeout=0.0):
        """The exit code of a client that ends by itself; in 0.14 it need not linger."""
        for _ in looks(max(timeout, PATIENCE)):
            if self.find("stderr", "^Result received; acknowledging repeats"):
                return self.stop()
            if not self.running():
                break
        return self.wait()

    def kill(self):
        """Ends it in any case and removes its folder."""
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for reader in self._readers:
            reader.join(2)
        self.process.stdout.close()
        self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def errors(self):
        """All of stderr, for messages."""
        return "\n".join(self.stderr)


# All clients of a test come from one address, which a server would give a share of its ports.
NO_SHARES = {"--max-sessions-per-address": 512, "--max-sessions-per-network": 1024,
             "--max-unproven-sessions": 400}


class Server(Program):
    """The program as a server on a free port with a port range of its own.

    Without `shares` one address may have all of it, unless the test says otherwise."""

    def __init__(self, *arguments, config=None, ports=30, host="127.0.0.1", prefix=(), port=None,
                 first=None, shares=False):
        if not shares:
            chosen = {*arguments, *("--" + key.replace("_", "-") for key in config or {})}
            arguments = (*(word for option, value in NO_SHARES.items() if option not in chosen
                           for word in (option, str(value))), *arguments)
        base = free_ports(ports + 1) if first is None else first - 1
        self.address = (host, base if port is None else port)
        self.first, self.last = base + 1, base + ports
        super().__init__("--port-ranges", f"{self.first}-{self.last}", *arguments,
                         "--server", f"{host}:{self.address[1]}", config=config, prefix=prefix)
        try:
            self.wait_line("stdout", rf"^Server started on {re.escape(host)}:{self.address[1]}")
        except AssertionError:
            self.__exit__(AssertionError, None, None)
            raise


def run_client(address, *arguments, config=None, timeout=0.0, prefix=()):
    """Runs a client to its end; the Program with `code` set."""
    program = Program(f"{address[0]}:{address[1]}", *arguments, config=config, prefix=prefix)
    with program:
        program.code = program.wait(timeout)
    return program


def troubles(document):
    """A document's problems but those that tell of a busy host."""
    return [p for p in document["problems"] if p["code"] not in BUSY_HOST]


def needs_binary():
    """Skips where there is nothing to test; fails instead where WYNDRVR names it explicitly."""
    if not os.access(BINARY, os.X_OK):
        if "WYNDRVR" in os.environ:
            raise AssertionError(f"WYNDRVR={BINARY} is not a program")
        raise unittest.SkipTest(f"no program at {BINARY}")


class BinaryTestCase(unittest.TestCase):
    """A test that needs the program."""

    @classmethod
    def setUpClass(cls):
        needs_binary()

    def measure(self, address, *arguments, code=0, dialect="1", config=None, timeout=0.0):
        """The checked result of a client that runs to its end."""
        with Program(f"{address[0]}:{address[1]}", *arguments, "--json", config=config) as program:
            self.assertEqual(program.finish(timeout), code, f"{arguments}: {program.errors()}")
        document = json.loads("\n".join(program.stdout))
        self.check_result(document, dialect=dialect)
        self.assertIs(document["valid"], code == 0, document["problems"])
        return document

    def assert_untroubled(self, document):
        """No problem but those of a busy machine."""
        self.assertEqual(troubles(document), [])

    def problem(self, document, code):
        """The message of the one problem with this code."""
        found = [p["message"] for p in document["problems"] if p["code"] == code]
        self.assertEqual(len(found), 1, document["problems"])
        return found[0]

    def check_result(self, document, schema=True, dialect=None):
        """Schema and invariants of wyndrvr-result/1; where one is named, also the dialect."""
        self.assertEqual(document["schema"], "wyndrvr-result/1")
        self.assertIn(document["dialect"], (dialect,) if dialect else DIALECTS)
        self.assertEqual(document["tool"]["name"], "wyndrvr")
        self.assertRegex(document["run_id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-"
                                             r"[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertRegex(document["started_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self._check_numbers(document, "$")
        for latency in [document.get("latency", {})] + [t.get("latency", {})
                                                        for t in document.get("tests", [])]:
            for role, figures in latency.items():
                self.assertIn(role, ("control", "upload", "download"))
                self.assertEqual(figures["sent"], figures["received"] + figures["lost"], role)
                for name in ("rtt_ns", "network_rtt_ns"):
                    self._check_quantiles(figures.get(name, {}))
        for test in document.get("tests", []):
            self._check_test(test)
        if schema:
            self._check_schema(document)

    def _check_test(self, test):
        packets = test["packets"]
        if {"sent", "unique", "lost"} <= packets.keys():
            self.assertEqual(packets["sent"], packets["unique"] + packets["lost"], packets)
        if {"received", "unique", "duplicate"} <= packets.keys():
            self.assertEqual(packets["received"], packets["unique"] + packets["duplicate"])
        if "lost_by_cause" in test:
            self.assertEqual(sum(test["lost_by_cause"].values()), packets["lost"], test)
        if test.get("intervals"):
            self.assertEqual(sum(i["bytes"] for i in test["intervals"]), test["bytes_received"])
        if "rate_bps" in test and "bytes_received" in test:
            # n datagrams span n - 1 gaps: of a server that says the test's length, n.
            counted = packets["received"] - (1 if "unique" in packets else 0)
            bits = 8 * test["bytes_received"] * counted / packets["received"]
            self.assertAlmostEqual(test["rate_bps"] * test["duration_s"], bits,
                                   delta=0.001 * bits + 1)

    def _check_quantiles(self, figures):
        names = [n for n in ("min", "p50", "p90", "p95", "p99", "p99_9", "max") if n in figures]
        values = [figures[n] for n in names]
        self.assertEqual(values, sorted(values), dict(zip(names, values)))
        if {"min", "mean", "max"} <= figures.keys():
            self.assertTrue(figures["min"] <= figures["mean"] <= figures["max"], figures)

    def _check_numbers(self, value, where):
        if isinstance(value, dict):
            for key, inner in value.items():
                self._check_numbers(inner, f"{where}.{key}")
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self._check_numbers(inner, f"{where}[{index}]")
        else:
            self.assertIsNotNone(value, where)
            if isinstance(value, (int, float)):
                self.assertTrue(math.isfinite(value), where)
                self.assertGreaterEqual(value, 0, where)

    def _check_schema(self, document):
        if not SCHEMA.exists():
            return
        try:
            import jsonschema
        except ImportError:
            return
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(document)
