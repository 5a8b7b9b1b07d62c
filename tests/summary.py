#!/usr/bin/python3
"""What the last test run skipped, by name and with the reason.

  tests/summary.py FOLDER     the results that ctest's tests left there

A label is what precedes the first dot of a file's name. Exit code 1 where a whole label skipped: such
a run has tested nothing of it.
"""

import json
import sys
import xml.etree.ElementTree
from collections import defaultdict
from pathlib import Path


def googletest(path):
    """(tests, [(name, reason)]) of GoogleTest's XML."""
    cases = list(xml.etree.ElementTree.parse(path).getroot().iter("testcase"))
    ran = [case for case in cases if case.get("status") == "run"]
    skips = []
    for case in ran:
        skipped = case.find("skipped")
        if skipped is not None:
            reason = skipped.get("message", "").split("\n", 1)[-1].strip()  # after the file and line
            skips.append((f'{case.get("classname")}.{case.get("name")}', reason))
    return len(ran), skips


def suite(path):
    """The same of a Python suite (tests/suite.py)."""
    results = json.loads(path.read_text(encoding="utf-8"))
    return results["tests"], [(skip["name"], skip["reason"]) for skip in results["skipped"]]


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    tests, skips = defaultdict(int), defaultdict(list)
    for path in sorted(Path(sys.argv[1]).glob("*.*")):
        count, skipped = googletest(path) if path.suffix == ".xml" else suite(path)
        label = path.name.split(".")[0]
        tests[label] += count
        skips[label] += skipped
    print(f"{sum(tests.values())} tests, {sum(map(len, skips.values()))} skipped")
    for label, skipped in sorted(skips.items()):
        for name, reason in skipped:
            print(f"  skipped: {label}: {name}: {reason}")
    # A part of a test may skip by itself, so there may be more skips than tests.
    whole = [label for label in tests if tests[label] <= len({name for name, _ in skips[label]})]
    for label in whole:
        print(f"tests/summary.py: all tests of the label {label} skipped", file=sys.stderr)
    return 1 if whole else 0


if __name__ == "__main__":
    sys.exit(main())
