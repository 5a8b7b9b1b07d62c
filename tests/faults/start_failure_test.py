"""Workers that cannot be started: who is told what, that nothing is left, and that it passes."""

import itertools
import os
import random
import re
import resource
import shutil
import subprocess
import tempfile
import unittest

from processes import (DIALECTS, MODES, PROCESS, ROLES, SINGLE, THREAD, Client, Family,
                       FaultTestCase, Host, both, check_all, eventually, modes, server_of)
from harness import PATIENCE, Program  # after processes, which puts it on the path
from peer014 import Client014, wire

TOO_FEW = {"processes": r"temporarily unavailable.*ulimit -u",
           "descriptors": r"Too many open files.*ulimit -n",
           "/proc": r"/proc/self/exe is missing"}
WITHOUT_PROC = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
ENOUGH = 100
# Processes are counted for a user of the whole machine: other runs of these tests draw others. Two
# runs of 100 users each meet with a chance of 100 * 100 / 2^31, 5 in 10^6, where both run at once.
_users = itertools.count(random.SystemRandom().randrange(2**30, 2**31))


def become(user):
    """Words before a command: nobody else is this user, so his processes can be counted."""
    # He reads the configuration file of the tests, which is root's.
    return ("setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups",
            "--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")


def with_processes(most, user=None):
    """A prefix: so many processes and threads."""
    return (*become(next(_users) if user is None else user), "prlimit",
            f"--nproc={most}:{ENOUGH}")


def with_descriptors(most):
    """A prefix: so many descriptors."""
    return ("prlimit", f"--nofile={most}:{most}")


def needs(*tools, prefix=()):
    """Skips where the machine does not allow it."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        raise unittest.SkipTest(f"needs root{', and ' if missing else ''}{' '.join(missing)}")
    if prefix and subprocess.run([*prefix, "true"], check=False, timeout=10,
                                 stderr=subprocess.DEVNULL).returncode != 0:
        raise unittest.SkipTest(f"not allowed here: {' '.join(prefix)}")


class FamilyProgram(Family, Program):
    """Any run of the program."""


class StartTestCase(FaultTestCase):
    """Many limits are tried in turn, and all that is wrong with any of them is shown at once."""

    def check_none(self, complaints):
        if complaints:
            self.fail("\n".join(["", *complaints[:30]]))


class OfAClient(StartTestCase):
    def check_refused(self, dialect, ports, prefix, why, role):
        with server_of(dialect) as server, \
                Client(server.address, *modes(ports), prefix=prefix, dialect=dialect) as client:
            document = self.result_of(client, 1)
            self.assertIs(document["valid"], False)
            self.assertRegex(self.problem(document, "W008"),
                             rf"^cannot start .*\b{role}\b.*{TOO_FEW[why]}")
            self.assertEqual(len(client.find("stderr", "cannot start")), 1, client.errors())
            client.wait_reaped()

    def works(self, dialect, ports, prefix):
        with server_of(dialect) as server, \
                Client(server.address, "--count", "3", *modes(ports), prefix=prefix,
                       dialect=dialect) as client:
            self.result_of(client, 0)

    def test_that_cannot_execute_itself(self):
        needs("unshare", "mount", prefix=WITHOUT_PROC)
        for dialect in DIALECTS:
            self.check_refused(dialect, PROCESS, WITHOUT_PROC, "/proc", "control")
            for ports in (SINGLE, THREAD):
                self.works(dialect, ports, WITHOUT_PROC)

    def with_few_processes(self, dialect, ports, most):
        enough = 1 if ports == SINGLE else 4
        prefix = with_processes(most)
        if most == enough:
            self.works(dialect, ports, prefix)
        else:
            self.check_refused(dialect, ports, prefix, "processes", ROLES[most - 1])

    def test_with_too_few_processes(self):
        needs("setpriv", "prlimit", prefix=with_processes(1))
        check_all(self, self.with_few_processes,
                  both([(SINGLE, 1)] + [(ports, most) for ports in (THREAD, PROCESS)
                                        for most in (1, 2, 3, 4)]))

    def with_few_descriptors(self, dialect, ports, most):
        """What is wrong with how it ends; None where nothing is, "fine" where it works."""
        with server_of(dialect) as server, \
                Client(server.address, "--count", "3", *modes(ports),
                       prefix=with_descriptors(most), dialect=dialect) as client:
            try:
                code = client.wait()
            except AssertionError:
                return "did not end"
            if client.left():
                return f"left {client.left()}"
            if code == 0:
                return "fine"
            # The last line is the document's where there is one, the error before it.
            said = [line for line in client.stderr
                    if re.match("W00|wyndrvr: ", line)] or client.stderr[-2:]
            if code != 1 or len(said) != 1 or not re.search(TOO_FEW["descriptors"], said[0]):
                return f"exit code {code}: {said}"
            return None

    def sweep(self, dialect, ports):
        """From too few for anything to enough."""
        complaints = []
        for most in range(4, 60):
            what = self.with_few_descriptors(dialect, ports, most)
            if what == "fine":
                break
            if what:
                complaints.append(f"{ports} with {most} descriptors: {what}")
        self.check_none(complaints)
        self.assertEqual(self.with_few_descriptors(dialect, ports, most + 1), "fine")

    def test_with_too_few_descriptors(self):
        needs("prlimit")
        check_all(self, self.sweep, both([(ports,) for ports in MODES]), 6)


class OfAServer(StartTestCase):
    """The client is refused; the log says why, once; and it serves when it can again."""

    def refuse(self, host):
        """Our clients are told, and the server has nothing left of them."""
        for dialect in DIALECTS:
            with Client(host.address, dialect=dialect) as client:
                document = self.result_of(client, 1)
                self.assertIs(document["valid"], False)
                if dialect == "0.14":
                    self.assertEqual(self.problem(document, "W002"),
                                     "the server refused: cannot start workers")
                else:
                    # It has its grant by then: what it gets is a CLOSE.
                    self.assertRegex(self.problem(document, "W010"),
                                     "^the server ended the session: it cannot start workers")
        host.wait_alone()

    def check_log(self, host, why):
        """One line, with the reason, and no advice that leads elsewhere."""
        eventually(lambda: host.find("stderr", "refuse"), f"a reason: {host.errors()}")
        said = [line for line in host.stderr if "latency" not in line]
        self.assertEqual(len(said), 1, said)
        self.assertRegex(said[0], f"cannot start workers.*{TOO_FEW[why]}")
        self.assertNotRegex(said[0], r"keys max_|port_ranges")

    def serve(self, host):
        """A client gets the first ports, and answers on all of them."""
        with Client014(host.address) as client:
            answer = client.ask()
            self.assertEqual(wire.parse_assignment(answer)[0], host.first)
            client.adopt(wire.parse_assignment(answer))
            client.prove(3)

    def without_proc(self, ports, sessions):
        with Host(*modes(ports, sessions), prefix=WITHOUT_PROC) as host:
            self.refuse(host)
            self.assertEqual(host.stop(), 0)
            self.check_log(host, "/proc")

    def test_that_cannot_execute_itself(self):
        needs("unshare", "mount", prefix=WITHOUT_PROC)
        check_all(self, self.without_proc, [(PROCESS, SINGLE), (SINGLE, PROCESS), (THREAD, PROCESS),
                                            (PROCESS, PROCESS), (PROCESS, THREAD)])

    def with_few_processes(self, ports, sessions, most):
        user = next(_users)
        with Host(*modes(ports, sessions), prefix=with_processes(most, user)) as host:
            self.refuse(host)
            subprocess.run([*become(user), "prlimit", "--pid", str(host.pid),
                            f"--nproc={ENOUGH}:"], check=True, timeout=5)
            self.serve(host)
            self.assertEqual(host.stop(), 0)
            self.check_log(host, "processes")

    def test_with_no_process_to_spare(self):
        needs("setpriv", "prlimit", prefix=with_processes(1))
        check_all(self, self.with_few_processes,
                  [(ports, sessions, 1) for ports in MODES for sessions in MODES
                   if (ports, sessions) != (SINGLE, SINGLE)])

    def test_with_too_few_processes_for_the_ports(self):
        """Some of the workers run already, and may have answered, when another cannot start."""
        needs("setpriv", "prlimit", prefix=with_processes(1))
        check_all(self, self.with_few_processes,
                  [(ports, SINGLE, most) for ports in (THREAD, PROCESS) for most in (2, 3)] * 2)

    def test_with_too_few_processes_for_the_ports_of_a_session(self):
        needs("setpriv", "prlimit", prefix=with_processes(1))
        check_all(self, self.with_few_processes,
                  [(ports, sessions, most) for ports in (THREAD, PROCESS)
                   for sessions in (THREAD, PROCESS) for most in (2, 4)])

    def ask(self, host):
        """What is wrong with how a client is treated; None, or "fine" where it is served."""
        with Client014(host.address) as client:
            answer = client.ask()
            if answer is None or answer.startswith(b"REFUSED"):
                return None if answer == b"REFUSED cannot start workers" else f"answer {answer}"
            client.adopt(wire.parse_assignment(answer))
            answers = []

            def is_decided():
                answers.extend(filter(None, [client.listen_main(0.001)]))
                return answers or len(client.answered) == 3

            client.beat()
            client.run(PATIENCE, until=is_decided)
            if len(client.answered) == 3:
                return "fine"
            answer = answers[0] if answers else None
            return None if answer == b"REFUSED cannot start workers" else \
                f"answers on {sorted(client.answered)}, then {answer}"

    def with_few_descriptors(self, ports, sessions):
        """From enough for the three sockets alone to enough."""
        complaints, refused = [], False
        with Host(*modes(ports, sessions), "--idle-timeout", "1000") as host:
            idle = len(host.descriptors())
            usual = resource.prlimit(host.pid, resource.RLIMIT_NOFILE)
            for spare in range(3, 60):
                limit = (idle + spare, usual[1])
                resource.prlimit(host.pid, resource.RLIMIT_NOFILE, limit)
                what = self.ask(host)
                if what == "fine":
                    break
                refused = True
                eventually(lambda: len(host.descriptors()) == idle, "descriptors to be closed")
                host.wait_alone()
                if what:
                    complaints.append(f"{ports} {sessions} with {spare} to spare: {what}")
            lost = host.losses()
            if lost:
                complaints.append(f"{ports} {sessions}: {len(lost)} workers lost: {set(lost)}")
            self.assertEqual(host.stop(), 0)
            self.check_none(complaints)
            if refused:
                self.check_log(host, "descriptors")

    def test_with_too_few_descriptors(self):
        check_all(self, self.with_few_descriptors,
                  [(ports, sessions) for ports in MODES for sessions in MODES], 6)

    def with_too_few_for_the_sockets(self, ports, sessions):
        with Host(*modes(ports, sessions), ports=6) as host:
            usual = resource.prlimit(host.pid, resource.RLIMIT_NOFILE)
            answers = set()
            for spare in (0, 1, 2):
                limit = (len(host.descriptors()) + spare, usual[1])
                resource.prlimit(host.pid, resource.RLIMIT_NOFILE, limit)
                with Client014(host.address) as client:
                    answers.add(client.ask())
            resource.prlimit(host.pid, resource.RLIMIT_NOFILE, usual)
            self.assertEqual(answers, {b"REFUSED cannot start workers"})
            self.serve(host)
            self.assertEqual(host.stop(), 0)
            self.check_log(host, "descriptors")

    def test_with_too_few_descriptors_for_the_sockets(self):
        check_all(self, self.with_too_few_for_the_sockets,
                  [(ports, sessions) for ports in (SINGLE, PROCESS)
                   for sessions in (SINGLE, PROCESS)])

    def test_that_cannot_start_at_all(self):
        needs("prlimit")
        complaints = []
        for most in range(4, 12):
            with tempfile.TemporaryDirectory() as home, \
                    FamilyProgram("--server", "127.0.0.1:0", config_path="", home=home,
                                  prefix=with_descriptors(most)) as program:
                eventually(lambda: not program.running() or program.stdout, "a start")
                if program.stdout:
                    self.assertEqual(program.stop(), 0)
                    break
                code, said = program.wait(), program.stderr
                if code != 1 or not re.search(TOO_FEW["descriptors"], "\n".join(said)):
                    complaints.append(f"{most} descriptors: exit code {code}, {said}")
        self.check_none(complaints)
