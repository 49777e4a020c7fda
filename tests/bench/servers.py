"""The servers under test - kithd, the floors, INN - and what they cost.

Each has start(), stop(), load(corpus, groups), root (the pid of its process
tree), port (readers) and feed_port (peers).
"""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
import kith as k  # noqa: E402  pylint: disable=wrong-import-position

GROUPS = {"bench.announce": 5, "bench.dev": 30, "bench.talk": 50,
          "bench.users": 15}
GROUP = "bench.talk"   # what is read
LOADED = "bench.load"  # what is posted to
MANY = 10000           # further groups, empty
TOOLS = {"nntpload": ("-lm", "-lz", "-lssl", "-lcrypto"), "limitd": ("-lm",),
         "mkcorpus": ("-lm",), "smtpsink": ("-lm",), "smtpload": ("-lm",)}
# installed, or unpacked by tests/run
INN = next((path for path in (pathlib.Path("/usr/lib/news"),
                              k.TOP / "build/inn/usr/lib/news")
            if (path / "bin/innd").exists()), None)


def build_tools(folder):
    for tool, libraries in TOOLS.items():
        subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE=", "-std=gnu11",
                        "-Werror=implicit-function-declaration", "-o",
                        folder / tool, HERE / f"{tool}.c", *libraries],
                       check=True)


def many_groups():
    return [f"bench.many.g{i:05}" for i in range(MANY)]


# ---- what a process tree costs

def processes(root):
    """Pids of the tree below root, root included."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children",
                          encoding="ascii") as f:
                    todo += map(int, f.read().split())
    return found


def cpu_seconds(root, reaped=False):
    """Of all threads, to the nanosecond; reaped children (nnrpd has a process
    for each connection) to the tick."""
    total = 0
    tick = os.sysconf("SC_CLK_TCK")
    for pid in processes(root):
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat",
                          encoding="ascii") as f:
                    total += int(f.read().split()[0]) / 1e9
            if reaped:
                with open(f"/proc/{pid}/stat", encoding="ascii",
                          errors="replace") as f:
                    fields = f.read().rpartition(")")[2].split()
                total += (int(fields[13]) + int(fields[14])) / tick
    return total


def pss_kilobytes(root):
    total = 0
    for pid in processes(root):
        with contextlib.suppress(OSError, AttributeError):
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                total += int(re.search(r"^Pss:\s+(\d+)", f.read(),
                                       re.M).group(1))
    return total


# ---- servers

def feed(server, corpus):
    """Loads a corpus by TAKETHIS."""
    out = subprocess.run(
        [server.tools / "nntpload", "-w", "feed", "-p",
         str(server.feed_port), "-f", corpus, "-d", "50", "-t", "900"],
        capture_output=True, text=True, check=False).stdout
    if " errs=0 " not in out:
        raise SystemExit(f"{server.name}: not everything was loaded: {out}")


def wait_for_port(port, name):
    def answers():
        try:
            k.Raw(port).close()
            return True
        except OSError:
            return False
    k.wait_until(answers, 60, f"{name} does not answer")


class Kith(k.Kith):
    """Its log goes to a file: nobody reads along and takes CPU for it."""

    name = "kith"

    def __init__(self, tools, folder, store, extra="", **kwargs):
        super().__init__(
            folder, extra=f"limits {{ connections_per_address = 0 }}\n{extra}",
            **kwargs)
        self.tools = tools
        self.set_store(store)

    def set_store(self, store):
        """What is configured of the store beside its directory."""
        self.conf.write_text(re.sub(r'/store".*', f'/store" {store} }}',
                                    self.conf.read_text()))

    def start(self, wait=True):
        self.log.touch()
        begin = self.log.stat().st_size
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [k.BUILD / "kithd", "-d", *self.flags, "-f", self.conf],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            k.wait_until(lambda: re.search(rb"\bready\b",
                                           self.log.read_bytes()[begin:]), 30,
                         "kithd does not get ready")
        return self

    def stop(self):
        self.process.terminate()
        if self.process.wait(30) != 0:
            raise SystemExit(f"kithd ended badly, see {self.log}")

    def add_groups(self, names):
        batch = self.folder / "batch"
        batch.write_text("".join(
            f"space add {name} --kind talk --read anyone --post anyone\n"
            for name in names))
        self.ctl("batch", batch)

    def load(self, corpus):
        """From empty to started and loaded."""
        self.start()
        self.ctl("peer", "add", "bench", "--address", "127.0.0.1", "--spaces",
                 "*", "--incoming")
        self.add_groups([*GROUPS, LOADED, *many_groups()])
        feed(self, corpus)

    @property
    def root(self):
        return self.process.pid

    @property
    def port(self):
        return self.nntp_port

    feed_port = port


class Limit:
    """limitd: prepared bytes to the socket, no lookup; with sync what comes in
    is appended to a file, one fdatasync for all of a turn before its answers."""

    def __init__(self, tools, folder, corpus, sync):
        self.name = "limit-sync" if sync else "limit"
        self.port = self.feed_port = k.free_port()
        self.process = None
        self.command = [tools / "limitd", "-p", str(self.port), "-f", corpus,
                        "-g", GROUP, "-G", str(MANY)]
        if sync:
            (folder / "sync").mkdir(exist_ok=True)
            self.command += ["-s", folder / "sync"]

    def start(self):
        self.process = subprocess.Popen(self.command,
                                        stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.name)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    @property
    def root(self):
        return self.process.pid


INN_CONF = """
mta: "/bin/true %s"
organization: "bench"
ovmethod: buffindexed
hismethod: hisv6
pathhost: bench.local
domain: bench.invalid
pathnews: {2}
pathdb: {0}/db
pathetc: {0}/etc
pathfilter: {0}/filter
pathhttp: {0}/http
pathlog: {0}/log
pathrun: {0}/run
pathspool: {0}/spool
pathtmp: {0}/tmp
patharticles: {0}/spool/articles
pathoverview: {0}/spool/overview
pathincoming: {0}/spool/incoming
pathoutgoing: {0}/spool/outgoing
patharchive: {0}/spool/archive
runasuser: news
runasgroup: news
bindaddress: 127.0.0.1
bindaddress6: "::1"
port: {1}
artcutoff: 0
maxconnections: 500
maxartsize: 0
docancels: none
pgpverify: false
verifycancels: false
wanttrash: false
remembertrash: true
enableoverview: true
wireformat: true
nnrpdcheckart: false
nnrpdloadlimit: 0
nicekids: 0
nicennrpd: 0
icdsynccount: 10
incominglogfrequency: 100000
localmaxartsize: 0
status: 0
timer: 0
initialtimeout: 7200
clienttimeout: 7200
readertrack: false
noreader: false
"""

INN_FILES = {
    "readers.conf":
        'auth "all" {\n hosts: "*"\n default: "<bench>"\n}\n'
        'access "all" {\n users: "<bench>"\n newsgroups: "*"\n'
        " access: RPA\n addcanlockuser: none\n}\n",
    "incoming.conf":
        "streaming: true\nmax-connections: 500\npeer bench {\n"
        ' hostname: "127.0.0.1"\n streaming: true\n max-connections: 500\n}\n',
    "newsfeeds": "ME:*::\n",
    "storage.conf":
        "method cnfs {\n newsgroups: *\n class: 1\n options: BIG\n}\n",
    "cycbuff.conf":
        "cycbuffupdate:25\nrefreshinterval:30\n"
        "cycbuff:ONE:{0}/spool/one.cyc:2097152\nmetacycbuff:BIG:ONE\n",
    "buffindexed.conf": "0:{0}/spool/overview/OV1:1024000\n",
    "expire.ctl": "/remember/:11\n*:A:never:never:never\n",
    "control.ctl": "all:*:*:drop\n",
    **dict.fromkeys(("moderators", "distrib.pats", "distributions",
                     "subscriptions", "passwd.nntp", "nnrpd.track",
                     "localgroups", "inn-secrets.conf"), ""),
}


class Inn:
    """Debian's inn2 in a private folder: CNFS and buffindexed, its fastest."""

    name = "inn"

    @staticmethod
    def why_not():
        """None if it can be run here."""
        if INN is None:
            return "inn2 is not installed"
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            return "INN wants root and setpriv"
        return None

    def __init__(self, tools, folder):
        self.tools = tools
        self.folder = folder
        self.port = k.free_port()
        self.feed_port = k.free_port()
        self.processes = []

    def news(self, *command):
        return ["setpriv", "--reuid=news", "--regid=news", "--init-groups",
                "--", "env", f"INNCONF={self.folder}/etc/inn.conf",
                f"LD_LIBRARY_PATH={INN}",
                *map(str, command)]

    def configure(self):
        at = self.folder
        for name in ("etc", "filter", "db", "run", "log", "tmp", "http",
                     "spool/articles", "spool/overview", "spool/incoming/bad",
                     "spool/innfeed", "spool/outgoing", "spool/archive"):
            (at / name).mkdir(parents=True)
        (at / "etc/inn.conf").write_text(INN_CONF.format(at, self.feed_port,
                                                       INN))
        for name, text in INN_FILES.items():
            (at / "etc" / name).write_text(text.replace("{0}", str(at)))
        for name, size in (("one.cyc", 2 << 30),
                           ("overview/OV1", 1000 << 20)):
            with open(at / "spool" / name, "wb") as f:
                os.posix_fallocate(f.fileno(), 0, size)
        groups = [(name, "n") for name in (
            "control", "control.cancel", "control.checkgroups",
            "control.newgroup", "control.rmgroup")]
        groups += [(name, "y") for name in
                   ("junk", *GROUPS, LOADED, *many_groups())]
        (at / "db/active").write_text("".join(
            f"{name} 0000000000 0000000001 {flag}\n" for name, flag in groups))
        for name in ("active.times", "newsgroups", "history"):
            (at / "db" / name).touch()
        news = pwd.getpwnam("news")
        for path in (at, *at.rglob("*")):
            os.chown(path, news.pw_uid, news.pw_gid)
        for path in (at, *at.parents):
            if path != pathlib.Path("/") and path != pathlib.Path("/tmp"):
                path.chmod(path.stat().st_mode | 0o755)
        for name in ("passwd.nntp", "incoming.conf", "inn-secrets.conf"):
            (at / "etc" / name).chmod(0o640)
        subprocess.run(self.news(INN / "bin" / "makedbz", "-i", "-o", "-s",
                                 1000000), cwd=at / "db", check=True)

    def start(self):
        for program, port, *words in (
                ("innd", self.feed_port, "-f", "-P", self.feed_port, "-n",
                 "y"),
                ("nnrpd", self.port, "-D", "-f", "-n", "-b", "127.0.0.1",
                 "-p", self.port)):
            with open(self.folder / "log" / f"{program}.out", "ab") as log:
                self.processes.append(subprocess.Popen(
                    self.news(INN / "bin" / program, *words), stdout=log,
                    stderr=log, stdin=subprocess.DEVNULL))
            wait_for_port(port, program)

    def load(self, corpus):
        self.configure()
        self.start()
        feed(self, corpus)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()
        self.processes = []

    def cpu_seconds(self):
        return sum(cpu_seconds(p.pid, True) for p in self.processes)


def cost(server):
    """Seconds of CPU that a server has taken so far."""
    if isinstance(server, Inn):
        return server.cpu_seconds()
    return cpu_seconds(server.root)


def settle(server):
    """Until it has nothing left to do from before."""
    last = cost(server)
    for _ in range(50):
        time.sleep(0.05)
        now = cost(server)
        if now - last < 0.001:
            return
        last = now
