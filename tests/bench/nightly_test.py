"""scripts/nightly with stand-ins for what it runs: what it finds is named, and fails it."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "nightly"))

import parts  # noqa: E402  (needs the path above)


def load_script():
    """scripts/nightly as a module."""
    loader = importlib.machinery.SourceFileLoader("nightly", str(ROOT / "scripts/nightly"))
    spec = importlib.util.spec_from_loader("nightly", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class Nightly(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="wyndrvr-nightly-test-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.program("scripts/build", "exit 0")
        for name, value in (("ROOT", self.root), ("FOUND", self.root / "build/nightly")):
            patch = mock.patch.object(parts, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def program(self, path, script):
        """A stand-in."""
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        path.chmod(0o755)

    def nightly(self, *arguments):
        """(exit code, what it prints)."""
        said, home = io.StringIO(), pathlib.Path.cwd()
        try:
            with mock.patch.object(sys, "argv", ["nightly", *arguments]), \
                    contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = load_script().main()
        except SystemExit as end:
            code = end.code
        finally:
            os.chdir(home)
        return code, said.getvalue()

    def test_the_list_names_every_part(self):
        code, said = self.nightly("--list")
        self.assertEqual(code, 0)
        self.assertEqual([line.split()[0] for line in said.splitlines()], list(parts.PARTS))

    def test_bad_usage_ends_with_two(self):
        for arguments in (("no-such-part",), ("sim", "--seeds", "0"), ("fuzz", "--minutes", "x"),
                          ("fuzz", "--minutes", "nan"), ("--mutants", "-1")):
            code, said = self.nightly(*arguments)
            self.assertEqual(code, 2, arguments)
            self.assertIn(next((word for word in arguments if word.startswith("--")), arguments[0]),
                          said.splitlines()[-1])

    def test_every_seed_is_tried_once_and_all_is_well(self):
        self.program("build/release/wyndrvr-sim", f'echo "$2 $5" >>{self.root}/tried')
        code, said = self.nightly("sim", "--seeds", "1234")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"(?m)^sim +passed +\d+:\d\d:\d\d +seeds \d+\.\.\d+, 0 broken$")
        tried = [line.split()[0].split("..") for line in
                 (self.root / "tried").read_text().splitlines()]
        seeds = sorted(seed for first, last in tried for seed in range(int(first), int(last) + 1))
        self.assertEqual(len(seeds), 1234)
        self.assertEqual(seeds, list(range(seeds[0], seeds[0] + 1234)))

    def test_a_failing_seed_is_named_with_its_replay_and_fails(self):
        self.program("build/release/wyndrvr-sim",
                     'echo "seed 7: a port was kept"; '
                     'echo "replay: wyndrvr-sim --seed 7 --topology $5"; exit 1')
        code, said = self.nightly("sim", "--seeds", "3")
        self.assertEqual(code, 1)
        self.assertRegex(said, r"(?m)^sim +failed ")
        self.assertIn("sim: replay: build/release/wyndrvr-sim --seed 7 --topology one-loop", said)
        self.assertIn("a port was kept",
                      (self.root / "build/nightly/failing-seeds.log").read_text())

    def test_a_simulator_that_dies_fails(self):
        self.program("build/release/wyndrvr-sim", "kill -ABRT $$")
        code, said = self.nightly("sim", "--seeds", "3")
        self.assertEqual(code, 1)
        self.assertIn("exit code -6", said)

    def test_what_a_fuzzer_finds_is_kept_and_named(self):
        self.program("build/fuzz/good_fuzz", "echo stat::number_of_executed_units: 3000000")
        self.program("build/fuzz/bad_fuzz", 'for word; do case $word in -artifact_prefix=*) '
                     'echo x >"${word#*=}crash-abc";; esac; done; exit 77')
        code, said = self.nightly("fuzz", "--minutes", "0.5")
        self.assertEqual(code, 1)
        self.assertRegex(said, r"(?m)^fuzz +failed .* 2 fuzzers, 0\.5 min each, 3\.0 million runs$")
        self.assertIn("fuzz: found: build/nightly/bad-crash-abc; replay: build/fuzz/bad_fuzz "
                      "build/nightly/bad-crash-abc", said)

    def test_mutants_that_live_on_are_named(self):
        self.program("scripts/mutate", 'echo "  1 a.cpp:3 (sign): SURVIVED"; '
                     'echo "  2 b.cpp:4 (sign): noticed"; echo "1 of $2 live on; at most 4 may."')
        code, said = self.nightly("mutate", "--mutants", "2")
        self.assertEqual(code, 0, said)
        self.assertIn("1 of 2 live on", said)
        self.assertIn("a.cpp:3", said)
        self.assertNotIn("b.cpp", said)

    def test_a_build_that_fails_fails_its_part_and_the_others_go_on(self):
        self.program("scripts/build", '[ "$1" != fuzz ]')
        self.program("build/release/wyndrvr-sim", "exit 0")
        code, said = self.nightly("fuzz", "sim", "--seeds", "1")
        self.assertEqual(code, 1)
        self.assertRegex(said, r"(?m)^fuzz +failed .*the fuzz build failed")
        self.assertRegex(said, r"(?m)^sim +passed ")


if __name__ == "__main__":
    unittest.main()
