"""What holds for each direction of any test between our own ends."""

from harness import BinaryTestCase, Server
from together import reserve_ports

MODES = ("SINGLE", "THREAD", "PROCESS")
WAYS = {"--bwup": ("upload",), "--bwdown": ("download",), "--bwboth": ("upload", "download")}
UDP_HEADERS = 28         # octets of IPv4 and UDP


def serve(*arguments, ports=60, **options):
    """A server, for callers in several threads."""
    return Server(*arguments, ports=ports, first=reserve_ports(ports + 1) + 1, **options)


def in_mode(mode):
    """The options for ports and sessions."""
    return ("--port-parallelability", mode, "--connection-parallelibility", mode)


class DirectionsTestCase(BinaryTestCase):
    """What holds for each direction of any test."""

    def check_tests(self, document, way, streams=1, payload=1400, method="fixed"):
        """The entries of a test's directions, with all figures that our own server gives."""
        self.assertEqual([test["direction"] for test in document["tests"]], list(WAYS[way]))
        for test in document["tests"]:
            kind = "bidirectional" if way == "--bwboth" else test["direction"]
            self.assertEqual((test["kind"], test["method"], test["streams"], test["payload_bytes"]),
                             (kind, method, streams, payload))
            packets = test["packets"]
            self.assertEqual(packets["sent"], packets["unique"] + packets["lost"], packets)
            self.assertEqual(packets["received"], packets["unique"] + packets["duplicate"], packets)
            self.assertEqual(sum(test["lost_by_cause"].values()), packets["lost"])
            self.assertGreater(packets["received"], 0)
            self.assertEqual(sum(i["bytes"] for i in test["intervals"]), test["bytes_received"])
            self.assertEqual(sum(i["packets"] for i in test["intervals"]), packets["received"])
            self.assertEqual(test["bytes_received"], packets["received"] * payload)
            headers = UDP_HEADERS * packets["received"]
            self.assertAlmostEqual(test["ip_rate_bps"] / test["rate_bps"],
                                   1 + headers / test["bytes_received"], delta=1e-3)
        return document["tests"]
