"""A main process that does not read what its workers say; and Ctrl-Z, for all of them at once."""

import signal

from processes import (MODES, PROCESS, SINGLE, SLOW, THREAD, Client, ClientJob, FaultTestCase, Host,
                       HostJob, both, check_all, eventually, modes, pass_time,
                       promptly)

PAUSE = 3.4              # s; a worker that is silent for 3 s is believed dead


class StoppedMain(FaultTestCase):
    """The workers go on, and nothing that counts is lost."""
    about_seconds = 12

    def pause(self, program, meanwhile=lambda: None):
        """SIGSTOP for the main process alone, and SIGCONT."""
        program.process.send_signal(signal.SIGSTOP)
        program.wait_stopped()
        pass_time(PAUSE)
        meanwhile()
        program.process.send_signal(signal.SIGCONT)

    def check_heartbeats(self, client):
        """All that were sent were answered and counted, those of the pause among them."""
        client.process.terminate()
        document = self.result_of(client, 0)
        self.assertTrue(document["valid"], document["problems"])
        for role, figures in document["latency"].items():
            self.assertEqual(figures["lost"], 0, (role, figures))
            self.assertEqual(figures["sent"], figures["received"], (role, figures))

    def stop_client(self, dialect):
        # With --test-verbose the server shows each round trip that it measures itself.
        with Host(*modes(PROCESS), "--test-verbose") as host, \
                Client(host.address, *modes(PROCESS), dialect=dialect) as client:
            client.wait_beats()
            workers = client.wait_workers()

            def count():
                return len(host.find("stderr", "^Server latency"))

            def workers_go_on():
                before = count()
                eventually(lambda: count() > before + 30, "heartbeats of a stopped client")

            self.pause(client, workers_go_on)
            client.wait_beats()
            self.assertEqual(client.workers(), workers)
            self.check_heartbeats(client)
            self.assertEqual(host.losses(), [])

    def stop_server(self, dialect, ports, sessions):
        with Host(*modes(ports, sessions)) as host, \
                Client(host.address, dialect=dialect) as client:
            client.wait_beats()
            workers = host.titled()
            self.assertGreater(len(workers), 0)
            self.pause(host, lambda: client.wait_beats(10))
            client.wait_beats(10)
            self.assertEqual(host.titled(), workers)
            self.check_heartbeats(client)
            self.assertEqual(host.losses(), [])
            self.assertEqual(host.stop(), 0)

    def test_in_a_latency_run(self):
        check_all(self, lambda dialect, case, *rest: getattr(self, case)(dialect, *rest),
                  both([("stop_client",), ("stop_server", PROCESS, SINGLE),
                        ("stop_server", SINGLE, PROCESS), ("stop_server", PROCESS, PROCESS)]), 8)

    def test_in_a_test(self):
        check_all(self, self.upload, both([("client", SINGLE), ("server", SINGLE),
                                           ("server", PROCESS)]), 6)

    def upload(self, dialect, which, sessions):
        """The ports of a test need nobody else to come to its result."""
        with Host(*modes(PROCESS, sessions), prefix=promptly()) as host, \
                Client(host.address, "--bwup", "--duration", "2", *modes(PROCESS), config=SLOW,
                       dialect=dialect, prefix=promptly()) as client:
            client.wait_line("stderr", "^Upload test started")
            self.pause(client if which == "client" else host)
            client.finish()
            document = self.result_of(client, 0)
            self.assertTrue(document["valid"], document["problems"])
            test = document["tests"][0]
            self.assertEqual(test["packets"]["lost"], 0, test["packets"])
            self.assertEqual(host.losses(), [])
            host.wait_alone()


class ControlZ(FaultTestCase):
    """A whole process group stops and goes on; no worker of it is called dead."""
    about_seconds = 12

    def pause(self, program, seconds):
        program.signal_group(signal.SIGTSTP)
        eventually(lambda: {s for s, _ in program.members().values()} == {"T"}, "a stop")
        pass_time(seconds)
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
            client.wait_beats(30)        # time for two more looks at each worker
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
                        ("server", THREAD, PROCESS), ("server", PROCESS, THREAD)]), 12)
