"""The table of NNTP work: CPU of the server per article, row or answer as a
multiple of the floor's, beside what is aimed at.

The servers take turns within each round, and a ratio is that of neighbouring
runs; medians of the rounds are shown. On a shared machine the CPU figures are
the steadier ones; rates mean something on a quiet one only.
"""

import dataclasses
import itertools
import re
import statistics
import subprocess
import time

import servers
from servers import GROUP, LOADED, k

# nntpload's Message-IDs follow from its seed
SEEDS = itertools.count(int(time.time()) * 1000)


@dataclasses.dataclass(frozen=True)
class Work:
    """A row: what nntpload does, what one unit is, what is aimed at."""

    name: str
    args: tuple
    unit: str = "ops"
    aim: float = None   # CPU, as a multiple of the floor's
    writes: bool = False
    rate: str = ""      # what is aimed at beside


READING = (
    Work("OVER, whole group; a row", ("over",), "rows", 2),
    Work("OVER, windows of 500; a row", ("overwin",), "rows", 3),
    Work("HDR Subject over a group; a row", ("hdr",), "rows", 6),
    Work("LIST ACTIVE, 10,000 groups", ("listactive",), aim=3),
    Work("connect, greeting, QUIT", ("connect",), aim=2),
    Work("GROUP", ("group",)),
)


def articles(where, by_number, by_id):
    pipe = ("-c", 4, "-d", 32)
    return (
        Work(f"ARTICLE by number, 4 x 32 in the pipe, {where}",
             ("article-num", *pipe), aim=by_number),
        Work(f"ARTICLE by Message-ID, the same, {where}",
             ("article-mid", *pipe), aim=by_id),
    )


FEEDING = (
    Work("TAKETHIS, 4 connections", ("takethis", "-c", 4, "-d", 50), aim=4,
         writes=True, rate="1.5 times INN's rate"),
)
POSTING = tuple(
    Work(f"POST, {n} connection{'s'[:n > 1]}", ("post", "-c", n), writes=True,
         rate="0.8 of the floor's rate" if n > 1 else "")
    for n in (1, 8, 64))
DEFLATED = Work("OVER, whole group, COMPRESS DEFLATE; a row",
                ("over", "-Z"), "rows", rate="half of INN's time")


class Load:
    """One run of nntpload: figures, and the server's CPU per unit in us."""

    def __init__(self, tools, server, work, seconds, *more):
        feeds = work.args[0] == "takethis"
        before = servers.cost(server)
        out = subprocess.run(
            [tools / "nntpload", "-w", *map(str, work.args), "-p",
             str(server.feed_port if feeds else server.port), "-g",
             LOADED if work.writes else GROUP, "-s", str(next(SEEDS)), "-t",
             str(seconds), *map(str, more)],
            capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL)
        if isinstance(server, servers.Inn):
            time.sleep(0.1)  # for nnrpd to be reaped
        cpu = servers.cost(server) - before
        line = re.search(r"^RESULT (.*)$", out.stdout, re.M)
        if line is None:
            raise SystemExit(f"{server.name}: nntpload {work.args}: "
                             f"{out.stdout}{out.stderr}")
        figures = dict(word.split("=", 1) for word in line.group(1).split()
                       if "=" in word)
        self.units = float(figures[work.unit])
        seconds = float(figures["secs"])
        self.rate = self.units / seconds if seconds else 0
        self.cpu = cpu / self.units * 1e6 if self.units else 0
        self.p50 = float(figures["p50_us"])
        self.p99 = float(figures["p99_us"])
        self.errors = int(figures["errs"])


def median(values):
    return statistics.median(list(values))


def ratio(loads, floors, name):
    """That of neighbouring runs, or None."""
    pairs = [getattr(load, name) / getattr(floor, name)
             for load, floor in zip(loads, floors) if getattr(floor, name)]
    return median(pairs) if pairs else None


def shown(value, form="{:.2f}"):
    return "" if value is None else form.format(value)


class Table:
    HEAD = ("work", "kith us", "floor us", "times the floor", "aim",
            "INN, times the floor", "kith /s", "floor /s", "INN /s",
            "p50 / p99 us", "")

    def __init__(self, tools, options):
        self.tools = tools
        self.options = options
        print(f"| {' | '.join(self.HEAD)} |\n|{'---|' * len(self.HEAD)}")

    def run(self, works, kith, floor, inn=None):
        """All of a round before the next one."""
        loads = {}
        for _ in range(self.options.rounds):
            for work in works:
                for server in filter(None, (kith, floor, inn)):
                    servers.settle(server)
                    loads.setdefault((work, server), []).append(
                        Load(self.tools, server, work, self.options.seconds))
        for work in works:
            self.row(work, *(loads.get((work, server), [])
                             for server in (kith, floor, inn)))

    @staticmethod
    def row(work, kith, floor, inn):
        errors = sum(load.errors for load in [*kith, *floor, *inn])

        def rate(loads):
            return shown(median(load.rate for load in loads)
                         if loads else None, "{:,.0f}")

        def cpu(loads):
            value = median(load.cpu for load in loads) if loads else None
            return shown(value, "{:.3g}" if value and value < 100
                         else "{:,.0f}")
        print("| " + " | ".join((
            work.name, cpu(kith), cpu(floor), shown(ratio(kith, floor, "cpu")),
            shown(work.aim, "{:g}"), shown(ratio(inn, floor, "cpu")),
            rate(kith), rate(floor), rate(inn),
            f"{median(x.p50 for x in kith):.0f} / "
            f"{median(x.p99 for x in kith):.0f}",
            "; ".join(filter(None, (
                work.rate and f"aim: {work.rate}",
                work.rate and shown(ratio(kith, floor, "rate"),
                                    "{:.2f} of the floor's rate"),
                work.rate and shown(ratio(kith, inn, "rate"),
                                    "{:.2f} of INN's"),
                errors and f"{errors} ERRORS"))))) + " |", flush=True)

    @staticmethod
    def note(name, text):
        print(f"| {name} | {text} |{' |' * (len(Table.HEAD) - 2)}", flush=True)


def offers_deflate(server):
    with k.Raw(server.port) as raw:
        raw.line()
        raw.ask("CAPABILITIES")
        return b"COMPRESS DEFLATE" in raw.block()


def over_memory(tools, options, kith):
    """The caches are warm: what one OVER of everything takes beside them."""
    before = peak = servers.pss_kilobytes(kith.root)
    with subprocess.Popen(
            [tools / "nntpload", "-w", "over", "-p", str(kith.port), "-g",
             GROUP, "-t", str(options.seconds)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, servers.pss_kilobytes(kith.root))
            time.sleep(0.02)
    Table.note("memory under OVER",
               f"{before / 1024:.1f} -> {peak / 1024:.1f} MB")


def make_corpus(tools, options):
    corpus = tools / "corpus"
    with open(corpus, "wb") as f:
        subprocess.run([tools / "mkcorpus", str(options.articles), "1",
                        *(f"{name}:{share}" for name, share
                          in servers.GROUPS.items())], stdout=f, check=True)
    return corpus


def warm(tools, server, articles_there):
    """All but one or two in a hundred, as they are chosen by chance, were read
    once before it is measured."""
    for work in (Work("", ("over",)), Work("", ("article-num", "-d", 32)),
                 Work("", ("article-mid", "-d", 32))):
        Load(tools, server, work, 60, "-n",
             1 if work.args == ("over",) else articles_there * 4)


def memory(kith, corpus):
    """After all of it: kithd against the corpus."""
    size = corpus.stat().st_size / (1 << 20)
    pss = servers.pss_kilobytes(kith.root) / 1024
    Table.note("kithd's memory now, all processes",
               f"{pss:.0f} MB, aim: below {size + 64:.0f} MB (the corpus and "
               "64 MB)")


def table(tools, options):
    """Prints all of it; leaves nothing running."""
    corpus = make_corpus(tools, options)
    megabytes = max(16, corpus.stat().st_size >> 20)
    # the articles that are read are half of the corpus, and must fit where a
    # row says so
    own = f"cache_mb = {megabytes} database_mb = {megabytes // 4}"
    files = (f"cache_mb = {megabytes * 2 // 5} "
             f"database_mb = {megabytes // 4}")
    kith = servers.Kith(tools, tools / "news", own)
    limit, sync = (servers.Limit(tools, tools, corpus, s)
                   for s in (False, True))
    why_not = servers.Inn.why_not() if options.inn else "left out"
    inn = None if why_not else servers.Inn(tools, tools / "inn")
    print(f"{options.articles:,} articles, {megabytes} MB; store {{ {own} }}, "
          f"for the rows from the files {{ {files} }}"
          f"{f'; INN: {why_not}' if why_not else ''}\n")
    started = []
    try:
        for server in filter(None, (kith, limit, sync, inn)):
            started.append(server)
            if server in (kith, inn):
                server.load(corpus)
            else:
                server.start()
        tables(Table(tools, options), (kith, limit, sync, inn),
               (own, files), corpus)
    finally:
        for server in started:
            server.stop()


def tables(rows, running, configurations, corpus):
    kith, limit, sync, inn = running
    own, files = configurations
    half = rows.options.articles // 2
    warm(rows.tools, kith, half)
    rows.run(READING, kith, limit, inn)
    if offers_deflate(kith):
        there = inn if inn is not None and offers_deflate(inn) else None
        rows.run((DEFLATED,), kith, None, there)
    rows.run(articles("kith's cache", 2.5, 3), kith, limit, inn)
    over_memory(rows.tools, rows.options, kith)
    memory(kith, corpus)
    kith.stop()
    kith.set_store(files)
    kith.start()
    warm(rows.tools, kith, half)
    rows.run(articles("the files", 4.5, 5.5), kith, limit, inn)
    kith.stop()
    kith.set_store(own.partition(" database_mb")[0])
    kith.start()
    rows.run(FEEDING, kith, sync, inn)
    rows.run(POSTING, kith, sync, inn)
    memory(kith, corpus)


def crowd(tools, options, connections, encrypted):
    """Idle connections to a kithd that has done nothing yet."""
    extra = ""
    if encrypted:
        certificate(tools)
        port = k.free_port()
        extra = (f'tls {{ certificate = "{tools}/tls.pem" '
                 f'key = "{tools}/tls.pem" }}\n'
                 f'listen nntps {{ address = "127.0.0.1" port = {port} }}')
    name = f"idle-{connections}-{int(encrypted)}"
    kith = servers.Kith(tools, tools / name, "", extra)
    kith.start()
    try:
        kith.ctl("space", "add", GROUP, "--kind", "talk", "--post", "anyone")
        with kith.raw() as raw:
            raw.line()
            raw.ask(f"GROUP {GROUP}")
        before = servers.pss_kilobytes(kith.root)
        command = [tools / "nntpload", "-w", "idle", "-p",
                   str(port if encrypted else kith.port), "-g", GROUP, "-k",
                   str(connections), "-t", str(options.seconds), "-R"]
        with subprocess.Popen(command + ["-S"] * encrypted, text=True,
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            figures = {}
            for line in process.stdout:
                figures.update(re.findall(r"(\w+)=([\d.]+)", line))
                if line.startswith("READY"):
                    break
            after = servers.pss_kilobytes(kith.root)
            process.communicate()
    finally:
        kith.stop()
    opened = int(figures.get("open", 0))
    each = (after - before) / max(opened, 1)
    short = "" if opened == connections else f", ONLY {opened:,} WERE OPENED"
    return each, figures, short


def certificate(folder):
    if (folder / "tls.pem").exists():
        return
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", folder / "key.pem",
                    "-out", folder / "cert.pem"], check=True,
                   capture_output=True)
    (folder / "tls.pem").write_bytes((folder / "cert.pem").read_bytes() +
                                     (folder / "key.pem").read_bytes())


def idle(tools, options):
    """Memory of who says nothing, and what it means for who does."""
    each, _, short = crowd(tools, options, options.idle, False)
    Table.note(f"memory per idle connection, {options.idle:,}, plain",
               f"{each:.2f} KB, aim: 3{short}")
    each, _, short = crowd(tools, options, options.idle, True)
    Table.note(f"memory per idle connection, {options.idle:,}, TLS",
               f"{each:.2f} KB, aim: 20{short}")
    crowded = options.idle // 2
    _, figures, short = crowd(tools, options, crowded, False)
    Table.note(f"GROUP with {crowded:,} idle connections, p50 / p99 us",
               f"{figures.get('p50_us')} / {figures.get('p99_us')}, aim: p99 "
               f"of 200{short}")
