"""A build with sanitizers (configure --enable-sanitizers): what they report is
kept in files, and the test that ends then fails with it."""

import os
import pathlib
import re
import tempfile

import pytest

import kith as k

try:
    SANITIZED = re.search(r"(?m)^#define KITH_SANITIZERS 1$",
                          (k.BUILD / "build.h").read_text()) is not None
except FileNotFoundError:
    SANITIZED = False

# their shadow and quarantine are what one would measure
measures_memory = pytest.mark.skipif(
    SANITIZED, reason="memory is the sanitizers', not kithd's")

_SUPPRESSIONS = k.TOP / "tests" / "tsan.supp"


class Reports:
    """What all processes of all tests say; each report is told once."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sanitizers"))
        self.folder.chmod(0o1777)   # kithd may have dropped its rights
        self._told = set()
        for name, more in (("ASAN", ""), ("UBSAN", ":print_stacktrace=1"),
                           ("TSAN", ":second_deadlock_stack=1:history_size=4"
                                    f":suppressions={_SUPPRESSIONS}")):
            given = os.environ.get(f"{name}_OPTIONS", "")
            os.environ[f"{name}_OPTIONS"] = (
                f"{given}:log_path={self.folder}/{name.lower()}{more}")

    def new(self):
        texts = []
        for file in sorted(self.folder.iterdir()):
            if file not in self._told:
                self._told.add(file)
                texts.append(file.read_text(errors="replace"))
        return "\n".join(texts)

    def close(self):
        for file in self.folder.iterdir():
            file.unlink()
        self.folder.rmdir()
