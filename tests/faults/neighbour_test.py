"""A session that is measured while the workers of others are killed and stopped in turn."""

import itertools
import os
import signal
import threading

from processes import (PROCESS, ROLES, SINGLE, SLOW, Client, FaultTestCase, Host, both, check_all,
                       eventually, modes, promptly)
from peer014 import Client014

VICTIMS = 6


class Neighbour(FaultTestCase):
    about_seconds = 20

    def victimise(self, host, roles, enough):
        """Sessions come; each loses a worker, killed and stopped in turn, until `enough()`."""
        turns = itertools.cycle(itertools.product((signal.SIGKILL, signal.SIGSTOP), roles))
        for count in itertools.count():
            if count >= VICTIMS and enough():
                return
            number, role = next(turns)
            with Client014(host.address) as victim:
                victim.connect()
                victim.prove()
                peer = f"127.0.0.1:{victim.main.address[1]}"
                pid = host.wait_workers((role,), peer)[role]
                os.kill(pid, number)
                eventually(lambda: pid not in host.members(), f"the end of {role} {pid}")

    def serve(self, ports, sessions):
        """Victims leave by silence, and their ports come back: no live session is so silent."""
        return Host(*modes(ports, sessions), "--idle-timeout", "8000",
                    "--max-sessions-per-address", "100", "--max-sessions-per-network", "100",
                    ports=150, prefix=promptly())

    def in_a_latency_run(self, dialect, ports, sessions, roles):
        with self.serve(ports, sessions) as host, \
                Client(host.address, *modes(PROCESS), dialect=dialect) as client:
            client.wait_beats(1)
            self.victimise(host, roles, lambda: True)
            client.wait_beats(2)
            client.process.terminate()
            document = self.result_of(client, 0)
            self.assertTrue(document["valid"], document["problems"])
            self.assertEqual([p for p in document["problems"] if p["code"] < "W1"], [])
            for role, figures in document["latency"].items():
                self.assertEqual(figures["lost"], 0, role)
            self.check_host(host)

    def in_a_test(self, dialect, ports, sessions, roles):
        with self.serve(ports, sessions) as host, \
                Client(host.address, "--bwup", "--duration", "2", config=SLOW, dialect=dialect,
                       prefix=promptly()) as client:
            client.wait_line("stderr", "^Upload test started")
            ending, codes = threading.Event(), []

            def wait():
                codes.append(client.finish())
                ending.set()

            thread = threading.Thread(target=wait, daemon=True)
            thread.start()
            self.victimise(host, roles, ending.is_set)
            thread.join()
            document = self.result_of(client, 0)
            self.assertEqual(codes, [0])
            self.assertTrue(document["valid"], document["problems"])
            test = document["tests"][0]
            self.assertGreater(test["packets"]["received"], 0)
            self.assertEqual(test["packets"]["lost"], 0, test["packets"])
            self.check_host(host)

    def check_host(self, host):
        """It has lost the victims' workers, and goes on."""
        self.assertGreaterEqual(len(host.losses()), VICTIMS)
        host.wait_alone()
        self.assertTrue(host.running())

    CASES = ((PROCESS, SINGLE, ROLES), (SINGLE, PROCESS, ("session",)),
             (PROCESS, PROCESS, (*ROLES, "session")))

    def test_its_heartbeats_are_all_answered(self):
        check_all(self, self.in_a_latency_run, both(self.CASES), 6)

    def test_its_test_loses_nothing(self):
        check_all(self, self.in_a_test, both(self.CASES), 3)
