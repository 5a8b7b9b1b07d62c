"""A copy of the tree in a folder of its own, where faults are built and tried.

The user's tree is only read. The copy and its build stay, so that the next run builds little.
"""

import filecmp
import os
import pathlib
import shutil
import signal
import subprocess
import time

PROGRAMS = ["unit_tests", "property_tests", "sim_tests"]


class LabError(Exception):
    pass


class Lab:
    def __init__(self, source, folder, jobs):
        self.source = pathlib.Path(source)
        self.tree = pathlib.Path(folder) / "tree"
        self.build = pathlib.Path(folder) / "build"
        self.jobs = jobs
        self.limits = {}  # seconds that each program may take

    def copy(self):
        """Brings the copy up to date; what has not changed keeps its time, and is not built again."""
        wanted = set()
        for name in files_of(self.source):
            file, target = self.source / name, self.tree / name
            wanted.add(target)
            if target.exists() and filecmp.cmp(file, target, shallow=False):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        for file in self.tree.rglob("*"):
            if file.is_file() and file not in wanted:
                file.unlink()

    def configure(self):
        run(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja",
             # Warnings say nothing of a fault, and what is built for one is built for a minute.
             "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -w",
             "-DWYNDRVR_BENCH=OFF"])

    def make(self):
        """None, or the compiler's words."""
        done = subprocess.run(
            ["cmake", "--build", self.build, "-j", str(self.jobs), "--target", *PROGRAMS],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return None if done.returncode == 0 else done.stdout

    def prepare(self):
        """Builds what is there and sees to it that all tests pass, and how long they take."""
        self.copy()
        self.configure()
        trouble = self.make()
        if trouble:
            raise LabError(f"the tree does not build:\n{trouble[-4000:]}")
        for program in PROGRAMS:
            begin = time.monotonic()
            failure = self.try_program(program, None)
            if failure:
                raise LabError(f"{program} fails without any fault: {failure}")
            self.limits[program] = 60 + 4 * (time.monotonic() - begin)

    def try_program(self, program, limit):
        """Why it fails; None where it passes."""
        process = subprocess.Popen(
            [self.build / program, "--gtest_fail_fast", "--gtest_brief=1"], cwd=self.build,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True,
            errors="replace")
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f"no end within {limit:.0f} s"
        if process.returncode == 0:
            return None
        for line in output.splitlines():
            if line.startswith("[  FAILED  ]"):
                return line.removeprefix("[  FAILED  ]").split(",")[0].split(" (")[0].strip()
        return f"ended with {process.returncode}"

    def try_fault(self, fault):
        """(verdict, details): noticed and by what, survived, or does not compile."""
        path = self.tree / fault.file
        sound = path.read_text()
        try:
            path.write_text(fault.apply(sound))
            if self.make():
                return "does not compile", ""
            for program in PROGRAMS:
                failure = self.try_program(program, self.limits[program])
                if failure:
                    return "noticed", f"{program.removesuffix('_tests')}: {failure}"
            return "SURVIVED", ""
        finally:
            path.write_text(sound)


def files_of(source):
    """What belongs to the tree, whether it is committed or not; not what is built from it."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:
        names = [str(path.relative_to(source)) for path in source.rglob("*")
                 if path.relative_to(source).parts[0] != "build"]
    return [name for name in names if (source / name).is_file() and "__pycache__" not in name]


def run(command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise LabError(f"{' '.join(map(str, command))}:\n{done.stdout[-4000:]}")
