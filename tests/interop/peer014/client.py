"""A 0.14 client, driven by its caller's thread, with faults on request."""

import collections
import random
import select
import time

from . import wire
from .net import Faults, Pipe, Tape, dice
from .spans import SpanSet, lost_numbers

PATIENCE = 120.0             # s, for what must come; a busy machine is slow
CONNECT_ATTEMPTS = 60        # by the book 5, which is too few for a path that loses a third
CONNECT_INTERVAL = 1.0
RESULT_ACK_SECONDS = 5.0


class NoAnswer(Exception):
    """The server said nothing in time."""


class Refused(Exception):
    """The server said something that is not an assignment."""


class Client014:
    """The client. `connect`, `prove` and `upload` follow the protocol; `send` does not have to."""

    def __init__(self, server, *, local="127.0.0.1", faults=None, heartbeat_rate=5.0,
                 ucm_delay=0.1, flow_control_rate=10, legacy_tail=False):
        self.server, self.faults = server, faults or Faults()
        self.tape, self._dice = Tape(), dice(self.faults)
        self.heartbeat_rate, self.ucm_delay = heartbeat_rate, ucm_delay
        self.flow_control_rate, self.legacy_tail = flow_control_rate, legacy_tail
        self.main = self._pipe("main", local)
        self._local = local
        self.pipes, self.ports, self.key = {}, {}, None
        self.answered = set()         # roles on which HEARTBEAT_1 came
        self.round_trips = []         # (role, seconds by kernel receive stamp)
        self._next_beat = 0.0
        self._inbox = collections.deque(maxlen=10000)  # (role, Packet) not yet expected by anyone
        self.on_packet = None         # (role, packet) -> None, sees all but heartbeats

    def _pipe(self, role, local):
        return Pipe(role, (local, 0), self.tape, self.faults, self._dice)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Goes silent."""
        for pipe in [self.main, *self.pipes.values()]:
            pipe.close()

    # -- connecting ---------------------------------------------------------------------------

    def ask(self, datagram=b"CONNECT", timeout=PATIENCE):
        """Sends one datagram to the main port; the answer, or None within `timeout`."""
        self.main.send(datagram, self.server)
        return self.listen_main(timeout)

    def listen_main(self, timeout):
        """The next datagram from the main port, or None."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            select.select([self.main.socket], [], [], left)
            for data, peer, _ in self.main.receive(1):
                if peer == self.server:
                    return data
        return None

    def connect(self, attempts=CONNECT_ATTEMPTS):
        """Gets the ports, with attempts a second apart."""
        for _ in range(attempts):
            answer = self.ask(timeout=CONNECT_INTERVAL)
            if answer is not None:
                break
        else:
            raise NoAnswer(f"no answer from {self.server}")
        try:
            assignment = wire.parse_assignment(answer)
        except ValueError as error:
            raise Refused(repr(answer)) from error
        self.adopt(assignment)
        return assignment

    def adopt(self, assignment):
        """Opens three sockets for an assignment."""
        self.key = assignment[3]
        for role, port in zip(wire.ROLES, assignment):
            self.ports[role] = (self.server[0], port)
            self.pipes[role] = self._pipe(role, self._local)

    def prove(self, timeout=PATIENCE):
        """Exchanges heartbeats until each port has answered and has had its HEARTBEAT_2."""
        self.beat()
        rate, self.heartbeat_rate = self.heartbeat_rate, min(self.heartbeat_rate, 0.2)
        try:
            if not self.run(timeout, until=lambda: len(self.answered) == 3):
                raise NoAnswer(f"heartbeats answered on {sorted(self.answered)} only")
        finally:
            self.heartbeat_rate = rate

    # -- sending ------------------------------------------------------------------------------

    def send(self, role, kind, channel, body=b"", offset=0, sequence=None):
        """Sends any packet on a port; returns its sequence number."""
        return self.pipes[role].send_packet(self.ports[role], kind, channel, body, offset, sequence)

    def send_raw(self, role, datagram):
        """Sends any octets on a port."""
        self.pipes[role].send(datagram, self.ports[role])

    def beat(self, roles=wire.ROLES, timestamp=None):
        """One HEARTBEAT_0 on each role."""
        for role in roles:
            stamp = repr(time.time()) if timestamp is None else timestamp
            self.send(role, wire.HEARTBEAT_0, self.key, wire.heartbeat_0(stamp))
        self._next_beat = time.monotonic() + self.heartbeat_rate

    # -- receiving ----------------------------------------------------------------------------

    def poll(self, timeout):
        """Handles what has come within `timeout`; returns after the first batch."""
        sockets = {p.socket: p for p in self.pipes.values() if not p.closed}
        ready, _, _ = select.select(list(sockets), [], [], max(0.0, timeout))
        for sock in ready:
            pipe = sockets[sock]
            for data, peer, stamp in pipe.receive():
                if peer == self.ports[pipe.role]:
                    self._on_packet(pipe, data, stamp)
        if self.key is not None and time.monotonic() >= self._next_beat > 0:
            self.beat()

    def beaten(self):
        """Whether each port has answered as many heartbeats as it was sent."""
        return all(len(self.tape.all(role, True, wire.HEARTBEAT_1))
                   >= len(self.tape.all(role, False, wire.HEARTBEAT_0)) for role in self.ports)

    def run(self, seconds, until=lambda: False):
        """Heartbeats and answers for so long or until the condition holds; says which."""
        deadline = time.monotonic() + seconds
        while not until():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.poll(min(left, 0.02, max(0.0, self._next_beat - time.monotonic())
                          if self._next_beat else 0.02))
        return True

    def expect(self, role, kind, timeout=PATIENCE, channel=None):
        """The next packet of that kind on that port, or None; others are kept for later."""
        deadline = time.monotonic() + timeout
        while True:
            for item in self._inbox:
                where, packet = item
                if where == role and packet.type == kind and channel in (None, packet.channel):
                    self._inbox.remove(item)
                    return packet
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.poll(min(left, 0.05))

    def _on_packet(self, pipe, data, stamp):
        packet = wire.parse(data)
        if packet is None:
            return
        self._inbox.append((pipe.role, packet))
        if packet.type == wire.HEARTBEAT_1 and packet.channel == self.key:
            try:
                fields = packet.tokens()
                client, server = fields["client_timestamp"], fields["server_timestamp"]
                self.round_trips.append((pipe.role, stamp / 1e9 - float(client)))
            except (ValueError, KeyError, TypeError):
                return
            self.answered.add(pipe.role)
            self.send(pipe.role, wire.HEARTBEAT_2, self.key, wire.heartbeat_12(client, server))
        elif self.on_packet is not None:
            self.on_packet(pipe.role, packet)

    # -- the upload test ----------------------------------------------------------------------

    def request_upload(self, duration, timeout=PATIENCE, channel=None):
        """BWUP until acknowledged; the channel, or NoAnswer."""
        while channel is None or channel == self.key:
            channel = random.randrange(1, 2**24)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.send("control", wire.CONTROL, channel, wire.bwup(channel, duration))
            ack = self.expect("control", wire.CONTROL, self.ucm_delay, channel)
            if ack is not None:
                return channel
        raise NoAnswer("BWUP was never acknowledged")

    def upload(self, duration, packets_per_second=1000, length=900, linger=RESULT_ACK_SECONDS,
               until=lambda: False):
        """A whole upload test; an Upload with the server's result.

        What the server repeats is acknowledged for `linger` seconds, or until the condition holds.
        """
        transfer = Upload(self, length)
        self.on_packet = transfer.on_packet
        transfer.channel = self.request_upload(duration)
        start = time.monotonic()
        while (now := time.monotonic()) < start + duration:
            while transfer.sent < (now - start) * packets_per_second:
                transfer.send_next()
            self.poll(0.5 / packets_per_second)
        self.run(PATIENCE, until=lambda: transfer.result is not None)
        if transfer.result is None:
            raise NoAnswer("no TEST_RESULT")
        self.run(linger, until)
        self.on_packet = None
        return transfer


class Upload:
    """The sending half of one test: working set, loss rule, result."""

    def __init__(self, client, length):
        self._client, self._body = client, wire.dummy(length)
        self.channel = None
        self.working = SpanSet.everything()
        self._reports = collections.deque(maxlen=client.flow_control_rate)
        self._started = False
        self._highest = -1
        self._acks_to_drop = client.faults.drop_acks
        self.sent = self.retransmissions = 0
        self.result, self.results, self.flow_controls = None, 0, 0

    def send_next(self):
        """Sends the lowest number of the working set."""
        self._started = True
        number = self.working.pop_lowest()
        if number is None:
            return
        if number <= self._highest:
            self.retransmissions += 1
        self._highest = max(self._highest, number)
        sequence = self._client.pipes["upload"].next_sequence.get(self.channel, 0)
        self._client.send("upload", wire.BANDWIDTH_TEST, self.channel, self._body,
                          offset=sequence - number)
        self.sent += 1

    def on_packet(self, role, packet):
        """Takes FLOW_CONTROL and TEST_RESULT."""
        if self.channel is not None and packet.channel != self.channel:
            return
        if role == "upload" and packet.type == wire.FLOW_CONTROL:
            self._on_flow(SpanSet(wire.parse_ranges(packet.body)))
        elif role == "control" and packet.type == wire.TEST_RESULT:
            self.results += 1
            self.result = self.result or packet.json()
            if self._acks_to_drop > 0:
                self._acks_to_drop -= 1
                return
            self._client.send("control", wire.TEST_RESULT, packet.channel,
                              wire.result_ack(packet.json()["guid"]))

    def _on_flow(self, missing):
        self.flow_controls += 1
        if not self._started and self.flow_controls == 1:
            self.working = SpanSet(missing.ranges())
        self._reports.append(missing)
        if len(self._reports) == self._reports.maxlen:
            self.working.update(lost_numbers(self._reports[0], missing, self._client.legacy_tail))
