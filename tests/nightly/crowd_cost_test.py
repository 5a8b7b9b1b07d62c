"""What a thousand clients of our own cost a server, and that none loses anything."""

import json
import subprocess
import unittest

import places  # noqa: F401  (first: it puts the harnesses on the path)
from lab import SERVER, LabTestCase
from harness import BINARY, PATIENCE

# Next to the program, where it is built (bench/swarm.cpp).
SWARM = BINARY.with_name("wyndrvr-swarm")
CROWD = 1_000
# All come from one address, which may have all of the ports here.
MANY = ("--max-sessions-per-address", str(2 * CROWD), "--max-sessions-per-network", str(2 * CROWD))
# What an idle client may cost its server, of private memory.
CLIENT_KIB = 32


class Crowd(LabTestCase):
    @unittest.skipUnless(SWARM.exists(), f"{SWARM} is not built")
    def test_a_thousand_idle_clients_cost_little_and_lose_nothing(self):
        for options in (("--dialect", "1"), ("--dialect", "1", "--single-port"),
                        ("--dialect", "0.14")):
            with self.subTest(options=" ".join(options)):
                self.crowd(*options)

    def crowd(self, *options):
        """A thousand clients of our own, a heartbeat a second on each port."""
        lab = self.lab()
        server = self.serve(lab, *MANY, "--max-sessions", str(2 * CROWD), ports=3 * CROWD)
        swarm = subprocess.run(
            [*lab.inside_command(lab.client), str(SWARM), "--server", f"{SERVER}:6711",
             "--clients", str(CROWD), "--connects", "500", "--seconds", "5",
             "--watch", str(server.pid), "--json", *options],
            timeout=2 * PATIENCE, text=True, capture_output=True, check=False)
        self.assertTrue(swarm.stdout, swarm.stderr)
        figures = json.loads(swarm.stdout)
        print(f"{self.id()}: {figures}")
        self.assertEqual(figures["connected"], CROWD)
        self.assertEqual(figures["lost"], 0)
        self.assertGreater(figures["answered"], 3 * CROWD * 5)
        # A figure of none at all would mean that the wrong process was looked at.
        self.assertGreater(figures["server_kib_each"], 4)
        self.assertLessEqual(figures["server_kib_each"], CLIENT_KIB)
        self.assertTrue(server.running())
        self.assertEqual(server.stop(), 0)
