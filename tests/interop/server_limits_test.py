"""A server that holds: time-outs, exhaustion, many clients (issue's "a server that holds")."""

import re
import time

from harness import PATIENCE, BinaryTestCase, Server, eventually, pass_time
from peer014 import Client014, wire

# s without a datagram. No busy machine keeps a client that is not silent so silent.
IDLE_SECONDS = 4.0
# All come from one address, which may have all of the ports here.
MANY = ("--max-sessions-per-address", "100", "--max-sessions-per-network", "100")


class Limits(BinaryTestCase):
    about_seconds = 8

    def test_a_client_without_a_proven_port_loses_its_ports_and_one_with_some_does_not(self):
        with Server() as server, Client014(server.address) as mute, \
                Client014(server.address) as partial:
            before = server.count_descriptors()
            mute.connect()
            partial.connect()
            self.assertEqual(server.count_descriptors(), before + 6)
            partial.heartbeat_rate = PATIENCE    # only on the two ports below

            def mute_is_gone():
                partial.beat(["control", "download"])
                partial.run(0.4)
                return server.count_descriptors() == before + 3

            eventually(mute_is_gone, "an end of the mute client")
            with Client014(server.address) as third, Client014(server.address) as fourth:
                self.assertEqual(third.connect()[0], server.first, "mute client kept its ports")
                self.assertEqual(fourth.connect()[0], server.first + 6,
                                 "a firewall may have held the third port back")

    def test_a_client_that_proves_late_keeps_its_ports(self):
        with Server() as server, Client014(server.address, heartbeat_rate=1) as client:
            client.connect()
            pass_time(2)
            client.prove()
            client.run(4)            # until the time for a proof is over
            client.answered.clear()
            client.prove()

    def idle(self, server):
        with Client014(server.address, heartbeat_rate=0.3) as lively, \
                Client014(server.address, heartbeat_rate=PATIENCE) as silent:
            lively.connect()
            lively.prove()
            silent.connect()
            silent.prove()
            lively.run(IDLE_SECONDS / 2)
            begin = time.monotonic()
            silent.answered.clear()
            silent.prove()                       # so the clock starts again
            self.assertTrue(lively.run(PATIENCE, until=lambda: server.find("stdout",
                                                                           "^Client left")))
            self.assertGreaterEqual(time.monotonic() - begin, IDLE_SECONDS, "dropped too early")
            with Client014(server.address) as late:
                self.assertEqual(late.connect()[0], server.first + 3, "silent client was kept")
            lively.answered.clear()
            lively.prove()
            self.assertEqual(len(server.find("stdout", "^Client left")), 1)

    def test_idle_timeout_by_key(self):
        with Server(config={"idle_timeout": int(IDLE_SECONDS * 1000)}) as server:
            self.idle(server)

    def test_idle_timeout_by_option(self):
        with Server("--idle-timeout", int(IDLE_SECONDS * 1000),
                    config={"idle_timeout": 86_400_000}) as server:
            self.idle(server)

    def test_exhaustion_is_refused_clearly_and_said_once(self):
        with Server(*MANY, ports=4) as server, \
                Client014(server.address, heartbeat_rate=0.5) as lucky:
            lucky.connect()
            lucky.prove()
            lucky.run(0.2)
            quiet = [line for line in server.stderr if "latency" not in line]
            for _ in range(6):
                with Client014(server.address) as late:
                    answer = eventually(lambda late=late: late.ask(timeout=1.0), "a refusal")
                    self.assertTrue(answer.startswith(b"REFUSED"), answer)
            server.wait_line("stderr", re.compile("port", re.I))
            lucky.answered.clear()
            lucky.prove()
            said = [line for line in server.stderr if "latency" not in line][len(quiet):]
            self.assertEqual(len(said), 1, said)
            self.assertRegex(said[0], re.compile("port", re.I))

    def test_after_exhaustion_the_next_free_ports_are_given(self):
        with Server(*MANY, "--idle-timeout", "4000", ports=3) as server:
            with Client014(server.address) as first:
                first.connect()
                first.prove()
            with Client014(server.address) as second:
                self.assertTrue(second.ask().startswith(b"REFUSED"))
                server.wait_line("stdout", "^Client left")
                answer = eventually(lambda: (got := second.ask()) and not got.startswith(b"REF")
                                    and got, "ports")
                self.assertEqual(wire.parse_assignment(answer)[0], server.first)

    def test_forty_clients_at_once(self):
        with Server(*MANY, ports=120) as server:
            clients = [Client014(server.address) for _ in range(40)]
            ports = set()
            for client in clients:
                ports.update(client.connect()[:3])
                client.prove()
            self.assertEqual(ports, set(range(server.first, server.first + 120)))
            for client in clients:
                client.answered.clear()
                client.prove()
            for client in clients:
                client.close()
