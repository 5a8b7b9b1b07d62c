"""Other tools, as they are installed: iperf3, iperf, sockperf and irtt, each at its best flags."""

import functools
import json
import pathlib
import re
import socket

from .processes import Background, MeasureError, run

_PATIENCE_S = 20


def _free_port():
    """Free in this namespace; a namespace of our own has all ports free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _largest_window():
    """The largest socket buffer that the kernel grants without force: fewer losses."""
    limits = [int(pathlib.Path(f"/proc/sys/net/core/{name}").read_text())
              for name in ("rmem_max", "wmem_max")]
    return str(min(limits))


def iperf3(size):
    """A sample function: iperf3 as fast as it goes; the rate is the receiver's."""
    return functools.partial(_iperf3, size)


def _iperf3(size, bench, place):
    port = str(_free_port())
    with Background(place.at_server(["iperf3", "-s", "-1", "-B", place.server_address, "-p", port,
                                     "--forceflush"]), bench.home, ready="listening"):
        out, _ = run(place.at_client(
            ["iperf3", "-c", place.server_address, "-p", port, "-u", "-b", "0", "-l", str(size),
             "-t", _whole_seconds(bench), "-w", _largest_window(), "-J"]),
            bench.home, bench.seconds + _PATIENCE_S)
    received = json.loads(out)["end"]["sum_received"]
    return {"rate_bps": received["bits_per_second"], "lost": received["lost_packets"]}


def iperf(size):
    """A sample function: iperf 2 as fast as it goes; the rate is the receiver's."""
    return functools.partial(_iperf, size)


def _iperf(size, bench, place):
    port = str(_free_port())
    with Background(place.at_server(["iperf", "-s", "-u", "-B", place.server_address, "-p", port,
                                     "-l", str(size), "-w", _largest_window(), "-P", "1", "-y",
                                     "C"]), bench.home, settle=0.4) as serving:
        run(place.at_client(["iperf", "-u", "-c", place.server_address, "-p", port, "-b", "100G",
                             "-l", str(size), "-t", _whole_seconds(bench), "-w",
                             _largest_window()]), bench.home, bench.seconds + _PATIENCE_S)
        fields = serving.last_line().split(",")
    # iperf 2's CSV: ..., octets, bit/s, jitter, lost, sent, ...
    return {"rate_bps": float(fields[8]), "lost": int(fields[10])}


def sockperf(size):
    """A sample function: sockperf throughput. It tells what was sent, not what arrived."""
    return functools.partial(_sockperf, size)


def _sockperf(size, bench, place):
    port = str(_free_port())
    with Background(place.at_server(["sockperf", "server", "-i", place.server_address, "-p",
                                     port]), bench.home, settle=0.4):
        out, _ = run(place.at_client(["sockperf", "throughput", "-i", place.server_address, "-p",
                                      port, "-m", str(size), "-t", _whole_seconds(bench)]),
                     bench.home, bench.seconds + _PATIENCE_S)
    rate = re.search(r"Message Rate is (\d+)", out)
    if not rate:
        raise MeasureError("sockperf told no rate")
    return {"rate_bps": int(rate[1]) * size * 8}


def irtt(count, interval_ms):
    """A sample function: irtt's round trip, by its own clock."""
    return functools.partial(_irtt, count, interval_ms)


def _irtt(count, interval_ms, bench, place):
    to = f"{place.server_address}:{_free_port()}"
    with Background(place.at_server(["irtt", "server", "-b", to]), bench.home, settle=0.4):
        out, _ = run(place.at_client(["irtt", "client", "-i", f"{interval_ms}ms", "-d",
                                      f"{count * interval_ms}ms", "-Q", "-o", "-", to]),
                     bench.home, count * interval_ms / 1000 + _PATIENCE_S)
    return {"application_rtt_ns": json.loads(out)["stats"]["rtt"]["median"]}


def _whole_seconds(bench):
    return str(max(1, round(bench.seconds)))
