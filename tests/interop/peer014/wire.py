"""Datagrams of protocol 0.14: the 20-octet header, the JSON bodies, the binary span form."""

import json
import struct
from typing import NamedTuple

HEARTBEAT_0, HEARTBEAT_1, HEARTBEAT_2 = 0, 1, 2
FLOW_CONTROL, BANDWIDTH_TEST, DATA, CONTROL, TEST_RESULT = 3, 4, 5, 6, 7
ROLES = ("control", "upload", "download")
HEADER_LENGTH = 20
MAX_PACKET = 1400
MAX_RANGES = 86

_HEADER = struct.Struct(">B3sQQ")
_RANGE = struct.Struct(">QQ")


class Packet(NamedTuple):
    """One parsed datagram."""
    type: int
    channel: int
    sequence: int
    offset: int
    body: bytes

    @property
    def number(self):
        """What the packet stands for: E = N - offset, modulo 2^64."""
        return (self.sequence - self.offset) % 2**64

    def json(self):
        """The body as an object, numbers as Python numbers."""
        return json.loads(self.body.decode("utf-8"))

    def tokens(self):
        """The body as an object whose numbers stay the very text that was sent."""
        return json.loads(self.body.decode("utf-8"), parse_float=str, parse_int=str)


def pack(kind, channel, sequence, offset=0, body=b""):
    """Header and body as one datagram."""
    if isinstance(body, dict):
        body = json.dumps(body).encode("utf-8")
    elif isinstance(body, str):
        body = body.encode("utf-8")
    return _HEADER.pack(kind, channel.to_bytes(3, "big"), sequence % 2**64, offset % 2**64) + body


def parse(data):
    """A Packet, or None where the datagram is shorter than a header."""
    if len(data) < HEADER_LENGTH:
        return None
    kind, channel, sequence, offset = _HEADER.unpack_from(data)
    return Packet(kind, int.from_bytes(channel, "big"), sequence, offset, bytes(data[20:]))


def pack_ranges(ranges):
    """FLOW_CONTROL body: the count and at most 86 of the lowest ranges."""
    lowest = list(ranges)[:MAX_RANGES]
    return struct.pack(">I", len(lowest)) + b"".join(_RANGE.pack(b, e) for b, e in lowest)


def parse_ranges(body):
    """The ranges of a FLOW_CONTROL body; ValueError where the form is wrong in any way."""
    if len(body) < 4:
        raise ValueError("shorter than its count")
    (count,) = struct.unpack_from(">I", body)
    if count > MAX_RANGES:
        raise ValueError(f"{count} ranges in one packet")
    if len(body) != 4 + 16 * count:
        raise ValueError(f"{count} ranges in {len(body)} octets")
    ranges = [_RANGE.unpack_from(body, 4 + 16 * i) for i in range(count)]
    for i, (begin, end) in enumerate(ranges):
        if begin > end:
            raise ValueError(f"range {begin}..{end} is reversed")
        if i and begin <= ranges[i - 1][1]:
            raise ValueError("ranges overlap or are not sorted")
    return ranges


def parse_assignment(data):
    """(control, upload, download, key) from the main port's answer; ValueError otherwise."""
    parts = data.decode("ascii").split(",")
    if len(parts) != 4 or not all(p.isascii() and p.isdigit() for p in parts):
        raise ValueError(f"not an assignment: {data!r}")
    numbers = tuple(int(p) for p in parts)
    if ",".join(map(str, numbers)).encode() != data:
        raise ValueError(f"not plain decimals: {data!r}")
    if not all(0 < port < 65536 for port in numbers[:3]) or not 0 <= numbers[3] <= 60000:
        raise ValueError(f"out of range: {data!r}")
    return numbers


def heartbeat_0(timestamp):
    """Body of HEARTBEAT_0; `timestamp` may be a number or the literal JSON text of one."""
    return f'{{"timestamp": {_literal(timestamp)}}}'


def heartbeat_12(client_timestamp, server_timestamp):
    """Body of HEARTBEAT_1 and HEARTBEAT_2."""
    return (f'{{"client_timestamp": {_literal(client_timestamp)}, '
            f'"server_timestamp": {_literal(server_timestamp)}}}')


def bwup(channel, duration):
    """The request for an upload test."""
    return {"cmd": "BWUP", "channel": channel, "duration": duration}


def bwup_ack(channel, duration, uid):
    """The acknowledgement of BWUP."""
    return {"cmd": "BWUP", "ack": 0, "channel": channel, "duration": duration, "uid": uid}


def result_ack(guid):
    """The acknowledgement of TEST_RESULT."""
    return {"cmd": "TEST_RESULT", "ack": 0, "guid": guid}


def dummy(length):
    """Body of BANDWIDTH_TEST with `length` characters of dummy data."""
    return json.dumps({"dummy_data": ("wyndrvr0" * (length // 8 + 1))[:length]})


def _literal(value):
    return value if isinstance(value, str) else json.dumps(value)
