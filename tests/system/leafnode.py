"""A real leafnode of Debian's package, below a root of its own: fetchnews, which
reads from another server and posts there, and leafnode itself, which inetd
starts for each reader. Its paths are compiled in, hence the root; and it becomes
the user news, so that only root can run it."""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import threading

from kith import BUILD

# tests/run unpacks the package there: it cannot be installed beside inn2
PLACE = BUILD.parent / "leafnode"


def is_to_be_had():
    return os.getuid() == 0 and (PLACE / "usr/sbin/fetchnews").exists()


class Leafnode:
    """What it takes, from the server on that port of loopback."""

    def __init__(self, port, login, password):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="kleaf-", dir="/tmp"))
        self.root.chmod(0o755)
        self.spool = self.root / "var/spool/news"
        self.listener = None
        self._install()
        self._write("etc/news/leafnode/config", f"""
hostname = leaf.kith-test.org
expire = 20
server = 127.0.0.1
port = {port}
username = {login}
password = {password}
timeout = 20
initialfetch = 100
""", 0o640)
        news = pwd.getpwnam("news")
        subprocess.run(["chown", "-R", f"{news.pw_uid}:{news.pw_gid}",
                        self.spool, self.root / "etc/news"], check=True)

    def _write(self, name, text, mode=0o644):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def _copy(self, path, name):
        to = self.root / name.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)

    def _install(self):
        for name in ("fetchnews", "leafnode"):
            self._copy(PLACE / "usr/sbin" / name, f"usr/sbin/{name}")
        libraries = subprocess.run(["ldd", PLACE / "usr/sbin/fetchnews"],
                                   check=True, capture_output=True,
                                   text=True).stdout
        for library in re.findall(r"/[^ ]+", libraries):
            self._copy(library, library)
        news = pwd.getpwnam("news")
        self._write("etc/passwd", "root:x:0:0::/:/bin/sh\n"
                    f"news:x:{news.pw_uid}:{news.pw_gid}::/:/bin/sh\n")
        self._write("etc/group", f"root:x:0:\nnews:x:{news.pw_gid}:\n")
        self._write("etc/hosts", "127.0.0.1 localhost\n")
        self._write("etc/nsswitch.conf", "hosts: files\n")
        for name in ("leaf.node", "failed.postings", "out.going",
                     "interesting.groups", "temp.files"):
            (self.spool / name).mkdir(parents=True)
        for i in range(1000):
            (self.spool / "message.id" / f"{i:03}").mkdir(parents=True)
        (self.root / "tmp").mkdir()

    def _words(self, program, *words):
        return ["chroot", self.root, f"/usr/sbin/{program}", *words]

    def fetch(self):
        """Posts what waits, then takes what is new in groups of interest."""
        return subprocess.run(self._words("fetchnews", "-vv", "-n", "-w"),
                              check=True, timeout=60, capture_output=True,
                              text=True).stdout

    def serve(self):
        """As inetd does; the port."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self.listener.getsockname()[1]

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with client:
                    subprocess.Popen(self._words("leafnode"), stdin=client,
                                     stdout=client, stderr=subprocess.DEVNULL)

    def remove(self):
        if self.listener is not None:
            self.listener.close()
        shutil.rmtree(self.root, ignore_errors=True)
