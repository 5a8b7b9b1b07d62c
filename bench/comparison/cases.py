"""All that is measured: pairs of something of ours and what it is held against, and the limits.

A case has a name (`--list`, `--only`), a place, two sample functions and the rows that its samples
fill. In each round the reference and ours are measured one at once after the other: the speed of a
virtual machine drifts within seconds, and only the ratio of two neighbours means anything.
"""

import dataclasses
import shutil
from collections.abc import Callable

from . import crowd, floor, peers, program
from .figures import Row, at_least, at_most
from .place import PLACES, why_no_veth
from .program import Setup

IDLE_COUNT, IDLE_INTERVAL_MS = 150, 10
LOADED_HEARTBEAT_MS = 10


BEST_TENTH = Row("best_tenth_bps", label="rate, best tenth of the time")


@dataclasses.dataclass(frozen=True)
class Case:
    """One pair. A sample function takes (bench, place) and returns metric -> number."""

    name: str
    place: str
    title: str
    rows: tuple[Row, ...]
    ours: Callable
    reference: Callable | None = None
    reference_name: str = ""
    needs: str = ""            # a tool, an option (--...) of the program, or "swarm"
    descriptors: int = 0       # that one process must be allowed to have
    most_rounds: int = 1000    # of long ones that need no pairs


def _throughput_rows(limit, with_cpu):
    """Rate against the reference, and what goes with it at full speed."""
    cpu = Row("cpu_s_per_gb", limit=at_most(1.2) if with_cpu else None, label="CPU s/GB")
    return (Row("rate_bps", limit=limit, label="rate"), BEST_TENTH, cpu,
            Row("lost", "total", at_most(0), "lost"))


def _against_floor(place):
    """Tests as fast as they go, against bare trains of the same size."""
    sizes = ((1400, 0.92), (64, 0.85))
    for payload, bound in sizes:
        for direction in ("upload", "download"):
            yield Case(f"{place}/{direction}-{payload}", place, f"{direction}, {payload} B",
                       _throughput_rows(at_least(bound), payload == 1400),
                       program.flat_out(direction, Setup(payload=payload)),
                       floor.throughput("gso", payload), "bare GSO/GRO")
    original = Setup(dialect="0.14", payload=938)
    yield Case(f"{place}/upload-0.14", place, "upload in 0.14, 900 + 38 B",
               _throughput_rows(at_least(0.85), False), program.flat_out("upload", original),
               floor.throughput("gso", 938), "bare GSO/GRO")
    for direction in ("upload", "download"):
        yield Case(f"{place}/{direction}-no-offload", place, f"{direction}, 1400 B, no GSO, no GRO",
                   _throughput_rows(at_least(0.92), False),
                   program.flat_out(direction, Setup(offload=False)),
                   floor.throughput("mmsg", 1400), "bare sendmmsg", needs="--gso")


def _against_ourselves(place):
    """Streams and modes against a single stream in SINGLE."""
    single = program.flat_out("upload")
    for direction in ("upload", "download"):
        yield Case(f"{place}/{direction}-4-streams", place, f"{direction}, 4 streams",
                   (Row("rate_bps", limit=at_least(1.0), label="rate"), BEST_TENTH,
                    Row("lost", "total", at_most(0), "lost")),
                   program.flat_out(direction, Setup(streams=4)), program.flat_out(direction),
                   "1 stream")
    for mode in ("THREAD", "PROCESS"):
        yield Case(f"{place}/upload-{mode.lower()}", place, f"upload, 1400 B, {mode}",
                   (Row("rate_bps", limit=at_least(0.97), label="rate"), BEST_TENTH,
                    Row("cpu_s_per_gb", label="CPU s/GB"),
                    Row("worker_pss_kib", "value", label="PSS of a worker, KiB")),
                   program.flat_out("upload", Setup(mode=mode)), single, "SINGLE")
        yield Case(f"{place}/session-{mode.lower()}", place, f"a session of 1 heartbeat, {mode}",
                   (Row("session_s", label="from exec to end"),),
                   program.session(Setup(mode=mode)), program.session(Setup()), "SINGLE")


def _against_peers(place):
    """The peers that are installed."""
    ours = program.flat_out("upload")
    for peer, sample, limit in (("iperf3", peers.iperf3(1400), at_least(15)),
                                ("iperf", peers.iperf(1400), None),
                                ("sockperf", peers.sockperf(1400), None)):
        yield Case(f"{place}/{peer}", place, "upload, 1400 B", (Row("rate_bps", limit=limit,
                                                                   label="rate"),),
                   ours, sample, peer, needs=peer)
    yield Case(f"{place}/irtt", place, "idle heartbeat",
               (Row("application_rtt_ns", label="application round trip"),),
               program.idle(IDLE_COUNT, IDLE_INTERVAL_MS), peers.irtt(IDLE_COUNT, IDLE_INTERVAL_MS),
               "irtt", needs="irtt")


def _round_trips(place):
    """Heartbeats, idle and under load."""
    idle = program.idle(IDLE_COUNT, IDLE_INTERVAL_MS)
    yield Case(f"{place}/idle", place, "idle heartbeat",
               (Row("network_rtt_ns", limit=at_most(1.3), label="kernel round trip"),
                Row("application_rtt_ns", label="application round trip")),
               idle, floor.exchange(IDLE_COUNT, IDLE_INTERVAL_MS), "bare exchange")
    for direction in ("upload", "download"):
        yield Case(f"{place}/loaded-{direction}", place, f"heartbeat during a flat-out {direction}",
                   tuple(Row(f"{port}_application_rtt_ns", limit=at_most(3),
                             label=f"application round trip, {port} port")
                         for port in dict.fromkeys(("control", direction))),
                   program.flat_out(direction, heartbeat_ms=LOADED_HEARTBEAT_MS), idle, "idle")


def _crowds():
    """Many clients at one server, on loopback."""
    for dialect in ("1", "0.14"):
        yield Case(f"lo/memory-{dialect}", "lo", f"1,000 idle clients in dialect {dialect}",
                   (Row("kib_each", "value", at_most(32), "private KiB each"),),
                   crowd.crowd(1000, dialect), needs="swarm", most_rounds=3)
    for name, single_port, heartbeat_ms in (("10000", False, 1000),
                                            ("10000-single-port", True, 1000),
                                            ("10000-one-a-second", True, 3000)):
        title = f"10,000 clients, {3000 // heartbeat_ms} heartbeats/s of each"
        yield Case(f"lo/clients-{name}", "lo", title + (", single port" if single_port else ""),
                   (Row("server_core", "value", at_most(0.25), "share of a core"),
                    Row("server_us_each", "value", label="us an exchange"),
                    Row("lost", "total", at_most(0), "lost")),
                   crowd.crowd(10_000, single_port=single_port, heartbeat_ms=heartbeat_ms),
                   needs="swarm",
                   descriptors=crowd.server_descriptors(10_000, single_port), most_rounds=3)


def _io_uring(place):
    """Not ours: is io_uring faster than what is here? See docs/adr/0014."""
    for size in (1400, 64):
        yield Case(f"{place}/io-uring-{size}", place, f"bare io_uring, {size} B",
                   (Row("rate_bps", label="rate"), Row("cpu_s_per_gb", label="CPU s/GB")),
                   floor.throughput("uring", size), floor.throughput("gso", size), "bare GSO/GRO",
                   needs="uring")


def all_cases():
    """Every case, in the order of the table."""
    cases = []
    for place in PLACES:
        cases += [*_against_floor(place), *_against_ourselves(place), *_against_peers(place),
                  *_round_trips(place), *_io_uring(place)]
    return cases + list(_crowds())


def why_not(case, bench):
    """Why a case cannot be measured here, or None."""
    if case.place == "veth" and why_no_veth():
        return why_no_veth()
    if case.descriptors:
        allowed = crowd.raise_descriptors(case.descriptors)
        if allowed < case.descriptors:
            return (f"the server needs {case.descriptors} descriptors, and may have {allowed} "
                    f"(ulimit -n)")
    if case.needs.startswith("--"):
        if program.option_missing(bench.program, case.needs):
            return f"the program does not know {case.needs}"
    elif case.needs == "swarm":
        if bench.swarm is None:
            return "wyndrvr-swarm was not built"
    elif case.needs == "uring":
        return bench.why_no_uring
    elif case.needs and shutil.which(case.needs) is None:
        return f"{case.needs} is not installed"
    return None
