"""The main port of dialect 1 (docs/PROTOCOL.md), without keys: written from the document alone."""

import os
import select
import socket
import struct
import threading
from typing import NamedTuple, Optional

PATIENCE = 120.0         # s, for what must come; a busy machine is slow
HELLO, COOKIE, OPEN, GRANT, REFUSE, CLOSE = range(1, 7)
PREFIX, ASKING = 28, 512
KEY_NEEDED, UNKNOWN_DIALECT = 8, 11
DIRECTIONS, DURATION, RATE, PAYLOAD, STREAMS = range(1, 6)
SIZES = {DIRECTIONS: 1, DURATION: 4, RATE: 8, PAYLOAD: 2, STREAMS: 1, 6: 1, 7: 8, 8: 1, 9: 1,
         10: 1, 11: 1}


class Answer(NamedTuple):
    """What a server said."""
    kind: int
    nonce: bytes
    body: bytes
    length: int

    def ports(self):
        """Those of a GRANT."""
        return struct.unpack(">HHH", self.body[24:30])

    def fields(self):
        """type -> value of a GRANT."""
        found, rest = {}, self.body[30:]
        while rest:
            kind, size = rest[0], rest[1]
            found[kind] = int.from_bytes(rest[2:2 + size], "big")
            rest = rest[2 + size:]
        return found

    def reason(self):
        """Reason and ms of a REFUSE."""
        return struct.unpack(">BI", self.body[:5])


def ask(kind, nonce, body=b"", dialect=1):
    """A client's datagram."""
    head = b"CONNECT" + bytes((kind, dialect, 0)) + struct.pack(">H", PREFIX + len(body))
    return (head + nonce + body).ljust(ASKING, b"\0")


def pack_fields(fields):
    """Fields of OPEN, in order."""
    return b"".join(bytes((kind, SIZES[kind])) + fields[kind].to_bytes(SIZES[kind], "big")
                    for kind in sorted(fields))


def parse(data) -> Optional[Answer]:
    """A server's datagram; None where it is none of this dialect."""
    if len(data) < PREFIX or data[:7] != b"WYNDRVR" or data[8] != 1:
        return None
    length = struct.unpack(">H", data[10:12])[0]
    return Answer(data[7], data[12:28], data[PREFIX:length], len(data))


class Asker:
    """A client that gets no further than the main port."""

    def __init__(self, server, local="127.0.0.1"):
        self.server, self.nonce = server, os.urandom(16)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((local, 0))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def exchange(self, datagram, timeout=PATIENCE):
        """The answer as it came, or None."""
        self.socket.sendto(datagram, self.server)
        if not select.select([self.socket], [], [], timeout)[0]:
            return None
        return self.socket.recv(2048)

    def hello(self, timeout=PATIENCE, dialect=1):
        """The answer to HELLO, or None."""
        data = self.exchange(ask(HELLO, self.nonce, dialect=dialect), timeout)
        return data and parse(data)

    def open(self, cookie, fields=None, timeout=PATIENCE):
        """The answer to OPEN, or None."""
        body = cookie + pack_fields(fields or {DIRECTIONS: 0})
        data = self.exchange(ask(OPEN, self.nonce, body), timeout)
        return data and parse(data)

    def begin(self, fields=None):
        """The answer to OPEN behind a fresh cookie."""
        return self.open(self.hello().body, fields)


class Relay(threading.Thread):
    """Passes one client's datagrams to a server's main port and back, and writes them down.

    `on_answer(data)`, where given, sees each answer before the client does, and may take its time;
    an answer for which it returns False is lost.
    """

    def __init__(self, server, on_answer=None):
        super().__init__(daemon=True)
        self.server, self.on_answer = server, on_answer
        self.asked, self.answered, self.client = [], [], None
        self._near, self._far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                                 for _ in range(2))
        for sock in (self._near, self._far):
            sock.bind(("127.0.0.1", 0))
        self.address = self._near.getsockname()
        self._stopping = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self._stopping.set()
        self.join(5)
        self._near.close()
        self._far.close()

    def forge(self, to_server, data):
        """Says something in the name of the client, or of the server."""
        sock, peer = (self._far, self.server) if to_server else (self._near, self.client)
        sock.sendto(data, peer)

    def run(self):
        while not self._stopping.is_set():
            for sock in select.select([self._near, self._far], [], [], 0.05)[0]:
                try:
                    data, peer = sock.recvfrom(2048)
                except OSError:
                    continue         # nobody was there for the last one
                if sock is self._near:
                    self.client = peer
                    self.asked.append(data)
                    self._far.sendto(data, self.server)
                elif self.client is not None:
                    self.answered.append(data)
                    if self.on_answer is None or self.on_answer(data) is not False:
                        self._near.sendto(data, self.client)
