"""How sessions of dialect 1 end before their time: either end stopped, killed or restarted."""

import contextlib
import json
import signal

import peer1
from harness import BinaryTestCase, Program, Server, eventually
from peer1 import Asker, Relay
from together import check_all, reserve_ports

MODES = ("SINGLE", "THREAD", "PROCESS")
QUICK = {"heartbeat_rate": 50}
BUSY = ("--rate", "5M", "--duration", "300", "--interval", "100")
LATE = ("--idle-timeout", "300000")      # ms: not what lets go of ports


def serve(*arguments, ports=30):
    """A server, for callers in several threads."""
    return Server(*arguments, ports=ports, first=reserve_ports(ports + 1) + 1)


def in_mode(mode):
    """The options for ports and sessions."""
    return ("--port-parallelability", mode, "--connection-parallelibility", mode)


class EndTestCase(BinaryTestCase):
    def start(self, stack, address, *arguments, config=None):
        """A client that is at it."""
        client = stack.enter_context(Program(f"{address[0]}:{address[1]}", *arguments, "--json",
                                             config=config))
        if any(word.startswith("--bw") for word in arguments):
            client.wait_line("stderr", r"^(up +|down +)?\[", count=2)
        for role in ("CONTROL", "UPLOAD", "DOWNLOAD"):
            client.wait_line("stderr", f"^Client latency {role}")
        return client

    def document(self, client):
        """The checked result of a client that has ended."""
        document = json.loads("\n".join(client.stdout))
        self.check_result(document, dialect="1")
        return document


class ServerStops(EndTestCase):
    def stop(self, mode, arguments, config=None):
        with serve(*in_mode(mode)) as server, contextlib.ExitStack() as stack:
            client = self.start(stack, server.address, *arguments, *in_mode(mode), config=config)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(client.wait(), 1, client.errors())
            self.assertEqual(server.wait(), 0, server.errors())
            self.assertTrue(server.find("stdout", "^Client left: .*server stops"))
            document = self.document(client)
            self.assertIs(document["valid"], False)
            self.assertRegex(self.problem(document, "W010"),
                             "the server ended the session: .*stop")

    def test_the_client_ends_at_once_and_says_why(self):
        check_all(self, self.stop,
                  [(mode, (way, *BUSY)) for mode in MODES for way in ("--bwup", "--bwdown")]
                  + [("SINGLE", ("--bwboth", "--streams", "4", *BUSY)),
                     ("SINGLE", (), QUICK), ("PROCESS", (), QUICK)])


class ClientStops(EndTestCase):
    def stop(self, mode, arguments, number, config=None):
        """With ports for one client alone: the next one gets them at once."""
        with serve(*in_mode(mode), *LATE, ports=3) as server, contextlib.ExitStack() as stack:
            client = self.start(stack, server.address, *arguments, *in_mode(mode), config=config)
            with Asker(server.address) as asker:
                self.assertEqual(asker.begin().kind, peer1.REFUSE)
                client.process.send_signal(number)
                answer = eventually(lambda: (said := asker.begin()).kind == peer1.GRANT and said,
                                    "ports that are let go of")
                self.assertEqual(set(answer.ports()), set(range(server.first, server.last + 1)))
            server.wait_line("stdout", r"^Client left: .*closed by the client")
            tests = bool(arguments)
            self.assertEqual(client.wait(), 1 if tests else 0, client.errors())
            document = self.document(client)
            codes = [p["code"] for p in document["problems"] if p["code"] < "W1"]
            self.assertEqual(codes, ["W006"] if tests else [])

    def test_the_server_lets_go_of_its_ports(self):
        check_all(self, self.stop,
                  [(mode, (way, *BUSY), signal.SIGINT) for mode in MODES
                   for way in ("--bwup", "--bwdown")]
                  + [("SINGLE", ("--bwboth", "--single-port", *BUSY), signal.SIGTERM),
                     ("PROCESS", (), signal.SIGINT, QUICK)])


class ServerDies(EndTestCase):
    def test_a_killed_server_is_noticed(self):
        """Nobody says CLOSE: within the patience for a silent server."""
        with serve() as server, contextlib.ExitStack() as stack:
            clients = [self.start(stack, server.address, *arguments, config=QUICK)
                       for arguments in (("--bwup", *BUSY), ("--bwdown", *BUSY), ())]
            server.process.kill()
            for client in clients:
                self.assertEqual(client.wait(), 1, client.errors())
                self.assertRegex(self.problem(self.document(client), "W007"), "stopped answering")

    def test_a_restart_during_the_handshake_only_delays(self):
        """The client's cookie is one of the dead server's."""
        with serve() as old, contextlib.ExitStack() as stack:
            ports, restarted = (old.first, old.last), []

            def restart(data):
                answer = peer1.parse(data)
                if answer is None or answer.kind != peer1.COOKIE or restarted:
                    return
                old.process.kill()
                old.process.wait()
                restarted.append(stack.enter_context(Server(
                    "--port-ranges", f"{ports[0]}-{ports[1]}", port=old.address[1],
                    first=ports[0])))

            with Relay(old.address, restart) as relay:
                document = self.measure(relay.address, "--count", "3", config=QUICK)
            self.assert_untroubled(document)
            cookies = {d for d in relay.answered if peer1.parse(d).kind == peer1.COOKIE}
            self.assertEqual(len(cookies), 2, "it went on with the old cookie")
            self.assertEqual(len(restarted[0].find("stdout", "^Client connected")), 1)

    def test_a_server_that_starts_late_is_found(self):
        """The client asks a relay, behind which there is nobody at first."""
        first = reserve_ports(31)
        with Relay(("127.0.0.1", first)) as relay, \
                Program(f"127.0.0.1:{relay.address[1]}", "--count", "2", config=QUICK) as client:
            eventually(lambda: len(relay.asked) >= 3, "three HELLOs")
            with Server(port=first, first=first + 1):
                self.assertEqual(client.wait(), 0, client.errors())

    def test_lost_answers_only_delay(self):
        for kind in (peer1.COOKIE, peer1.GRANT):
            with serve() as server:
                left = [3]

                def lose(data, kind=kind, left=left):
                    if peer1.parse(data).kind == kind and left[0] > 0:
                        left[0] -= 1
                        return False
                    return True

                with Relay(server.address, lose) as relay:
                    self.measure(relay.address, "--count", "1", config=QUICK)
                    eventually(lambda relay=relay: relay.asked[-1][7] == peer1.CLOSE, "a CLOSE")
                asked = [d[7] for d in relay.asked]
                again = peer1.HELLO if kind == peer1.COOKIE else peer1.OPEN
                self.assertGreaterEqual(asked.count(again), 4, asked)
                self.assertEqual(len(set(relay.asked)), 3, "HELLO, OPEN and CLOSE, each the same")
                self.assertEqual(len(server.find("stdout", "^Client connected")), 1)


class Hostile(EndTestCase):
    def test_a_forged_close_ends_nothing(self):
        """From the client's own address, with all but the session's number."""
        with serve() as server, contextlib.ExitStack() as stack:
            with Relay(server.address) as relay:
                client = self.start(stack, relay.address, config=QUICK)
                nonce = relay.asked[0][12:28]
                for session in (bytes(8), b"\xff" * 8):
                    body = session + b"\1"
                    for to_server, magic in ((True, b"CONNECT"), (False, b"WYNDRVR")):
                        relay.forge(to_server, magic + b"\6\1\0\0\x25" + nonce + body)
                before = len(client.find("stderr", "^Client latency"))
                client.wait_line("stderr", "^Client latency", count=before + 30)
                self.assertEqual(client.stop(signal.SIGINT), 0)

