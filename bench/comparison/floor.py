"""The floor: bare system calls (bench/floor)."""

import functools
import json
import os
import pathlib
import subprocess

from . import moments
from .processes import MeasureError, run

BENCH = pathlib.Path(__file__).resolve().parent.parent


def find_or_build(program, folder):
    """The probe next to the program, or one compiled into `folder`."""
    beside = pathlib.Path(program).parent / "wyndrvr-floor"
    if os.access(beside, os.X_OK):
        return str(beside)
    built = pathlib.Path(folder) / "wyndrvr-floor"
    sources = [str(path) for path in sorted((BENCH / "floor").glob("*.cpp"))
               if path.name != "uring.cpp"]
    subprocess.run([os.environ.get("CXX", "g++"), "-std=c++23", "-O2", "-o",
                    str(built), *sources], check=True)
    return str(built)


def _ends(place):
    words = ["--from", place.client_address, "--to", place.server_address]
    if place.client_netns:
        words += ["--from-netns", place.client_netns, "--to-netns", place.server_netns]
    return words


def throughput(method, size, streams=1):
    """A sample function: one flow from client to server."""
    return functools.partial(_throughput, method, size, streams)


def flow_command(bench, place, method, size, streams=1):
    """One flow from client to server; the receiver is the process's child."""
    return [bench.floor, "throughput", "--method", method, "--size", str(size), "--streams",
            str(streams), "--seconds", str(bench.seconds), *_ends(place)]


def _throughput(method, size, streams, bench, place):
    seen = []
    out, _ = run(flow_command(bench, place, method, size, streams), bench.home, bench.seconds + 20,
                 while_running=lambda pid: seen.extend(
                     moments.slices(pid, place.device, bench.seconds * moments.WATCHED)))
    result = json.loads(out)
    return {"rate_bps": result["rate_bps"], "lost": result["datagrams_lost"],
            "cpu_s_per_gb": result["cpu_s_per_gb"], **moments.best_tenth(seen)}


def exchange(count, interval_ms):
    """A sample function: round trips of single datagrams, medians in ns."""
    return functools.partial(_exchange, count, interval_ms)


def _exchange(count, interval_ms, bench, place):
    out, _ = run([bench.floor, "exchange", "--count", str(count), "--interval-us",
                  str(interval_ms * 1000), *_ends(place)],
                 bench.home, count * interval_ms / 1000 + 20)
    result = json.loads(out)
    if result["received"] == 0:
        raise MeasureError("the bare exchange had no answer")
    return {key: result[key]["p50"] for key in ("application_rtt_ns", "rtt_ns", "network_rtt_ns")
            if key in result}
