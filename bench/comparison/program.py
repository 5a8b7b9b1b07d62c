"""Samples of this program: tests, idle heartbeats, sessions, at both ends in one mode."""

import dataclasses
import functools
import json
import subprocess
import time

from . import moments
from .processes import Background, MeasureError, cpu_seconds, family, memory_kib, run

# The original acknowledges repeats of its result for 5 s; a session ends within a few seconds else.
_PATIENCE_S = 30
_PORTS = ("control", "upload", "download")


@dataclasses.dataclass(frozen=True)
class Setup:
    """How both ends run."""

    mode: str = "SINGLE"
    dialect: str = "1"
    offload: bool = True      # GSO and GRO
    streams: int = 1
    payload: int = 1400       # UDP payload; in 0.14, 38 more than bw_packet_length

    def both_ends(self):
        words = ["--port-parallelability", self.mode]
        return words if self.offload else [*words, "--gso", "off", "--gro", "off"]

    def of_test(self):
        if self.dialect == "0.14":
            return ["--bw-packet-length", str(self.payload - 38)]
        return ["--payload", str(self.payload), "--streams", str(self.streams)]


def option_missing(program, option):
    """Whether the program does not know an option."""
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    return f"{option} " not in told.stdout


def server(bench, place, setup, *more):
    return Background(
        place.at_server([bench.program, "--server", f"{place.server_address}:0",
                         *setup.both_ends(), *more]),
        bench.home, ready=r"\d+\.\d+\.\d+\.\d+:(\d+)")


def _client(bench, place, port, setup, *more):
    return place.at_client([bench.program, f"{place.server_address}:{port}", "--json", "--dialect",
                            setup.dialect, *setup.both_ends(), *more])


def flat_out(direction, setup=Setup(), heartbeat_ms=5000):
    """A sample function: a test as fast as it goes."""
    return functools.partial(_flat_out, direction, setup, heartbeat_ms)


def test_command(direction, setup, heartbeat_ms, bench, place, port):
    """The client of a test as fast as it goes."""
    way = {"upload": "--bwup", "download": "--bwdown"}[direction]
    return _client(bench, place, port, setup, way, "--rate", "max", "--duration",
                   str(bench.seconds), "--heartbeat-rate", str(heartbeat_ms), *setup.of_test())


def _flat_out(direction, setup, heartbeat_ms, bench, place):
    seen, workers = [], {}

    def look(pid, server_pid):
        seen.extend(moments.slices(pid, place.device, bench.seconds * moments.WATCHED))
        if setup.mode != "PROCESS":
            return
        found = family(pid)[1:] + family(server_pid)[1:]
        workers["worker_pss_kib"] = max((memory_kib(one)["Pss"] for one in found), default=0)

    with server(bench, place, setup) as serving:
        before = cpu_seconds(serving.pid)
        out, client_cpu = run(
            test_command(direction, setup, heartbeat_ms, bench, place, serving.match[1]),
            bench.home, bench.seconds + _PATIENCE_S,
            while_running=lambda pid: look(pid, serving.pid))
        cpu = cpu_seconds(serving.pid) - before + client_cpu
    test = _only_test(json.loads(out))
    sample = {"rate_bps": test["rate_bps"], "lost": test["packets"]["lost"],
              "lost_share": test["packets"]["lost"] / test["packets"]["sent"],
              "cpu_s_per_gb": cpu / (test["bytes_received"] / 1e9), **workers,
              **moments.best_tenth(seen)}
    sample.update(_round_trips(test.get("latency", {})))
    return sample


def _only_test(document):
    if not document["valid"] or len(document["tests"]) != 1:
        raise MeasureError(f"invalid run: {document['problems']}")
    return document["tests"][0]


def _round_trips(latency):
    """Medians by port, as control_rtt_ns and so on."""
    return {f"{port}_{key}": latency[port][key]["p50"]
            for port in _PORTS if port in latency
            for key in ("application_rtt_ns", "rtt_ns", "network_rtt_ns")
            if key in latency[port]}


def idle(count, interval_ms, setup=Setup()):
    """A sample function: heartbeats and nothing else."""
    return functools.partial(_idle, count, interval_ms, setup)


def _idle(count, interval_ms, setup, bench, place):
    with server(bench, place, setup) as serving:
        out, _ = run(_client(bench, place, serving.match[1], setup, "--count", str(count),
                             "--heartbeat-rate", str(interval_ms)),
                     bench.home, count * interval_ms / 1000 + _PATIENCE_S)
    latency = json.loads(out)["latency"]
    sample = _round_trips(latency)
    # By the names of a bare exchange as well, which has one port.
    sample.update({key.removeprefix("control_"): value for key, value in list(sample.items())
                   if key.startswith("control_")})
    sample["lost"] = sum(latency[port]["lost"] for port in latency)
    return sample


def session(setup, repeats=5):
    """A sample function: seconds from exec to end of a session of one heartbeat on each port."""
    return functools.partial(_session, setup, repeats)


def _session(setup, repeats, bench, place):
    with server(bench, place, setup) as serving:
        start = time.monotonic()
        for _ in range(repeats):
            run(_client(bench, place, serving.match[1], setup, "--count", "1", "--heartbeat-rate",
                        "10"), bench.home, _PATIENCE_S)
        return {"session_s": (time.monotonic() - start) / repeats}
