"""Garbage, strangers and wrong keys on a client's ports: no effect, no reply (section 8)."""

import random

from harness import PATIENCE, BinaryTestCase, Server
from peer014 import Client014, wire

LENGTHS = (0, 1, 19, 20, 21, 1400, 1401, 9000)


class Hostile(BinaryTestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.kill)
        self.client = Client014(self.server.address, heartbeat_rate=60)
        self.addCleanup(self.client.close)
        self.client.connect()
        self.client.prove()
        self.assertTrue(self.client.run(PATIENCE, until=self.client.beaten))

    def answers(self, stamp):
        """On how many ports a beat with this timestamp has been answered."""
        return sum(any(r.packet.tokens()["client_timestamp"] == stamp
                       for r in self.client.tape.all(role, True, wire.HEARTBEAT_1))
                   for role in wire.ROLES)

    def still_fine(self):
        """The session goes on: a beat is answered on each port. Two are: at the second, every port
        has worked off all that any port had got before the first."""
        for stamp in ("7000001.5", "7000002.5"):
            self.client.beat(timestamp=stamp)
            self.assertTrue(self.client.run(PATIENCE, until=lambda stamp=stamp: self.answers(
                stamp) == len(wire.ROLES)))
        self.assertTrue(self.server.running())

    def assert_no_reply(self, send, about):
        """Whatever `send` sends gets nothing back: what comes are the answers to two beats."""
        before = len(self.client.tape.all(incoming=True))
        send()
        self.still_fine()
        replies = self.client.tape.all(incoming=True)[before:]
        self.assertEqual([(r.role, r.data[:40]) for r in replies
                          if r.data[0] != wire.HEARTBEAT_1], [], about)
        self.assertEqual(len(replies), 2 * len(wire.ROLES), about)

    def test_any_length_on_any_port(self):
        dice = random.Random(1)

        def send():
            for role in wire.ROLES:
                for length in LENGTHS:
                    self.client.send_raw(role, b"\0" * length)
                    self.client.send_raw(role, b"\xff" * length)
                    self.client.send_raw(role, dice.randbytes(length))
        self.assert_no_reply(send, "garbage")

    def test_wrong_key(self):
        key = self.client.key

        def send():
            for role in wire.ROLES:
                for wrong in {(key + 1) % 60001, 0, 60001, 2**24 - 1} - {key}:
                    self.client.send(role, wire.HEARTBEAT_0, wrong, wire.heartbeat_0("1.5"))
                    self.client.send(role, wire.HEARTBEAT_2, wrong, wire.heartbeat_12("1", "2"))
        self.assert_no_reply(send, "wrong key")

    def test_wrong_types_on_wrong_ports(self):
        client = self.client

        def send():
            for role in ("upload", "download"):
                client.send(role, wire.CONTROL, 77, wire.bwup(77, 1))
                client.send(role, wire.TEST_RESULT, 77, wire.result_ack("x"))
            for role in ("control", "download"):
                client.send(role, wire.BANDWIDTH_TEST, 77, wire.dummy(900))
                client.send(role, wire.FLOW_CONTROL, 77, wire.pack_ranges([(0, 9)]))
            for role in wire.ROLES:
                client.send(role, wire.HEARTBEAT_1, client.key, wire.heartbeat_12("1", "2"))
                client.send(role, wire.DATA, 77, b"{}")
                for kind in (8, 42, 127, 128, 255):
                    client.send(role, kind, client.key, wire.heartbeat_0("1.5"))
            client.send("upload", wire.FLOW_CONTROL, 77, wire.pack_ranges([(0, 9)]))
            client.send("upload", wire.BANDWIDTH_TEST, 77, wire.dummy(900))
            client.send("control", wire.TEST_RESULT, 77, wire.result_ack("nobody's"))
        self.assert_no_reply(send, "wrong types")

    def test_bad_bodies(self):
        client = self.client
        bodies = [b"", b"{", b"{}", b"[]", b"null", b"1", b'"x"', b'{"timestamp"}', b"\xff\xfe{}",
                  b'{"timestamp": }', b'{"timestamp": "x', b'{"timestamp": 1.5e}',
                  b'{"timestamp": 1.5', b'{"timestamp": 1.5}}', b'{"timestamp": NaN}',
                  b'{"timestamp": 1.5}\0', b"[" * 1300, b'{"a":' * 200 + b"1" + b"}" * 200]
        for body in bodies:
            for role in wire.ROLES:
                client.send(role, wire.HEARTBEAT_2, client.key, body)

        def send():
            for body in bodies:
                for role in wire.ROLES:
                    client.send(role, wire.HEARTBEAT_0, client.key, body)
                client.send("control", wire.CONTROL, 77, body)
                client.send("control", wire.TEST_RESULT, 77, body)
        self.assert_no_reply(send, "bad JSON")

    def test_hostile_commands(self):
        client = self.client

        def send():
            for text in ('{"cmd":"BWUP"}', '{"cmd":"BWUP","channel":5}', '{"cmd":5}',
                         '{"cmd":"BWUP","channel":5,"duration":-1}',
                         '{"cmd":"BWUP","channel":5,"duration":1e400}',
                         '{"cmd":"BWUP","channel":5,"duration":"x"}',
                         '{"cmd":"BWUP","channel":5,"duration":null}',
                         '{"cmd":"BWUP","channel":-5,"duration":1}',
                         '{"cmd":"BWUP","channel":99999999999999999999,"duration":1}',
                         '{"cmd":"BWUP","channel":1.5,"duration":1}',
                         '{"cmd":"RM -RF","channel":5,"duration":1}'):
                client.send("control", wire.CONTROL, 5, text)
        self.assert_no_reply(send, "hostile commands")

    def test_the_key_is_no_test_channel(self):
        client = self.client
        self.assert_no_reply(lambda: client.send("control", wire.CONTROL, client.key,
                                                 wire.bwup(client.key, 1)), "BWUP on KEY")

    def test_a_strangers_socket_is_ignored(self):
        with Client014(self.server.address) as stranger:
            stranger.adopt((self.client.ports["control"][1], self.client.ports["upload"][1],
                            self.client.ports["download"][1], self.client.key))

            def send():
                stranger.beat()
                for role in wire.ROLES:
                    stranger.send(role, wire.HEARTBEAT_2, stranger.key,
                                  wire.heartbeat_12("1", "2"))
                stranger.send("control", wire.CONTROL, 9, wire.bwup(9, 1))
                stranger.run(0.2)
            self.assert_no_reply(send, "stranger's packets answered to the client")
            self.assertEqual(stranger.tape.all(incoming=True), [])

    def test_heartbeats_of_one_port_on_another(self):
        client = self.client
        pipe = client.pipes["control"]
        for role in ("upload", "download"):
            pipe.send(wire.pack(0, client.key, 0, 0, wire.heartbeat_0("7.5")), client.ports[role])
        self.still_fine()
        strays = [r for r in client.tape.all("control", True)
                  if r.peer != client.ports["control"]]
        self.assertEqual(strays, [])
