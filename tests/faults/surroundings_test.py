"""Unusual surroundings: closed stdio, no environment, process 1 of a container."""

import itertools
import json
import os
import subprocess
from pathlib import Path

from processes import (MODES, PROCESS, SINGLE, Family, FaultTestCase, Host, eventually, modes, read,
                       stat_of)
from harness import Program, run_client
from start_failure_test import needs

CLOSE = {0: "<&-", 1: ">&-", 2: "2>&-"}
NO_ENVIRONMENT = ("env", "-i")
OWN_PIDS = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
ORPHANS = 20


def without(descriptors):
    """A prefix: the program is started with these closed."""
    return ("sh", "-c", f'exec "$@" {" ".join(CLOSE[d] for d in descriptors)}', "sh")


class ClosedStreams(FaultTestCase):
    about_seconds = 8

    def check_held(self, program):
        """0 to 2 are nothing that is sent to or read from."""
        for number, what in program.descriptors().items():
            if number < 3:
                self.assertRegex(what, "^(/dev/null|/dev/pts/|pipe:|/)", number)

    def test_no_socket_gets_their_numbers(self):
        sets = [set(some) for count in (1, 2, 3) for some in itertools.combinations(CLOSE, count)]
        for closed in sets:
            for mode in (SINGLE, PROCESS):
                with self.subTest(closed=closed, mode=mode):
                    self.check(closed, mode)

    def check(self, closed, mode):
        # A server that cannot say that it has started is looked at from outside.
        with Host(*modes(mode, mode)) as host:
            document = host.folder / "result.json"
            client = run_client(host.address, "--count", "3", "--heartbeat-rate", "20", "--json",
                                str(document), *modes(mode), prefix=without(closed))
            self.assertEqual(client.code, 0, client.errors())
            result = json.loads(document.read_text())
            self.check_result(result)
            self.assertTrue(result["valid"], result["problems"])
            self.assertNotIn("ignored_datagrams", result)
            self.assertEqual(host.stop(), 0)
            self.assertFalse(host.losses())

    def test_a_server_without_streams_serves(self):
        from harness import free_ports
        for mode in MODES:
            with self.subTest(mode=mode):
                base = free_ports(31)
                with FamilyProgram("--port-ranges", f"{base + 1}-{base + 30}", *modes(mode, mode),
                                   "--server", f"127.0.0.1:{base}",
                                   prefix=without(CLOSE)) as server:
                    client = run_client(("127.0.0.1", base), "--count", "3", "--heartbeat-rate",
                                        "20", "--json", *modes(mode))
                    self.assertEqual(client.code, 0, client.errors())
                    self.check_held(server)


class FamilyProgram(Family, Program):
    """Any run of the program."""


class NoEnvironment(FaultTestCase):
    about_seconds = 3

    def test_everything_works_in_every_mode(self):
        for mode in MODES:
            with self.subTest(mode=mode), \
                    Host(*modes(mode, mode), prefix=NO_ENVIRONMENT) as host:
                client = run_client(host.address, "--count", "3", "--heartbeat-rate", "20",
                                    "--json", *modes(mode), prefix=NO_ENVIRONMENT)
                self.assertEqual(client.code, 0, client.errors())
                self.check_result(json.loads("\n".join(client.stdout)))


class ProcessOne(FaultTestCase):
    about_seconds = 4

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        needs("unshare", "nsenter", prefix=OWN_PIDS)

    def children(self, pid):
        """Child's pid -> its state, in this namespace's numbers."""
        found = {}
        for name in os.listdir("/proc"):
            stat = stat_of(name) if name.isdigit() else None
            if stat and stat[1] == pid:
                found[int(name)] = stat[0]
        return found

    def test_others_zombies_are_reaped_and_its_own_workers_told_apart(self):
        with Host(*modes(PROCESS, SINGLE), prefix=OWN_PIDS) as host:
            init = eventually(lambda: next(iter(self.children(host.pid)), None), "process 1")
            client = FamilyProgram(f"127.0.0.1:{host.address[1]}", "--heartbeat-rate", "20")
            self.addCleanup(client.kill)
            host.wait_line("stdout", "^Client connected: ")
            workers = eventually(lambda: len(self.children(init)) == 3 and self.children(init),
                                 "three workers")
            # Each is the child of a shell that ends before it.
            subprocess.run(["nsenter", "--target", str(init), "--pid", "sh", "-c",
                            f"for i in $(seq {ORPHANS}); do (sh -c 'sleep 0.05 & exit 0' &); done"],
                           check=True, timeout=60)
            eventually(lambda: set(self.children(init)) == set(workers), "no zombie is left")
            victim = next(iter(workers))
            role = Path(f"/proc/{victim}/cmdline").read_text().split()[1]
            os.kill(victim, 9)
            host.wait_line("stderr", rf"{role} worker \(pid \d+\) was killed by SIGKILL")
            eventually(lambda: victim not in self.children(init), "the worker is reaped")
            self.assertIsNone(read(victim, "stat"))

    def test_it_ends_at_sigterm(self):
        with Host(prefix=OWN_PIDS) as host:
            init = eventually(lambda: next(iter(self.children(host.pid)), None), "process 1")
            os.kill(init, 15)
            host.wait_line("stdout", "^Server stopped: ")
            self.assertEqual(host.wait(60), 0)
