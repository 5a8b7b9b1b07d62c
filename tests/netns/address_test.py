"""Zones, interfaces, names and marks: which address is used, on which link, and how marked."""

import re
import secrets
import socket
import subprocess
from pathlib import Path

from lab import LabTestCase, inside, run  # first: it puts the harness on the path
from harness import PATIENCE, Program

PORT = 6711
LEFT, RIGHT = "10.215.0.1", "10.215.0.2"
# The right end is the router of the dead ones, and drops them. The live one is as far away: the
# resolver puts addresses of the client's own network first (RFC 6724).
DEAD = [f"10.215.1.{n}" for n in range(1, 41)]
LIVE = "10.215.2.1"
MARKS = """
table inet marks {
  counter marked { }
  counter unmarked { }
  chain out {
    type filter hook postrouting priority 0; policy accept;
    jump judge
  }
  chain in {
    type filter hook prerouting priority 0; policy accept;
    jump judge
  }
  chain judge {
    meta l4proto != udp return
    ip dscp ef counter name marked return
    ip6 dscp ef counter name marked return
    counter name unmarked
  }
}
"""


class Pair:
    """Two namespaces on one link, veth0 at both ends: fe80::1, fd00::1, 10.215.0.1; and 2."""

    def __init__(self):
        # Processes in namespaces of their own may have the same number, and share /etc/netns.
        stem = f"wyndrvr-{secrets.token_hex(8)}"
        self.left, self.right = f"{stem}-a", f"{stem}-b"
        self.hosts = [Path(f"/etc/netns/{name}/hosts") for name in (self.left, self.right)]

    def __enter__(self):
        try:
            for name in (self.left, self.right):
                run("ip", "netns", "add", name)
                run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "-n", self.left, "link", "add", "veth0", "type", "veth", "peer", "name",
                "veth0", "netns", self.right)
            for name, last in ((self.left, 1), (self.right, 2)):
                run("ip", "-n", name, "link", "set", "veth0", "addrgenmode", "none")
                run("ip", "-n", name, "link", "set", "veth0", "up")
                run("ip", "-n", name, "address", "add", f"10.215.0.{last}/24", "dev", "veth0")
                for prefix in ("fe80::", "fd00::"):
                    run("ip", "-n", name, "address", "add", f"{prefix}{last}/64", "dev", "veth0",
                        "nodad")
            run("ip", "-n", self.right, "address", "add", f"{LIVE}/32", "dev", "lo")
            for network in ("10.215.1.0/24", "10.215.2.0/24"):
                run("ip", "-n", self.left, "route", "add", network, "via", RIGHT)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        for name, hosts in zip((self.left, self.right), self.hosts):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)
            hosts.unlink(missing_ok=True)
            if hosts.parent.exists():
                hosts.parent.rmdir()

    def number(self, name):
        """The number of veth0 there."""
        return run("ip", "-n", name, "-o", "link", "show", "veth0").split(":")[0]

    def name_addresses(self, host, addresses):
        """What `host` stands for in both namespaces."""
        for hosts in self.hosts:
            hosts.parent.mkdir(parents=True, exist_ok=True)
            hosts.write_text("".join(f"{address} {host}\n" for address in addresses))


class Addresses(LabTestCase):
    about_seconds = 20

    def setUp(self):
        self.pair = Pair()
        self.addCleanup(self.pair.__exit__)
        self.pair.__enter__()

    def start(self, *options, at=None):
        """A server on the right that has said all addresses it listens on."""
        server = Program("--server", *([at] if at else []), *options,
                         prefix=["ip", "netns", "exec", self.pair.right])
        self.addCleanup(server.kill)
        server.wait_line("stdout", "^Server started on ")
        return server

    def at(self, *words, there=None):
        program = Program(*words, prefix=["ip", "netns", "exec", there or self.pair.left])
        self.addCleanup(program.kill)
        return program

    def beat(self, *words, there=None, code=0):
        client = self.at(*words, "--count", "1", there=there)
        self.assertEqual(client.wait(), code, (words, client.errors()))
        return client

    def answered(self, target, there=None):
        """Whether a CONNECT to (address, port) is; a refusal by ICMP counts as no answer."""
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        with inside(there or self.pair.left):
            info = socket.getaddrinfo(*target, family, socket.SOCK_DGRAM)[0][4]
            sock = socket.socket(family, socket.SOCK_DGRAM)
        with sock:
            sock.settimeout(PATIENCE)
            sock.connect(info)
            sock.send(b"CONNECT")
            try:
                return bool(sock.recv(512))
            except ConnectionRefusedError:
                return False

    def test_a_zone_or_an_interface_leads_to_a_server(self):
        self.start(at=f"[::]:{PORT}")
        number = self.pair.number(self.pair.left)
        for words in ([f"[fe80::2%veth0]:{PORT}"], [f"[fe80::2%{number}]:{PORT}"],
                      [f"[fe80::2]:{PORT}", "--interface", "veth0"],
                      [f"[fe80::2%{number}]:{PORT}", "--interface", "veth0"],
                      [f"[fd00::2%veth0]:{PORT}"], [f"[fd00::2%{number}]:{PORT}"],
                      [f"[fd00::2]:{PORT}", "--interface", "veth0"],
                      [f"[fe80::2]:{PORT}", "--bind", "fe80::1%veth0"],
                      [f"[fe80::2%veth0]:{PORT}", "--bind", f"fe80::1%{number}"],
                      [f"[fd00::2]:{PORT}", "--bind", "fd00::1%veth0"]):
            for dialect in ("1", "0.14"):
                self.beat(*words, "--dialect", dialect)
        self.beat(f"[::1%lo]:{PORT}", there=self.pair.right)
        self.beat(f"[::1%1]:{PORT}", there=self.pair.right)

    def test_a_scope_that_is_missing_or_contradicts_is_bad_usage(self):
        for words, said in (([f"[fe80::2]:{PORT}"], "--interface"),
                            ([f"[fe80::2%nonesuch]:{PORT}"], "nonesuch"),
                            ([f"[fd00::2%99]:{PORT}"], "99"),
                            ([f"[fe80::2%veth0]:{PORT}", "--interface", "lo"], "another interface"),
                            ([f"[fd00::2]:{PORT}", "--bind", "fe80::1"], "--interface")):
            client = self.beat(*words, code=2)
            self.assertIn(said, client.errors())

    def test_a_server_listens_on_addresses_with_zones(self):
        number = self.pair.number(self.pair.right)
        for at, options, target in (("[fe80::2%veth0]:0", [], "fe80::2%veth0"),
                                    (f"[fe80::2%{number}]:0", [], "fe80::2%veth0"),
                                    ("[fe80::2]:0", ["--interface", "veth0"], "fe80::2%veth0"),
                                    ("[fd00::2%veth0]:0", [], "fd00::2")):
            server = self.start(*options, at=at)
            port = server.find("stdout", "^Server started on ")[0].rsplit(":", 1)[1]
            self.beat(f"[{target}]:{port}")
            self.assertEqual(server.stop(), 0)

    def test_a_server_on_one_interface_is_reached_by_no_other(self):
        self.start("--interface", "lo", at=f"[::]:{PORT}")
        self.assertFalse(self.answered((RIGHT, PORT)))
        self.assertFalse(self.answered(("fd00::2", PORT)))
        self.beat(f"127.0.0.1:{PORT}", there=self.pair.right)
        # On another interface the same port is free, for a server of its own, and so are its ports.
        self.start("--interface", "veth0", at=f"[::]:{PORT}")
        for mode in ("SINGLE", "THREAD", "PROCESS"):
            self.beat(f"{RIGHT}:{PORT}", "--port-parallelability", mode)

    def test_networks_with_zones_are_allowed_and_denied(self):
        number = self.pair.number(self.pair.right)
        for options, welcome, ignored in (
                (["--allow", "fe80::%veth0/64"], "fe80::2%veth0", "fd00::2"),
                (["--allow", f"fe80::%{number}/64"], "fe80::2%veth0", "fd00::2"),
                (["--deny", "fe80::%veth0/64"], "fd00::2", "fe80::2%veth0"),
                (["--deny", "fd00::%veth0/64"], "fe80::2%veth0", "fd00::2"),
                (["--deny", "fe80::%lo/64"], "fe80::2%veth0", None)):
            server = self.start(*options, at=f"[::]:{PORT}")
            if ignored:
                with inside(self.pair.left):
                    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
                    info = socket.getaddrinfo(ignored, PORT, type=socket.SOCK_DGRAM)[0][4]
                with sock:
                    sock.sendto(b"CONNECT", info)
                    # The server reads in order: the second is answered once the first was not.
                    self.assertTrue(self.answered((welcome, PORT)), options)
                    sock.setblocking(False)
                    with self.assertRaises(BlockingIOError):
                        sock.recv(512)
            else:
                self.assertTrue(self.answered((welcome, PORT)), options)
            self.assertEqual(server.stop(), 0)

    def test_every_datagram_of_a_run_is_marked(self):
        self.start(at=f"[::]:{PORT}")
        run("ip", "netns", "exec", self.pair.left, "nft", "-f", "-", stdin=MARKS)
        for target in (f"{RIGHT}:{PORT}", f"[fd00::2]:{PORT}"):
            for words in (["--dialect", "1", "--bwboth", "--streams", "2"],
                          ["--dialect", "1", "--bwdown", "--single-port"],
                          ["--dialect", "1", "--bwboth", "--port-parallelability", "THREAD"],
                          ["--dialect", "0.14", "--bwup"], ["--dialect", "auto", "--count", "1"]):
                length = [] if "--count" in words else ["--duration", "1", "--rate", "1M"]
                client = self.at(target, "--dscp", "EF", *words, *length)
                # A machine that is busy may fail the test: what it sent is to be marked even so.
                self.assertIn(client.finish(), (0, 1), (words, client.errors()))
                text = run("ip", "netns", "exec", self.pair.left, "nft", "list", "counters")
                counts = dict(re.findall(r"counter (\w+) {\s*packets (\d+)", text))
                self.assertEqual(counts["unmarked"], "0", (target, words))
                self.assertNotEqual(counts["marked"], "0")

    def test_a_server_of_a_name_listens_on_all_its_addresses(self):
        self.pair.name_addresses("both.test", ["10.215.0.2", "fd00::2", "10.215.9.9"])
        server = self.start(at=f"both.test:{PORT}")
        server.wait_line("stdout", "^Server started on ", count=2)
        self.beat(f"{RIGHT}:{PORT}")
        self.beat(f"[fd00::2]:{PORT}")
        for option, target in (("-4", RIGHT), ("-6", "[fd00::2]")):
            client = self.beat(f"both.test:{PORT}", option)
            self.assertTrue(client.find("stdout", re.escape(f"Connecting to server {target}:")))

    def test_a_name_with_forty_dead_addresses_before_the_live_one_works(self):
        self.start(at=f"0.0.0.0:{PORT}")
        self.pair.name_addresses("dead.test", [*DEAD, LIVE])
        runs = [self.at(f"dead.test:{PORT}", "--count", "1", "--dialect", dialect)
                for dialect in ("1", "0.14")]
        for client in runs:
            self.assertEqual(client.wait(), 0, client.errors())
            told = f"^Connecting to server {re.escape(LIVE)}:{PORT}$"
            self.assertTrue(client.find("stdout", told), client.stdout)
            self.assertTrue(client.find("stderr", "^No answer yet; asking .* of 41 addresses"),
                            client.errors())
