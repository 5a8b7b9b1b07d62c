"""What a server grants in dialect 1: its limits of tests, of sessions and of networks."""

import contextlib
import json

from harness import PATIENCE, BinaryTestCase, Program, Server, eventually
from peer014 import Client014
from peer1 import GRANT, REFUSE, Asker
from together import check_all, reserve_ports

QUICK = {"heartbeat_rate": 50}
MAX_DURATION = (("--max-test-duration", "1"), ("--rate", "20M", "--duration", "2"),
                "1 s of the 2 s asked for")
MAX_RATE = (("--max-rate", "10M"), ("--rate", "50M", "--streams", "2"), "at most 10 Mbit/s")
MAX_RATE_OF_MAX = (("--max-rate", "10M"), ("--rate", "max"), "at most 10 Mbit/s")
MAX_BYTES = (("--max-test-bytes", "500k"), ("--rate", "20M"), "at most 500000 octets")
MAX_STREAMS = (("--max-streams", "3"), ("--rate", "20M", "--streams", "8"),
               "3 of the 8 streams asked for")
MAX_PAYLOAD = (("--max-payload", "700"), ("--rate", "20M"), "700 of the 1400 octets of payload")
ADDRESS, SAME_NETWORK, OTHER_NETWORK = "127.77.0.2", "127.77.0.3", "127.77.1.2"


def serve(*arguments, ports=30):
    """A server, for callers in several threads."""
    return Server(*arguments, ports=ports, first=reserve_ports(ports + 1) + 1)


class OfATest(BinaryTestCase):
    """W108, and that it holds: for what the client sends and for what the server does."""

    def restricted(self, way, limits, wanted, message):
        length = () if "--duration" in wanted else ("--duration", "1")
        with serve(*limits) as server:
            document = self.measure(server.address, way, *length, *wanted)
        self.assertIn(message, self.problem(document, "W108"))
        return document["tests"][0]

    def duration(self, way):
        test = self.restricted(way, *MAX_DURATION)
        self.assertEqual(test["requested_duration_s"], 2)
        self.assert_at_most(test, 20e6)

    def assert_at_most(self, test, rate):
        """Not more was sent than this rate allows in the second that the test takes."""
        self.assertLess(8 * test["payload_bytes"] * test["packets"]["sent"], 1.06 * rate)

    def rate(self, way):
        test = self.restricted(way, *MAX_RATE)
        self.assertEqual(test["streams"], 2)
        self.assert_at_most(test, 10e6)

    def rate_of_max(self, way):
        self.assert_at_most(self.restricted(way, *MAX_RATE_OF_MAX), 10e6)

    def octets(self, way):
        test = self.restricted(way, *MAX_BYTES)
        self.assertAlmostEqual(test["packets"]["sent"] * 1400, 500_000, delta=1400)

    def streams(self, way):
        self.assertEqual(self.restricted(way, *MAX_STREAMS)["streams"], 3)

    def payload(self, way):
        test = self.restricted(way, *MAX_PAYLOAD)
        self.assertEqual(test["payload_bytes"], 700)
        self.assertEqual(test["bytes_received"], 700 * test["packets"]["received"])

    def test_a_server_restricts_and_the_client_says_so(self):
        check_all(self, lambda case, way: getattr(self, case)(way),
                  [(case, way) for way in ("--bwup", "--bwdown") for case in
                   ("duration", "rate", "rate_of_max", "octets", "streams", "payload")])

    def test_what_is_within_the_limits_is_left_alone(self):
        with serve("--max-rate", "30M", "--max-test-duration", "1", "--max-streams", "2",
                   "--max-test-bytes", "100M", "--max-payload", "1400") as server:
            document = self.measure(server.address, "--bwboth", "--duration", "0.5", "--rate",
                                    "30M", "--streams", "2", "--bytes", "100M")
            self.assert_untroubled(document)
            latency = self.measure(server.address, "--count", "2", config=QUICK)
            self.assert_untroubled(latency)


class TotalRate(BinaryTestCase):
    about_seconds = 8

    def test_a_second_client_waits_says_so_and_runs(self):
        with serve("--max-total-rate", "30M") as server:
            address = f"127.0.0.1:{server.address[1]}"
            with Program(address, "--bwup", "--duration", "4", "--rate", "20M", "--json") as first:
                server.wait_line("stdout", "^Client connected")
                with Program(address, "--bwdown", "--duration", "0.5", "--rate", "20M",
                             "--json") as second:
                    second.wait_line("stderr", "^The server is busy; asking again in ")
                    self.assertEqual(first.wait(), 0, first.errors())
                    self.assertEqual(second.wait(), 0, second.errors())
                    documents = [json.loads("\n".join(p.stdout)) for p in (first, second)]
            for document in documents:
                self.check_result(document, dialect="1")
                self.assertTrue(document["valid"], document["problems"])

    def test_who_fits_beside_the_others_and_who_only_measures_latency_need_not_wait(self):
        with serve("--max-total-rate", "30M") as server:
            with Program(f"127.0.0.1:{server.address[1]}", "--bwup", "--duration", "300", "--rate",
                         "20M") as first:
                server.wait_line("stdout", "^Client connected")
                self.measure(server.address, "--count", "2", config=QUICK)
                self.measure(server.address, "--bwup", "--duration", "0.3", "--rate", "10M")
                self.assertTrue(first.running())

    def test_ctrl_c_ends_the_waiting(self):
        with serve("--max-total-rate", "30M") as server:
            address = f"127.0.0.1:{server.address[1]}"
            with Program(address, "--bwup", "--duration", "300", "--rate", "20M"):
                server.wait_line("stdout", "^Client connected")
                with Program(address, "--bwup", "--rate", "20M") as second:
                    second.wait_line("stderr", "^The server is busy")
                    self.assertEqual(second.stop(), 1)
                    self.assertTrue(second.find("stdout", "^W006"), second.stdout)


class OfSessions(BinaryTestCase):
    """Told by our own clients from several addresses of the loopback network."""

    def resident(self, stack, server, local):
        """A client that stays."""
        client = stack.enter_context(Program(f"127.0.0.1:{server.address[1]}", "--bind", local,
                                             config=QUICK))
        client.wait_line("stderr", "^Client latency DOWNLOAD")
        return client

    def refused(self, server, local, pattern):
        document = self.measure(server.address, "--bind", local, code=1, config=QUICK)
        self.assertRegex(self.problem(document, "W002"), pattern)

    def limit(self, option, most, refused, pattern, served):
        """`most` clients of one address are served, one more of `refused` is not."""
        with serve(option, most) as server, contextlib.ExitStack() as stack:
            residents = [self.resident(stack, server, ADDRESS) for _ in range(int(most))]
            self.refused(server, refused, pattern)
            if served:
                self.measure(server.address, "--bind", served, "--count", "1", config=QUICK)
            residents[0].stop()
            self.measure(server.address, "--bind", refused, "--count", "1", config=QUICK)
            self.assertEqual(len(server.find("stderr", f"^A limit is reached.*{option[2:]}"
                                             .replace("-", "_"))), 1, server.errors())

    def test_so_many_of_an_address_of_a_network_and_in_all(self):
        check_all(self, self.limit, [
            ("--max-sessions-per-address", "2", ADDRESS, "from this address", SAME_NETWORK),
            ("--max-sessions-per-network", "2", SAME_NETWORK, "from this network", OTHER_NETWORK),
            ("--max-sessions", "2", OTHER_NETWORK, "too many clients at once", None)])

    def test_no_free_ports(self):
        with serve(ports=3) as server, contextlib.ExitStack() as stack:
            resident = self.resident(stack, server, ADDRESS)
            self.refused(server, SAME_NETWORK, "no free ports")
            resident.stop()
            self.measure(server.address, "--count", "1", config=QUICK)

    def test_who_opens_and_never_comes_gives_its_ports_back(self):
        with serve(ports=6) as server, Asker(server.address) as first, \
                Asker(server.address) as second, Asker(server.address) as third:
            self.assertEqual((first.begin().kind, second.begin().kind), (GRANT, GRANT))
            self.assertEqual(third.begin().kind, REFUSE)
            eventually(lambda: third.begin().kind == GRANT, "ports that are given back")
            self.assertEqual(server.find("stdout", "^Client connected"), [])


class OfNetworks(BinaryTestCase):
    def answers(self, server, local, patience):
        """Whether the server answers HELLO and CONNECT of this address."""
        with Asker(server.address, local) as asker, Client014(server.address,
                                                              local=local) as original:
            found = {asker.hello(patience) is not None,
                     original.ask(timeout=patience) is not None}
            self.assertEqual(len(found), 1, "it depends on the dialect")
            return found.pop()

    def check(self, options, served, silent):
        with serve(*options) as server:
            for local in served:
                self.assertTrue(self.answers(server, local, PATIENCE), local)
                self.measure(server.address, "--bind", local, "--count", "1", config=QUICK)
            for local in silent:
                self.assertFalse(self.answers(server, local, 0.3), local)
            lines = [line for line in server.stderr if "latency" not in line]
            self.assertEqual(lines, [], "a line for somebody who is not served")

    def test_who_is_not_allowed_or_denied_hears_nothing(self):
        check_all(self, self.check, [
            (("--allow", "127.77.0.0/24"), [ADDRESS, SAME_NETWORK], [OTHER_NETWORK, "127.0.0.1"]),
            (("--deny", "127.77.0.0/24"), [OTHER_NETWORK, "127.0.0.1"], [ADDRESS, SAME_NETWORK]),
            (("--allow", "127.77.0.0/16,127.0.0.1", "--deny", f"{ADDRESS}/32"),
             [SAME_NETWORK, OTHER_NETWORK, "127.0.0.1"], [ADDRESS]),
            (("--allow", "2001:db8::/32"), [], ["127.0.0.1"])])
