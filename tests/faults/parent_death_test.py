"""A main process that is killed: nothing of it is left, and the other end finds out."""

import os
import signal

from processes import (MODES, PROCESS, ROLES, SINGLE, SLOW, Client, FaultTestCase, Host,
                       both, check_all, eventually, modes, state_of)

IDLE_MS = 4000       # no busy machine keeps a client silent for so long


class ParentDeath(FaultTestCase):
    about_seconds = 15

    def kill_main(self, program, stopped, workers):
        """Kills the main process, with one of its workers stopped before."""
        if stopped:
            os.kill(workers[stopped], signal.SIGSTOP)
            # Or gone: a main process that looks at it in the meantime ends it.
            eventually(lambda: state_of(workers[stopped]) in ("T", "Z", None), f"{stopped} to stop")
        program.process.kill()
        program.process.wait()
        program.wait_alone()

    def kill_client(self, dialect, ports, stopped, *test):
        with Host(*modes(PROCESS), "--idle-timeout", str(IDLE_MS)) as host, \
                Client(host.address, *modes(ports), *test, config=SLOW,
                       dialect=dialect) as client:
            client.wait_beats()
            if test:
                client.wait_line("stderr", "^Upload test started")
            workers = client.wait_workers() if ports == PROCESS else {}
            self.assertEqual(len(client.members()), 4 if ports == PROCESS else 1)
            self.assertEqual(host.find("stdout", "^Client left"), [])
            self.kill_main(client, stopped, workers)
            host.wait_line("stdout", "^Client left: .*silent for idle_timeout")
            host.wait_alone()
            client.wait_reaped()

    def test_of_a_client(self):
        check_all(self, self.kill_client, both([(ports, None) for ports in MODES]
                                               + [(PROCESS, role) for role in ROLES]), 6)

    def test_of_a_client_in_a_test(self):
        check_all(self, self.kill_client, both([(ports, None, "--bwup") for ports in MODES]
                                               + [(PROCESS, "upload", "--bwup")]))

    def kill_server(self, dialect, ports, sessions, stopped, *test):
        """With three clients, of which one tells how it ended."""
        with Host(*modes(ports, sessions)) as host, \
                Client(host.address, *test, config=SLOW, dialect=dialect) as client, \
                Client(host.address) as second, Client(host.address) as third:
            clients = (client, second, third)
            for one in clients:
                one.wait_beats()
            if test:
                client.wait_line("stderr", "^Upload test started")
            # Of one client: all have the same workers.
            peer = host.wait_line("stdout", "^Client connected: ", count=3).split()[-1]
            workers = host.workers(peer)
            each = (3 if ports == PROCESS else 0) + (1 if sessions == PROCESS else 0)
            self.assertEqual(len(host.members()), 1 + 3 * each, host.left())
            self.kill_main(host, stopped, workers)
            for one in (second, third):
                one.process.terminate()
            document = self.result_of(client, 1)
            self.assertRegex(self.problem(document, "W007"), "stopped answering")
            host.wait_reaped()

    def test_of_a_server(self):
        check_all(self, self.kill_server,
                  both([(ports, sessions, None) for ports in MODES for sessions in MODES]), 9)

    def test_of_a_server_with_a_stopped_worker(self):
        check_all(self, self.kill_server,
                  both([(PROCESS, SINGLE, "control"), (PROCESS, SINGLE, "upload"),
                        (SINGLE, PROCESS, "session"), (PROCESS, PROCESS, "session"),
                        (PROCESS, PROCESS, "download")]), 5)

    def test_of_a_server_in_a_test(self):
        check_all(self, self.kill_server,
                  both([(PROCESS, SINGLE, None, "--bwup"), (SINGLE, PROCESS, None, "--bwup"),
                        (PROCESS, PROCESS, "upload", "--bwup")]), 3)
