"""Servers that cannot be reached, each for another cause, which is named."""

import json

from lab import CLIENT, SERVER, LabTestCase, run  # first: puts the path
from harness import Program, troubles

DONE = 120              # s
# 203.0.113.x and 2001:db8:x:: are behind the router, and nobody is there.
V4, V6 = "203.0.113.{}", "2001:db8:113::{}"
ROUTES = {1: "unreachable", 2: "prohibit", 3: "blackhole", 4: "throw"}
OUTPUT = """
table inet out {{
chain output {{
  type filter hook output priority 0; policy accept;
  ip daddr {v4}5 drop; ip6 daddr {v6}5 drop;
  ip daddr {v4}6 reject; ip6 daddr {v6}6 reject;
  ip daddr {v4}11 reject with icmpx type host-unreachable;
  ip6 daddr {v6}11 reject with icmpx type host-unreachable;
  ip daddr {v4}12 reject with icmpx type no-route;
  ip6 daddr {v6}12 reject with icmpx type no-route;
}}
}}
"""
FORWARD = """
table inet way {{
chain forward {{
  type filter hook forward priority 0; policy accept;
  ip daddr {v4}7 reject with icmp type admin-prohibited;
  ip6 daddr {v6}7 reject with icmpv6 type admin-prohibited;
  ip daddr {v4}8 reject with icmp type host-unreachable;
  ip6 daddr {v6}8 reject with icmpv6 type addr-unreachable;
  ip daddr {v4}9 reject with icmp type net-unreachable;
  ip6 daddr {v6}9 reject with icmpv6 type no-route;
  ip daddr {v4}10 reject; ip6 daddr {v6}10 reject;
}}
}}
"""
CAUSES = {1: "unreachable_route", 2: "prohibited_route", 3: "blackhole_route", 4: "no_route",
          5: "local_firewall", 6: "local_firewall", 7: "prohibited_on_the_way",
          8: "host_unreachable", 9: "net_unreachable", 10: "prohibited_on_the_way",
          11: "local_firewall", 12: "local_firewall"}
WORDS = {"local_firewall": "Operation not permitted: does a local firewall drop it?",
         "nobody_listens": "nobody listens on", "no_neighbour": "ARP or neighbour discovery"}


class Unreachable(LabTestCase):
    def setUp(self):
        self.inside = lab = self.lab()
        for name, device, address in ((lab.client, "eth0", "2001:db8:1::2"),
                                      (lab.router, "rc", "2001:db8:1::1"),
                                      (lab.router, "rs", "2001:db8:2::1"),
                                      (lab.server, "eth0", "2001:db8:2::2")):
            run("ip", "-n", name, "address", "add", f"{address}/64", "dev", device, "nodad")
        run("ip", "-n", lab.client, "-6", "route", "add", "default", "via", "2001:db8:1::1")
        run("ip", "-n", lab.server, "-6", "route", "add", "default", "via", "2001:db8:2::1")
        # Fifty clients of one address would be told less often than a single one is.
        for name in (lab.client, lab.router, lab.server):
            run(*lab.inside_command(name), "sh", "-c",
                "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; "
                "echo 0 > /proc/sys/net/ipv6/icmp/ratelimit")
        run(*lab.inside_command(lab.router), "sh", "-c",
            "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
        for number, kind in ROUTES.items():
            run("ip", "-n", lab.client, "route", "add", kind, V4.format(number))
            run("ip", "-n", lab.client, "-6", "route", "add", kind, V6.format(number))
        prefixes = {"v4": V4.format(""), "v6": V6.format("")}
        lab.rules(lab.client, OUTPUT.format(**prefixes))
        lab.rules(lab.router, FORWARD.format(**prefixes))
        # Someone has to be sent there before a rule of the forwarding can reject it.
        run("ip", "-n", lab.router, "route", "add", "203.0.113.0/24", "via", SERVER)
        run("ip", "-n", lab.router, "-6", "route", "add", "2001:db8:113::/64", "via",
            "2001:db8:2::2")

    def client(self, host, *options, dialect="1"):
        client = Program(f"{host}:6711", "--json", "--dialect", dialect, *options,
                         prefix=self.inside.inside_command(self.inside.client))
        self.addCleanup(client.kill)
        return client

    def check(self, client, cause):
        self.assertEqual(client.wait(DONE), 1, client.errors())
        document = json.loads("\n".join(client.stdout))
        self.assertIs(document["valid"], False)
        problems = troubles(document)
        self.assertEqual([(p["code"], p.get("cause")) for p in problems], [("W001", cause)], problems)
        self.assertIn(WORDS.get(cause, "cannot be reached"), problems[0]["message"])
        # It was said at once, too: before the end.
        told = [i for i, line in enumerate(client.stderr) if ":6711: " in line]
        ended = [i for i, line in enumerate(client.stderr) if line.startswith("Timeout waiting")]
        self.assertTrue(told and ended and told[0] < ended[0], client.errors())

    def test_each_cause_is_named(self):
        clients = []
        for dialect in ("1", "0.14"):
            for number, cause in CAUSES.items():
                clients.append((V4.format(number), cause, dialect, ()))
                clients.append((f"[{V6.format(number)}]", cause, dialect, ()))
            clients += [(SERVER, "nobody_listens", dialect, ()),
                        ("[2001:db8:2::2]", "nobody_listens", dialect, ()),
                        (CLIENT[:-1] + "77", "no_neighbour", dialect, ()),
                        ("[2001:db8:1::77]", "no_neighbour", dialect, ()),
                        (SERVER[:-1] + "77", "host_unreachable", dialect, ()),
                        ("[2001:db8:2::77]", "host_unreachable", dialect, ()),
                        (SERVER, "time_exceeded", dialect, ("--ttl", "1"))]
        started = [(case, self.client(host, *options, dialect=dialect))
                   for case in clients for host, _, dialect, options in (case,)]
        for (host, cause, dialect, options), client in started:
            with self.subTest(host=host, cause=cause, dialect=dialect, options=options):
                self.check(client, cause)
