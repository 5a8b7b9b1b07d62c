"""SIGINT and SIGTERM in every mode and at every phase: an end in order, soon, with nobody left."""

import os
import signal
import time

from processes import (DIALECTS, MODES, PROCESS, SINGLE, SLOW, THREAD, Client, FaultTestCase, Host,
                       both, check_all, modes, server_of, state_of, wait_until)
from peer014 import Client014, Faults, Server014

STOP_SECONDS = 3.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)
LONG_TEST = ("--bwup", "--duration", "20")
# Phase: arguments of the client, the line on stderr that shows it, the exit code.
PHASES = {
    "before the answer": ((), "^No answer yet", 1),
    "during heartbeats": ((), "^Client latency", 0),
    "during a test": (LONG_TEST, "^Upload test started", 1),
    "while lingering": (("--bwup", "--duration", "0.3"), "^Result received", 0),   # in 0.14 alone
}
EVERY_STOP = [(dialect, ports, phase, number) for dialect in DIALECTS for ports in MODES
              for phase in PHASES for number in SIGNALS
              if dialect == "0.14" or phase != "while lingering"]


class OfAClient(FaultTestCase):
    def stop(self, dialect, ports, phase, number, group):
        arguments, line, code = PHASES[phase]
        connected = phase != "before the answer"
        mute = Faults(never_answer=True)
        with server_of(dialect) if connected else Server014(faults=mute) as server, \
                Client(server.address, *arguments, *modes(ports), config=SLOW,
                       dialect=dialect) as client:
            client.wait_line("stderr", line, 6)
            self.assertEqual(len(client.workers()), 3 if ports == PROCESS and connected else 0)
            if group:
                client.signal_group(number)
            else:
                client.process.send_signal(number)
            document = self.result_of(client, code, STOP_SECONDS)
            client.wait_reaped(0.5)
            self.assertEqual(document["valid"], code == 0)
            codes = [p["code"] for p in document["problems"] if p["code"] < "W1"]
            self.assertEqual(codes, [] if code == 0 else ["W006"])

    def test_by_sigint_and_sigterm(self):
        check_all(self, self.stop, [(*case, False) for case in EVERY_STOP], 6)

    def test_by_a_signal_to_the_whole_group(self):
        """From a terminal, systemd or timeout(1)."""
        check_all(self, self.stop, [(*case, True) for case in EVERY_STOP], 6)

    def stop_while_connecting(self, dialect, ports, delay):
        """At a moment that no line tells of: it must be one of the orderly ends."""
        with server_of(dialect) as server, \
                Client(server.address, "--bwup", *modes(ports), config=SLOW,
                       dialect=dialect) as client:
            client.wait_line("stderr", "^Connecting", 5)
            time.sleep(delay)
            client.process.send_signal(signal.SIGINT)
            document = self.result_of(client, 1, STOP_SECONDS)
            self.assertEqual([p["code"] for p in document["problems"] if p["code"] < "W1"],
                             ["W006"])
            client.wait_reaped(0.5)

    def test_while_workers_are_being_started(self):
        check_all(self, self.stop_while_connecting,
                  both([(ports, step / 1000) for ports in MODES for step in range(0, 30, 3)]), 3)


class OfAServer(FaultTestCase):
    """With a client that has only asked, one in a latency run and one in a test in each dialect."""

    def stop(self, ports, sessions, number, group):
        with Host(*modes(ports, sessions)) as host, \
                Client(host.address, *LONG_TEST, config=SLOW) as testing, \
                Client(host.address, *LONG_TEST, config=SLOW, dialect="0.14") as original, \
                Client014(host.address, heartbeat_rate=0.1) as measuring, \
                Client014(host.address) as asking:
            measuring.connect()
            measuring.prove()
            asking.connect()
            for client in (testing, original):
                client.wait_line("stderr", "^Upload test started", 5)
            each = (3 if ports == PROCESS else 0) + (1 if sessions == PROCESS else 0)
            self.assertEqual(len(host.left()), 3 * each, host.left())
            if group:
                host.signal_group(number)
            else:
                host.process.send_signal(number)
            self.assertEqual(host.wait(STOP_SECONDS), 0, host.errors())
            host.wait_reaped(0.5)
            self.assertTrue(host.find("stdout", "^Server stopped: 4 clients served"))
            self.assertEqual(len(host.find("stdout", "^Client left: .*server stops")), 3)
            self.assertEqual(host.losses(), [])

    def test_by_sigint_and_sigterm(self):
        check_all(self, self.stop, [(ports, sessions, number, False) for ports in MODES
                                    for sessions in MODES for number in SIGNALS], 3)

    def test_by_a_signal_to_the_whole_group(self):
        check_all(self, self.stop, [(ports, sessions, number, True) for ports in MODES
                                    for sessions in MODES for number in SIGNALS], 3)

    def stop_undelivered(self, ports, sessions):
        """While a result waits for its acknowledgement, which does not come."""
        faults = Faults(drop_acks=10**6)
        with Host(*modes(ports, sessions)) as host, \
                Client014(host.address, faults=faults, heartbeat_rate=0.1) as client:
            client.connect()
            client.prove()
            self.assertGreater(client.upload(0.2, 200, linger=0.2).results, 1)
            host.process.send_signal(signal.SIGTERM)
            self.assertEqual(host.wait(STOP_SECONDS), 0, host.errors())
            host.wait_reaped(0.5)

    def test_with_an_undelivered_result(self):
        check_all(self, self.stop_undelivered,
                  [(ports, sessions) for ports in MODES for sessions in MODES], 3)


class Twice(FaultTestCase):
    """A second order ends the program at once; one order that comes twice does not."""

    def both_at_once(self, dialect, which, ports, sessions):
        """As timeout(1) does it: the process and its group are told, here in two ways."""
        with Host(*modes(ports, sessions)) as host, \
                Client(host.address, *modes(ports), dialect=dialect) as client:
            client.wait_beats()
            program = host if which == "server" else client
            program.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: state_of(program.pid) == "T", 1, "a stop")
            program.process.send_signal(signal.SIGINT)
            program.process.send_signal(signal.SIGTERM)
            program.process.send_signal(signal.SIGCONT)
            self.assertEqual(program.wait(STOP_SECONDS), 0, program.errors())
            program.wait_reaped(0.5)

    def test_one_order_that_comes_twice_is_one(self):
        check_all(self, self.both_at_once,
                  both([("client", ports, SINGLE) for ports in MODES]
                       + [("server", ports, sessions) for ports in MODES for sessions in MODES]), 6)

    def end_at_once(self, program, number):
        """Orders it to end until it has, which must not be in order."""
        begin = time.monotonic()
        while program.running() and time.monotonic() < begin + 1:
            program.process.send_signal(number)
            time.sleep(0.12)             # what follows within 100 ms is the same order
        self.assertEqual(program.wait(1), 128 + number, program.errors())
        program.wait_alone()

    def hold_up(self, which, ports, sessions, role, number):
        """It waits for the last words of a worker that has stopped."""
        with Host(*modes(ports, sessions)) as host, \
                Client(host.address, *modes(ports)) as client:
            client.wait_beats()
            program = host if which == "server" else client
            worker = program.wait_workers([role])[role]
            program.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: state_of(program.pid) == "T", 1, "a stop")
            os.kill(worker, signal.SIGSTOP)
            program.process.send_signal(number)
            program.process.send_signal(signal.SIGCONT)
            time.sleep(0.12)
            self.assertTrue(program.running())
            self.end_at_once(program, number)

    def test_a_second_order_while_a_worker_does_not_answer(self):
        check_all(self, self.hold_up,
                  [("client", PROCESS, SINGLE, "download", number) for number in SIGNALS]
                  + [("server", PROCESS, SINGLE, "upload", signal.SIGINT),
                     ("server", SINGLE, PROCESS, "session", signal.SIGTERM),
                     ("server", PROCESS, PROCESS, "session", signal.SIGINT)])

    def slow(self, which):
        """Its threads are slow to end; without workers an end has no time to be interrupted."""
        delay = ("--test-delay", "200")
        with Host(*modes(THREAD), *(delay if which == "server" else ())) as host, \
                Client(host.address, *modes(THREAD), *(delay if which == "client" else ())) \
                as client:
            client.wait_beats(1)
            self.end_at_once(host if which == "server" else client, signal.SIGINT)

    def test_a_second_order_while_threads_are_slow(self):
        check_all(self, self.slow, [("client",), ("server",)])
