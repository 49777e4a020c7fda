"""A real INN of Debian's inn2 in a folder of its own: innd, which takes feeds,
and nnrpd, which readers and pulls talk to. Nothing outside that folder."""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

from kith import BUILD, Raw, end, free_port, wait_until

# what tests/run unpacked, or an inn2 that is installed
PLACES = [BUILD.parent / "inn" / "usr" / "lib" / "news",
          pathlib.Path("/usr/lib/news")]
HOSTNAME = "inn.example"


def place():
    return next((p for p in PLACES if (p / "bin" / "innd").exists()), None)


def user():
    """innd does not run as root."""
    return "news" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name


INN_CONF = """
mta: "/bin/true %s"
organization: "test"
ovmethod: tradindexed
hismethod: hisv6
pathhost: {hostname}
domain: example
pathnews: {news}
pathdb: {dir}/db
pathetc: {dir}/etc
pathfilter: {dir}/filter
pathhttp: {dir}/http
pathlog: {dir}/log
pathrun: {dir}/run
pathspool: {dir}/spool
pathtmp: {dir}/tmp
patharticles: {dir}/spool/articles
pathoverview: {dir}/spool/overview
pathincoming: {dir}/spool/incoming
pathoutgoing: {dir}/spool/outgoing
patharchive: {dir}/spool/archive
runasuser: {user}
runasgroup: {group}
bindaddress: 127.0.0.1
bindaddress6: "::1"
port: {feed_port}
artcutoff: 0
docancels: none
pgpverify: false
verifycancels: false
wanttrash: false
enableoverview: true
wireformat: true
nnrpdcheckart: false
nnrpdloadlimit: 0
nicekids: 0
nicennrpd: 0
status: 0
timer: 0
noreader: true
readertrack: false
"""

READERS = """
auth "all" {
    hosts: "*"
    default: "<all>"
}
access "all" {
    users: "<all>"
    newsgroups: "*"
    access: RPA
    addcanlockuser: none
}
"""


# who logs in as reader may read
STRICT_READERS = """
auth "known" {{
    hosts: "*"
    auth: "ckpasswd -f {dir}/etc/readers.passwd"
}}
access "known" {{
    users: "*"
    newsgroups: "*"
    access: R
}}
"""
LOGIN, PASSWORD = "reader", "a secret word"


class Inn:
    """feeds: {name: path identity} of sites that innd keeps batches for.
    certificate: (certificate, key) of a nnrpd with TLS that wants a login."""

    def __init__(self, groups, feeds, certificate=None):
        self.certificate = certificate
        self.news = place()
        self.user = user()
        # short, for its sockets, and open to the user that it runs as
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="kinn-", dir="/tmp"))
        self.feed_port = free_port()
        self.port = free_port()
        self.groups = groups
        self.processes = []
        self.environment = {
            **os.environ, "INNCONF": str(self.dir / "etc" / "inn.conf"),
            "LD_LIBRARY_PATH": str(self.news),
            "PERL5LIB": str(self.news.parent.parent / "share" / "perl5")}
        self._write(groups, feeds)

    def _write(self, groups, feeds):
        for folder in ("etc filter db run log tmp http spool/articles "
                       "spool/overview spool/incoming/bad spool/innfeed "
                       "spool/outgoing spool/archive").split():
            (self.dir / folder).mkdir(parents=True)
        etc = self.dir / "etc"
        group = pwd.getpwnam(self.user).pw_gid
        import grp  # pylint: disable=import-outside-toplevel
        (etc / "inn.conf").write_text(INN_CONF.format(
            dir=self.dir, news=self.news, feed_port=self.feed_port,
            user=self.user, group=grp.getgrgid(group).gr_name,
            hostname=HOSTNAME))
        (etc / "readers.conf").write_text(READERS)
        if self.certificate is not None:
            self._secure(etc)
        (etc / "incoming.conf").write_text(
            'streaming: true\nmax-connections: 50\npeer kith {\n'
            '  hostname: "127.0.0.1"\n}\n')
        (etc / "newsfeeds").write_text("ME:*::\n" + "".join(
            f"{name}/{path}:*:Tf,Wnm:\n" for name, path in feeds.items()))
        (etc / "storage.conf").write_text(
            "method tradspool {\n  newsgroups: *\n  class: 0\n}\n")
        (etc / "expire.ctl").write_text(
            "/remember/:11\n*:A:never:never:never\n")
        (etc / "control.ctl").write_text("all:*:*:drop\n")
        for name in ("moderators distrib.pats distributions subscriptions "
                     "passwd.nntp nnrpd.track localgroups "
                     "inn-secrets.conf").split():
            (etc / name).touch()
        active = ["control", "control.cancel", "control.checkgroups",
                  "control.newgroup", "control.rmgroup"]
        (self.dir / "db" / "active").write_text("".join(
            f"{name} 0000000000 0000000001 {flag}\n" for name, flag in
            [*((n, "n") for n in active), ("junk", "y"),
             *((n, "y") for n in groups)]))
        for name in ("active.times", "newsgroups", "history"):
            (self.dir / "db" / name).touch()
        for name in ("passwd.nntp", "incoming.conf", "inn-secrets.conf"):
            (etc / name).chmod(0o640)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", f"{self.user}:{group}", self.dir],
                           check=True)
        self.run("makedbz", "-i", "-o", "-s", "100000",
                 cwd=self.dir / "db")

    def _secure(self, etc):
        with open(etc / "inn.conf", "a", encoding="ascii") as conf:
            for name, file in zip(("certfile", "keyfile"), self.certificate):
                shutil.copy(file, etc / name)
                (etc / name).chmod(0o600)
                conf.write(f"tls{name}: {etc / name}\n")
        (etc / "readers.conf").write_text(STRICT_READERS.format(dir=self.dir))
        secret = subprocess.run(["openssl", "passwd", "-6", PASSWORD],
                                check=True, capture_output=True, text=True)
        (etc / "readers.passwd").write_text(f"{LOGIN}:{secret.stdout}")

    def _options(self):
        if os.getuid() != 0:
            return {"env": self.environment}
        account = pwd.getpwnam(self.user)
        return {"env": self.environment, "user": account.pw_uid,
                "group": account.pw_gid, "extra_groups": []}

    def run(self, program, *args, check=True, cwd=None):
        return subprocess.run(
            [self.news / "bin" / program, *map(str, args)], check=check,
            cwd=cwd or self.dir, capture_output=True, timeout=120,
            **self._options())

    def _spawn(self, port, program, *args):
        log = open(self.dir / "log" / f"{program}.out", "ab")
        self.processes.append(subprocess.Popen(
            [self.news / "bin" / program, *map(str, args)], cwd=self.dir,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            **self._options()))
        log.close()

        def listens():
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
                return True
            except OSError:
                return False
        wait_until(listens, 60, f"{program} does not listen")

    def start(self):
        self._spawn(self.feed_port, "innd", "-f", "-P", self.feed_port, "-n",
                    "y")
        self._spawn(self.port, "nnrpd", "-D", "-f", "-n", "-b", "127.0.0.1",
                    "-p", self.port)
        return self

    def stop(self):
        # an idle innd sees no signal
        if self.processes:
            self.run("ctlinnd", "-s", "shutdown", "test", check=False)
        for process in reversed(self.processes):
            end(process, 30)
        self.processes = []

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- articles

    def offer(self, articles):
        """Injects {Message-ID: wire form}, streaming."""
        with Raw(self.feed_port) as feed:
            assert feed.line().startswith("200")
            assert feed.ask("MODE STREAM").startswith("203")
            pairs = list(articles.items())
            for at in range(0, len(pairs), 50):
                for message_id, wire in pairs[at:at + 50]:
                    feed.send(f"TAKETHIS {message_id}\r\n{wire}.\r\n")
                for message_id, _ in pairs[at:at + 50]:
                    reply = feed.line()
                    assert reply.startswith("239"), reply

    def transmit(self, name, port):
        """Sends what has gathered for a site; True if all of it is there."""
        batch = self.dir / "spool" / "outgoing" / name
        moved = batch.with_suffix(".moved")
        todo = batch.with_suffix(".todo")
        if batch.exists():
            batch.rename(moved)     # innd writes into it until the flush
        self.run("ctlinnd", "-s", "flush", name)
        if moved.exists():
            with open(todo, "ab") as out:
                out.write(moved.read_bytes())
            moved.unlink()
            if os.getuid() == 0:
                shutil.chown(todo, self.user)
        if not todo.exists() or todo.stat().st_size == 0:
            return True
        self.run("innxmit", "-P", port, "-T", "60", "127.0.0.1", todo,
                 check=False)
        return not todo.exists() or todo.stat().st_size == 0
