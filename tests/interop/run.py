#!/usr/bin/python3
"""Runs the tests of this folder: see tests/suite.py."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import suite  # noqa: E402  (needs the path above)

if __name__ == "__main__":
    sys.exit(suite.main("interop", HERE, jobs=6))
