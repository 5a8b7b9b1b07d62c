"""Reported rate and loss against what the kernel counted, on shaped and on lossy links."""

import json

from lab import SERVER, LabTestCase, Sampler, inside  # first: it puts the harness on the path
from harness import BinaryTestCase, Program, Server

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


class Link(LabTestCase):
    check = BinaryTestCase.check_result
    _check_test = BinaryTestCase._check_test
    _check_numbers = BinaryTestCase._check_numbers
    _check_quantiles = BinaryTestCase._check_quantiles
    _check_schema = BinaryTestCase._check_schema

    def upload(self, lab, duration=3, config=None):
        """A whole test across the lab; the result document."""
        with Server(host=SERVER, port=6711, first=7000, prefix=lab.inside_command(lab.server)):
            with Program(f"{SERVER}:6711", "--bwup", "--duration", duration, "--json",
                         config=config, prefix=lab.inside_command(lab.client)) as client:
                self.assertEqual(client.wait(duration + 11), 0, client.errors())
                document = json.loads("\n".join(client.stdout))
        self.check(document)
        return document

    def rate(self, lab, tolerance=0.01):
        with Sampler(lab.server) as sampler:
            document = self.upload(lab)
        truth = sampler.payload_rate(0.4, 2.6)
        reported = document["tests"][0]["rate_bps"]
        print(f"{self.id()}: reported {reported / 1e6:.3f} Mbit/s, kernel {truth / 1e6:.3f}")
        self.assertLess(abs(reported / truth - 1), tolerance, (reported, truth))
        return document, truth

    def test_rate_with_a_shaper_on_the_clients_own_interface(self):
        lab = self.lab()
        lab.shape(lab.client, "eth0", "rate", "100mbit", "burst", "32k", "latency", "50ms")
        _, truth = self.rate(lab)
        self.assertTrue(90e6 < truth < 98e6, "the shaper was not the bottleneck")

    def test_rate_with_a_shaper_on_a_router(self):
        lab = self.lab()
        lab.shape(lab.router, "rs", "rate", "100mbit", "burst", "32k", "latency", "50ms")
        _, truth = self.rate(lab)
        self.assertTrue(85e6 < truth < 98e6, "the shaper was not the bottleneck")

    @staticmethod
    def socket_drops(lab):
        """Datagrams that the server's sockets had no room for, by the kernel's count."""
        with inside(lab.server), open("/proc/thread-self/net/snmp", encoding="ascii") as file:
            names, values = [line.split() for line in file if line.startswith("Udp:")]
        return int(values[names.index("RcvbufErrors")])

    def loss(self, permille, config=None):
        lab = self.lab()
        lab.rules(lab.router, SENT_RULES)
        lab.rules(lab.server, LOSS_RULES.format(permille=permille))
        document = self.upload(lab, config=config)
        counted = {**lab.counters(lab.router), **lab.counters(lab.server),
                   "socket": self.socket_drops(lab)}
        test = document["tests"][0]
        packets = test["packets"]
        print(f"{self.id()}: {packets}, kernel {counted}")
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

    def test_no_loss_at_all_is_reported_as_none(self):
        self.loss(0)
