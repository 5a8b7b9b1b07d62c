"""Which dialect two ends speak: HELLO to originals, falling back, one dialect alone, no answer."""

import os
import tempfile

import peer1
from harness import BinaryTestCase, Server, eventually
from peer014 import Client014, Faults, Server014, wire
from peer1 import Asker
from together import check_all, reserve_ports

QUICK = {"heartbeat_rate": 50}
KEY = "7 " + "5a" * 32 + "\n"


def kinds(server):
    """What came to a server's main port: CONNECT, or the kind of a dialect 1 datagram."""
    return ["CONNECT" if r.data == b"CONNECT" else r.data[7]
            for r in server.tape.all("main", True)]


class Originals(BinaryTestCase):
    """Our client with servers of 0.14."""

    def test_one_exchange_is_enough_with_an_original(self):
        with Server014() as server:
            document = self.measure(server.address, "--count", "3", dialect="0.14", config=QUICK)
            asked = server.tape.all("main", True)
            self.assertEqual({r.data for r in asked}, {asked[0].data}, "it asked for more")
            self.assertEqual((asked[0].length, asked[0].data[:12]),
                             (512, b"CONNECT\1\1\0\0\x1c"))
            self.assertEqual(asked[0].data[28:], bytes(484))
            self.assertEqual(document["latency"]["control"]["received"], 3)

    def test_each_run_has_another_nonce(self):
        with Server014() as server:
            for _ in range(2):
                self.measure(server.address, "--count", "1", dialect="0.14", config=QUICK)
            nonces = {r.data[12:28] for r in server.tape.all("main", True)}
        self.assertEqual(len(nonces), 2)
        self.assertNotIn(bytes(16), nonces)

    def test_a_server_that_knows_connect_alone_gets_one_later(self):
        with Server014(faults=Faults(only_connect=True)) as server:
            self.measure(server.address, "--count", "2", dialect="0.14", config=QUICK)
            self.assertEqual(kinds(server)[:6], [peer1.HELLO] * 5 + ["CONNECT"])
            self.assertEqual(len({r.peer for r in server.tape.all("main", True)}), 1)

    def upload(self, arguments, method, payload):
        with Server014() as server:
            document = self.measure(server.address, "--bwup", "--duration", "0.5", *arguments,
                                    dialect="0.14", config={"send_sleep": 500})
            self.assertEqual(set(kinds(server)), {peer1.HELLO})
            test = document["tests"][0]
            self.assertEqual((test["method"], test["payload_bytes"]), (method, payload))
            self.assertEqual(test["packets"]["received"], server.tests[0].result["packet_count"])
            data = server.tape.all("upload", True, wire.BANDWIDTH_TEST)
            self.assertEqual({r.length for r in data}, {payload})

    def test_an_upload_falls_back_and_keeps_the_senders_own_options(self):
        check_all(self, self.upload, [((), "0.14", 938),
                                      (("--rate", "2M", "--payload", "500"), "fixed", 500)])

    def test_what_0_14_cannot_do_ends_the_run(self):
        for arguments, what in ((("--bwdown",), "--bwdown"), (("--bwboth",), "--bwboth"),
                                (("--single-port",), "--single-port"),
                                (("--bwup", "--streams", "2"), "--streams 2"),
                                (("--bwup", "--reliable", "off"), "--reliable off"),
                                (("--bwup", "--bytes", "1M"), "--bytes"),
                                (("--bwup", "--payload", "1401"), "--payload")):
            with Server014() as server:
                document = self.measure(server.address, *arguments, code=1, dialect="0.14")
                self.assertRegex(self.problem(document, "W011"), f"0.14 only, .*{what}")
                self.assertEqual(server.tape.all("upload", True), [], "it began all the same")

class GivingUp(BinaryTestCase):
    """Nobody there, somebody who does not answer, and somebody who has not what is wanted."""

    about_seconds = 10

    def give_up(self, arguments, faults, pattern, asked):
        """`asked` is what came to the server: (HELLOs, CONNECTs)."""
        with Server014(faults=faults) as server:
            document = self.measure(server.address, *arguments, code=1, dialect=None)
            self.assertRegex(self.problem(document, "W001"), pattern)
            eventually(lambda: len(kinds(server)) >= sum(asked), "what came to the server")
            seen = kinds(server)
            self.assertEqual((seen.count(peer1.HELLO), seen.count("CONNECT")), asked, seen)
            self.assertEqual(len(seen), sum(asked))
            self.assertEqual(server.tape.all(incoming=True, kind=wire.HEARTBEAT_0), [])

    def nobody(self, dialect):
        with Server014() as server:
            address = server.address
        document = self.measure(address, "--dialect", dialect, code=1, dialect=None)
        self.assertRegex(self.problem(document, "W001"), "nobody listens on")

    def ours_in_one_alone(self):
        with Server("--dialect", "1", first=reserve_ports(31) + 1) as server:
            document = self.measure(server.address, "--dialect", "0.14", code=1, dialect="0.14")
            self.assertRegex(self.problem(document, "W001"), "never answered")

    def test_after_so_many_tries_and_says_why(self):
        descriptor, key_file = tempfile.mkstemp()
        self.addCleanup(os.unlink, key_file)
        os.write(descriptor, KEY.encode())
        os.close(descriptor)
        mute, never, not_1 = Faults(never_answer=True), "never answered", "0.14 only.*no dialect 1"
        check_all(self, lambda case, *rest: getattr(self, case)(*rest), [
            ("give_up", ("--dialect", "0.14"), mute, never, (0, 5)),
            ("give_up", ("--dialect", "1"), mute, never, (20, 0)),
            ("give_up", ("--dialect", "auto"), mute, never, (12, 8)),
            ("give_up", ("--key-file", key_file), mute, never, (20, 0)),
            ("give_up", ("--dialect", "1"), Faults(), not_1, (20, 0)),
            ("give_up", ("--key-file", key_file), Faults(), not_1, (20, 0)),
            ("nobody", "auto"), ("nobody", "0.14"), ("ours_in_one_alone",)], 9)


class OurServer(BinaryTestCase):
    """Our server, told to speak one dialect alone, or both."""

    def test_in_0_14_it_answers_any_client_in_0_14(self):
        with Server("--dialect", "0.14") as server:
            document = self.measure(server.address, "--count", "2", dialect="0.14", config=QUICK)
            self.assertEqual(document["dialect"], "0.14")
            with Client014(server.address) as client:
                client.connect()
                client.prove()
            document = self.measure(server.address, "--bwdown", code=1, dialect=None)
            self.assertRegex(self.problem(document, "W011"), "--bwdown")

    def test_in_1_it_does_not_hear_connect(self):
        with Server("--dialect", "1") as server:
            with Client014(server.address) as client:
                self.assertIsNone(client.ask(timeout=0.5))
            self.measure(server.address, "--count", "2", dialect="1", config=QUICK)

    def test_in_auto_it_speaks_both(self):
        with Server() as server:
            for dialect in ("0.14", "1"):
                self.measure(server.address, "--count", "2", "--dialect", dialect,
                             dialect=dialect, config=QUICK)
            self.measure(server.address, "--count", "2", dialect="1", config=QUICK)

    def test_the_handshake_by_the_book(self):
        with Server() as server, Asker(server.address) as asker:
            cookie = asker.hello()
            self.assertEqual((cookie.kind, cookie.nonce, len(cookie.body), cookie.length),
                             (peer1.COOKIE, asker.nonce, 20, 48))
            self.assertEqual(asker.hello().body, cookie.body, "the same HELLO, another answer")
            wanted = {peer1.DIRECTIONS: 2, peer1.DURATION: 1000, peer1.RATE: 5_000_000,
                      peer1.STREAMS: 3}
            grant = asker.open(cookie.body, wanted)
            self.assertEqual((grant.kind, grant.nonce), (peer1.GRANT, asker.nonce))
            self.assertLessEqual(grant.length, peer1.ASKING)
            self.assertEqual(len(set(grant.ports())), 3)
            self.assertLessEqual(set(grant.ports()), set(range(server.first, server.last + 1)))
            for field, value in wanted.items():
                self.assertEqual(grant.fields()[field], value, field)
            self.assertEqual(asker.open(cookie.body, wanted), grant, "an OPEN that came twice")
            other = asker.hello(dialect=2)
            self.assertEqual((other.kind, other.reason()),
                             (peer1.REFUSE, (peer1.UNKNOWN_DIALECT, 0)))

    def test_a_foreign_or_broken_cookie_is_not_answered(self):
        with Server() as server, Asker(server.address) as asker, Asker(server.address) as other:
            cookie = asker.hello().body
            self.assertIsNone(other.open(cookie, timeout=0.3), "a cookie of another address")
            for broken in (cookie[:-1] + bytes((cookie[-1] ^ 1,)), cookie[:4] + b"x" * 16):
                self.assertIsNone(asker.open(broken, timeout=0.2))
            self.assertEqual(asker.open(cookie).kind, peer1.GRANT)
