"""Reported losses against what the kernel counted: they are equal, whatever is lost and wherever."""

from lab import LabTestCase, inside  # first: it puts the harness on the path
from harness import DIALECTS, promptly
from together import check_all

DURATION = 1
SENT_RULES = """
table inet sent {
  counter passed { }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip protocol udp udp dport 7000-7999 udp length > 400 counter name passed
  }
}
"""
LOSS_RULES = """
table inet loss {{
  counter seen {{ }}
  counter lost {{ }}
  chain input {{
    type filter hook input priority 0; policy accept;
    ip protocol udp udp dport 7000-7999 udp length > 400 counter name seen
    ip protocol udp udp dport 7000-7999 udp length > 400 \\
      numgen random mod 1000 < {permille} counter name lost drop
  }}
}}
"""
# A tenth of the heartbeats and of their answers is lost, by the type in the first octet of payload
# (0.14 and dialect 1). Nothing else is: without its handshake there would be no session.
HEARTBEAT_RULES = """
table inet loss {
  counter asked { }
  counter lost_asking { }
  counter lost_answering { }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip protocol udp udp dport 7000-7999 @th,64,8 { 0x00, 0x80 } counter name asked
    ip protocol udp udp dport 7000-7999 @th,64,8 { 0x00, 0x80 } \\
      numgen random mod 1000 < 100 counter name lost_asking drop
    ip protocol udp udp sport 7000-7999 @th,64,8 { 0x01, 0x81 } \\
      numgen random mod 1000 < 100 counter name lost_answering drop
  }
}
"""


class Link(LabTestCase):
    @staticmethod
    def socket_drops(lab):
        """Datagrams that the server's sockets had no room for, by the kernel's count."""
        with inside(lab.server), open("/proc/thread-self/net/snmp", encoding="ascii") as file:
            names, values = [line.split() for line in file if line.startswith("Udp:")]
        return int(values[names.index("RcvbufErrors")])

    def loss(self, permille, *options, config=None):
        check_all(self, lambda dialect: self.check_loss(dialect, permille, *options, config=config),
                  [(dialect,) for dialect in DIALECTS], 1)

    def check_loss(self, dialect, permille, *options, config):
        lab = self.lab()
        lab.rules(lab.router, SENT_RULES)
        lab.rules(lab.server, LOSS_RULES.format(permille=permille))
        self.serve(lab, prefix=promptly())
        with self.client(lab, "--bwup", "--duration", DURATION, "--json", "--dialect", dialect,
                         *options, config=config, prefix=promptly()) as client:
            self.assertEqual(client.finish(), 0, client.errors())
        packets = self.document_of(client, dialect)["tests"][0]["packets"]
        counted = {**lab.counters(lab.router), **lab.counters(lab.server),
                   "dropped": lab.dropped(lab.client), "socket": self.socket_drops(lab)}
        print(f"{self.id()} in {dialect}: {packets}, kernel {counted}")
        # Full device queues, on both links: 0 as a rule.
        self.assertEqual(packets["sent"], counted["passed"] + counted["dropped"], "sent")
        on_the_way = packets["sent"] - counted["seen"]
        self.assertEqual(packets["lost"], on_the_way + counted["lost"] + counted["socket"], "lost")
        self.assertEqual(packets["sent"], packets["unique"] + packets["lost"])

    def test_loss_of_one_percent_is_exact(self):
        self.loss(10, "--rate", "20M")

    def test_loss_of_ten_percent_is_exact(self):
        self.loss(100, "--rate", "20M")

    def test_loss_of_thirty_percent_is_exact(self):
        self.loss(300, "--rate", "20M")

    def test_loss_is_exact_at_a_low_rate_too(self):
        self.loss(100, config={"send_sleep": 500})

    def test_loss_is_exact_at_a_fixed_rate_of_any_size(self):
        for rate in ("5M", "80M"):
            self.loss(100, "--rate", rate)

    def test_no_loss_at_all_is_reported_as_none(self):
        self.loss(0, "--rate", "20M")

    def test_a_latency_run_of_any_length_counts_what_it_lost_to_its_end(self):
        check_all(self, self.check_heartbeats, [(dialect,) for dialect in DIALECTS])

    def check_heartbeats(self, dialect):
        lab = self.lab()
        lab.rules(lab.router, HEARTBEAT_RULES)
        self.serve(lab)
        with self.client(lab, "--duration", "2", "--json", "--dialect", dialect,
                         config={"heartbeat_rate": 5}) as client:
            self.assertEqual(client.finish(), 0, client.errors())
        ports = self.document_of(client, dialect)["latency"].values()
        sent, lost = (sum(port[key] for port in ports) for key in ("sent", "lost"))
        counted = lab.counters(lab.router)
        print(f"{self.id()} in {dialect}: {lost} of {sent} lost, kernel {counted}")
        self.assertEqual(sent, counted["asked"])
        self.assertEqual(lost, counted["lost_asking"] + counted["lost_answering"])
