"""Medians, ratios and limits of bench/compare."""

import os
import pathlib
import socket
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from comparison import crowd, moments, report  # noqa: E402  (needs the path above)
from comparison.cases import all_cases  # noqa: E402
from comparison.figures import (Row, at_least, at_most, best_quarter, evaluate,  # noqa: E402
                                median_of, pair_ratios)
from comparison.processes import MeasureError  # noqa: E402


SLICES = 10


def rates(*values):
    return [{"rate_bps": value} for value in values]


class Arithmetic(unittest.TestCase):
    def test_ratio_is_the_median_over_pairs_and_not_the_ratio_of_medians(self):
        # The machine was ten times as fast in the second round, for both.
        ours, reference = rates(1, 30, 3), rates(2, 10, 4)
        result = evaluate(Row("rate_bps", limit=at_least(0.7)), ours, reference)
        self.assertEqual(result["value"], 0.75)         # of 0.5, 3 and 0.75
        self.assertEqual(result["ours"] / result["reference"], 0.75)
        ours, reference = rates(8, 100, 6), rates(10, 10, 20)
        self.assertEqual(evaluate(Row("rate_bps"), ours, reference)["value"], 0.8)
        self.assertEqual((median_of(ours, "rate_bps"), median_of(reference, "rate_bps")), (8, 10))

    def test_median_of_an_even_number_lies_between(self):
        self.assertEqual(median_of(rates(4, 1, 2, 3), "rate_bps"), 2.5)

    def test_nothing_measured_is_nothing_and_not_zero(self):
        self.assertIsNone(median_of([{}, {}], "rate_bps"))
        self.assertIsNone(evaluate(Row("rate_bps"), [{}], rates(1)))
        self.assertIsNone(evaluate(Row("rate_bps"), [], []))

    def test_rounds_without_a_reference_have_no_ratio(self):
        self.assertEqual(pair_ratios(rates(1, 2, 3), [{"rate_bps": 0}, {}, {"rate_bps": 6}],
                                     "rate_bps"), [0.5])

    def test_pairs_must_be_whole(self):
        with self.assertRaises(ValueError):
            pair_ratios(rates(1, 2), rates(1), "rate_bps")

    def test_total_adds_up_all_rounds(self):
        samples = [{"lost": 0}, {"lost": 3}, {"lost": 0}]
        result = evaluate(Row("lost", "total", at_most(0)), samples, [])
        self.assertEqual((result["value"], result["verdict"]), (3, "miss"))
        self.assertEqual(result["spread"], (0, 3))

    def test_value_needs_no_reference(self):
        result = evaluate(Row("kib_each", "value", at_most(32)), [{"kib_each": 31}], [{}])
        self.assertEqual((result["value"], result["verdict"], result["reference"]),
                         (31, "pass", None))

    def test_spread_of_a_ratio_is_that_of_the_ratios(self):
        result = evaluate(Row("rate_bps"), rates(1, 2, 9), rates(2, 2, 3))
        self.assertEqual(result["spread"], (0.5, 3))
        self.assertEqual(result["rounds"], 3)


    def test_best_quarter_is_of_good_moments_on_both_sides(self):
        # A neighbour halved three of ours and one of theirs.
        ours, reference = rates(60, 30, 60, 30, 30), rates(62, 62, 31, 62, 62)
        self.assertAlmostEqual(best_quarter(ours, reference, "rate_bps"), 60 / 62)
        costs = [{"cpu_s_per_gb": value} for value in (2, 4, 2, 4, 4)]
        self.assertEqual(best_quarter(costs, costs, "cpu_s_per_gb"), 1)
        self.assertIsNone(best_quarter(rates(1, 2, 3), rates(1, 2, 3), "rate_bps"))
        self.assertIsNone(best_quarter(rates(1, 2, 3, 4), rates(0, 0, 0, 0), "rate_bps"))

    def test_several_runs_are_judged_together(self):
        def run(ours, reference):
            return {"cases": [{"name": "lo/upload-1400", "samples": {
                "ours": rates(*ours), "reference": rates(*reference)}},
                {"name": "of another day", "samples": {"ours": [], "reference": []}}]}
        document = report.pooled([run([1, 2], [1, 1]), run([9], [3])], all_cases())
        self.assertEqual([case["name"] for case in document["cases"]], ["lo/upload-1400"])
        row = document["cases"][0]["rows"][0]
        self.assertEqual((row["value"], row["rounds"], row["spread"]), (2, 3, (1, 3)))
        self.assertIn("lo/upload-1400", report.markdown_table(document))


class Limits(unittest.TestCase):
    def test_the_bound_itself_passes(self):
        self.assertEqual(at_least(0.92).verdict(0.92), "pass")
        self.assertEqual(at_most(1.2).verdict(1.2), "pass")

    def test_beyond_the_bound_misses(self):
        # What the table shows as 0.92 may be a miss: nothing is rounded before it is judged.
        self.assertEqual(at_least(0.92).verdict(0.9199), "miss")
        self.assertEqual(at_most(1.2).verdict(1.2001), "miss")

    def test_a_row_without_limit_has_no_verdict(self):
        self.assertIsNone(evaluate(Row("rate_bps"), rates(1), rates(1))["verdict"])


class Cases(unittest.TestCase):
    def test_names_are_unique(self):
        names = [case.name for case in all_cases()]
        self.assertEqual(len(names), len(set(names)))

    def test_ratios_have_something_to_be_held_against(self):
        for case in all_cases():
            for row in case.rows:
                if row.kind == "ratio":
                    self.assertIsNotNone(case.reference, case.name)
                    self.assertTrue(case.reference_name, case.name)

    def test_every_limit_that_was_set_is_judged(self):
        found = {str(row.limit) for case in all_cases() for row in case.rows if row.limit}
        for limit in (">= 0.92", ">= 0.85", ">= 0.97", ">= 15", "<= 0", "<= 1.2", "<= 1.3", "<= 3",
                      "<= 32", "<= 0.25"):
            self.assertIn(limit, found)


class Crowd(unittest.TestCase):
    HALF = {"connected": 500, "server_core": 0.2, "exchanges": 5000, "measured_s": 5,
            "server_kib_each": 60, "lost": 1}

    def test_several_load_generators_share_one_server(self):
        both = crowd.combined([self.HALF, self.HALF], 1000)
        self.assertEqual((both["server_core"], both["kib_each"], both["lost"]), (0.2, 30, 2))
        self.assertAlmostEqual(both["server_us_each"], 100)   # 0.2 s for 2,000 a second

    def test_a_client_that_did_not_connect_is_a_failure(self):
        with self.assertRaisesRegex(MeasureError, "500 of 501"):
            crowd.combined([self.HALF], 501)


class Moments(unittest.TestCase):
    @staticmethod
    def slices(*octets):
        return [moments.Slice(second, second + 1, of) for second, of in enumerate(octets)]

    def test_a_tenth_of_the_slices_exceeds_the_figure(self):
        self.assertEqual(moments.best_tenth(self.slices(3, 1, 2, 11, 10, 9, 8, 7, 6, 5, 4)),
                         {"best_tenth_bps": 80})

    def test_with_too_few_slices_there_is_no_tenth(self):
        self.assertEqual(moments.best_tenth(self.slices(*range(9))), {})

    def test_rates_are_those_of_the_device(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))

            sent, stopping = [], threading.Event()

            def send():
                while not stopping.wait(0.001):
                    udp.sendto(bytes(50_000), udp.getsockname())
                    sent.append(50_000)

            sender = threading.Thread(target=send)
            sender.start()
            try:
                found = [one for _ in range(SLICES) for one in moments.slices(os.getpid(), "lo",
                                                                             0.01)]
            finally:
                stopping.set()
                sender.join()
        self.assertEqual(len(found), SLICES)
        # Others may use the device as well. The first and the last may lie outside of all slices.
        self.assertGreaterEqual(sum(one.octets for one in found), 50_000 if len(sent) > 2 else 0)
        self.assertEqual(found[0].bps, 8 * found[0].octets / (found[0].end - found[0].begin))
        self.assertEqual(moments.slices(os.getpid(), "no-such-device", 0.05), [])


class Table(unittest.TestCase):
    DOCUMENT = {"cases": [{"name": "lo/x", "title": "upload", "reference": "floor", "rows": [
        evaluate(Row("rate_bps", limit=at_least(0.9), label="rate"), rates(8e9), rates(10e9)),
        evaluate(Row("lost", "total", at_most(0), "lost"), [{"lost": 0}], [{}])]}]}

    def test_markdown_has_a_row_for_each_figure(self):
        lines = report.markdown_table(self.DOCUMENT).splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual({line.count("|") for line in lines}, {12})
        self.assertIn("| 8.00 Gbit/s | floor | 10.00 Gbit/s | 0.80 | 0.80-0.80 | - | >= 0.9 | miss |",
                      lines[2])

    def test_units_follow_the_metric(self):
        self.assertEqual(report.show_figure("network_rtt_ns", 6500), "6.5 us")
        self.assertEqual(report.show_figure("server_core", 0.25), "25.0 %")
        self.assertEqual(report.show_figure("rate_bps", None), "-")


if __name__ == "__main__":
    unittest.main()
