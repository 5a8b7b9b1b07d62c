"""A 0.14 server in one thread, with faults on request."""

import random
import selectors
import threading
import time
import uuid

from . import wire
from .net import Faults, Pipe, Tape, dice
from .spans import SpanSet

LATE_SECONDS = 0.2
SETTLE_SECONDS = 120     # another client that sends without a pause keeps it waiting


class Test:
    """One upload test as the server sees it."""

    def __init__(self, channel, duration, now):
        self.channel, self.duration, self.start = channel, duration, now
        self.uid, self.guid = str(uuid.uuid4()), str(uuid.uuid4())
        self.missing = SpanSet.everything()
        self.bytes = self.packets = self.duplicates = 0
        self.numbers = {}             # E -> times received
        self.seen = set()             # N received
        self.newest = (-1, 0, 0)      # highest E, its N, its offset
        self.next_flow = now
        self.flow_sent = []           # (time, ranges) of each report that was really sent
        self.next_result = None
        self.result = None
        self.acked = 0

    def take(self, packet, length):
        """Counts one data packet."""
        self.bytes += length
        self.packets += 1
        if packet.sequence in self.seen:
            self.duplicates += 1
        self.seen.add(packet.sequence)
        number = packet.number
        self.numbers[number] = self.numbers.get(number, 0) + 1
        self.missing.discard(number)
        if number > self.newest[0]:
            self.newest = (number, packet.sequence, packet.offset)

    def finish(self):
        """Makes the result's body; the time that counts is the one agreed on."""
        later = sum(n > self.newest[1] for n in self.seen) if self.newest[0] >= 0 else 0
        self.result = {
            "cmd": "TEST_RESULT", "ack": 1, "guid": self.guid, "channel": self.channel,
            "bytes_received": self.bytes, "bandwidth_bps": 8 * self.bytes / self.duration,
            "retransmit_count": self.newest[2] + later, "packet_count": self.packets,
            "duration": float(self.duration), "uid": self.uid}


class Session:
    """One client: its three pipes and what it has shown of itself."""

    def __init__(self, address, key, pipes):
        self.address, self.key, self.pipes = address, key, pipes
        self.peers, self.heard, self.proven = {}, set(), set()
        self.test = None
        self.round_trips = []         # (role, seconds)

    def assignment(self):
        """The answer to CONNECT."""
        ports = [self.pipes[role].address[1] for role in wire.ROLES]
        return ",".join(map(str, ports + [self.key])).encode()


class Server014(threading.Thread):
    """The server. Use as a context manager; `address` is where to CONNECT."""

    live = []                         # all of this process

    def __init__(self, host="127.0.0.1", port=0, ports=None, faults=None,
                 adjustment_delay=1.0, flow_control_rate=10, ucm_rate=0.1):
        super().__init__(daemon=True)
        self.faults = faults or Faults()
        self.tape, self._dice = Tape(), dice(self.faults)
        # A stray datagram of an earlier test must not find a new server: never the same ports.
        first = random.SystemRandom().randrange(10000, 19000)
        self._host, self._ports = host, ports or range(first, first + 1000)
        self.flow_interval, self.ucm_rate = adjustment_delay / flow_control_rate, ucm_rate
        self.sessions, self.tests = {}, []
        self.ended = []               # sessions whose ports were freed
        self._leaving = []            # (when to close, session)
        self._connects = 0
        self._acks_to_drop = self.faults.drop_acks
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._turn = threading.Lock()  # held while what has arrived is worked off
        Server014.live.append(self)
        self.error = None
        self.main = self._pipe("main", port)
        self.address = self.main.address

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()
        if self.error is not None and exception[0] is None:
            raise self.error

    def stop(self):
        """Ends the thread and closes all sockets."""
        self._stopping.set()
        self.join(5)
        if self in Server014.live:
            Server014.live.remove(self)

    def settle(self):
        """Waits until all that had arrived is on the tape, or for SETTLE_SECONDS."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while self.is_alive() and time.monotonic() < deadline:
            with self._turn:
                try:
                    if not self._selector.select(0):
                        return
                except (OSError, ValueError):
                    return           # it has just ended
            time.sleep(0.001)

    def wait(self, condition, timeout):
        """Waits until `condition()` holds; says whether it did."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.01)
        return bool(condition())

    def run(self):
        try:
            while not self._stopping.is_set():
                ready = self._selector.select(self._patience())
                with self._turn:
                    self._work(ready)
        except Exception as error:  # shown to the test by __exit__
            self.error = error
        finally:
            for session in [*self.sessions.values(), *(left for _, left in self._leaving)]:
                self._free(session)
            self.main.close()
            self._selector.close()

    def _work(self, ready):
        for key, _ in ready:
            pipe, session = key.data
            for data, peer, _ in pipe.receive():
                if session in (left for _, left in self._leaving):
                    continue
                if session is None:
                    self._on_main(data, peer)
                else:
                    self._on_port(session, pipe, data, peer)
        for session in list(self.sessions.values()):
            self._on_time(session)
        while self._leaving and self._leaving[0][0] <= time.monotonic():
            self._free(self._leaving.pop(0)[1])

    def _patience(self):
        deadline = time.monotonic() + 0.05
        for session in self.sessions.values():
            test = session.test
            if test is not None:
                deadline = min(deadline, test.next_result or test.next_flow)
        return max(0.0, deadline - time.monotonic())

    def _pipe(self, role, port, session=None):
        pipe = Pipe(role, (self._host, port), self.tape, self.faults, self._dice)
        self._selector.register(pipe.socket, selectors.EVENT_READ, (pipe, session))
        return pipe

    def _release(self, session):
        """Frees the ports; the sockets stay open a moment, only to write down late packets."""
        self.sessions.pop(session.address, None)
        self._leaving.append((time.monotonic() + LATE_SECONDS, session))

    def _free(self, session):
        for pipe in session.pipes.values():
            if not pipe.closed:
                while pipe.receive():
                    pass             # what has come is on the tape
                self._selector.unregister(pipe.socket)
                pipe.close()
        self.sessions.pop(session.address, None)
        self.ended.append(session)

    def _on_main(self, data, peer):
        if self.faults.never_answer or (self.faults.only_connect and data != b"CONNECT"):
            return
        self._connects += 1
        if self._connects <= self.faults.ignore_connects:
            return
        if self.faults.refuse:
            self.main.send(self.faults.refuse, peer)
            return
        session = self.sessions.get(peer)
        if session is None:
            session = self._admit(peer)
        if len(session.heard) < 3:
            self.main.send(session.assignment(), peer)
            if self.faults.answer_twice:
                control, upload, download, key = session.assignment().decode().split(",")
                self.main.send(f"{download},{control},{upload},{(int(key) + 1) % 60001}".encode(),
                               peer)

    def _admit(self, peer):
        session = Session(peer, self._dice.randint(0, 60000), {})
        candidates = iter(self._ports)
        for role in wire.ROLES:
            while role not in session.pipes:
                try:
                    session.pipes[role] = self._pipe(role, next(candidates), session)
                except OSError:
                    continue
        self.sessions[peer] = session
        return session

    def _garbage(self, pipe, peer):
        for junk in self.faults.garbage:
            pipe.send(junk, peer)

    def _on_port(self, session, pipe, data, peer):
        packet = wire.parse(data)
        role = pipe.role
        if packet is None or session.peers.get(role, peer) != peer:
            return
        if packet.channel == session.key and packet.type in (wire.HEARTBEAT_0, wire.HEARTBEAT_2):
            session.peers[role] = peer
            session.heard.add(role)
            self._on_heartbeat(session, pipe, packet, peer)
        elif packet.type == wire.CONTROL and role == "control":
            self._on_command(session, pipe, packet, peer)
        elif packet.type == wire.TEST_RESULT and role == "control":
            self._on_result_ack(session, packet)
        elif packet.type == wire.BANDWIDTH_TEST and role == "upload":
            self._on_data(session, packet, len(data))

    def _on_heartbeat(self, session, pipe, packet, peer):
        fields = packet.tokens()
        if packet.type == wire.HEARTBEAT_0:
            self._garbage(pipe, peer)
            stamp = self.faults.server_timestamp or repr(time.time())
            pipe.send_packet(peer, wire.HEARTBEAT_1, session.key,
                             wire.heartbeat_12(fields["timestamp"], stamp))
            return
        session.proven.add(pipe.role)
        session.round_trips.append(
            (pipe.role, time.time() - float(fields["server_timestamp"])))

    def _on_command(self, session, pipe, packet, peer):
        command = packet.json()
        if command.get("cmd") != "BWUP":
            return
        if self._acks_to_drop > 0:
            self._acks_to_drop -= 1
            return
        now = time.monotonic()
        if session.test is None:
            session.test = Test(command["channel"], command["duration"], now)
            self.tests.append(session.test)
        test = session.test
        pipe.send_packet(peer, wire.CONTROL, packet.channel,
                         wire.bwup_ack(test.channel, test.duration, test.uid))

    def _on_data(self, session, packet, length):
        test = session.test
        if test is None or packet.channel != test.channel or test.result is not None:
            return
        remaining = self.faults.drop_numbers.get(packet.number, 0)
        if remaining > 0:
            self.faults.drop_numbers[packet.number] = remaining - 1
            return
        test.take(packet, length)

    def _on_result_ack(self, session, packet):
        test = session.test
        if test is None or test.result is None or packet.json().get("guid") != test.guid:
            return
        test.acked += 1
        if self._acks_to_drop > 0:
            self._acks_to_drop -= 1
            return
        self._release(session)

    def _on_time(self, session):
        test, now = session.test, time.monotonic()
        if test is None:
            return
        close_after = self.faults.close_after
        if close_after is not None and now >= test.start + close_after:
            self._free(session)
            return
        if test.result is None and now >= test.start + test.duration:
            test.finish()
            test.next_result = now
        if test.result is None and now >= test.next_flow:
            test.next_flow = max(test.next_flow + self.flow_interval, now)
            self._send_flow(session, test)
        if test.result is not None and now >= test.next_result:
            test.next_result = now + self.ucm_rate
            session.pipes["control"].send_packet(session.peers["control"], wire.TEST_RESULT,
                                                 test.channel, test.result)

    def _send_flow(self, session, test):
        peer = session.peers.get("upload")
        if peer is None:
            return
        pipe = session.pipes["upload"]
        self._garbage(pipe, peer)
        ranges = self.faults.static_flow or test.missing.ranges()[:wire.MAX_RANGES]
        body = wire.pack_ranges(ranges)
        if self.faults.raw_flow:
            body = self.faults.raw_flow[len(test.flow_sent) % len(self.faults.raw_flow)]
        test.flow_sent.append((time.monotonic(), [tuple(r) for r in ranges]))
        pipe.send_packet(peer, wire.FLOW_CONTROL, test.channel, body)
