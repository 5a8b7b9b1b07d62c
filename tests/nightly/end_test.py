"""How soon ends are noticed: stops, deaths of workers and of whole programs, idle time-outs."""

import os
import signal
import time

import places  # noqa: F401  (first: it puts the harnesses on the path)
from processes import (DIALECTS, PROCESS, ROLES, SINGLE, SLOW, Client, FaultTestCase, Host, modes)
import neighbour_test

AT_ONCE = 0.5            # s
WORKER_GONE = 1.5        # s from a worker's death to the end of a client's test
WORKER_STOPPED = 2.0     # s the same where the worker is stopped: the next Ping finds it
IDLE_MS = 1000
SILENT_SECONDS = (2.5, 6.0)    # the server's ports are closed, and it has said nothing for 3 s
SANE_P99_NS = 50e6       # on a loopback of a machine of two cores, with processes coming and going
LONG_TEST = ("--bwup", "--duration", "20")


class Ends(FaultTestCase):
    def took(self, client, begin, least, most):
        """A client's run ends in time."""
        client.process.wait(30)
        seconds = time.monotonic() - begin
        print(f"{self.id()}: {seconds:.2f} s")
        self.assertTrue(least <= seconds <= most, seconds)

    def test_a_client_ends_at_once_where_the_server_stops(self):
        with Host() as host, Client(host.address, *LONG_TEST, config=SLOW) as client:
            client.wait_line("stderr", "^Upload test started")
            begin = time.monotonic()
            host.process.terminate()
            self.took(client, begin, 0, AT_ONCE)

    def test_a_killed_server_is_noticed_within_six_seconds(self):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect), Host() as host, \
                    Client(host.address, config=SLOW, dialect=dialect) as client:
                client.wait_beats()
                begin = time.monotonic()
                host.process.kill()
                self.took(client, begin, *SILENT_SECONDS)

    def test_a_killed_client_is_dropped_after_the_idle_timeout(self):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect), \
                    Host("--idle-timeout", str(IDLE_MS)) as host, \
                    Client(host.address, config=SLOW, dialect=dialect) as client:
                client.wait_beats()
                begin = time.monotonic()
                client.process.kill()
                line = host.wait_line("stdout", "^Client left: .*silent for idle_timeout")
                self.assertAlmostEqual(line.time - begin, IDLE_MS / 1000, delta=0.5)

    def test_a_lost_worker_ends_a_test_soon(self):
        for number, most in ((signal.SIGKILL, WORKER_GONE), (signal.SIGSTOP, WORKER_STOPPED)):
            for at_client in (True, False):
                with self.subTest(number=number, at_client=at_client), Host(*modes(
                        PROCESS, SINGLE)) as host, Client(host.address, *LONG_TEST, *modes(
                            PROCESS), config=SLOW) as client:
                    client.wait_line("stderr", "^Upload test started")
                    client.wait_beats(1)
                    pid = (client if at_client else host).wait_workers()["control"]
                    begin = time.monotonic()
                    os.kill(pid, number)
                    self.took(client, begin, 0, most)

    def test_round_trips_stay_sane_while_neighbours_lose_their_workers(self):
        victims = neighbour_test.Neighbour()
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect), victims.serve(PROCESS, PROCESS) as host, \
                    Client(host.address, *modes(PROCESS), dialect=dialect) as client:
                client.wait_beats(1)
                victims.victimise(host, (*ROLES, "session"), lambda: True)
                client.process.terminate()
                for role, figures in self.result_of(client, 0)["latency"].items():
                    print(f"{self.id()} in {dialect}: {role} p99 {figures['rtt_ns']['p99']} ns")
                    self.assertLess(figures["rtt_ns"]["p99"], SANE_P99_NS, role)
