"""What a command costs in a small store and in a large one, and how long either
takes to start: CPU of the server per command, warm, ten thousand spaces in both.

The large store is the small one with more written by store_fill, which goes
through the store's own functions while kithd is down. Half of all articles are in
one space, the rest in all of them.
"""

import random
import statistics
import subprocess
import time

import servers
from servers import k

GROUP = "bench.talk"
SMALL = 100000
SPACES = 10000
NEWEST = 5000      # articles that are read again and again
IN_THE_PIPE = 32


class Client(k.Raw):
    """Sends commands in batches and counts the ends of their answers."""

    def run(self, commands, end):
        for first in range(0, len(commands), IN_THE_PIPE):
            batch = commands[first:first + IN_THE_PIPE]
            self.send("".join(f"{line}\r\n" for line in batch))
            left, tail = len(batch), b""
            while left > 0:
                data = self.socket.recv(1 << 20)
                if not data:
                    raise SystemExit("kithd closed the connection")
                text = tail + data
                left -= text.count(end)
                tail = text[-(len(end) - 1):]


def works(client, rng):
    """name -> (commands, what ends each answer)."""
    high = int(client.ask(f"GROUP {GROUP}").split()[3])
    low = max(high - NEWEST + 1, 1)
    client.send(f"HDR Message-ID {low}-{high}\r\n")
    client.line()
    ids = [row.split()[1] for row in client.block().decode().splitlines()]
    block, line = b"\r\n.\r\n", b"\r\n"
    return {
        "GROUP, any of 10,000": (
            [f"GROUP bench.many.g{rng.randrange(SPACES - 1):05}"
             for _ in range(20000)] + [f"GROUP {GROUP}"], line),
        "OVER of the newest 500": (
            [f"OVER {high - 499}-{high}"] * 1000, block),
        "ARTICLE by number, the newest 5,000": (
            [f"ARTICLE {rng.randint(low, high)}" for _ in range(20000)], block),
        "ARTICLE by Message-ID, the same": (
            [f"ARTICLE {rng.choice(ids)}" for _ in range(20000)], block),
        "ARTICLE by number, any": (
            [f"ARTICLE {rng.randint(1, high)}" for _ in range(20000)], block),
    }


def measure(kith, rounds):
    """name -> us of CPU per command; the first round warms up."""
    rng = random.Random(1)
    costs = {}
    with Client(kith.port) as client:
        client.line()
        for name, (commands, end) in works(client, rng).items():
            costs[name] = []
            for i in range(rounds + 1):
                before = servers.cost(kith)
                client.run(commands, end)
                spent = servers.cost(kith) - before
                if i > 0:
                    costs[name].append(spent / len(commands) * 1e6)
    return {name: statistics.median(cost) for name, cost in costs.items()}


def start(kith):
    """Seconds of the clock and of CPU until it is ready."""
    began = time.monotonic()
    kith.start()
    return time.monotonic() - began, servers.cost(kith)


def store_size(kith):
    return sum(file.stat().st_size
               for file in (kith.folder / "store").glob("*.db"))


def fill(kith, articles):
    tool = k.BUILD / "tests/bench/store_fill"
    subprocess.run(["make", "-s", "-C", k.BUILD, "tests/bench/store_fill"],
                   check=True)
    began = time.monotonic()
    subprocess.run([tool, kith.folder / "store", str(articles), GROUP,
                    k.HOSTNAME], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def at_size(kith, articles, rounds):
    seconds = fill(kith, articles)
    # recovery after the fill is over: what follows is a start as any other
    kith.start().stop()
    wall, cpu = start(kith)
    costs = measure(kith, rounds)
    kith.stop()
    return {**{name: cost for name, cost in costs.items()},
            "start: seconds of CPU": cpu, "start: seconds": wall,
            "store: MB": store_size(kith) / 1e6,
            "filled in seconds": seconds}


def table(folder, options):
    kith = servers.Kith(folder, folder / "scale", "cache_mb = 256")
    kith.start()
    kith.add_groups([GROUP, *(f"bench.many.g{i:05}" for i in range(SPACES - 1))])
    kith.stop()
    small = at_size(kith, SMALL, options.rounds)
    large = at_size(kith, options.scale - SMALL, options.rounds)
    print(f"\n| {SPACES:,} spaces, us of CPU a command | {SMALL:,} articles | "
          f"{options.scale:,} articles | ratio |\n|---|---|---|---|")
    for name, cost in small.items():
        print(f"| {name} | {cost:.3g} | {large[name]:.3g} | "
              f"{large[name] / cost if cost else 0:.2f} |")
