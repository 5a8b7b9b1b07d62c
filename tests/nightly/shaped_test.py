"""Rates through shapers, against the kernel's counters, and the two directions against each other."""

from typing import NamedTuple

import places  # noqa: F401  (first: it puts the harnesses on the path)
from lab import ETHERNET_IP_UDP, LabTestCase, Sampler
from harness import DIALECTS, eventually

DURATION = 3
# Bit/s of payload between which a 100 Mbit/s shaper is what limits a test.
LEAST_SHAPED, MOST_SHAPED = 93e6, 98e6
SHAPER = ("rate", "100mbit", "burst", "32k", "latency", "50ms")
MOST_APART = 0.01        # of two rates of the same data


class Shaped(NamedTuple):
    """One upload through a shaper."""

    test: dict        # the result's
    reported: float   # bit/s while it is steady
    truth: float      # bit/s, by the kernel
    whole: int        # octets of payload, by the kernel

    def is_shaped(self):
        """Whether the shaper was what limited it."""
        return LEAST_SHAPED < self.truth < MOST_SHAPED

    def apart(self):
        """How far the reported rate is from the kernel's, of that."""
        return abs(self.reported / self.truth - 1)


class Rates(LabTestCase):
    def run_test(self, lab, *options, dialect="1"):
        """A whole test across a lab with a server; the test's entry in the result."""
        with self.client(lab, *options, "--json", "--dialect", dialect) as client:
            self.assertEqual(client.finish(), 0, client.errors())
        return self.document_of(client, dialect)["tests"][0]

    def check_rate(self, where, device):
        """With a shaper on a device: the rate that is reported is the kernel's."""
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                figures = places.best_of(
                    lambda dialect=dialect: self.shaped(where, device, dialect),
                    lambda figures: figures.is_shaped() and figures.apart() < MOST_APART)
                self.assertTrue(figures.is_shaped(), "the shaper was not the bottleneck")
                self.assertLess(figures.apart(), MOST_APART, figures)
                self.assertLess(abs(figures.test["bytes_received"] / figures.whole - 1), MOST_APART)
                self.assertAlmostEqual(figures.test["duration_s"], DURATION, delta=0.1)

    def shaped(self, where, device, dialect):
        """One upload through a shaper: what it reports, and what the kernel counts."""
        lab = self.lab()
        lab.shape(getattr(lab, where), device, *SHAPER)
        self.serve(lab)
        with Sampler(lab.server) as sampler:
            eventually(lambda: sampler.samples, "a sample")
            test = self.run_test(lab, "--bwup", "--duration", DURATION, dialect=dialect)
        # While it is steady; in dialect 1 the sender begins at a tenth of this.
        steady = [i for i in test["intervals"] if i["start_s"] >= 0.9 and i["end_s"] <= 3.1]
        reported = (8 * sum(i["bytes"] for i in steady)
                    / (steady[-1]["end_s"] - steady[0]["start_s"]))
        truth = sampler.payload_rate(steady[0]["start_s"], steady[-1]["end_s"] - 0.05)
        octets, packets = (b - a for a, b in zip(sampler.samples[0][1:], sampler.samples[-1][1:]))
        whole = octets - ETHERNET_IP_UDP * packets
        print(f"{self.id()} in {dialect}: reported {reported / 1e6:.3f} Mbit/s, kernel "
              f"{truth / 1e6:.3f}; as a whole {test['rate_bps'] / 1e6:.3f}, of "
              f"{test['bytes_received'] / whole:.4f} of the kernel's octets")
        return Shaped(test, reported, truth, whole)

    def test_rate_with_a_shaper_on_the_clients_own_interface(self):
        self.check_rate("client", "eth0")

    def test_rate_with_a_shaper_on_a_router(self):
        self.check_rate("router", "rs")

    def test_download_equals_upload_on_a_symmetric_link(self):
        lab = self.lab()
        for device in ("rc", "rs"):
            lab.shape(lab.router, device, *SHAPER)
        self.serve(lab)

        def apart(figures):
            return abs(figures[1] / figures[0] - 1)

        figures = places.best_of(
            lambda: [self.run_test(lab, way, "--duration", "4")["rate_bps"]
                     for way in ("--bwup", "--bwdown")],
            lambda figures: apart(figures) < 0.05)
        print(f"{self.id()}: {figures[0] / 1e6:.2f} and {figures[1] / 1e6:.2f} Mbit/s")
        self.assertLess(apart(figures), 0.05, figures)
