#!/usr/bin/env python3
"""scripts/mutate: which faults it finds, and that it leaves the tree alone."""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))

from mutation.faults import faults_of, key_of, parse_equivalents  # noqa: E402  (needs the path)
from mutation.lab import Lab, LabError  # noqa: E402


def changes(line, before=""):
    faults = faults_of("f.cpp", f"{before}\n{line}\n")
    return {(fault.kind, fault.after.strip()) for fault in faults if fault.line == 2}


class Faults(unittest.TestCase):
    def test_comparisons_move_by_one_or_turn_round(self):
        self.assertIn(("comparison", "return a <= b;"), changes("  return a < b;"))
        self.assertIn(("comparison", "return a > b;"), changes("  return a >= b;"))
        self.assertIn(("comparison", "return a != b;"), changes("  return a == b;"))

    def test_signs_and_choices_turn_round(self):
        self.assertIn(("arithmetic", "x -= y * z;"), changes("  x += y * z;"))
        self.assertIn(("arithmetic", "x += y / z;"), changes("  x += y * z;"))
        self.assertIn(("choice", "return std::max(a, b);"), changes("  return std::min(a, b);"))
        self.assertIn(("counting", "--count;"), changes("  ++count;"))

    def test_conditions_turn_round(self):
        self.assertIn(("condition", "if (!(a && f(b))) return;"), changes("  if (a && f(b)) return;"))
        self.assertIn(("logic", "if (a || f(b)) return;"), changes("  if (a && f(b)) return;"))
        self.assertIn(("negation", "if (full()) {"), changes("  if (!full()) {"))

    def test_declarations_in_conditions_are_left_alone(self):
        for line in ("  if (const auto x = f()) {", "  if (auto x = f(); !x) {"):
            self.assertNotIn("condition", {kind for kind, _ in changes(line)})

    def test_constants_are_one_too_large(self):
        self.assertIn(("constant", "return size - 2;"), changes("  return size - 1;"))
        self.assertEqual(changes("constexpr int kSize = 8;"), set())
        self.assertEqual(changes("  std::array<int, 3> fields{};"), set())
        self.assertEqual(changes("  bool begun = false;"), set())

    def test_statements_are_left_out(self):
        self.assertIn(("statement", ";"), changes("  total_ = value;", "  count();"))
        self.assertIn(("statement", ";"), changes("  queue.clear();", "}"))
        # The end of a statement that began before.
        self.assertNotIn(("statement", ";"), changes("  f(x);", "  const auto y ="))
        self.assertNotIn(("statement", ";"), changes("  return f(x);", "{"))

    def test_text_comments_and_checks_get_no_fault(self):
        self.assertEqual(changes('  say("a < b && 1");  // a < b', "  x ="), set())
        self.assertEqual(changes("  WYNDRVR_CHECK(a < b);"), set())
        self.assertEqual(changes("// a == b;"), set())

    def test_every_fault_changes_its_line_and_has_a_name_of_its_own(self):
        for path in sorted((ROOT / "src" / "engine").glob("*.cpp")):
            text = path.read_text()
            faults = list(faults_of(path.name, text))
            self.assertEqual(len({fault.name for fault in faults}), len(faults))
            for fault in faults:
                self.assertNotEqual(fault.before, fault.after)
                self.assertEqual(len(fault.apply(text).split("\n")), len(text.split("\n")))


class Equivalents(unittest.TestCase):
    def test_known_ones_are_found_by_their_text(self):
        fault = next(f for f in faults_of("src/a.cpp", "  return a < b;") if f.kind == "comparison")
        listed = f"# why\n# it is so\n{fault.file}\n{fault.diff()}\n"
        self.assertEqual(parse_equivalents(listed), {key_of(fault): "why it is so"})

    def test_none_is_listed_without_a_reason(self):
        with self.assertRaises(ValueError):
            parse_equivalents("src/a.cpp\n  - a < b\n  + a <= b\n")

    def test_the_list_in_the_tree_can_be_read(self):
        parse_equivalents((ROOT / "scripts/mutation/equivalent.txt").read_text())


class Copy(unittest.TestCase):
    def test_the_copy_follows_the_tree_and_keeps_what_is_unchanged(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "source"
            (source / "src").mkdir(parents=True)
            (source / "src" / "a.cpp").write_text("a")
            (source / "src" / "b.cpp").write_text("b")
            lab = Lab(source, pathlib.Path(folder) / "lab", 1)
            lab.copy()
            kept = (lab.tree / "src" / "a.cpp").stat()
            (source / "src" / "b.cpp").write_text("c")
            (lab.tree / "src" / "old.cpp").write_text("old")
            lab.copy()
            self.assertEqual((lab.tree / "src" / "b.cpp").read_text(), "c")
            self.assertFalse((lab.tree / "src" / "old.cpp").exists())
            self.assertEqual((lab.tree / "src" / "a.cpp").stat().st_mtime_ns, kept.st_mtime_ns)


CMAKE = """cmake_minimum_required(VERSION 3.25)
project(tiny LANGUAGES CXX)
foreach(name unit property sim)
  add_executable(${name}_tests src/a.cpp ${name}.cpp)
endforeach()
"""
SUBJECT = """int least(int a, int b) {
  if (a < b) return a;
  return b;
}
int sum(int count) {
  int total = 0;
  for (int i = 0; i != count; ++i) {
    total += i;
  }
  return total;
}
"""
# As GoogleTest words it. The sum is looked at by one program, the least number by none.
UNIT = """#include <cstdio>
int sum(int);
int main() {
  if (sum(4) == 6) return 0;
  std::puts("[  FAILED  ] Sum.IsRight (0 ms)");
  return 1;
}
"""


class Trial(unittest.TestCase):
    """Three tiny programs in place of ours."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source = pathlib.Path(folder.name) / "source"
        (self.source / "src").mkdir(parents=True)
        (self.source / "CMakeLists.txt").write_text(CMAKE)
        (self.source / "src" / "a.cpp").write_text(SUBJECT)
        (self.source / "unit.cpp").write_text(UNIT)
        for name in ("property", "sim"):
            (self.source / f"{name}.cpp").write_text("int main() {}")
        self.lab = Lab(self.source, pathlib.Path(folder.name) / "lab", 2)

    def verdict(self, after):
        faults = faults_of("src/a.cpp", SUBJECT)
        return self.lab.try_fault(next(f for f in faults if f.after.strip() == after))

    def test_faults_are_noticed_or_live_on_and_the_tree_stays_as_it_is(self):
        self.lab.prepare()
        self.assertEqual(self.verdict("total -= i;"), ("noticed", "unit: Sum.IsRight"))
        self.assertEqual(self.verdict("if (a <= b) return a;"), ("SURVIVED", ""))
        self.lab.limits["unit_tests"] = 1
        endless, why = self.verdict("for (int i = 0; i != count; --i) {")
        self.assertEqual(endless, "noticed")
        self.assertIn("unit", why)
        self.assertEqual((self.source / "src" / "a.cpp").read_text(), SUBJECT)
        self.assertEqual((self.lab.tree / "src" / "a.cpp").read_text(), SUBJECT)

    def test_tests_that_fail_without_a_fault_are_told(self):
        (self.source / "sim.cpp").write_text("int main() { return 3; }")
        with self.assertRaises(LabError) as caught:
            self.lab.prepare()
        self.assertIn("sim_tests", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
