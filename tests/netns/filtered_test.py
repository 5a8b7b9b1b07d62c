"""One of a session's three ports is filtered on the way: the others are measured, it is named."""

import itertools
import json
import re

from lab import SERVER, LabTestCase  # first: puts the path
from harness import DIALECTS, Program, Server, troubles

COUNT = 80              # heartbeats on each port, ten a second: longer than a client may take to prove
MOST_LOST = 20          # of a port that is not filtered, on a busy host; a session that ends loses 30
WAYS = {"to the server": ("dport",), "from the server": ("sport",), "both ways": ("dport", "sport")}
DONE = 120              # s


class Filtered(LabTestCase):
    def setUp(self):
        self.inside = self.lab()
        self.first = itertools.count(7001, 10)

    def server(self, filtered, ways, *options):
        """A server with three ports, of which this one is filtered, or each where it is None."""
        first = next(self.first)
        ports = f"{first}-{first + 2}" if filtered is None else first + filtered
        rules = "\n".join(f"udp {way} {ports} drop" for way in ways)
        self.inside.rules(self.inside.router,
                          "table inet filter {\nchain forward {\n"
                          "type filter hook forward priority 0; policy accept;\n"
                          f"{rules}\n}}\n}}\n")
        server = Server(*options, host=SERVER, port=first - 300, first=first, ports=3,
                        prefix=self.inside.inside_command(self.inside.server))
        self.addCleanup(server.kill)
        return server

    def client(self, server, *options):
        client = Program(f"{SERVER}:{server.address[1]}", "--json", *options,
                         prefix=self.inside.inside_command(self.inside.client))
        self.addCleanup(client.kill)
        return client

    def document(self, client, code):
        self.assertEqual(client.wait(DONE), code, client.errors())
        return json.loads("\n".join(client.stdout))

    def filtered_port(self, client, server, filtered):
        """Which of the three it is: a server of dialect 1 may give them in any order."""
        assigned = client.wait_line("stderr", "^Received port assignment:", 10)
        ports = dict(re.findall(r"(\w+) (\d+)", assigned.split(":", 1)[1]))
        return next(name for name, port in ports.items()
                    if int(port) == server.first + filtered)

    def check_named(self, document, name, needed=()):
        problems = troubles(document)
        self.assertEqual([p["code"] for p in problems], ["W003"], problems)
        message = problems[0]["message"]
        self.assertIn(f"no heartbeat came back on {name.upper()} port", message)
        self.assertEqual("so the test was not begun" in message, name in needed, message)

    def test_healthy_ports_are_measured_to_the_end_and_the_filtered_one_is_named(self):
        runs = []
        for dialect, filtered, ways in itertools.product(DIALECTS, range(3), WAYS):
            server = self.server(filtered, WAYS[ways])
            client = self.client(server, "--dialect", dialect, "--count", str(COUNT),
                                 "--heartbeat-rate", "100")
            runs.append((dialect, filtered, ways, server, client))
        for dialect, filtered, ways, server, client in runs:
            with self.subTest(dialect=dialect, filtered=filtered, ways=ways):
                document = self.document(client, 0)
                name = self.filtered_port(client, server, filtered)
                self.check_named(document, name)
                self.assertIs(document["valid"], True)
                for port in {"control", "upload", "download"} - {name}:
                    figures = document["latency"][port]
                    self.assertEqual(figures["sent"], COUNT)
                    self.assertLess(figures["lost"], MOST_LOST, port)
                self.assertEqual(document["latency"][name]["received"], 0)
                self.assertTrue(server.find("stdout", "^Client connected: "))

    def test_tests_need_their_own_ports_alone(self):
        """In processes, too: the coordinator is the same."""
        runs = []
        kinds = [("--bwup", {"control", "upload"}, DIALECTS),
                 ("--bwdown", {"control", "download"}, ("1",))]
        for option, needed, dialects in kinds:
            for dialect, filtered in itertools.product(dialects, range(3)):
                modes = ("--port-parallelability", "PROCESS" if filtered else "SINGLE")
                server = self.server(filtered, ("dport",), *modes)
                client = self.client(server, "--dialect", dialect, option, "--duration", "6",
                                     "--rate", "1M", *modes)
                runs.append((needed, dialect, filtered, server, client))
        for needed, dialect, filtered, server, client in runs:
            with self.subTest(needed=needed, dialect=dialect, filtered=filtered):
                client.wait_line("stderr", "^Received port assignment:", 30)
                name = self.filtered_port(client, server, filtered)
                document = self.document(client, 1 if name in needed else 0)
                self.check_named(document, name, needed)
                self.assertIs(document["valid"], name not in needed)

    def test_a_short_run_without_any_answer_is_not_valid(self):
        """Shorter than the time that ports have to answer; with its ports on one socket, too."""
        runs = []
        for dialect, options in (("1", ("--count", "5")), ("0.14", ("--count", "5")),
                                 ("1", ("--duration", "1")), ("0.14", ("--duration", "1")),
                                 ("1", ("--count", "2", "--single-port"))):
            server = self.server(None, ("dport",))
            client = self.client(server, "--dialect", dialect, "--heartbeat-rate", "200", *options)
            runs.append((dialect, options, client))
        for dialect, options, client in runs:
            with self.subTest(dialect=dialect, options=options):
                document = self.document(client, 1)
                self.assertIs(document["valid"], False)
                self.assertEqual([p["code"] for p in troubles(document)], ["W003"] * 3)
