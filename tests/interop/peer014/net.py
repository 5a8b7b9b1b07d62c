"""A UDP socket that writes down all it sees, and loses what it is told to lose."""

import random
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, NamedTuple, Optional

from . import wire

SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 32 << 20
FULL_BODIES = 300  # data packets whose bodies are kept whole; later ones keep the header only


class Record(NamedTuple):
    """One datagram that went by."""
    time: float          # monotonic seconds, application's clock
    stamp_ns: int        # kernel's receive stamp (Unix time), 0 where there is none
    role: str            # main, control, upload, download
    incoming: bool
    peer: tuple
    dropped: bool        # by a fault: neither delivered nor sent
    length: int
    data: bytes          # bodies of BANDWIDTH_TEST are cut after the first few hundred

    @property
    def packet(self):
        """The parsed datagram."""
        return wire.parse(self.data)


@dataclass
class Faults:
    """What goes wrong. The default is: nothing."""
    seed: int = 1
    drop_in: float = 0.0                 # probability
    drop_out: float = 0.0
    drop_in_if: Optional[Callable] = None    # (role, data) -> bool, before the random choice
    drop_out_if: Optional[Callable] = None
    ignore_connects: int = 0             # server: the first k get no answer
    drop_acks: int = 0                   # the first k acknowledgements are not sent
    never_answer: bool = False           # server: deaf from the start
    only_connect: bool = False           # server: the original takes any datagram for a CONNECT
    answer_twice: bool = False           # server: two different assignments for one CONNECT
    refuse: bytes = b""                  # server: answer CONNECT with this
    drop_numbers: dict = field(default_factory=dict)  # server: E -> how often to lose it
    static_flow: Optional[list] = None   # server: FLOW_CONTROL always says this
    raw_flow: Optional[list] = None      # server: FLOW_CONTROL's bodies, verbatim, in turn
    close_after: Optional[float] = None  # server: sockets close so long after the test's start
    garbage: list = field(default_factory=list)  # sent before each heartbeat answer and report
    server_timestamp: Optional[str] = None  # server: literal JSON text for heartbeats


class Tape:
    """All records of one peer, safe to read while the peer runs."""

    def __init__(self):
        self._records = []
        self._lock = threading.Lock()
        self._bodies = 0

    def note(self, role, incoming, peer, data, dropped, stamp_ns=0):
        """Appends a record."""
        length = len(data)
        if length > wire.HEADER_LENGTH and data[0] == wire.BANDWIDTH_TEST and role == "upload":
            self._bodies += 1
            if self._bodies > FULL_BODIES:
                data = data[:wire.HEADER_LENGTH]
        record = Record(time.monotonic(), stamp_ns, role, incoming, peer, dropped, length,
                        bytes(data))
        with self._lock:
            self._records.append(record)

    def all(self, role=None, incoming=None, kind=None, dropped=None, channel=None):
        """The records that match every condition given, oldest first."""
        with self._lock:
            records = list(self._records)
        return [r for r in records
                if (role is None or r.role == role)
                and (incoming is None or r.incoming == incoming)
                and (dropped is None or r.dropped == dropped)
                and (kind is None or (r.role != "main" and r.length >= wire.HEADER_LENGTH
                                      and r.data[0] == kind))
                and (channel is None or (r.packet is not None and r.packet.channel == channel))]


class Pipe:
    """One socket of a peer, with a counter of sent datagrams per data channel."""

    def __init__(self, role, local, tape, faults, dice):
        self.role, self.tape, self.faults, self._dice = role, tape, faults, dice
        self.next_sequence = {}
        self.closed = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except OSError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        try:
            self.socket.bind(local)
        except OSError:
            self.socket.close()
            raise
        self.address = self.socket.getsockname()

    def close(self):
        """Closes the socket, once."""
        self.closed = True
        self.socket.close()

    def send(self, data, peer, certain=False):
        """Sends, or loses by fault unless `certain`."""
        faults = self.faults
        lost = not certain and (
            (faults.drop_out_if is not None and faults.drop_out_if(self.role, data))
            or (faults.drop_out > 0 and self._dice.random() < faults.drop_out))
        self.tape.note(self.role, False, peer, data, lost)
        if lost or self.closed:
            return
        try:
            self.socket.sendto(data, peer)
        except OSError:
            pass  # a full buffer or an ICMP error left by an earlier datagram: lost, as on any path

    def send_packet(self, peer, kind, channel, body=b"", offset=0, sequence=None, certain=False):
        """Sends a packet with the next sequence number of its channel; returns that number."""
        if sequence is None:
            sequence = self.next_sequence.get(channel, 0)
            self.next_sequence[channel] = (sequence + 1) % 2**64
        self.send(wire.pack(kind, channel, sequence, offset, body), peer, certain)
        return sequence

    def receive(self, most=256):
        """Up to `most` waiting datagrams that no fault took, as (data, peer, stamp_ns)."""
        got = []
        for _ in range(most):
            if self.closed:
                break
            try:
                data, ancillary, _, peer = self.socket.recvmsg(65536, 64)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error for an earlier datagram
            stamp = 0
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", content[:16])
                    stamp = seconds * 10**9 + nanoseconds
            faults = self.faults
            lost = ((faults.drop_in_if is not None and faults.drop_in_if(self.role, data))
                    or (faults.drop_in > 0 and self._dice.random() < faults.drop_in))
            self.tape.note(self.role, True, peer, data, lost, stamp)
            if not lost:
                got.append((data, peer, stamp))
        return got


def dice(faults):
    """The random source of a peer."""
    return random.Random(faults.seed)
