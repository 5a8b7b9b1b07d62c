"""Many clients at once: what each costs the server (bench/swarm)."""

import concurrent.futures
import functools
import json
import os
import pathlib
import resource
import statistics

from . import program
from .processes import MeasureError, run

# Ports of a server that has room for so many (a quarter more: a client that asks twice leaves some
# unused for a while).
_FIRST_PORT = 7000
_PORTS_EACH = {False: 3, True: 1}
# Descriptors of a client in the load generator, and what else a process has open.
_CLIENT_DESCRIPTORS = 4
_OTHER_DESCRIPTORS = 500
# Connecting 1,000 clients a second, settling, and leaving.
_PATIENCE_S = 120


def find(program_path):
    """The load generator next to the program, or None."""
    beside = pathlib.Path(program_path).parent / "wyndrvr-swarm"
    return str(beside) if os.access(beside, os.X_OK) else None


def server_descriptors(clients, single_port=False):
    """What one server process has open with so many clients."""
    return clients * _PORTS_EACH[single_port] + _OTHER_DESCRIPTORS


def raise_descriptors(wanted):
    """For all children, beyond the hard limit where that is allowed; returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def crowd(clients, dialect="1", single_port=False, heartbeat_ms=1000):
    """A sample function: `clients` clients, each of which sends three heartbeats in that time: one
    for each of its ports, or of what its single port stands for."""
    return functools.partial(_crowd, clients, dialect, single_port, heartbeat_ms)


def _crowd(clients, dialect, single_port, heartbeat_ms, bench, place):
    seconds = max(heartbeat_ms / 1000, round(bench.seconds))
    limit = raise_descriptors(clients * _CLIENT_DESCRIPTORS + _OTHER_DESCRIPTORS)
    shares = _shares(clients, (limit - _OTHER_DESCRIPTORS) // _CLIENT_DESCRIPTORS)
    last_port = _FIRST_PORT + clients * _PORTS_EACH[single_port] * 5 // 4
    with program.server(bench, place, program.Setup(), "--port-ranges",
                        f"{_FIRST_PORT}-{last_port}", "--max-sessions", str(clients + 100),
                        "--max-sessions-per-network", str(clients + 100)) as serving:
        command = [bench.swarm, "--server", f"{place.server_address}:{serving.match[1]}",
                   "--heartbeat", str(heartbeat_ms), "--seconds", f"{seconds:.0f}",
                   "--dialect", dialect, "--watch", str(serving.pid), "--connects",
                   str(1000 // len(shares)), "--json",
                   *(["--single-port"] if single_port else [])]

        def swarm(share):
            # 1: a heartbeat was lost, which is a figure as well.
            out, _ = run(place.at_client([*command, "--clients", str(share)]), bench.home,
                         seconds + _PATIENCE_S, accepted=(0, 1))
            return json.loads(out)

        with concurrent.futures.ThreadPoolExecutor(len(shares)) as pool:
            return combined(list(pool.map(swarm, shares)), clients)


def _shares(clients, most):
    """Clients of each process: as equal as can be, no more than `most`."""
    count = -(-clients // most)
    return [clients // count + (number < clients % count) for number in range(count)]


def combined(results, clients):
    """One sample of what all load generators, which ran at once, have measured of one server."""
    connected = sum(one["connected"] for one in results)
    if connected != clients:
        raise MeasureError(f"only {connected} of {clients} clients connected")
    core = statistics.mean(one["server_core"] for one in results)
    exchanges_per_second = sum(one["exchanges"] / one["measured_s"] for one in results)
    # Each divides all of the server's memory by its own clients.
    kib = statistics.mean(one["server_kib_each"] * one["connected"] for one in results)
    return {"server_core": core, "server_us_each": core / exchanges_per_second * 1e6,
            "kib_each": kib / connected, "lost": sum(one["lost"] for one in results)}
