"""Workers that are killed or stopped: what goes on, what ends, and what is said about it."""

import os
import re
import signal

from processes import (DIALECTS, PROCESS, ROLES, SINGLE, SLOW, THREAD, Client, FaultTestCase, Host,
                       both, check_all, eventually, modes, server_of, state_of)
from harness import PATIENCE
from peer014 import Client014, Refused

# A client of 0.14 leaves by falling silent. No busy machine keeps one silent for so long.
IDLE = ("--idle-timeout", "4000")
BIG_TEST = ("--bwup", "--duration", "300")
FOUND = {signal.SIGSTOP: "was stopped by"}   # any other signal: "was killed by"


def cause(role, pid, number):
    """What the supervisor of a worker says about its end."""
    return f"{role} worker (pid {pid}) {FOUND.get(number, 'was killed by')} {number.name}"


def is_gone(pid):
    """Whether a process has ended and been waited for."""
    return state_of(pid) is None


class WhileMeasuringLatency(FaultTestCase):
    """The other ports go on; only a server that speaks dialect 1 says CLOSE, and all is over."""
    about_seconds = 12

    def kill_at_client(self, dialect, role, number):
        with server_of(dialect) as server, \
                Client(server.address, *modes(PROCESS), dialect=dialect) as client:
            client.wait_beats()
            pid = client.wait_workers()[role]
            os.kill(pid, number)
            others = [other for other in ROLES if other != role]
            said = client.wait_line("stderr", f"^wyndrvr: {role} worker")
            self.assertEqual(said, f"wyndrvr: {cause(role, pid, number)}")
            client.wait_beats(10, others)
            eventually(lambda: is_gone(pid), f"{pid} to be waited for")
            before = client.lines(role)
            client.wait_beats(2, others)
            self.assertEqual(client.lines(role), before)
            client.process.terminate()
            document = self.result_of(client, 1)
            self.assertIs(document["valid"], False)
            self.assertEqual(self.problem(document, "W009"), cause(role, pid, number))
            self.assertEqual(set(document["latency"]), set(others))
            for other in others:
                figures = document["latency"][other]
                self.assertEqual(figures["lost"], 0, other)
                self.assertGreaterEqual(figures["received"], 12, other)

    def test_a_clients_worker(self):
        check_all(self, self.kill_at_client,
                  both([(role, number) for role in ROLES
                        for number in (signal.SIGKILL, signal.SIGSTOP)]))

    def test_all_of_a_clients_workers(self):
        for dialect in DIALECTS:
            with Host() as host, \
                    Client(host.address, *modes(PROCESS), dialect=dialect) as client:
                client.wait_beats()
                for pid in client.wait_workers().values():
                    os.kill(pid, signal.SIGKILL)
                document = self.result_of(client, 1)
                self.assertEqual([p["code"] for p in document["problems"]].count("W009"), 3)

    def kill_at_server(self, dialect, ports, sessions, role, number):
        """Seen by a client of ours and, in the same way, by an independent one."""
        with Host(*modes(ports, sessions), *IDLE, ports=6) as host, \
                Client(host.address, dialect=dialect) as ours, \
                Client014(host.address, heartbeat_rate=0.02) as theirs:
            ours.wait_beats()
            theirs.connect()
            theirs.prove()
            roles = ROLES if ports == PROCESS else ("session",)
            our_peer = host.wait_line("stdout", "^Client connected: ").split()[-1]
            peer = f"127.0.0.1:{theirs.main.address[1]}"
            victims = [host.wait_workers(roles, p)[role] for p in (our_peer, peer)]
            for victim in victims:
                os.kill(victim, number)
            for victim, who in zip(victims, (our_peer, peer)):
                line = re.escape(f"Client {who}: {cause(role, victim, number)}")
                host.wait_line("stderr", f"^{line}$")
            eventually(lambda: all(map(is_gone, victims)), "the victims to be reaped")
            lost = ROLES if role == "session" else (role,)
            others = [other for other in ROLES if other not in lost]
            told = dialect == "1" and not others      # the others of a latency run go on
            if told:
                document = self.result_of(ours, 1)
                self.assertEqual(self.problem(document, "W010"), "the server ended the session: "
                                 + cause(role, victims[0], number))
            elif others:
                ours.wait_beats(10, others)
                before = {r: ours.lines(r) for r in lost}
                ours.wait_beats(10, others)
                self.assertEqual({r: ours.lines(r) for r in lost}, before)
            theirs.run(0.1)              # answers that were on their way
            theirs.answered.clear()
            theirs.run(PATIENCE if others else 0.2, until=lambda: (
                others and theirs.answered >= set(others)))
            self.assertEqual(theirs.answered, set(others))
            self.assertEqual(len(host.losses()), 2)
            theirs.close()
            if not told:
                ours.process.terminate()
                self.result_of(ours, 0)
            host.wait_alone()
            self.serves_again(host)

    def serves_again(self, host):
        """Its ports are free (soon: a session may end some time after its workers), and it answers
        on all of them."""
        with Client014(host.address) as later:
            def connect():
                try:
                    return later.connect()
                except Refused:
                    return None
            self.assertEqual(eventually(connect, "free ports")[0], host.first)
            later.prove()
        self.assertTrue(host.running())

    def test_a_servers_worker(self):
        check_all(self, self.kill_at_server, both(
            [(PROCESS, SINGLE, role, number) for role in ROLES
             for number in (signal.SIGKILL, signal.SIGSTOP)]
            + [(PROCESS, sessions, role, signal.SIGKILL)
               for sessions, role in ((THREAD, "control"), (PROCESS, "upload"))]
            + [(SINGLE, PROCESS, "session", signal.SIGSTOP),
               (THREAD, PROCESS, "session", signal.SIGKILL),
               (PROCESS, PROCESS, "session", signal.SIGKILL)]), 6)


class WhileTesting(FaultTestCase):
    """The test ends at once and is invalid, the cause is told, and the server goes on."""

    def start(self, dialect, host, *options):
        """A client in the middle of an upload."""
        client = Client(host.address, *BIG_TEST, *options, config=SLOW, dialect=dialect)
        self.addCleanup(client.kill)
        client.wait_line("stderr", "^Upload test started")
        client.wait_beats(1)
        return client

    def ended(self, client, code):
        """The problem that it tells. It has ended by itself: its test is far from its end."""
        document = self.result_of(client, 1)
        self.assertIs(document["valid"], False)
        self.assertFalse(any("rate_bps" in test for test in document["tests"]), document["tests"])
        return self.problem(document, code)

    def next_client(self, host):
        """Another client gets the same ports, soon, and its test is valid."""
        with Client014(host.address) as later:
            def connect():
                answer = later.ask(timeout=1.0)
                return answer is not None and not answer.startswith(b"REFUSED") and answer
            answer = eventually(connect, "the ports to be free")
            later.adopt(tuple(map(int, answer.split(b","))))
            later.prove()
            self.assertGreater(later.upload(1.5, 200, linger=0).result["packet_count"], 0)
        self.assertTrue(host.running())
        host.wait_alone()

    def kill_at_client(self, dialect, role, number):
        with Host(*modes(PROCESS), *IDLE, ports=3) as host:
            client = self.start(dialect, host, *modes(PROCESS))
            pid = client.wait_workers()[role]
            os.kill(pid, number)
            self.assertEqual(self.ended(client, "W009"), cause(role, pid, number))
            self.next_client(host)
            self.assertEqual(host.losses(), [])

    def test_a_clients_worker(self):
        check_all(self, self.kill_at_client,
                  both([(role, number) for role in ROLES
                        for number in (signal.SIGKILL, signal.SIGSTOP)]
                       + [("control", signal.SIGABRT), ("upload", signal.SIGSEGV),
                          ("download", signal.SIGTERM)]), 6)

    def kill_at_server(self, dialect, ports, sessions, role, number):
        with Host(*modes(ports, sessions), ports=3) as host:
            client = self.start(dialect, host)
            pid = host.wait_workers([role])[role]
            os.kill(pid, number)
            self.assertEqual(self.ended(client, "W010"),
                             f"the server ended the session: {cause(role, pid, number)}")
            eventually(lambda: is_gone(pid), f"{pid} to be waited for")
            self.assertEqual([line.split(": ", 1)[1] for line in host.losses()],
                             [cause(role, pid, number)])
            self.next_client(host)

    def test_a_servers_worker(self):
        check_all(self, self.kill_at_server,
                  both([(PROCESS, SINGLE, role, number) for role in ROLES
                        for number in (signal.SIGKILL, signal.SIGSTOP)]
                       + [(PROCESS, SINGLE, "control", signal.SIGTERM),
                          (PROCESS, SINGLE, "upload", signal.SIGABRT),
                          (PROCESS, SINGLE, "download", signal.SIGSEGV)]), 6)

    def test_a_servers_worker_below_a_session(self):
        check_all(self, self.kill_at_server,
                  both([(PROCESS, THREAD, role, signal.SIGKILL) for role in ROLES]
                       + [(PROCESS, PROCESS, role, signal.SIGKILL) for role in ROLES]
                       + [(PROCESS, PROCESS, "upload", signal.SIGSTOP)]), 6)

    def test_a_servers_session(self):
        check_all(self, self.kill_at_server,
                  both([(ports, PROCESS, "session", number) for ports in (SINGLE, THREAD, PROCESS)
                        for number in (signal.SIGKILL, signal.SIGSTOP)]
                       + [(SINGLE, PROCESS, "session", signal.SIGSEGV)]), 6)
