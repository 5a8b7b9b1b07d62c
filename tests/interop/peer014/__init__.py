"""An independent wyndrvr 0.14 client and server, written from the protocol description alone.

Nothing here shares code with the program under test. `wire` packs and parses datagrams, `spans`
does the arithmetic of sequence spans, `net` is a socket that records all it sees and misbehaves
on request, `server` and `client` are the two ends, `audit` judges a recorded upload stream.
"""

from .audit import audit_stream, fraction_within, true_retransmissions
from .client import Client014, NoAnswer, Refused
from .net import Faults, Record, Tape
from .server import Server014
from .spans import TOP, SpanSet
from . import wire

__all__ = ["Client014", "Faults", "NoAnswer", "Record", "Refused", "Server014", "SpanSet",
           "TOP", "Tape", "audit_stream", "fraction_within", "true_retransmissions", "wire"]
