#!/usr/bin/python3
"""Runs every *_test.py of this file's folder: those that mostly wait at once, the others in turn.

usage: run.py [-j N] [name…]      name: a file's stem, or stem.Class.test
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))

import importlib.util  # noqa: E402

_spec = importlib.util.spec_from_file_location("interop_run", HERE.parent / "interop/run.py")
_runner = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_runner)

ALONE = ("crowd_test", "neighbour_test")   # they measure, or need the whole machine


def main():
    """The exit code."""
    if len(sys.argv) > 1:
        return _runner.main(HERE, jobs=1)
    others = sorted(p.stem for p in HERE.glob("*_test.py") if p.stem not in ALONE)
    failed = 0
    for jobs, names in ((3, others), (1, ALONE)):
        sys.argv[1:] = names
        failed |= _runner.main(HERE, jobs)
    return failed


if __name__ == "__main__":
    sys.exit(main())
