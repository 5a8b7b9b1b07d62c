"""A session that is measured while the workers of others are killed and stopped in turn."""

import itertools
import os
import signal
import threading

from processes import (DIALECTS, PROCESS, ROLES, SINGLE, SLOW, Client, FaultTestCase, Host, modes,
                       wait_until)
from peer014 import Client014

SANE_P99_NS = 50e6       # on a loopback of a machine of two cores, with processes coming and going
VICTIMS = 6


class Neighbour(FaultTestCase):
    def victimise(self, host, roles, done):
        """Sessions come; each loses a worker, killed and stopped in turn, until `done`."""
        turns = itertools.cycle(itertools.product((signal.SIGKILL, signal.SIGSTOP), roles))
        for count in itertools.count():
            if done.is_set() and count >= VICTIMS:
                return
            number, role = next(turns)
            with Client014(host.address) as victim:
                victim.connect()
                victim.prove()
                peer = f"127.0.0.1:{victim.main.address[1]}"
                pid = host.wait_workers(roles, peer)[role]
                os.kill(pid, number)
                wait_until(lambda: pid not in host.members(), 3, f"the end of {role} {pid}")

    def measure(self, dialect, host, roles, *arguments, config=None):
        """The result of a client that runs while others are victims."""
        done, errors = threading.Event(), []

        def victimise():
            try:
                self.victimise(host, roles, done)
            except Exception as error:  # shown by the caller
                errors.append(error)

        with Client(host.address, *arguments, config=config, dialect=dialect) as client:
            client.wait_beats(1)
            before = len(host.losses())
            thread = threading.Thread(target=victimise)
            thread.start()
            try:
                if "--bwup" in arguments:
                    client.finish(10)
                document = self.result_of(client, 0, 10)
            finally:
                done.set()
                thread.join(30)
            during = len(host.losses()) - before
        self.assertEqual(errors, [])
        self.assertGreaterEqual(during, VICTIMS)
        return document

    def check(self, ports, sessions, roles):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                self.check_one(dialect, ports, sessions, roles)

    def check_one(self, dialect, ports, sessions, roles):
        with Host(*modes(ports, sessions), "--idle-timeout", "1000", ports=90) as host:
            document = self.measure(dialect, host, roles, "--duration", "4", *modes(PROCESS))
            self.assertTrue(document["valid"], document["problems"])
            self.assertEqual([p for p in document["problems"] if p["code"] < "W1"], [])
            for role, figures in document["latency"].items():
                self.assertEqual(figures["lost"], 0, role)
                self.assertGreater(figures["sent"], 150, role)
                self.assertLess(figures["rtt_ns"]["p99"], SANE_P99_NS, role)
            document = self.measure(dialect, host, roles, "--bwup", "--duration", "2", config=SLOW)
            self.assertTrue(document["valid"], document["problems"])
            test = document["tests"][0]
            self.assertGreater(test["packets"]["received"], 500)
            self.assertEqual(test["packets"]["lost"], 0, test["packets"])
            host.wait_alone(8)
            self.assertTrue(host.running())

    def test_of_sessions_in_one_loop(self):
        self.check(PROCESS, SINGLE, ROLES)

    def test_of_sessions_in_processes(self):
        self.check(SINGLE, PROCESS, ("session",))

    def test_of_sessions_in_processes_with_processes(self):
        self.check(PROCESS, PROCESS, (*ROLES, "session"))
