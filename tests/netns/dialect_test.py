"""Dialect 1 on real paths: a NAT that rebinds, and a receiver that dies."""

import signal

from lab import LabTestCase  # first: it puts the harness on the path
from harness import eventually, pass_time
from nat import NAT_RULES, rebind

DATA_RULES = """
table inet watch {
  counter data { }
  chain input {
    type filter hook prerouting priority 0; policy accept;
    ip protocol udp udp length > 1000 counter name data
  }
}
"""
QUIET_SECONDS = 0.5      # without a datagram of a test that sends thousands a second


class Dialect(LabTestCase):
    about_seconds = 5

    def rebinds(self, way):
        lab = self.lab()
        receiver = lab.server if way == "--bwup" else lab.client
        lab.rules(receiver, DATA_RULES)
        lab.rules(lab.router, NAT_RULES.format(ports=40000, last=44999))
        self.serve(lab)
        with self.client(lab, way, "--duration", "300", "--rate", "5M", "--streams", "2",
                         "--interval", "200", "--json") as client:
            client.wait_line("stderr", r"^\[", count=2)
            self.assertGreater(lab.counters(lab.router)["translated_40000"], 0)
            rebind(lab)
            eventually(lambda: lab.counters(lab.router)["translated_50000"] > 0, "a new path")
            before = lab.counters(receiver)["data"]
            eventually(lambda: lab.counters(receiver)["data"] > before + 500, "data on it")
            self.assertTrue(client.running(), client.errors())
            self.assertEqual(client.stop(), 1, client.errors())
        document = self.document_of(client, valid=False)
        self.problem(document, "W006")
        document["problems"] = [p for p in document["problems"] if p["code"] != "W006"]
        self.assert_untroubled(document)

    def test_an_upload_survives_a_nat_that_rebinds(self):
        self.rebinds("--bwup")

    def test_a_download_survives_a_nat_that_rebinds(self):
        self.rebinds("--bwdown")

    def falls_silent(self, number):
        """The server stops sending to a receiver that has gone, long before its test's end."""
        lab = self.lab()
        lab.rules(lab.client, DATA_RULES)
        self.serve(lab)
        with self.client(lab, "--bwdown", "--duration", "300", "--rate", "20M") as client:
            client.wait_line("stderr", r"^\[")
            client.process.send_signal(number)

            def is_quiet():
                before = lab.counters(lab.client)["data"]
                pass_time(QUIET_SECONDS)
                return lab.counters(lab.client)["data"] == before

            self.assertGreater(lab.counters(lab.client)["data"], 0)
            eventually(is_quiet, "an end of the data")
            if number == signal.SIGSTOP:
                client.process.send_signal(signal.SIGKILL)
            client.wait()

    def test_a_killed_receiver_is_sent_nothing_any_more(self):
        self.falls_silent(signal.SIGKILL)

    def test_a_stopped_receiver_is_sent_nothing_any_more(self):
        self.falls_silent(signal.SIGSTOP)
