"""Many light 0.14 clients in one thread: each connects, proves its ports and keeps beating."""

import resource
import selectors
import socket
import time

from peer014 import wire


BEGINNING = 40           # clients that have not yet proven themselves


class Light:
    """One client of a swarm."""

    def __init__(self, swarm):
        self._swarm = swarm
        self.main = swarm.open(self, "main")
        self.assignment = None
        self.sockets, self.answers = {}, dict.fromkeys(wire.ROLES, 0)
        self.sent = {}
        self.refused = None
        self.next_act = 0.0

    def act(self, now):
        """CONNECT once a second until assigned, then a beat on each port every half second."""
        if now < self.next_act or self.refused:
            return
        if self.assignment is None:
            self.next_act = now + 1.0
            self.main.sendto(b"CONNECT", self._swarm.server)
            return
        self.next_act = now + 0.5
        for role in wire.ROLES:
            self._send(role, wire.HEARTBEAT_0, wire.heartbeat_0(repr(time.time())))

    def _send(self, role, kind, body):
        sequence = self.sent[role] = self.sent.get(role, -1) + 1
        port = self.assignment[wire.ROLES.index(role)]
        self.sockets[role].sendto(
            wire.pack(kind, self.assignment[3], sequence, 0, body), (self._swarm.server[0], port))

    def take(self, role, data):
        """Handles one datagram."""
        if role == "main":
            if self.assignment is not None:
                return
            try:
                self.assignment = wire.parse_assignment(data)
            except ValueError:
                self.refused = data
                return
            for port_role in wire.ROLES:
                self.sockets[port_role] = self._swarm.open(self, port_role)
            self.next_act = 0.0
            return
        packet = wire.parse(data)
        if packet is None or packet.type != wire.HEARTBEAT_1:
            return
        self.answers[role] += 1
        fields = packet.tokens()
        self._send(role, wire.HEARTBEAT_2,
                   wire.heartbeat_12(fields["client_timestamp"], fields["server_timestamp"]))


class Swarm:
    """`count` clients of one server, all at once."""

    def __init__(self, server, count):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 4 * count + 100
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
        self.server = server
        self._selector = selectors.EpollSelector()
        self._begun = 0
        self.clients = [Light(self) for _ in range(count)]

    def open(self, client, role):
        """A socket whose datagrams go to client.take(role, …)."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, (client, role))
        return sock

    def run(self, seconds, until=lambda: False):
        """Lets all clients live for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until():
            now = time.monotonic()
            # A client must prove itself in time: only so many begin before others have.
            self._begun = min(len(self.clients), max(self._begun, self.proven() + BEGINNING))
            for client in self.clients[:self._begun]:
                client.act(now)
            for key, _ in self._selector.select(0.01):
                client, role = key.data
                for _ in range(16):
                    try:
                        data = key.fileobj.recv(2048)
                    except BlockingIOError:
                        break
                    except OSError:
                        continue
                    client.take(role, data)

    def proven(self):
        """How many clients had an answer on all three ports."""
        return sum(all(client.answers.values()) for client in self.clients)

    def least_answers(self):
        """How many answers the port with the fewest has had."""
        return min(min(client.answers.values()) for client in self.clients)

    def close(self):
        """Goes silent."""
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()
