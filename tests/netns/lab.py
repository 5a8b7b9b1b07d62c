"""Network namespaces joined by veth pairs, with nftables and shapers; all gone at the end."""

import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "interop"))

from harness import (PATIENCE, BinaryTestCase, Program, Server,  # noqa: E402  (needs the path)
                     eventually)

CLONE_NEWNET = 0x40000000
CLIENT, SERVER = "10.213.1.2", "10.213.2.2"
CLIENT_6, SERVER_6 = "fd00:213:1::2", "fd00:213:2::2"
GATEWAY_6, ROUTER_6 = "fd00:213:1::1", "fd00:213:2::1"     # the router's, on either link
ETHERNET_IP_UDP = 14 + 20 + 8        # octets that the interface counts beyond the UDP payload
_libc = ctypes.CDLL(None, use_errno=True)
_serial = 0


def run(*command, stdin=None):
    """Runs a command; its stdout, or AssertionError with what it said."""
    done = subprocess.run(command, input=stdin, text=True, timeout=PATIENCE, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def why_not():
    """Why namespaces cannot be had here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in ("ip", "nft", "tc") if shutil.which(tool) is None]
    if missing:
        return f"missing: {' '.join(missing)}"
    name = f"wyndrvr-{os.getpid()}-try"
    try:
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
    except AssertionError as error:
        return f"the kernel gives no network namespaces here: {error}"
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)
    return None


class Lab:
    """Client, router and server namespaces: 10.213.1.2 - router - 10.213.2.2.

    Segmentation off-load is off on every link, so that one packet is one packet for each counter.
    """

    def __init__(self):
        global _serial
        _serial += 1
        stem = f"wyndrvr-{os.getpid()}-{_serial}"
        self.client, self.router, self.server = (f"{stem}-{x}" for x in ("c", "r", "s"))

    def __enter__(self):
        try:
            for name in (self.client, self.router, self.server):
                run("ip", "netns", "add", name)
                run("ip", "-n", name, "link", "set", "lo", "up")
            for name, near, far, address in ((self.client, "eth0", "rc", CLIENT),
                                             (self.server, "eth0", "rs", SERVER)):
                run("ip", "-n", name, "link", "add", near, "gso_max_segs", "1", "type", "veth",
                    "peer", "name", far, "gso_max_segs", "1", "netns", self.router)
                gateway = address[:-1] + "1"
                run("ip", "-n", name, "address", "add", f"{address}/24", "dev", near)
                run("ip", "-n", self.router, "address", "add", f"{gateway}/24", "dev", far)
                run("ip", "-n", name, "link", "set", near, "up")
                run("ip", "-n", self.router, "link", "set", far, "up")
                run("ip", "-n", name, "route", "add", "default", "via", gateway)
            # Forged sources lead back to the client, which drops what is not for it.
            run("ip", "-n", self.router, "route", "add", "10.214.0.0/16", "via", CLIENT)
            run(*self.inside_command(self.router), "sh", "-c",
                "echo 1 > /proc/sys/net/ipv4/ip_forward; "
                "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        for name in (self.client, self.router, self.server):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)

    @staticmethod
    def inside_command(name):
        """Words to put before a command."""
        return ["ip", "netns", "exec", name]

    def add_ipv6(self):
        """IPv6 addresses and routes beside those of IPv4."""
        for name, device, address in ((self.client, "eth0", CLIENT_6), (self.router, "rc", GATEWAY_6),
                                      (self.server, "eth0", SERVER_6), (self.router, "rs", ROUTER_6)):
            run("ip", "-n", name, "address", "add", f"{address}/64", "dev", device, "nodad")
        run("ip", "-n", self.client, "-6", "route", "add", "default", "via", GATEWAY_6)
        run("ip", "-n", self.server, "-6", "route", "add", "default", "via", ROUTER_6)
        run(*self.inside_command(self.router), "sh", "-c",
            "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")

    def shape(self, name, device, *words):
        """A token bucket on a device."""
        run("tc", "-n", name, "qdisc", "add", "dev", device, "root", "tbf", *words)

    def rules(self, name, text):
        """Loads nftables rules."""
        run(*self.inside_command(name), "nft", "-f", "-", stdin=text)

    def counters(self, name, unit="packets"):
        """Counter's name -> packets, or "bytes" of IP."""
        text = run(*self.inside_command(name), "nft", "-j", "list", "counters")
        return {item["counter"]["name"]: item["counter"][unit]
                for item in json.loads(text)["nftables"] if "counter" in item}

    def dropped(self, name, device="eth0"):
        """Packets that a device had to drop: those that its peer's host had no room for."""
        text = run("ip", "-n", name, "-j", "-s", "link", "show", device)
        return json.loads(text)[0]["stats64"]["tx"]["dropped"]

    def settle(self, name):
        """Waits until the sockets of a namespace have been read empty."""
        def unread():
            rows = run(*self.inside_command(name), "cat", "/proc/net/udp").splitlines()[1:]
            return sum(int(row.split()[4].split(":")[1], 16) for row in rows)

        eventually(lambda: unread() == 0, "sockets that are read")


@contextlib.contextmanager
def inside(name):
    """The calling thread lives in that namespace for a while; sockets made there stay there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _enter(there)
        yield
    finally:
        _enter(home)
        os.close(there)
        os.close(home)


def _enter(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Sampler(threading.Thread):
    """Reads a device's receive counters every 20 ms: (time, octets, packets)."""

    def __init__(self, name, device="eth0"):
        super().__init__(daemon=True)
        self._name, self._device = name, device
        self.samples = []
        self._stopping = threading.Event()

    def run(self):
        with inside(self._name):
            while not self._stopping.wait(0.02):
                with open("/proc/thread-self/net/dev", encoding="ascii") as file:
                    for line in file:
                        device, _, figures = line.strip().partition(":")
                        if device == self._device:
                            octets, packets = map(int, figures.split()[:2])
                            self.samples.append((time.monotonic(), octets, packets))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self._stopping.set()
        self.join(5)

    def payload_rate(self, start, end):
        """UDP payload in bit/s between `start` and `end` seconds after the load began."""
        first = self.samples[0]
        begin = next((s[0] for s in self.samples if s[2] > first[2] + 200), None)
        if begin is None:
            raise AssertionError("no load was seen")
        a = next(s for s in self.samples if s[0] >= begin + start)
        b = next(s for s in self.samples if s[0] >= begin + end)
        octets, packets = b[1] - a[1], b[2] - a[2]
        return 8 * (octets - ETHERNET_IP_UDP * packets) / (b[0] - a[0])


class LabTestCase(BinaryTestCase):
    """A test that needs the program and namespaces."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reason = why_not()
        if reason is not None:
            raise unittest.SkipTest(reason)

    def serve(self, lab, *options, ports=1000, prefix=(), **more):
        """The program in the server's namespace, on port 6711 with ports from 7000 on."""
        server = Server(*options, host=SERVER, port=6711, first=7000, ports=ports,
                        prefix=(*lab.inside_command(lab.server), *prefix), **more)
        self.addCleanup(server.kill)
        return server

    def client(self, lab, *options, prefix=(), **more):
        """A client of it in the client's namespace."""
        return Program(f"{SERVER}:6711", *options,
                       prefix=(*lab.inside_command(lab.client), *prefix), **more)

    def document_of(self, client, dialect="1", valid=True):
        """The checked result of a client with --json that has ended."""
        document = json.loads("\n".join(client.stdout))
        self.check_result(document, dialect=dialect)
        self.assertIs(document["valid"], valid, document["problems"])
        return document

    def lab(self):
        """A lab that ends with the test."""
        lab = Lab()
        self.addCleanup(lab.__exit__)
        lab.__enter__()
        return lab
