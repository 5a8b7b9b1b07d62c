"""A router's NAT that can be made to forget all of its connections."""

import socket
import struct

from lab import inside

# Counts what comes through each of the two ranges of ports.
NAT_RULES = """
table ip nat {{
  counter translated_{ports} {{ }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "rs" ip protocol udp masquerade to :{ports}-{last}
  }}
  chain count {{
    type filter hook postrouting priority 300; policy accept;
    oifname "rs" udp sport {ports}-{last} counter name translated_{ports}
  }}
}}
"""


def flush_connections():
    """Forgets all of the namespace's connection tracking (ctnetlink: IPCTNL_MSG_CT_DELETE)."""
    netlink_netfilter, delete, request_ack = 12, 1 << 8 | 2, 5
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, netlink_netfilter)
    sock.bind((0, 0))
    sock.send(struct.pack("=IHHII", 20, delete, request_ack, 1, 0) + struct.pack("=BBH", 0, 0, 0))
    answer = sock.recv(4096)
    sock.close()
    error = struct.unpack_from("=i", answer, 16)[0]
    if error != 0:
        raise OSError(-error, "ctnetlink")


def rebind(lab):
    """The router's NAT forgets all connections, and gives them other ports."""
    with inside(lab.router):
        lab.rules(lab.router, "delete table ip nat\n" + NAT_RULES.format(ports=50000, last=54999))
        flush_connections()
