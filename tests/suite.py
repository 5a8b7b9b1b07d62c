"""Runs the Python tests of one folder, each test in turn in one of several workers.

Each worker is a process in network, mount and process namespaces of its own: all ports, all
namespace names and all process ids of a test are its own, and whatever a test leaves behind ends
with the worker. So runs of several suites, or of one suite twice, do not disturb each other. This
needs root. Without it nothing runs and every test counts as skipped, unless --here asks for the
namespaces of the caller.

Exit code: 0 no test failed, 1 one failed, 2 bad usage. $WYNDRVR_RESULTS/LABEL.json, where the
variable is set, tells the number of tests, the skips with their reasons, and what failed.
"""

import argparse
import collections
import contextlib
import faulthandler
import fcntl
import importlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent
TEST_SECONDS = 600                   # for one test: it has hung, and shows where
# So many tests run at once on this machine, of all suites and all runs together: more would only
# be late. One that starts very many processes or sends very much (`heavy`) is the only such one.
SLOTS = 3 * (os.cpu_count() or 1)
SLOT_FOLDER = Path(f"/tmp/wyndrvr-test-slots-{os.getuid()}")
INSIDE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


# -- what a worker does -----------------------------------------------------------------------

class Outcome(unittest.TestResult):
    """The failures and skips of one test, with the parts (subTest) that they belong to."""

    def __init__(self):
        super().__init__()
        self.reasons, self.broken = [], False

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.reasons.append((str(getattr(test, "_subtest", "") or ""), reason))

    def addError(self, test, err):
        super().addError(test, err)
        self._show(test, self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._show(test, self.failures[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._show(subtest, self._exc_info_to_string(err, test))

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._show(test, "unexpected success")

    def _show(self, test, text):
        self.broken = True
        print(f"{test}\n{text}", flush=True)


def load(folder, name):
    """The tests that a name stands for: a file's stem, stem.Class or stem.Class.test."""
    folder = str(folder)
    sys.path[:] = [folder] + [entry for entry in sys.path if entry != folder]
    stem, _, rest = name.partition(".")
    module = importlib.import_module(stem)
    loader = unittest.TestLoader()
    found = loader.loadTestsFromName(rest, module) if rest else loader.loadTestsFromModule(module)
    return found


def flat(found):
    """All single tests of a suite."""
    for test in found:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def work(folder):
    """Runs the tests that standard input names, and tells of each on standard output."""
    replies = os.fdopen(os.dup(1), "w")
    orders = os.fdopen(os.dup(0))
    os.dup2(2, 1)                    # what a test prints is shown where it fails
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for line in orders:
        name, outcome = line.strip(), Outcome()
        begin = time.monotonic()
        faulthandler.dump_traceback_later(TEST_SECONDS, exit=True)
        load(folder, name).run(outcome)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps({"ok": not outcome.broken and outcome.testsRun + len(outcome.skipped) > 0,
                          "skipped": outcome.reasons,
                          "seconds": time.monotonic() - begin}), file=replies, flush=True)


def bring_loopback_up():
    """`ip link set lo up`, in a namespace that is new."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def be_init(folder):
    """The first process of the namespaces: prepares them, and reaps what others leave."""
    bring_loopback_up()
    os.makedirs("/run/netns", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "wyndrvr-tests", "/run/netns"], check=True)
    worker = os.fork()
    if worker == 0:
        work(folder)
        sys.stdout.flush()
        os._exit(0)
    while True:
        pid, status = os.wait()
        if pid == worker:
            os._exit(abs(os.waitstatus_to_exitcode(status)))


# -- what the runner does ---------------------------------------------------------------------

@contextlib.contextmanager
def lock(*names):
    """Holds a lock on one of these files, whichever is free first."""
    SLOT_FOLDER.mkdir(exist_ok=True)
    files = [open(SLOT_FOLDER / name, "w", encoding="ascii") for name in names]
    try:
        while True:
            for file in files:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    yield
                    return
            time.sleep(0.05)
    finally:
        for file in files:
            file.close()


class Worker:
    """The runner's side of a worker; it is started with its first test, and again after a death."""

    def __init__(self, folder, here):
        self._command = [sys.executable, "-B", str(Path(__file__).resolve()),
                         "--work" if here else "--init", str(folder)]
        if not here:
            self._command[:0] = INSIDE
        self._log = tempfile.TemporaryFile("a+b")
        fcntl.fcntl(self._log, fcntl.F_SETFL, fcntl.fcntl(self._log, fcntl.F_GETFL) | os.O_APPEND)
        self._process = None

    def run(self, name):
        """(what work() tells of a test, its output)."""
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=self._log, text=True)
        self._log.truncate(0)
        begin = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            print(name, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        self._log.seek(0)
        output = self._log.read().decode("utf-8", "replace")
        if line:
            return json.loads(line), output
        code = self.stop()
        return {"ok": False, "skipped": [], "seconds": time.monotonic() - begin}, \
            f"{output}\nthe worker ended with {code}"

    def stop(self):
        """Ends it, and with it all that its tests have left; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        process.stdout.close()
        return code


def why_not():
    """Why there can be no namespaces here; None where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which(INSIDE[0]) is None:
        return "there is no unshare(1)"
    tried = subprocess.run([*INSIDE, "true"], check=False, text=True, stderr=subprocess.PIPE)
    return None if tried.returncode == 0 else f"no namespaces here: {tried.stderr.strip()}"


class Report:
    """Tells of each test when it has ended, and of all of them at the end."""

    def __init__(self, label, count, verbose):
        self.label, self.count, self._verbose = label, count, verbose
        self.skipped, self.failed, self._told = [], [], 0
        self._lock = threading.Lock()

    def take(self, name, told, output):
        """One test has ended."""
        with self._lock:
            self._told += 1
            for part, reason in told["skipped"]:
                self.skipped.append({"name": f"{name} {part}".strip(), "reason": reason})
            if not told["ok"]:
                self.failed.append(name)
            word = "FAILED" if not told["ok"] else "skipped" if told["skipped"] else "passed"
            print(f"{self._told}/{self.count} {word} {name} ({told['seconds']:.1f} s)")
            if output and (self._verbose or not told["ok"]):
                print("    " + output.strip().replace("\n", "\n    "))
            sys.stdout.flush()

    def finish(self, seconds):
        """The last lines, and the file for whoever adds up; the exit code."""
        if self.skipped:
            print(f"{self.label}: {len(self.skipped)} skipped:")
            for skip in self.skipped:
                print(f"  {skip['name']}: {skip['reason']}")
        if self.failed:
            print(f"{self.label}: {len(self.failed)} failed:")
            for name in self.failed:
                print(f"  {name}")
        print(f"{self.label}: {self.count} tests, {len(self.failed)} failed, "
              f"{len(self.skipped)} skipped, in {seconds:.0f} s")
        folder = os.environ.get("WYNDRVR_RESULTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f"{self.label}.json").write_text(json.dumps(
                {"label": self.label, "tests": self.count, "skipped": self.skipped,
                 "failed": self.failed}, indent=1) + "\n", encoding="utf-8")
        return 1 if self.failed else 0


def run_all(folder, tests, report, jobs, here):
    """Every worker takes the next test until there is none."""
    queue, taking = collections.deque(tests), threading.Lock()

    def serve():
        worker = Worker(folder, here)
        try:
            while True:
                with taking:
                    if not queue:
                        return
                    name, is_heavy = queue.popleft()
                with contextlib.ExitStack() as stack:
                    if is_heavy:
                        stack.enter_context(lock("heavy"))
                    stack.enter_context(lock(*map(str, range(SLOTS))))
                    report.take(name, *worker.run(name))
        finally:
            worker.stop()

    threads = [threading.Thread(target=serve) for _ in range(min(jobs, len(tests)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def chosen(folder, wanted):
    """(name, heavy) of all tests that the arguments stand for; those that take long come first."""
    found = {}
    for name in wanted or sorted(path.stem for path in folder.glob("*_test.py")):
        for test in flat(load(folder, name)):
            if test.id().startswith("unittest."):
                raise AttributeError(f"there is no test {name}")
            found[test.id()] = -getattr(test, "about_seconds", 0), getattr(test, "heavy", False)
    return [(name, found[name][1]) for name in sorted(found, key=found.get)]


def main(label, folder, jobs):
    """Runs the tests of a folder; the exit code."""
    parser = argparse.ArgumentParser(
        description=f"Runs the tests of tests/{folder.name}, in namespaces of their own.")
    parser.add_argument("-j", type=int, default=jobs, metavar="N",
                        help=f"so many tests at a time (default {jobs})")
    parser.add_argument("-v", action="store_true", help="what passing tests print, too")
    parser.add_argument("--here", action="store_true",
                        help="in the namespaces of the caller: needs no root, shares its ports")
    parser.add_argument("--list", action="store_true", help="the names of the tests, and end")
    parser.add_argument("name", nargs="*", help="stem, stem.Class or stem.Class.test of a file")
    options = parser.parse_args()
    sys.dont_write_bytecode = True
    try:
        tests = chosen(folder, options.name)
    except (ImportError, AttributeError) as error:
        parser.error(str(error))
    names = [name for name, _ in tests]
    if options.list:
        print("\n".join(names))
        return 0
    begin, report = time.monotonic(), Report(label, len(names), options.v)
    reason = None if options.here else why_not()
    if reason is not None:
        report.skipped = [{"name": name, "reason": reason} for name in names]
    else:
        with tempfile.TemporaryDirectory(prefix=f"wyndrvr-{label}-") as scratch:
            os.chmod(scratch, 0o755)     # some tests are other users
            os.environ["TMPDIR"] = tempfile.tempdir = scratch
            run_all(folder, tests, report, max(1, options.j), options.here)
            tempfile.tempdir = None
    return report.finish(time.monotonic() - begin)


if __name__ == "__main__":
    {"--work": work, "--init": be_init}[sys.argv[1]](Path(sys.argv[2]))
