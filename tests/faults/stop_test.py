"""SIGINT and SIGTERM in every mode and at every phase: an end in order, soon, with nobody left."""

import os
import signal
import subprocess

from processes import (DIALECTS, MODES, PROCESS, SINGLE, SLOW, THREAD, Client, FaultTestCase, Host,
                       both, check_all, eventually, modes, server_of)
from peer014 import Client014, Faults, Server014

ORDERS_APART = 0.12      # s; what follows within 100 ms is the same order
SIGNALS = (signal.SIGINT, signal.SIGTERM)
LONG_TEST = ("--bwup", "--duration", "300")
# Phase: arguments of the client, the line on stderr that shows it, the exit code.
PHASES = {
    "before the answer": ((), "^No answer yet", 1),
    "during heartbeats": ((), "^Client latency", 0),
    "during a test": (LONG_TEST, "^Upload test started", 1),
    "while lingering": (("--bwup", "--duration", "1.5"), "^Result received", 0),   # in 0.14 alone
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
            client.wait_line("stderr", line)
            if ports == PROCESS and connected:
                client.wait_workers()
            else:
                self.assertEqual(client.workers(), {})
            if group:
                client.signal_group(number)
            else:
                client.process.send_signal(number)
            document = self.result_of(client, code)
            client.wait_reaped()
            self.assertEqual(document["valid"], code == 0)
            codes = [p["code"] for p in document["problems"] if p["code"] < "W1"]
            self.assertEqual(codes, [] if code == 0 else ["W006"])

    def test_by_sigint_and_sigterm(self):
        check_all(self, self.stop, [(*case, False) for case in EVERY_STOP], 6)

    def test_by_a_signal_to_the_whole_group(self):
        """From a terminal, systemd or timeout(1)."""
        check_all(self, self.stop, [(*case, True) for case in EVERY_STOP], 6)

    def stop_while_connecting(self, dialect, ports, tasks):
        """When it has so many processes and threads: it must be one of the orderly ends."""
        with server_of(dialect) as server, \
                Client(server.address, "--bwup", *modes(ports), config=SLOW,
                       dialect=dialect) as client:
            client.wait_line("stderr", "^Connecting")
            eventually(lambda: len(client.members()) + client.threads() > tasks,
                       f"more than {tasks} processes and threads")
            client.process.send_signal(signal.SIGINT)
            document = self.result_of(client, 1)
            self.assertEqual([p["code"] for p in document["problems"] if p["code"] < "W1"],
                             ["W006"])
            client.wait_reaped()

    def test_while_workers_are_being_started(self):
        check_all(self, self.stop_while_connecting,
                  both([(SINGLE, 1)] + [(ports, tasks) for ports in (THREAD, PROCESS)
                                        for tasks in (1, 2, 3, 4)]), 3)


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
                client.wait_line("stderr", "^Upload test started")
            each = (3 if ports == PROCESS else 0) + (1 if sessions == PROCESS else 0)
            eventually(lambda: len(host.left()) == 3 * each, host.left)
            # All workers of each have started, so a signal to the group ends sessions, not starts.
            host.wait_line("stdout", "^Client connected", count=3)
            if group:
                host.signal_group(number)
            else:
                host.process.send_signal(number)
            self.assertEqual(host.wait(), 0, host.errors())
            host.wait_reaped()
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
            self.assertGreater(client.upload(0.2, 200, linger=0).results, 0)
            host.process.send_signal(signal.SIGTERM)
            self.assertEqual(host.wait(), 0, host.errors())
            host.wait_reaped()

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
            program.wait_stopped()
            program.process.send_signal(signal.SIGINT)
            program.process.send_signal(signal.SIGTERM)
            program.process.send_signal(signal.SIGCONT)
            self.assertEqual(program.wait(), 0, program.errors())
            program.wait_reaped()

    def test_one_order_that_comes_twice_is_one(self):
        check_all(self, self.both_at_once,
                  both([("client", ports, SINGLE) for ports in MODES]
                       + [("server", ports, sessions) for ports in MODES for sessions in MODES]), 6)

    def end_at_once(self, program, number):
        """Orders it to end until it has, which must not be in order."""
        def is_over():
            program.process.send_signal(number)
            try:
                program.process.wait(ORDERS_APART)
            except subprocess.TimeoutExpired:
                return False
            return True

        eventually(is_over, "an end after several orders")
        self.assertEqual(program.wait(), 128 + number, program.errors())
        program.wait_alone()

    def hold_up(self, which, ports, sessions, role, number):
        """It waits for the last words of a worker that has stopped."""
        with Host(*modes(ports, sessions)) as host, \
                Client(host.address, *modes(ports)) as client:
            client.wait_beats()
            program = host if which == "server" else client
            worker = program.wait_workers([role])[role]
            program.process.send_signal(signal.SIGSTOP)
            program.wait_stopped()
            os.kill(worker, signal.SIGSTOP)
            program.process.send_signal(number)
            program.process.send_signal(signal.SIGCONT)
            with self.assertRaises(subprocess.TimeoutExpired):
                program.process.wait(ORDERS_APART)
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
