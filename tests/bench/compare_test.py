"""bench/compare on one tiny case: it runs, cleans up, and its JSON is what it says.

WYNDRVR names the program; its figures are not judged here.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

COMPARE = pathlib.Path(__file__).resolve().parents[2] / "bench" / "compare"


def compare(*words):
    return subprocess.run([sys.executable, COMPARE, *words], capture_output=True, text=True,
                          check=False, timeout=120)


class Compare(unittest.TestCase):
    def setUp(self):
        if not os.access(os.environ.get("WYNDRVR", ""), os.X_OK):
            raise AssertionError("WYNDRVR must name the program")
        folder = tempfile.TemporaryDirectory(prefix="wyndrvr-bench-test-")
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "figures.json"

    def test_one_case_is_measured_and_written_down(self):
        done = compare("--rounds", "1", "--seconds", "0.3", "--only", "lo/upload-1400", "--json",
                       str(self.file))
        self.assertEqual(done.returncode, 0, done.stderr)
        document = json.loads(self.file.read_text())
        self.assertEqual(document["schema"], "wyndrvr-bench/1")
        self.assertEqual((document["rounds"], document["seconds"]), (1, 0.3))
        self.assertEqual(document["skipped"], [])
        (case,) = document["cases"]
        self.assertEqual(case["name"], "lo/upload-1400")
        (ours,), (floor,) = case["samples"]["ours"], case["samples"]["reference"]
        for sample in (ours, floor):
            self.assertGreater(sample["rate_bps"], 0)
            self.assertGreater(sample["cpu_s_per_gb"], 0)
            self.assertGreaterEqual(sample["lost"], 0)
        rows = {row["metric"]: row for row in case["rows"]}
        self.assertEqual(rows["rate_bps"]["value"], ours["rate_bps"] / floor["rate_bps"])
        self.assertEqual(rows["rate_bps"]["limit"], ">= 0.92")
        self.assertIn(rows["rate_bps"]["verdict"], ("pass", "miss"))
        self.assertEqual(rows["lost"]["value"], ours["lost"])
        shown = compare("--read", str(self.file), "--markdown")
        self.assertEqual(len(shown.stdout.splitlines()), 2 + len(case["rows"]), shown.stdout)

    def test_an_unknown_case_is_an_error(self):
        done = compare("--only", "lo/no-such-case")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--list", done.stderr)


if __name__ == "__main__":
    unittest.main()
