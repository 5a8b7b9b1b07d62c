"""Runs that are cut short keep what they had, by whichever signal."""

import json
import signal
import unittest

from harness import BinaryTestCase, Program, Server
from together import check_all

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
MODES = ("SINGLE", "THREAD", "PROCESS")
TEST = ("--duration", "60", "--rate", "20M", "--interval", "100", "--json")


class Interrupted(BinaryTestCase):
    """A test in each direction, dialect and mode."""

    def stop(self, direction, dialect, mode, number):
        with Server() as server, \
                Program(f"127.0.0.1:{server.address[1]}", direction, *TEST, "--dialect", dialect,
                        "--port-parallelability", mode) as client:
            client.wait_line("stderr", r"\[ .*it/s", count=3)
            self.assertEqual(client.stop(number), 1, client.errors())
            document = self.document_of(client)
            (test,) = document["tests"]
            self.assertTrue(test["intervals"])
            self.assertGreater(test["packets"]["received"], 0)
            self.assertGreater(test["bytes_received"], 0)
            self.assertEqual("sent" in test["packets"], direction == "--bwup")
            self.assertEqual("lost" in test["packets"], direction == "--bwdown")
            if dialect == "1":
                server.wait_line("stdout", r"^Client left: .*\(closed by the client\)")

    def document_of(self, client):
        """Cut short, and said so."""
        document = json.loads("\n".join(client.stdout))
        self.check_result(document)
        self.assertIs(document["valid"], False)
        self.problem(document, "W006")
        return document

    def test_partial_figures_by_each_signal_and_mode(self):
        cases = [("--bwup", "1", "SINGLE", number) for number in SIGNALS]
        cases += [("--bwdown", "1", mode, number) for mode in MODES
                  for number in (signal.SIGHUP, signal.SIGQUIT)]
        check_all(self, self.stop, cases + [("--bwup", "1", "PROCESS", signal.SIGINT),
                                            ("--bwup", "0.14", "THREAD", signal.SIGHUP)], 3)

    def stop_server(self, mode, number):
        with Server("--port-parallelability", mode) as server, \
                Program(f"127.0.0.1:{server.address[1]}", "--heartbeat-rate", "50") as client:
            client.wait_line("stderr", "^Client latency")
            self.assertEqual(server.stop(number), 0, server.errors())
            self.assertTrue(server.find("stdout", "^Server stopped"))

    def test_a_server_ends_in_order_by_each_signal(self):
        check_all(self, self.stop_server, [(mode, number) for mode in MODES
                                           for number in (signal.SIGHUP, signal.SIGQUIT)], 3)

    def test_nohup_is_heeded(self):
        with Server() as server, \
                Program(f"127.0.0.1:{server.address[1]}", "--heartbeat-rate", "50",
                        prefix=("nohup",)) as client:
            client.wait_line("stderr", "^Client latency")
            client.process.send_signal(signal.SIGHUP)
            seen = len(client.find("stderr", "^Client latency"))
            client.wait_line("stderr", "^Client latency", count=seen + 10)
            self.assertEqual(client.stop(), 0)


if __name__ == "__main__":
    unittest.main()
