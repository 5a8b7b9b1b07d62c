"""Where output goes, and to readers who are slow, gone, or never read."""

import json
import os
import signal
import stat
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from harness import BINARY, PATIENCE, BinaryTestCase, Server

BEATS = ["--heartbeat-rate", "20"]
IN_NAMESPACE = ("unshare", "-m", "sh", "-ec")


def needs_mounts():
    """Skips where this user may not mount."""
    done = subprocess.run([*IN_NAMESPACE, "mount -t tmpfs none /mnt"], check=False, timeout=PATIENCE,
                          stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        raise unittest.SkipTest("needs the right to mount in a namespace")


class Reader(threading.Thread):
    """Reads a descriptor or a path to its end."""

    def __init__(self, source):
        super().__init__(daemon=True)
        self.source, self.text = source, b""
        self.start()

    def run(self):
        with open(self.source, "rb") as stream:
            for block in iter(lambda: stream.read1(65536), b""):
                self.text += block

    def wait(self):
        """All that came."""
        self.join(PATIENCE)
        return self.text.decode()


class OutputTestCase(BinaryTestCase):
    """Runs with streams and files of their own kinds."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="wyndrvr-output-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.running = []

    def tearDown(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()

    def start(self, *arguments, prefix=(), **streams):
        """The program; both streams are pipes where nothing else is asked for."""
        streams.setdefault("stdout", subprocess.PIPE)
        streams.setdefault("stderr", subprocess.PIPE)
        environment = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        process = subprocess.Popen(
            [*prefix, str(BINARY), *map(str, arguments)], stdin=subprocess.DEVNULL,
            env={"HOME": str(self.folder), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8",
                 **environment}, **streams)
        self.running.append(process)
        return process

    def client(self, server, *arguments, **options):
        """A client of this server."""
        return self.start(f"{server.address[0]}:{server.address[1]}", *arguments, **options)

    def end(self, process, code):
        """(stdout, stderr) of a program that ends by itself with this code."""
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, code, (out, err))
        return (out or b"").decode(), (err or b"").decode()

    def check_document(self, text, valid=True):
        """The whole of `text` is a document."""
        document = json.loads(text)
        self.check_result(document)
        self.assertIs(document["valid"], valid)
        return document

    def pipe(self):
        """(read end, write end), closed at the end of the test."""
        ends = os.pipe()
        for end in ends:
            self.addCleanup(self._close, end)
        return ends

    @staticmethod
    def _close(descriptor):
        try:
            os.close(descriptor)
        except OSError:
            pass                     # closed by the test

    def full_pipe(self):
        """(read end, write end) of a pipe without room."""
        ends = self.pipe()
        os.set_blocking(ends[1], False)
        for size in (65536, 1):
            try:
                while True:
                    os.write(ends[1], b"x" * size)
            except BlockingIOError:
                pass
        os.set_blocking(ends[1], True)
        return ends


class ResultPlaces(OutputTestCase):
    """--json FILE, where FILE is no plain file."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()

    def measure_into(self, place, code=0, **options):
        """(stdout, stderr) of a short run."""
        return self.end(self.client(self.server, "--count", "1", "--json", place, **options), code)

    def refuse(self, place, cause, **options):
        """Told before the run, naming the option."""
        out, err = self.measure_into(place, 2, **options)
        self.assertRegex(err, rf"^wyndrvr: --json [^\n]*{cause}")
        self.assertNotIn("Connecting", out + err)

    def test_a_fifo_is_written_and_stays(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        reader = Reader(fifo)
        self.measure_into(fifo)
        self.check_document(reader.wait())
        self.assertTrue(stat.S_ISFIFO(fifo.lstat().st_mode))
        self.assertEqual(os.listdir(self.folder), ["fifo"])

    def test_a_fifo_may_get_its_reader_late(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        client = self.client(self.server, "--count", "1", "--json", fifo, stderr=subprocess.DEVNULL)
        self.assertIn(b"Connecting", client.stdout.readline())
        reader = Reader(fifo)
        self.end(client, 0)
        self.check_document(reader.wait())

    def test_a_fifo_without_a_reader_can_be_interrupted(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        client = self.client(self.server, "--count", "1", "--json", fifo)
        for line in client.stdout:
            if line.startswith(b"DOWNLOAD"):    # the last of the table
                break
        client.send_signal(signal.SIGTERM)
        self.assertIn("nobody reads", self.end(client, 1)[1])

    def test_a_descriptor_of_the_shell(self):
        read, write = self.pipe()
        reader = Reader(os.dup(read))
        self.measure_into(f"/dev/fd/{write}", pass_fds=(write,))
        os.close(write)
        self.check_document(reader.wait())

    def test_stdout_by_its_path_carries_the_document_alone(self):
        for path in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
            with self.subTest(path=path):
                out, err = self.measure_into(path)
                self.check_document(out)
                self.assertIn("Connecting", err)
        with open(self.folder / "file", "w+b") as file:
            self.measure_into("/dev/stdout", stdout=file)
            file.seek(0)
            self.check_document(file.read())

    def test_a_device_stays_one(self):
        device = self.folder / "null"
        try:
            os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
            os.close(os.open(device, os.O_WRONLY))
        except OSError as error:
            raise unittest.SkipTest(f"no device nodes here: {error}") from None
        link = self.folder / "link"
        link.symlink_to("null")
        for place in (device, link):
            self.measure_into(place)
        self.assertTrue(stat.S_ISCHR(device.lstat().st_mode))
        self.assertTrue(link.is_symlink())

    def test_links_stay(self):
        (self.folder / "file").write_text("old")
        (self.folder / "link").symlink_to("file")
        (self.folder / "dangling").symlink_to(self.folder / "new")
        for link, file in (("link", "file"), ("dangling", "new")):
            self.measure_into(self.folder / link)
            self.assertTrue((self.folder / link).is_symlink())
            self.check_document((self.folder / file).read_text())

    def test_a_bind_mounted_file_is_written_in_place(self):
        needs_mounts()
        for name in ("below", "above"):
            (self.folder / name).write_text("x" * 10_000)
        self.measure_into("above", cwd=self.folder,
                          prefix=(*IN_NAMESPACE, 'mount --bind below above; exec "$@"', "sh"))
        self.check_document((self.folder / "below").read_text())
        self.assertEqual((self.folder / "above").read_text(), "x" * 10_000)
        self.assertEqual(sorted(os.listdir(self.folder)), ["above", "below"])

    def test_what_cannot_be_written_is_refused_before_the_run(self):
        (self.folder / "file").write_text("")
        self.refuse("/dev/full", "No space left on device")
        self.refuse(self.folder, "is a folder")
        self.refuse(self.folder / "no/file", "there is no folder")
        self.refuse(self.folder / "file/below", "Not a directory")
        read, write = self.pipe()
        os.close(read)
        self.refuse(f"/dev/fd/{write}", "Broken pipe", pass_fds=(write,))
        self.assertEqual(os.listdir(self.folder), ["file"])

    def test_a_full_or_read_only_file_system_is_refused_before_the_run(self):
        needs_mounts()
        fill = "cat /dev/zero > full/filler 2>/dev/null || :"
        for mount, cause in ((f"mount -t tmpfs -o size=64k none full; {fill}", "No space left"),
                             ("mount -t tmpfs -o ro none full", "Read-only file system")):
            with self.subTest(mount=mount):
                (self.folder / "full").mkdir(exist_ok=True)
                self.refuse("full/result", cause, cwd=self.folder,
                            prefix=(*IN_NAMESPACE, f'{mount}; exec "$@"', "sh"))

    def test_stdout_and_descriptors_need_no_proc(self):
        needs_mounts()
        for path in ("/dev/stdout", "/dev/fd/1"):
            out, _ = self.measure_into(path, prefix=(*IN_NAMESPACE, 'umount -l /proc; exec "$@"',
                                                     "sh"))
            self.check_document(out)

    def test_a_limit_of_a_files_size_is_refused_before_the_run(self):
        """The kernel would end the program by SIGXFSZ."""
        self.refuse("file", "File too large", cwd=self.folder,
                    prefix=("sh", "-c", 'ulimit -f 1; exec "$@"', "sh"))
        self.assertEqual(os.listdir(self.folder), [])
        (self.folder / "file").write_text("kept")
        self.refuse("file", "File too large", cwd=self.folder,
                    prefix=("sh", "-c", 'ulimit -f 1; exec "$@"', "sh"))
        self.assertEqual((self.folder / "file").read_text(), "kept")

    def test_a_folder_that_takes_no_new_file_keeps_the_old_one(self):
        needs_mounts()
        (self.folder / "small").mkdir()
        mount = ("mount -t tmpfs -o nr_inodes=2 none small; : > small/result; "
                 '"$@"; code=$?; cat small/result; exit $code')
        out, _ = self.measure_into("small/result", cwd=self.folder,
                                   prefix=(*IN_NAMESPACE, mount, "sh"))
        self.assertIn('"schema": "wyndrvr-result/1"', out)

    def test_a_file_that_is_not_writable_is_refused_before_the_run(self):
        file = self.folder / "file"
        file.write_text("kept")
        file.chmod(0o444)
        self.folder.chmod(0o777)
        prefix = ()
        if os.geteuid() == 0:
            prefix = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
        self.refuse(file, "Permission denied", prefix=prefix)
        self.assertEqual(file.read_text(), "kept")

    def test_create_config_leaves_what_is_no_file(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        reader = Reader(fifo)
        self.end(self.start("--create-config", "--config", fifo, "--duration", "7"), 0)
        self.assertIn("duration=7", reader.wait())
        self.assertTrue(stat.S_ISFIFO(fifo.lstat().st_mode))
        _, err = self.end(self.start("--create-config", "--config", "/dev/full"), 2)
        self.assertIn("No space left on device", err)
        out, err = self.end(self.start("--create-config", "--config", "/dev/stdout"), 0)
        self.assertIn("Created default configuration file", err)
        self.assertNotIn("Created", out)


class TextPlaces(OutputTestCase):
    """stdout and stderr that cannot be written."""

    def test_no_space_is_told_and_fails(self):
        with Server() as server, open("/dev/full", "wb") as full:
            for arguments in (["--version"], ["--help"], ["--create-config"]):
                _, err = self.end(self.start(*arguments, stdout=full), 1)
                self.assertIn("cannot write to stdout: No space left on device", err)
            for arguments in ([], ["--json"]):
                _, err = self.end(self.client(server, *arguments, stdout=full), 1)
                self.assertIn("No space left on device", err)
            result = self.folder / "result"
            self.end(self.client(server, "--json", result, stdout=full), 1)
            self.check_document(result.read_text(), valid=False)

    def closed(self, which):
        """A prefix: a shell that closes these streams."""
        return ("sh", "-c", f'exec "$@" {which}', "sh")

    def test_closed_streams(self):
        with Server() as server:
            result = self.folder / "result"
            for which, arguments, code in (("<&- >&- 2>&-", [], 0), (">&-", [], 1),
                                           (">&-", ["--json", result], 0), ("2>&-", [], 0),
                                           (">&-", ["--json"], 1)):
                with self.subTest(which=which, arguments=arguments):
                    client = self.client(server, "--count", "2", *arguments,
                                         prefix=self.closed(which))
                    self.end(client, code)
            self.check_document(result.read_text())

    def test_a_server_without_streams_serves(self):
        with Server() as measured:
            port = measured.address[1]
            measured.stop()
            server = self.start("--server", f"127.0.0.1:{port}", "--port-ranges",
                                f"{measured.first}-{measured.last}",
                                prefix=self.closed("<&- >&- 2>&-"))
            self.end(self.start(f"127.0.0.1:{port}", "--count", "1"), 0)
            server.send_signal(signal.SIGTERM)
            self.end(server, 0)


class Readers(OutputTestCase):
    """Readers who are slow, gone, or never read."""

    def test_a_reader_who_goes_ends_a_client(self):
        for streams in ("stdout", "stderr", "both"):
            with self.subTest(streams=streams), Server() as server:
                read, write = self.pipe()
                given = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
                given.update({name: write for name in given if streams in (name, "both")})
                result = self.folder / "result"
                client = self.client(server, *BEATS, "--json", result, **given)
                os.close(write)
                with os.fdopen(read, "rb") as stream:
                    stream.readline()
                    for role in ("CONTROL", "UPLOAD", "DOWNLOAD"):
                        server.wait_line("stderr", f"^Server latency on {role}")
                self.end(client, 1)
                document = self.check_document(result.read_text(), valid=False)
                self.problem(document, "W006")
                server.wait_line("stdout", r"^Client left: .*\(closed by the client\)")

    def test_a_client_that_nobody_reads_measures_to_its_end(self):
        with Server() as server:
            _, write = self.full_pipe()
            result = self.folder / "result"
            client = self.client(server, *BEATS, "--count", "50", "--json", result,
                                 stdout=subprocess.DEVNULL, stderr=write)
            self.end(client, 0)
            document = self.check_document(result.read_text())
            self.assertEqual(document["latency"]["control"]["sent"], 50)

    def test_a_signal_ends_a_client_that_nobody_reads(self):
        with Server() as server:
            _, write = self.full_pipe()
            result = self.folder / "result"
            client = self.client(server, *BEATS, "--json", result, stdout=write, stderr=write)
            server.wait_line("stderr", "^Server latency on")
            client.send_signal(signal.SIGTERM)
            self.end(client, 1)
            self.check_document(result.read_text())

    def test_a_slow_reader_gets_the_whole_document(self):
        with Server() as server:
            read, write = self.full_pipe()
            client = self.client(server, "--count", "1", "--json", stdout=write)
            os.close(write)
            for line in client.stderr:
                if line.startswith(b"DOWNLOAD"):
                    break
            text = Reader(read).wait()
            self.end(client, 0)
            self.check_document(text.lstrip("x"))

    def test_a_server_that_nobody_reads_serves_and_ends(self):
        for streams in ("stdout", "stderr", "both"):
            with self.subTest(streams=streams), Server() as model:
                address, ports = f"127.0.0.1:{model.address[1]}", f"{model.first}-{model.last}"
                model.stop()
                _, write = self.full_pipe()
                given = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
                given.update({name: write for name in given if streams in (name, "both")})
                server = self.start("--server", address, "--port-ranges", ports, "--test-verbose",
                                    **given)
                for _ in range(2):
                    self.end(self.start(address, *BEATS, "--count", "5",
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), 0)
                server.send_signal(signal.SIGTERM)
                self.end(server, 0)

    def test_a_server_whose_reader_goes_serves_on_and_says_so(self):
        with Server() as model:
            address, ports = f"127.0.0.1:{model.address[1]}", f"{model.first}-{model.last}"
            model.stop()
            server = self.start("--server", address, "--port-ranges", ports)
            self.assertIn(b"Server started", server.stdout.readline())
            server.stdout.close()
            server.stdout = None
            for _ in range(2):
                self.end(self.start(address, "--count", "1"), 0)
            server.send_signal(signal.SIGTERM)
            _, err = self.end(server, 0)
            self.assertEqual(err.count("wyndrvr: cannot write to stdout: Broken pipe"), 1, err)


class Ends(OutputTestCase):
    """Every end of a run with --json leaves a document."""

    def ends(self, code, problem, *arguments):
        out, err = self.end(self.start(*arguments, "--json"), code)
        document = self.check_document(out, valid=False)
        self.assertIn(self.problem(document, problem), err)
        return document

    def test_a_name_that_is_not_resolved(self):
        document = self.ends(1, "W115", "no-such-host.invalid:5000")
        self.assertEqual(document["target"], "no-such-host.invalid:5000")

    def test_a_run_that_cannot_begin(self):
        self.ends(2, "W116", "127.0.0.1", "--key-file", self.folder / "none")

    def test_an_address_that_is_not_here(self):
        self.ends(1, "W008", "127.0.0.1", "--bind", "192.0.2.1")


if __name__ == "__main__":
    unittest.main()
