"""Reported rate and loss against what the kernel counted, on shaped and on lossy links."""

import json
import time
from typing import NamedTuple

from lab import ETHERNET_IP_UDP, SERVER, LabTestCase, Sampler, inside  # first: puts the path
from harness import DIALECTS, BinaryTestCase, Program, Server

DURATION = 3
# Bit/s of payload between which a 100 Mbit/s shaper is what limits a test.
LEAST_SHAPED, MOST_SHAPED = 93e6, 98e6
SENT_RULES = """
table inet sent {
  counter passed { }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip protocol udp udp dport 7001 udp length > 400 counter name passed
  }
}
"""
LOSS_RULES = """
table inet loss {{
  counter seen {{ }}
  counter lost {{ }}
  chain input {{
    type filter hook input priority 0; policy accept;
    ip protocol udp udp dport 7001 udp length > 400 counter name seen
    ip protocol udp udp dport 7001 udp length > 400 \\
      numgen random mod 1000 < {permille} counter name lost drop
  }}
}}
"""


# Not of the first exchange: five CONNECTs fail once in four thousand runs.
PATH_LOSS_RULES = """
table inet loss {
  chain forward {
    type filter hook forward priority 0; policy accept;
    udp sport != 6711 udp dport != 6711 numgen random mod 1000 < 100 drop
  }
}
"""


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


class Link(LabTestCase):
    check = BinaryTestCase.check_result
    _check_test = BinaryTestCase._check_test
    _check_numbers = BinaryTestCase._check_numbers
    _check_quantiles = BinaryTestCase._check_quantiles
    _check_schema = BinaryTestCase._check_schema

    def upload(self, lab, *options, dialect="1", config=None):
        """A whole test across the lab; the result document."""
        with Server(host=SERVER, port=6711, first=7000, prefix=lab.inside_command(lab.server)):
            with Program(f"{SERVER}:6711", "--bwup", "--duration", DURATION, "--json",
                         "--dialect", dialect, *options, config=config,
                         prefix=lab.inside_command(lab.client)) as client:
                self.assertEqual(client.finish(DURATION + 11), 0, client.errors())
                document = json.loads("\n".join(client.stdout))
        self.check(document, dialect=dialect)
        return document

    def check_rate(self, where, device, tolerance=0.01):
        """With a shaper on a device: the rate that is reported is the kernel's."""
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                figures = self.undisturbed(
                    lambda dialect=dialect: self.shaped(where, device, dialect),
                    lambda figures: figures.is_shaped() and figures.apart() < tolerance)
                self.assertTrue(figures.is_shaped(), "the shaper was not the bottleneck")
                self.assertLess(figures.apart(), tolerance, figures)
                self.assertLess(abs(figures.test["bytes_received"] / figures.whole - 1), tolerance)
                self.assertAlmostEqual(figures.test["duration_s"], DURATION, delta=0.1)

    def shaped(self, where, device, dialect):
        """One upload through a shaper: what it reports, and what the kernel counts."""
        lab = self.lab()
        lab.shape(getattr(lab, where), device, "rate", "100mbit", "burst", "32k", "latency", "50ms")
        with Sampler(lab.server) as sampler:
            while not sampler.samples:
                time.sleep(0.01)
            test = self.upload(lab, dialect=dialect)["tests"][0]
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

    @staticmethod
    def socket_drops(lab):
        """Datagrams that the server's sockets had no room for, by the kernel's count."""
        with inside(lab.server), open("/proc/thread-self/net/snmp", encoding="ascii") as file:
            names, values = [line.split() for line in file if line.startswith("Udp:")]
        return int(values[names.index("RcvbufErrors")])

    def loss(self, permille, *options, config=None):
        for dialect in DIALECTS:
            with self.subTest(dialect=dialect):
                self.check_loss(dialect, permille, *options, config=config)

    def check_loss(self, dialect, permille, *options, config):
        lab = self.lab()
        lab.rules(lab.router, SENT_RULES)
        lab.rules(lab.server, LOSS_RULES.format(permille=permille))
        document = self.upload(lab, *options, dialect=dialect, config=config)
        counted = {**lab.counters(lab.router), **lab.counters(lab.server),
                   "socket": self.socket_drops(lab)}
        test = document["tests"][0]
        packets = test["packets"]
        print(f"{self.id()} in {dialect}: {packets}, kernel {counted}")
        self.assertEqual(packets["sent"], counted["passed"], "sent")
        on_the_way = counted["passed"] - counted["seen"]      # a full device queue: 0 as a rule
        self.assertEqual(packets["lost"], on_the_way + counted["lost"] + counted["socket"], "lost")
        self.assertEqual(packets["sent"], packets["unique"] + packets["lost"])
        self.assertAlmostEqual(counted["lost"] / counted["seen"], permille / 1000, delta=0.02)
        self.assertLessEqual(on_the_way + counted["socket"], counted["passed"] * 0.02,
                             "the program drowned its own receiver")

    def test_loss_of_one_percent_is_exact(self):
        self.loss(10)

    def test_loss_of_ten_percent_is_exact(self):
        self.loss(100)

    def test_loss_of_thirty_percent_is_exact(self):
        self.loss(300)

    def test_loss_is_exact_at_a_low_rate_too(self):
        self.loss(100, config={"send_sleep": 500})

    def test_loss_is_exact_at_a_fixed_rate_of_any_size(self):
        for rate in ("5M", "80M"):
            self.loss(100, "--rate", rate)

    def test_a_latency_run_of_any_length_counts_what_it_lost_to_its_end(self):
        lab = self.lab()
        lab.rules(lab.router, PATH_LOSS_RULES)
        with Server(host=SERVER, port=6711, first=7000, prefix=lab.inside_command(lab.server)):
            for dialect in DIALECTS:
                with self.subTest(dialect=dialect):
                    self.check_heartbeats(lab, dialect)

    def check_heartbeats(self, lab, dialect):
        seconds, rate_ms = 3, 5
        with Program(f"{SERVER}:6711", "--duration", seconds, "--json", "--dialect", dialect,
                     config={"heartbeat_rate": rate_ms},
                     prefix=lab.inside_command(lab.client)) as client:
            self.assertEqual(client.finish(seconds + 6), 0, client.errors())
            document = json.loads("\n".join(client.stdout))
        self.check(document, dialect=dialect)
        ports = document["latency"].values()
        sent, lost, skipped = (sum(port[key] for port in ports)
                               for key in ("sent", "lost", "skipped"))
        print(f"{self.id()} in {dialect}: {lost} of {sent} lost, {skipped} skipped")
        # The first ones on each port may wait for an answer.
        self.assertAlmostEqual((sent + skipped) / (3 * seconds * 1000 / rate_ms), 1, delta=0.15)
        self.assertAlmostEqual(lost / sent, 1 - 0.9 ** 2, delta=0.05)

    def test_no_loss_at_all_is_reported_as_none(self):
        self.loss(0)
