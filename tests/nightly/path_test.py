"""How soon dialect 1 begins, falls silent and finds a path again; floods of a million."""

import concurrent.futures
import signal
import time

import places  # noqa: F401  (first: it puts the harnesses on the path)
from lab import LabTestCase, Sampler
from harness import pass_time
from nat import NAT_RULES, rebind
import attack_test

LOSS_RULES = """
table inet loss {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip protocol udp numgen random mod 1000 < 300 drop
  }
}
"""
MILLION = 1_000_000


class Path(LabTestCase):
    def test_a_hundred_of_a_hundred_begin_at_thirty_percent_loss_both_ways(self):
        lab = self.lab()
        lab.rules(lab.router, LOSS_RULES)
        self.serve(lab)

        def one(_):
            with self.client(lab, "--count", "1", "--duration", "12") as client:
                begin = time.monotonic()
                line = client.wait_line("stdout", "^Client connected successfully")
                client.wait()
            return line.time - begin

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            times = sorted(pool.map(one, range(100)))
        print(f"{self.id()}: begun after {times[50]:.2f} s (median), {times[-1]:.2f} s (longest)")
        self.assertEqual(len(times), 100)

    def silence(self, number):
        """Seconds from the receiver's end to the last octet of data sent to it."""
        lab = self.lab()
        self.serve(lab)
        with Sampler(lab.client) as sampler:
            with self.client(lab, "--bwdown", "--duration", "20", "--rate", "100M") as client:
                client.wait_line("stderr", r"^\[")
                client.process.send_signal(number)
                gone = time.monotonic()
                pass_time(2)
                if number == signal.SIGSTOP:
                    client.process.send_signal(signal.SIGKILL)
                client.wait()
        samples = [s for s in sampler.samples if s[0] < gone + 1.9]
        steps = [b[0] for a, b in zip(samples, samples[1:]) if b[1] - a[1] > 1400]
        print(f"{self.id()}: last data {1e3 * (steps[-1] - gone):.0f} ms after the signal")
        return steps[-1] - gone

    def test_a_killed_receiver_is_sent_nothing_after_a_quarter_of_a_second(self):
        self.assertLess(self.silence(signal.SIGKILL), 0.25 + 0.05)

    def test_a_stopped_receiver_is_sent_nothing_after_a_quarter_of_a_second(self):
        self.assertLess(self.silence(signal.SIGSTOP), 0.25 + 0.05)

    def rebinds(self, way):
        lab = self.lab()
        lab.rules(lab.router, NAT_RULES.format(ports=40000, last=44999))
        self.serve(lab)
        with Sampler(lab.server if way == "--bwup" else lab.client) as sampler:
            with self.client(lab, way, "--duration", "6", "--rate", "20M", "--streams", "2",
                             "--json") as client:
                client.wait_line("stderr", r"^\[", count=2)
                moved = time.monotonic()
                rebind(lab)
                self.assertEqual(client.wait(), 0, client.errors())
        packets = self.document_of(client)["tests"][0]["packets"]
        gap = self.longest_gap([s for s in sampler.samples if moved - 0.2 < s[0] < moved + 2])
        print(f"{self.id()}: {packets}, silent for {gap * 1e3:.0f} ms")
        self.assertLess(gap, 1.0)
        self.assertGreater(packets["received"], 0.8 * packets["sent"])

    @staticmethod
    def longest_gap(samples):
        """The longest time in which the device saw under 10 kB."""
        longest, begin = 0.0, 0
        for end in range(len(samples)):
            while samples[end][1] - samples[begin][1] > 10_000:
                begin += 1
            longest = max(longest, samples[end][0] - samples[begin][0])
        return longest

    def test_an_upload_finds_its_path_within_a_second_of_a_rebinding(self):
        self.rebinds("--bwup")

    def test_a_download_finds_its_path_within_a_second_of_a_rebinding(self):
        self.rebinds("--bwdown")


class Floods(attack_test.Attack):
    def test_a_million_forged_hellos_leave_the_server_as_it_was(self):
        packets = self.flood(MILLION)
        self.assertGreater(packets["asked"], 0.99 * MILLION)
        self.assertGreater(packets["answered"], 0.01 * MILLION)


for _name in [name for name in dir(attack_test.Attack) if name.startswith("test_")]:
    setattr(Floods, _name, None)     # they are tests of the gate
