#!/usr/bin/python3
"""Runs every *_test.py of this file's folder, one at a time: they measure."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))

import importlib.util  # noqa: E402

_spec = importlib.util.spec_from_file_location("interop_run", HERE.parent / "interop/run.py")
_runner = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_runner)

if __name__ == "__main__":
    sys.exit(_runner.main(HERE, jobs=1))
