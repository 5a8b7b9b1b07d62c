"""A main process that does not read what its workers say; and Ctrl-Z, for all of them at once."""

import signal
import time

from processes import (MODES, PROCESS, SINGLE, THREAD, Client, ClientJob, FaultTestCase, Host,
                       HostJob, both, check_all, modes, state_of, wait_until)

PAUSE = 3.4              # s; a worker that is silent for 3 s is believed dead
LENGTH = 5.0             # s of a latency run, pause included
RATE_MS = 2
FAST = {"heartbeat_rate": RATE_MS}


class StoppedMain(FaultTestCase):
    """The workers go on, and nothing that counts is lost."""

    def pause(self, program):
        """SIGSTOP for the main process alone, and SIGCONT."""
        program.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: state_of(program.pid) == "T", 1, "a stop")
        time.sleep(PAUSE)
        program.process.send_signal(signal.SIGCONT)

    def check_heartbeats(self, document):
        self.assertTrue(document["valid"], document["problems"])
        due = LENGTH * 1000 / RATE_MS
        for role, figures in document["latency"].items():
            self.assertEqual(figures["lost"], 0, (role, figures))
            self.assertEqual(figures["sent"], figures["received"], (role, figures))
            # A busy machine may be late now and then; none may be missing in the counting.
            sent, skipped = figures["sent"], figures.get("skipped", 0)
            self.assertGreater(sent, 0.7 * due, (role, figures))
            self.assertAlmostEqual(sent + skipped, due, delta=0.1 * due, msg=(role, figures))

    def stop_client(self, dialect):
        with Host(*modes(PROCESS)) as host, \
                Client(host.address, "--duration", str(LENGTH), *modes(PROCESS), config=FAST,
                       dialect=dialect) as client:
            client.wait_beats()
            workers = client.wait_workers()
            self.pause(client)
            client.wait_beats()
            self.assertEqual(client.workers(), workers)
            self.check_heartbeats(self.result_of(client, 0, 6))
            self.assertEqual(host.losses(), [])

    def stop_server(self, dialect, ports, sessions):
        with Host(*modes(ports, sessions)) as host, \
                Client(host.address, "--duration", str(LENGTH), config=FAST,
                       dialect=dialect) as client:
            client.wait_beats()
            workers = host.titled()
            self.assertGreater(len(workers), 0)
            self.pause(host)
            # Its lines of what it has missed, and new ones.
            said = len(host.find("stderr", "^Server latency"))
            wait_until(lambda: len(host.find("stderr", "^Server latency")) > said + 10, 2,
                       "lines of the server")
            self.assertEqual(host.titled(), workers)
            self.check_heartbeats(self.result_of(client, 0, 6))
            self.assertEqual(host.losses(), [])
            self.assertEqual(host.stop(), 0)

    def test_in_a_latency_run(self):
        check_all(self, lambda dialect, case, *rest: getattr(self, case)(dialect, *rest),
                  both([("stop_client",), ("stop_server", PROCESS, SINGLE),
                        ("stop_server", SINGLE, PROCESS), ("stop_server", PROCESS, PROCESS)]), 2)

    def test_in_a_test(self):
        check_all(self, self.upload, both([("client", SINGLE), ("server", SINGLE),
                                           ("server", PROCESS)]))

    def upload(self, dialect, which, sessions):
        """The ports of a test need nobody else to come to its result."""
        config = {"heartbeat_rate": 50, "send_sleep": 1000}
        with Host(*modes(PROCESS, sessions)) as host, \
                Client(host.address, "--bwup", "--duration", "2", *modes(PROCESS), config=config,
                       dialect=dialect) as client:
            client.wait_line("stderr", "^Upload test started", 5)
            self.pause(client if which == "client" else host)
            client.finish(3)
            document = self.result_of(client, 0)
            self.assertTrue(document["valid"], document["problems"])
            test = document["tests"][0]
            self.assertEqual(test["packets"]["lost"], 0, test["packets"])
            self.assertAlmostEqual(test["duration_s"], 2, delta=0.2)
            self.assertEqual(host.losses(), [])
            wait_until(lambda: not host.left(), 3, "the session's end")


class ControlZ(FaultTestCase):
    """A whole process group stops and goes on; no worker of it is called dead."""

    def pause(self, program, seconds):
        program.signal_group(signal.SIGTSTP)
        wait_until(lambda: {s for s, _ in program.members().values()} == {"T"}, 1, "a stop")
        time.sleep(seconds)
        program.signal_group(signal.SIGCONT)

    def suspend(self, dialect, which, ports, sessions):
        with HostJob(*modes(ports, sessions)) as host, \
                ClientJob(host.address, *modes(ports), dialect=dialect) as client:
            client.wait_beats()
            program = client if which == "client" else host
            workers = program.titled()
            for seconds in (PAUSE, 0.3, 1.2, 0.3, 0.3):
                self.pause(program, seconds)
                client.wait_beats(5)
            time.sleep(0.6)              # for two more looks at each worker
            self.assertEqual(program.titled(), workers)
            self.assertEqual(host.losses(), [])
            client.process.terminate()
            document = self.result_of(client, 0)
            self.assertTrue(document["valid"], document["problems"])
            self.assertEqual([p for p in document["problems"] if p["code"] < "W1"], [])
            self.assertEqual(host.stop(), 0)
            host.wait_alone()

    def test_of_a_client(self):
        check_all(self, self.suspend, both([("client", ports, SINGLE) for ports in MODES]), 6)

    def test_of_a_server(self):
        check_all(self, self.suspend,
                  both([("server", PROCESS, SINGLE), ("server", THREAD, SINGLE),
                        ("server", SINGLE, PROCESS), ("server", PROCESS, PROCESS),
                        ("server", THREAD, PROCESS), ("server", PROCESS, THREAD)]), 6)
