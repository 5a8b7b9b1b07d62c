"""Where a pair is measured: loopback, or a veth link between two network namespaces."""

import os
import shutil
import subprocess

PLACES = ("lo", "veth")
_NETWORK = "10.213.9"


class PlaceError(Exception):
    """A place cannot be had; the text says why."""


class Loopback:
    """Both ends at 127.0.0.1."""

    name = "lo"
    device = "lo"
    client_address = server_address = "127.0.0.1"
    client_netns = server_netns = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def at_client(self, command):
        return command

    def at_server(self, command):
        return command


class Veth:
    """A namespace for each end, joined by a veth pair of the default MTU."""

    name = "veth"
    device = "eth0"   # of either end
    client_address, server_address = f"{_NETWORK}.1", f"{_NETWORK}.2"

    def __init__(self):
        stem = f"wyndrvr-bench-{os.getpid()}"
        self.client_netns, self.server_netns = f"{stem}-c", f"{stem}-s"

    def __enter__(self):
        reason = why_no_veth()
        if reason:
            raise PlaceError(reason)
        try:
            for name in (self.client_netns, self.server_netns):
                _ip("netns", "add", name)
                _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", self.client_netns, "link", "add", self.device, "type", "veth", "peer",
                "name", self.device, "netns", self.server_netns)
            for name, address in ((self.client_netns, self.client_address),
                                  (self.server_netns, self.server_address)):
                _ip("-n", name, "address", "add", f"{address}/24", "dev", self.device)
                _ip("-n", name, "link", "set", self.device, "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in (self.client_netns, self.server_netns):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)

    def at_client(self, command):
        return ["ip", "netns", "exec", self.client_netns, *command]

    def at_server(self, command):
        return ["ip", "netns", "exec", self.server_netns, *command]


def make_place(name):
    return Loopback() if name == "lo" else Veth()


def why_no_veth():
    """Why namespaces cannot be had, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "ip (iproute2) is missing"
    return None


def _ip(*words):
    done = subprocess.run(["ip", *words], text=True, capture_output=True, check=False, timeout=20)
    if done.returncode != 0:
        raise PlaceError(f"ip {' '.join(words)}: {done.stderr.strip()}")
