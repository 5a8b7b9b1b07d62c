"""The parts of scripts/nightly: each is a function of its options and gives a Row."""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOUND = ROOT / "build" / "nightly"       # logs, and what was found
PROCESSORS = os.cpu_count() or 1
SEEDS_AT_ONCE = 500                      # of one process; then it is said how far it is
TOPOLOGIES = ("one-loop", "own-loops", "channels")
MOST_NOTES = 20


class Broken(Exception):
    """A part could not be run."""


@dataclasses.dataclass
class Row:
    """A line of the table."""

    result: str                          # passed, failed or skipped
    figures: str = ""
    notes: list = dataclasses.field(default_factory=list)
    name: str = ""
    seconds: float = 0.0


def at_least_one(text):
    """A whole number above 0, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1, not '{text}'")
    return int(text)


def positive(text):
    """A number above 0, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"a number above 0, not '{text}'")
    return value


def run(name, command, **environment):
    """(exit code, log file) of a command; its output goes to build/nightly/NAME.log."""
    FOUND.mkdir(parents=True, exist_ok=True)
    log = FOUND / f"{name}.log"
    with open(log, "w", encoding="utf-8") as file:
        done = subprocess.run([str(word) for word in command], cwd=ROOT, check=False, stdout=file,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              env={**os.environ, **environment})
    return done.returncode, log


def build(preset, *targets):
    """scripts/build; Broken where it fails."""
    words = ["--target", *targets] if targets else []
    code, log = run(f"build-{preset}", [ROOT / "scripts/build", preset, *words])
    if code != 0:
        raise Broken(f"the {preset} build failed, see {log.relative_to(ROOT)}")


def say(text):
    """A line of progress."""
    print(f"nightly:   {text}", flush=True)


def part_of(log, code, figures, notes=()):
    """The row of a part that is one command."""
    notes = list(notes)
    if code != 0:
        notes.append(f"exit code {code}, see {log.relative_to(ROOT)}")
    return Row("passed" if code == 0 else "failed", figures, notes)


def bench(options):
    """bench/compare: this program against what the kernel allows. People judge its figures."""
    build("release")
    figures = FOUND / "compare.json"
    code, log = run("bench", [ROOT / "bench/compare", "--rounds", options.rounds, "--json",
                              figures, "--markdown"])
    if code != 0:
        return part_of(log, code, "")
    rows = [(case["name"], row) for case in json.loads(figures.read_text())["cases"]
            for row in case["rows"] if row.get("limit")]
    missed = [f"missed: {name} {row['metric']} {row['value']:.3g}, limit {row['limit']}"
              for name, row in rows if row["verdict"] == "miss"]
    return part_of(log, code, f"{len(rows) - len(missed)} of {len(rows)} limits held", missed)


def micro(_options):
    """Micro-benchmarks of codecs, gap set and batch layer."""
    build("release", "wyndrvr_micro")
    figures = FOUND / "micro.json"
    code, log = run("micro", [ROOT / "build/release/wyndrvr_micro", f"--benchmark_out={figures}"])
    count = len(json.loads(figures.read_text())["benchmarks"]) if code == 0 else 0
    return part_of(log, code, f"{count} benchmarks, in {figures.relative_to(ROOT)}")


def figures(_options):
    """tests/nightly/*_test.py: rates, round trips, intervals and other times of this machine."""
    build("release", "wyndrvr", "wyndrvr-swarm")
    code, log = run("figures", [sys.executable, ROOT / "tests/nightly/run.py", "-v"],
                    WYNDRVR=str(ROOT / "build/release/wyndrvr"), WYNDRVR_RESULTS=str(FOUND))
    told = json.loads((FOUND / "nightly.json").read_text())
    notes = [f"failed: {name}; again: tests/nightly/run.py {name}" for name in told["failed"]]
    notes += [f"skipped: {skip['name']}: {skip['reason']}" for skip in told["skipped"]]
    row = part_of(log, code, f"{told['tests']} tests, {len(told['failed'])} failed, "
                             f"{len(told['skipped'])} skipped", notes[:MOST_NOTES])
    if told["tests"] == len(told["skipped"]):
        row.result = "skipped"
    return row


def conformance(preset):
    """All placement mixes under a sanitizer: the gate has a part of them there."""
    build(preset, "conformance_tests")
    told = FOUND / f"{preset}.json"
    program = ROOT / "build" / preset / "conformance_tests"
    code, log = run(preset, [program, "--gtest_brief=1", f"--gtest_output=json:{told}"],
                    WYNDRVR_ALL_MIXES="1")
    if not told.exists():
        return part_of(log, code or 1, "")
    counts = json.loads(told.read_text())
    names = re.findall(r"^\[  FAILED  \] (\S+?)[,. ]", log.read_text(errors="replace"), re.M)
    notes = [f"failed: {name}; again: {program.relative_to(ROOT)} --gtest_filter={name}"
             for name in sorted(set(names))]
    return part_of(log, code, f"{counts['tests']} tests, {counts['failures']} failed",
                   notes[:MOST_NOTES])


def asan(_options):
    """Conformance with all placement mixes, under AddressSanitizer and UndefinedBehaviorSanitizer."""
    return conformance("asan")


def tsan(_options):
    """Conformance with all placement mixes, under ThreadSanitizer."""
    return conformance("tsan")


def sim(options):
    """Simulation seeds, other ones each time, in all three topologies."""
    build("release", "wyndrvr-sim")
    first, end = options.first_seed, options.first_seed + options.seeds
    ranges = [(begin, min(begin + SEEDS_AT_ONCE, end) - 1)
              for begin in range(first, end, SEEDS_AT_ONCE)]
    FOUND.mkdir(parents=True, exist_ok=True)

    def one(index):
        begin, last = ranges[index]
        done = subprocess.run(
            [ROOT / "build/release/wyndrvr-sim", "--seeds", f"{begin}..{last}", "--quiet",
             "--topology", TOPOLOGIES[index % len(TOPOLOGIES)]],
            check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        replays = re.findall(r"^replay: (.*)$", done.stdout, re.M)
        if done.returncode != 0 and not replays:
            replays = [f"wyndrvr-sim --seeds {begin}..{last} (exit code {done.returncode})"]
        return last - begin + 1, replays, done.stdout if replays else ""

    seen, failing = 0, []
    log = FOUND / "failing-seeds.log"
    with concurrent.futures.ThreadPoolExecutor(PROCESSORS) as pool, \
            open(log, "w", encoding="utf-8") as file:
        for count, replays, text in pool.map(one, range(len(ranges))):
            if (seen + count) * 10 // options.seeds > seen * 10 // options.seeds:
                say(f"{seen + count} of {options.seeds} seeds, {len(failing)} broken")
            seen += count
            failing += replays
            file.write(text)
    notes = [f"replay: build/release/{line}" for line in failing[:MOST_NOTES]]
    if failing:
        notes.append(f"all of them are in {log.relative_to(ROOT)}")
    return Row("failed" if failing else "passed",
               f"seeds {first}..{end - 1}, {len(failing)} broken", notes)


def fuzz(options):
    """Each fuzzer for some minutes, from its corpus and from what earlier nights have found."""
    build("fuzz")
    fuzzers = sorted((ROOT / "build/fuzz").glob("*_fuzz"))
    if not fuzzers:
        raise Broken("there is no fuzzer in build/fuzz")

    def one(fuzzer):
        name = fuzzer.name.removesuffix("_fuzz")
        seeds = next((folder for folder in (ROOT / "fuzz/corpus" / fuzzer.name,
                                            ROOT / "fuzz/corpus" / name) if folder.is_dir()), None)
        corpus = FOUND / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        before = set(FOUND.glob(f"{name}-*"))
        code, log = run(f"fuzz-{name}",
                        [fuzzer, f"-max_total_time={max(1, round(60 * options.minutes))}",
                         "-print_final_stats=1", f"-artifact_prefix={FOUND}/{name}-", corpus,
                         *([seeds] if seeds else [])])
        runs = re.search(r"number_of_executed_units: (\d+)", log.read_text(errors="replace"))
        say(f"{fuzzer.name}: {'nothing found' if code == 0 else 'FOUND something'}")
        notes = [f"found: {path.relative_to(ROOT)}; replay: build/fuzz/{fuzzer.name} "
                 f"{path.relative_to(ROOT)}" for path in set(FOUND.glob(f"{name}-*")) - before]
        if code != 0 and not notes:
            notes = [f"{fuzzer.name}: exit code {code}, see {log.relative_to(ROOT)}"]
        return code == 0, int(runs[1]) if runs else 0, notes

    with concurrent.futures.ThreadPoolExecutor(PROCESSORS) as pool:
        done = list(pool.map(one, fuzzers))
    return Row("passed" if all(ok for ok, _, _ in done) else "failed",
               f"{len(fuzzers)} fuzzers, {options.minutes:g} min each, "
               f"{sum(runs for _, runs, _ in done) / 1e6:.1f} million runs",
               [note for _, _, notes in done for note in notes])


def mutate(options):
    """scripts/mutate: small faults in the pure layers, and how many of them no test notices."""
    script = ROOT / "scripts/mutate"
    if not script.exists():
        return Row("skipped", "there is no scripts/mutate")
    code, log = run("mutate", [script, "--count", options.mutants])
    text = log.read_text(errors="replace")
    total = re.search(r"^\d+ of \d+ live on", text, re.M)
    return part_of(log, code, total[0] if total else "",
                   re.findall(r"^ *\d+ .*SURVIVED.*$", text, re.M)[:MOST_NOTES])


# In the order in which they run: what is quick comes first.
PARTS = {part.__name__: part for part in (figures, micro, bench, asan, tsan, sim, mutate, fuzz)}
