"""A server that holds: time-outs, exhaustion, many clients (issue's "a server that holds")."""

import re
import time

from harness import BinaryTestCase, Server
from peer014 import Client014, wire

UNPROVEN_SECONDS = 5.0


class Limits(BinaryTestCase):
    def test_unproven_clients_lose_their_ports_within_five_seconds(self):
        with Server() as server, Client014(server.address) as mute, \
                Client014(server.address) as partial:
            mute.connect()
            partial.connect()
            begin = time.monotonic()
            partial.heartbeat_rate = 0.5
            partial.beat(["control", "download"])
            while time.monotonic() < begin + UNPROVEN_SECONDS + 0.7:
                partial.beat(["control", "download"])
                partial.run(0.4)
            with Client014(server.address) as third, Client014(server.address) as fourth:
                self.assertEqual(third.connect()[0], server.first, "mute client kept its ports")
                self.assertEqual(fourth.connect()[0], server.first + 3,
                                 "half-proven client kept its ports")

    def test_a_client_that_proves_late_keeps_its_ports(self):
        with Server() as server, Client014(server.address, heartbeat_rate=1) as client:
            client.connect()
            time.sleep(2)
            client.prove()
            client.run(5.0)
            client.answered.clear()
            client.prove()

    def idle(self, server, expected):
        with Client014(server.address, heartbeat_rate=0.3) as lively, \
                Client014(server.address, heartbeat_rate=60) as silent:
            lively.connect()
            lively.prove()
            silent.connect()
            silent.prove()
            lively.run(expected * 0.6)
            silent.answered.clear()
            silent.prove()                       # so the clock starts again
            lively.run(expected * 0.7)
            with Client014(server.address) as early:
                self.assertEqual(early.connect()[0], server.first + 6, "dropped too early")
            lively.run(expected * 0.3 + 0.9)
            with Client014(server.address) as late:
                self.assertEqual(late.connect()[0], server.first + 3, "silent client was kept")
            lively.answered.clear()
            lively.prove()

    def test_idle_timeout_by_key(self):
        with Server(config={"idle_timeout": 1500}) as server:
            self.idle(server, 1.5)

    def test_idle_timeout_by_option(self):
        with Server("--idle-timeout", "1200") as server:
            self.idle(server, 1.2)

    def test_exhaustion_is_refused_clearly_and_said_once(self):
        with Server(ports=4) as server, Client014(server.address, heartbeat_rate=0.5) as lucky:
            lucky.connect()
            lucky.prove()
            lucky.run(0.2)
            quiet = [line for line in server.stderr if "latency" not in line]
            refusals = 0
            for _ in range(6):
                with Client014(server.address) as late:
                    for _ in range(5):
                        answer = late.ask(timeout=0.2)
                        if answer is not None:
                            self.assertTrue(answer.startswith(b"REFUSED"), answer)
                            refusals += 1
            lucky.run(0.2)
            self.assertGreaterEqual(refusals, 6)
            said = [line for line in server.stderr if "latency" not in line][len(quiet):]
            self.assertEqual(len(said), 1, said)
            self.assertRegex(said[0], re.compile("port", re.I))
            lucky.answered.clear()
            lucky.prove()

    def test_after_exhaustion_the_next_free_ports_are_given(self):
        with Server("--idle-timeout", "1000", ports=3) as server:
            with Client014(server.address) as first:
                first.connect()
                first.prove()
            with Client014(server.address) as second:
                self.assertTrue(second.ask().startswith(b"REFUSED"))
                time.sleep(2.2)
                self.assertEqual(wire.parse_assignment(second.ask())[0], server.first)

    def test_forty_clients_at_once(self):
        with Server(ports=120) as server:
            clients = [Client014(server.address) for _ in range(40)]
            ports = set()
            for client in clients:
                ports.update(client.connect()[:3])
            self.assertEqual(ports, set(range(server.first, server.first + 120)))
            for client in clients:
                client.prove()
            for client in clients:
                client.close()
