"""A path that dies in a test: the run is invalid and names the cause, and its clock ends in time."""

import re

from lab import SERVER, LabTestCase, run  # first: puts the path
from harness import DIALECTS

DURATION = 10           # s
DONE = 120              # s
CLOCK = re.compile(rf"\[ *(\d+\.\d)/{DURATION}\.0 s\]")
FILTER = """
table inet filter {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
    udp {way} {port} drop
  }}
}}
"""


class DyingPath(LabTestCase):
    about_seconds = 25

    def begin(self, inside, dialect, way):
        """A client whose test has begun to arrive."""
        client = self.client(inside, way, "--dialect", dialect, "--duration", str(DURATION),
                             "--rate", "2M", "--interval", "200", "--json")
        self.addCleanup(client.kill)
        client.wait_line("stderr", r"^\[.*bit/s", count=2)
        return client

    def problems(self, client, dialect):
        """Code -> cause."""
        self.assertEqual(client.wait(DONE), 1, client.errors())
        document = self.document_of(client, dialect=dialect, valid=False)
        for line in client.stderr:
            for clock in CLOCK.findall(line):
                self.assertLessEqual(float(clock), DURATION, line)
        return {p["code"]: p.get("cause") for p in document["problems"]}

    def test_an_unreachable_server_is_named(self):
        inside = self.lab()
        run(*inside.inside_command(inside.router), "sh", "-c",
            "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit")
        self.serve(inside)
        # In dialect 1 it may be the loss that ends an upload; a download has no sender's figures.
        runs = [("1", "--bwup", {"W113", "W012"}), ("0.14", "--bwup", {"W113"}),
                ("1", "--bwdown", {"W005"})]
        clients = [(dialect, wanted, self.begin(inside, dialect, way))
                   for dialect, way, wanted in runs]
        run("ip", "-n", inside.router, "route", "add", "unreachable", SERVER)
        for dialect, wanted, client in clients:
            with self.subTest(dialect=dialect, wanted=wanted):
                problems = self.problems(client, dialect)
                found = wanted & problems.keys()
                self.assertTrue(found, problems)
                for code in found:
                    self.assertEqual(problems[code], "host_unreachable", problems)
                if "W005" in wanted:
                    self.assertTrue(client.find("stderr", "waiting for the server's figures$"))

    def test_a_data_port_that_is_filtered_later_makes_the_run_invalid(self):
        """Heartbeats and control go on; nobody says why."""
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                inside = self.lab()
                self.serve(inside)
                client = self.begin(inside, dialect, "--bwup")
                assigned = client.wait_line("stderr", "^Received port assignment:", 10)
                port = re.search(r"upload (\d+)", assigned)[1]
                inside.rules(inside.router, FILTER.format(way="dport", port=port))
                problems = self.problems(client, dialect)
                found = {"W113", "W012"} & problems.keys()
                self.assertTrue(found, problems)
                self.assertTrue(all(problems[code] is None for code in found), problems)
