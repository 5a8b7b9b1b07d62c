"""Child processes: started, always ended, and what CPU and memory they took, from /proc."""

import collections
import os
import pathlib
import re
import resource
import signal
import subprocess
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


class MeasureError(Exception):
    """A sample could not be taken; the text says why."""


class Background:
    """A server in the background, until the end of the `with` block."""

    def __init__(self, command, home, ready=None, settle=0.0):
        """ready: pattern of a line of stdout to wait for (see .match); then `settle` s more."""
        self._command, self._ready, self._settle = command, ready, settle
        self._environment = {**os.environ, "HOME": home}
        self.match = None
        self._last_lines = collections.deque(maxlen=1)
        self._reader = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=self._environment)
        try:
            if self._ready:
                self._wait_until_ready()
            self._reader = threading.Thread(target=self._read_on, daemon=True)
            self._reader.start()
            time.sleep(self._settle)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_until_ready(self):
        for line in self.process.stdout:
            self.match = re.search(self._ready, line)
            if self.match:
                return
        raise MeasureError(f"did not start: {' '.join(self._command)}")

    def _read_on(self):
        """A server whose pipe is full would wait for us for ever."""
        for line in self.process.stdout:
            self._last_lines.append(line)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._reader:
            self._reader.join()
        self.process.stdout.close()

    def last_line(self):
        """The last line of stdout, once it has ended by itself."""
        self.process.wait(timeout=20)
        self._reader.join()
        if not self._last_lines:
            raise MeasureError(f"said nothing: {' '.join(self._command)}")
        return self._last_lines[-1]

    @property
    def pid(self):
        return self.process.pid


def run(command, home, timeout, while_running=None, accepted=(0,)):
    """(stdout, CPU seconds with all reaped children) of a command, whose status must be accepted.

    while_running is called with the pid, from this thread, once it has started.
    """
    before = _children_seconds()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "HOME": home}) as child:
        try:
            if while_running:
                while_running(child.pid)
            out, errors = child.communicate(timeout=timeout)
        except BaseException as error:
            child.kill()
            child.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise MeasureError(f"took more than {timeout:.0f} s: {' '.join(command)}") from None
            raise
    if child.returncode not in accepted:
        said = (errors.strip() or out.strip() or "no word").splitlines()[0]
        raise MeasureError(f"{' '.join(command)}: {said}")
    return out, _children_seconds() - before


def _children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def family(pid):
    """pid and all of its descendants."""
    found = [pid]
    for parent in found:
        for children in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def cpu_seconds(pid):
    """User and system time of a process, its threads and its reaped and living children."""
    total = 0
    for member in family(pid):
        try:
            fields = pathlib.Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return total / TICKS


def memory_kib(pid):
    """{"Pss": ..., "Private": ...} from smaps_rollup."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    kib = {key: int(value) for key, value in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    return {"Pss": kib["Pss"], "Private": kib["Private_Clean"] + kib["Private_Dirty"]}
