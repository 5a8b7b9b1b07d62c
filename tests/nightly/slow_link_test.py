"""Tests without a rate through shaped links of 64 to 1000 kbit/s: valid, near the truth, little lost."""

import places  # noqa: F401  (first: it puts the harnesses on the path)
from lab import ETHERNET_IP_UDP, LabTestCase

DURATION = 8
LEAST_SHARE, MOST_SHARE = 0.85, 1.2      # of what the link carries; the bucket adds to it
MOST_LOST = 0.15


class SlowLink(LabTestCase):
    def check(self, kilobits, dialect, direction):
        """One test through a router that is shaped both ways."""
        lab = self.lab()
        for device in ("rc", "rs"):
            lab.shape(lab.router, device, "rate", f"{kilobits}kbit", "burst", "4kb",
                      "latency", "200ms")
        self.serve(lab)
        with self.client(lab, direction, "--duration", DURATION, "--json",
                         "--dialect", dialect) as client:
            self.assertEqual(client.finish(), 0, client.errors())
        document = self.document_of(client, dialect)
        test = document["tests"][0]
        payload = test["payload_bytes"]
        truth = kilobits * 1e3 * payload / (payload + ETHERNET_IP_UDP)
        share = test["rate_bps"] / truth
        lost = test["packets"]["lost"] / max(test["packets"]["sent"], 1)
        print(f"{kilobits} kbit/s {direction} in {dialect}: {share:.3f} of the truth, "
              f"{lost:.1%} lost", flush=True)
        self.assertNotIn("W012", [problem["code"] for problem in document["problems"]])
        self.assertGreater(share, LEAST_SHARE)
        self.assertLess(share, MOST_SHARE)
        self.assertLess(lost, MOST_LOST)

    def test_rate_and_loss(self):
        for kilobits in (64, 128, 300, 1000):
            for dialect, direction in (("1", "--bwup"), ("1", "--bwdown"), ("0.14", "--bwup")):
                with self.subTest(kilobits=kilobits, dialect=dialect, direction=direction):
                    self.check(kilobits, dialect, direction)
