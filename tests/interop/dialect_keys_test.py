"""Keys: who has the right one is served, everybody else is told why not."""

import tempfile
from pathlib import Path

from harness import BinaryTestCase, Program, Server
from peer014 import Client014
from peer1 import DIRECTIONS, KEY_NEEDED, REFUSE, Asker

QUICK = {"heartbeat_rate": 50}
FIRST, SECOND, WRONG = "11" * 32, "22" * 32, "33" * 32
PUBLIC_MODES = (0o604, 0o640, 0o644, 0o606)


class Keys(BinaryTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def keys(self, text, mode=0o600):
        """A key file with this text."""
        path = self.folder / f"keys-{len(list(self.folder.iterdir()))}"
        path.write_text(text, encoding="ascii")
        path.chmod(mode)
        return path

    def serve(self, *options, text=f"7 {FIRST}\n# the next one\n8 {SECOND}\n"):
        server = Server("--key-file", self.keys(text), *options)
        self.addCleanup(server.kill)
        return server

    def refused(self, server, pattern, *arguments):
        document = self.measure(server.address, *arguments, code=1, dialect="1", config=QUICK)
        self.assertRegex(self.problem(document, "W002"), pattern)

    def test_each_of_the_servers_keys_opens(self):
        server = self.serve("--require-key")
        for line in (f"7 {FIRST}", f"8 {SECOND}", f"8 {SECOND}\n7 {WRONG}"):
            document = self.measure(server.address, "--key-file", self.keys(line + "\n"),
                                    "--count", "3", config=QUICK)
            self.assert_untroubled(document)

    def test_a_wrong_key_an_unknown_id_and_none(self):
        server = self.serve("--require-key")
        self.refused(server, "another key under this id", "--key-file",
                     self.keys(f"7 {WRONG}\n"))
        self.refused(server, "does not know this key's id", "--key-file",
                     self.keys(f"9 {FIRST}\n"))
        self.refused(server, "a key is needed.*--key-file")
        with Asker(server.address) as asker:
            refuse = asker.begin({DIRECTIONS: 0})
            self.assertEqual((refuse.kind, refuse.reason()), (REFUSE, (KEY_NEEDED, 0)))
        with Client014(server.address) as original:
            answer = original.ask(timeout=0.4)
            self.assertTrue(answer is None or answer.startswith(b"REFUSED"), answer)
        self.assertEqual(server.find("stdout", "^Client connected"), [])

    def test_a_server_without_keys_cannot_vouch_for_itself(self):
        with Server() as server:
            self.refused(server, "does not know this key's id", "--key-file",
                         self.keys(f"7 {FIRST}\n"))

    def test_a_server_with_keys_serves_others_too(self):
        server = self.serve()
        self.measure(server.address, "--count", "2", config=QUICK)
        self.measure(server.address, "--count", "2", "--dialect", "0.14", dialect="0.14",
                     config=QUICK)

    def test_tests_with_keys_with_and_without_tags(self):
        server = self.serve("--port-parallelability", "PROCESS")
        key_file = self.keys(f"7 {FIRST}\n")
        for options in ((), ("--data-tags",), ("--data-tags", "--single-port", "--streams", "4"),
                        ("--data-tags", "--payload", "64", "--rate", "2M")):
            with self.subTest(options=options):
                document = self.measure(server.address, "--bwboth", "--duration", "0.5", "--rate",
                                        "2M", "--key-file", key_file, *options, config=QUICK)
                for test in document["tests"]:
                    self.assertGreater(test["packets"]["received"], 0)
                self.assertNotIn("wrong_mac", str(document.get("ignored_datagrams")))

    def test_a_file_that_others_can_read_is_refused(self):
        for mode in PUBLIC_MODES:
            path = self.keys(f"7 {FIRST}\n", mode)
            for arguments in (("127.0.0.1:9",), ("--server", "127.0.0.1:0")):
                with Program(*arguments, "--key-file", path) as program:
                    self.assertEqual(program.wait(), 2, program.errors())
                    self.assertIn(str(path), program.errors())
                    self.assertIn("chmod", program.errors())

    def test_a_file_with_something_else_in_it_is_refused_and_not_shown(self):
        for text in ("", "# none\n", f"7 {FIRST[:-1]}\n", f"7 {FIRST}0\n", f"7 {FIRST[:-1]}g\n",
                     f"x {FIRST}\n", f"4294967296 {FIRST}\n", f"-1 {FIRST}\n", FIRST + "\n",
                     f"7 {FIRST} more\n", f"7 {FIRST}\n7 {SECOND}\n"):
            with Program("127.0.0.1:9", "--key-file", self.keys(text)) as program:
                self.assertEqual(program.wait(), 2, text)
                self.assertIn("key", program.errors())
                self.assertNotIn(FIRST[:16], program.errors() + "\n".join(program.stdout))

    def test_no_file_at_all(self):
        for path in (self.folder / "none", self.folder, "/dev/stdin"):
            with Program("127.0.0.1:9", "--key-file", path) as program:
                self.assertEqual(program.wait(), 2, path)
                self.assertIn(str(path), program.errors())

    def test_what_needs_a_key_says_so(self):
        for arguments in (("127.0.0.1:9", "--data-tags"), ("--server", "--require-key")):
            with Program(*arguments) as program:
                self.assertEqual(program.wait(), 2, program.errors())
                self.assertRegex(program.errors(), f"{arguments[1]}.*key_file")
        with Program("127.0.0.1:9", "--dialect", "0.14", "--key-file",
                     self.keys(f"7 {FIRST}\n")) as program:
            self.assertEqual(program.wait(), 2, program.errors())
            self.assertRegex(program.errors(), "0.14 has no keys")

    def test_a_key_is_in_no_argument_environment_or_line(self):
        server = self.serve("--port-parallelability", "PROCESS", "--connection-parallelibility",
                            "PROCESS", "--test-verbose")
        key_file = self.keys(f"7 {FIRST}\n")
        with Program(f"127.0.0.1:{server.address[1]}", "--key-file", key_file, "--test-verbose",
                     "--port-parallelability", "PROCESS", config=QUICK) as client:
            client.wait_line("stderr", "^Client latency UPLOAD", count=2)
            seen = 0
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
                except OSError:
                    continue
                seen += words.startswith(b"wyndrvr: ")
                self.assertNotIn(FIRST.encode(), words.lower())
            self.assertGreaterEqual(seen, 7, "the workers were not looked at")
            client.stop()
            for program in (client, server):
                self.assertNotIn(FIRST, program.errors() + "\n".join(program.stdout))
