"""Judges a recorded upload stream by section 5 of the protocol."""

from typing import NamedTuple

from . import wire


class Audit(NamedTuple):
    """What a stream did, and what it did wrong."""
    sent: int               # datagrams by their sequence numbers
    new: int                # numbers used for the first time
    retransmissions: list   # (time, E) of each number sent again
    errors: list            # text, at most the first twenty


def audit_stream(records):
    """Checks N, E and the offset of every data packet, in the order of N."""
    errors, seen = [], {}
    for record in records:
        packet = record.packet
        if packet.sequence in seen:
            errors.append(f"N={packet.sequence} sent twice")
        seen[packet.sequence] = (record.time, packet)
    order = sorted(seen)
    if order and order != list(range(len(order))):
        hole = next(i for i, n in enumerate(order) if i != n)
        errors.append(f"N does not count from 0 without holes: expected {hole}, saw {order[hole]}")
    highest, retransmissions = -1, []
    for sequence in order:
        when, packet = seen[sequence]
        number = packet.number
        if number > highest:
            if number != highest + 1:
                errors.append(f"N={sequence}: new number {number} after {highest}")
            if packet.offset != len(retransmissions):
                errors.append(f"N={sequence}: offset {packet.offset} on a new number after "
                              f"{len(retransmissions)} retransmissions")
            highest = number
        else:
            retransmissions.append((when, number))
    return Audit(len(order), highest + 1, retransmissions, errors[:20])


def fraction_within(times, period, tolerance):
    """The share of the gaps between successive times that lie within period +- tolerance."""
    gaps = [b - a for a, b in zip(times, times[1:])]
    return sum(abs(g - period) <= tolerance for g in gaps) / len(gaps) if gaps else 0.0


def true_retransmissions(packets):
    """The count that a receiver can prove: the newest number's offset, and what came after it.

    On a new number the offset is the number of retransmissions so far, lost ones included.
    """
    newest = max(packets, key=lambda p: (p.number, -p.sequence), default=None)
    if newest is None:
        return 0
    later = {p.sequence for p in packets if p.sequence > newest.sequence}
    return newest.offset + len(later)


def is_data(data):
    """Whether a datagram is a BANDWIDTH_TEST packet."""
    return len(data) >= wire.HEADER_LENGTH and data[0] == wire.BANDWIDTH_TEST
