"""A server that is stopped (SIGSTOP): each silent second is a line, and it goes on afterwards."""

import signal

from processes import SINGLE, Client, FaultTestCase, Host, both, check_all, eventually, modes

SILENT = r"nothing received for \d+ s"
TEST_SILENT = rf"\[ *\d+\.\d/60\.0 s\]  {SILENT}"


class SilentServer(FaultTestCase):
    about_seconds = 10

    def check(self, dialect, pattern, *options):
        with Host(*modes(SINGLE, SINGLE)) as host, \
                Client(host.address, *options, *modes(SINGLE), dialect=dialect) as client:
            client.wait_beats()
            if options:
                client.wait_line("stderr", r"^(up +)?\[ *\d+\.\d/60\.0 s\]")
            host.process.send_signal(signal.SIGSTOP)
            host.wait_stopped()
            client.wait_line("stderr", pattern, count=3)
            host.process.send_signal(signal.SIGCONT)
            told = len(client.find("stderr", pattern))
            before = client.lines("control")
            eventually(lambda: client.lines("control") > before, "heartbeats again")
            self.assertLessEqual(len(client.find("stderr", pattern)), told + 10)
            client.process.terminate()
            client.wait(60)

    def latency(self, dialect):
        self.check(dialect, f"^{SILENT}$")

    def upload(self, dialect):
        self.check(dialect, f"^{TEST_SILENT}$", "--bwup", "--duration", "60", "--rate", "1M")

    def download(self, dialect):
        self.check(dialect, f"^{TEST_SILENT}$", "--bwdown", "--duration", "60", "--rate", "1M")

    def both_ways(self, dialect):
        self.check(dialect, f"^(up  |down) {TEST_SILENT}$", "--bwboth", "--duration", "60",
                   "--rate", "1M")

    def test_silent_seconds_are_lines(self):
        check_all(self, lambda dialect, method: getattr(self, method)(dialect),
                  both([("latency",), ("upload",)]) + [("1", "download"), ("1", "both_ways")])
