#!/usr/bin/python3
"""Runs every *_test.py of this file's folder, two files at a time; the exit code is honest.

usage: run.py [-j N] [name…]      name: a file's stem, or stem.Class.test
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys
import time
from pathlib import Path

FILE_SECONDS = 240


def run(folder, name):
    """One file in a process of its own: (name, exit code, seconds, output)."""
    begin = time.monotonic()
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run([sys.executable, "-m", "unittest", "-v", name], cwd=folder,
                              env=environment, timeout=FILE_SECONDS, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return name, done.returncode, time.monotonic() - begin, done.stdout
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
        text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output
        return name, 124, time.monotonic() - begin, text + f"\ntook more than {FILE_SECONDS} s"


def main(folder=Path(__file__).resolve().parent, jobs=2):
    """Runs the files named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-j", type=int, default=jobs, help="files at a time")
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    names = options.name or sorted(p.stem for p in folder.glob("*_test.py"))
    if not names:
        print(f"no tests in {folder}", file=sys.stderr)
        return 1
    failed = []
    with concurrent.futures.ThreadPoolExecutor(max(1, options.j)) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(run, folder, name) for name in names]):
            name, code, seconds, output = done.result()
            print(f"=== {name}: {'passed' if code == 0 else 'FAILED'} in {seconds:.1f} s")
            print(output, flush=True)
            if code != 0:
                failed.append(name)
    print(f"{len(names) - len(failed)} of {len(names)} files passed"
          + (f"; failed: {' '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
