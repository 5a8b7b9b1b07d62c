"""A middle link that takes shorter packets than the ends': it is named, and data arrives."""

from lab import (CLIENT, CLIENT_6, SERVER, SERVER_6, LabTestCase,  # first: puts the path
                 run)
from harness import Program, Server
from together import check_all

MTU = 1300
HEADERS = {"4": 20 + 8, "6": 40 + 8}
# Octets of UDP payload that the ends' links of 1500 take, and how they are asked for: in 0.14 as the
# length of the dummy data.
LENGTHS = {"1": (1452, ("--payload", 1452)), "0.14": (1400, ("--bw-packet-length", 1362))}
DIRECTIONS = {"--bwup": ("upload",), "--bwdown": ("download",), "--bwboth": ("upload", "download")}


class NarrowLink(LabTestCase):
    def narrow_lab(self, mtu=MTU):
        """Ends of 1500, and both of the router's links of less: it tells both ends by ICMP."""
        lab = self.lab()
        lab.add_ipv6()
        # By the route, so that what is longer still comes in from the ends' links.
        for family, client, server in (("-4", CLIENT, SERVER), ("-6", CLIENT_6, SERVER_6)):
            for address, device in ((client, "rc"), (server, "rs")):
                run("ip", family, "-n", lab.router, "route", "add", address, "dev", device,
                    "mtu", str(mtu))
        return lab

    def check_narrow(self, family, dialect, way, *options, mode=None):
        lab = self.narrow_lab()
        longest, length = LENGTHS[dialect]
        host = f"[{SERVER_6}]" if family == "6" else SERVER
        config = {"port_parallelibility": mode, "connection_parallelibility": mode} if mode else None
        with (Server(host=host, port=6711, first=7000, config=config,
                     prefix=lab.inside_command(lab.server)),
              Program(f"{host}:6711", way, "--duration", 1, "--json", "--dialect", dialect,
                      *length, *options, config=config, prefix=lab.inside_command(lab.client)) as client):
            self.assertEqual(client.finish(), 0, client.errors())
        document = self.document_of(client, dialect)
        left = MTU - HEADERS[family]
        told = [p["message"] for p in document["problems"] if p["code"] == "W110"]
        print(self.id(), family, dialect, way, options, mode, told,
              [(t["packets"], t.get("rate_bps")) for t in document["tests"]])
        self.assertEqual(len(told), len(DIRECTIONS[way]), document["problems"])
        for test, direction in zip(document["tests"], DIRECTIONS[way]):
            self.assertEqual(test["direction"], direction)
            self.assertIn(f"a link on the way carries packets of {MTU} octets only: payload of the "
                          f"{direction} lowered from {longest} to {left} octets", told)
            self.assertEqual(test["payload_bytes"], left)
            self.assertGreater(test["packets"]["unique"], 0)
            # Nothing longer has arrived.
            self.assertEqual(test["bytes_received"], left * test["packets"]["received"])

    def check_cases(self, *cases, **more):
        check_all(self, lambda *case: self.check_narrow(*case, **more), cases, 2)

    def test_upload_of_0_14_is_shortened(self):
        self.check_cases(("4", "0.14", "--bwup"), ("6", "0.14", "--bwup"),
                         ("4", "0.14", "--bwup", "--rate", "20M"))

    def test_either_direction_of_dialect_1_is_shortened(self):
        self.check_cases(*((family, "1", way) for family in ("4", "6") for way in DIRECTIONS))

    def test_all_streams_are_shortened(self):
        self.check_cases(*(("4", "1", way, "--streams", 4, *more) for way in DIRECTIONS
                           for more in ((), ("--rate", "20M"), ("--single-port",))))

    def test_reliable_tests_are_shortened(self):
        self.check_cases(*(("4", "1", way, "--reliable", "on") for way in ("--bwup", "--bwdown")))

    def test_ports_of_their_own_threads_are_shortened(self):
        self.check_cases(("4", "0.14", "--bwup"), ("6", "1", "--bwboth"), mode="THREAD")

    def test_ports_of_their_own_processes_are_shortened(self):
        self.check_cases(("4", "0.14", "--bwup"), ("6", "1", "--bwboth"), mode="PROCESS")

    def test_a_link_too_narrow_to_be_believed_changes_nothing(self):
        lab = self.narrow_lab(mtu=500)
        self.serve(lab)
        with self.client(lab, "--bwup", "--duration", 1, "--payload", 600, "--json",
                         "--dialect", "1") as client:
            self.assertNotEqual(client.finish(), 0, client.errors())
        document = self.document_of(client, valid=False)
        self.assertNotIn("W110", [p["code"] for p in document["problems"]])
        self.assertEqual(document["tests"][0]["payload_bytes"], 600)
