"""What a command costs in a small store and in a large one, and how long either
takes to start: CPU of the server per command, warm, ten thousand spaces in both.

The stores are written by store_fill, which goes through the store's own functions
while kithd is down: half of all articles in one space, the rest in all of them.
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
        "ARTICLE by number, any (cold where it is large)": (
            [f"ARTICLE {rng.randint(1, high)}" for _ in range(20000)], block),
    }


def start(kith):
    """Seconds of the clock and of CPU until it is ready."""
    began = time.monotonic()
    kith.start()
    return {"start: seconds": time.monotonic() - began,
            "start: seconds of CPU": servers.cost(kith)}


def fill(kith, articles):
    tool = k.BUILD / "tests/bench/store_fill"
    subprocess.run(["make", "-s", "-C", k.BUILD, "tests/bench/store_fill"],
                   check=True)
    subprocess.run([tool, kith.folder / "store", str(articles), GROUP,
                    k.HOSTNAME], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def made(folder, name, articles):
    """A kithd that has so many articles, not started."""
    kith = servers.Kith(folder, folder / name, "cache_mb = 256")
    kith.start()
    kith.add_groups([GROUP, *(f"bench.many.g{i:05}" for i in range(SPACES - 1))])
    kith.stop()
    fill(kith, articles)
    # recovery after the fill is over: what follows is a start as any other
    kith.start().stop()
    return kith


def measure(kiths, rounds):
    """[name -> us of CPU per command]; they take turns, the first one warms up."""
    rng = random.Random(1)
    clients = [Client(kith.port) for kith in kiths]
    for client in clients:
        client.line()
    todo = [works(client, rng) for client in clients]
    costs = [{name: [] for name in todo[0]} for _ in kiths]
    for turn in range(rounds + 1):
        for name in todo[0]:
            for kith, client, work, cost in zip(kiths, clients, todo, costs):
                commands, end = work[name]
                before = servers.cost(kith)
                client.run(commands, end)
                spent = servers.cost(kith) - before
                if turn > 0:
                    cost[name].append(spent / len(commands) * 1e6)
    for client in clients:
        client.close()
    return [{name: statistics.median(cost[name]) for name in cost}
            for cost in costs]


def table(folder, options):
    sizes = (SMALL, options.scale)
    kiths = [made(folder, f"scale{size}", size) for size in sizes]
    starts = [start(kith) for kith in kiths]
    costs = measure(kiths, options.rounds)
    for kith in kiths:
        kith.stop()
    print(f"\n| {SPACES:,} spaces, us of CPU a command | {SMALL:,} articles | "
          f"{options.scale:,} articles | ratio |\n|---|---|---|---|")
    small, large = ({**cost, **begun} for cost, begun in zip(costs, starts))
    for name, cost in small.items():
        print(f"| {name} | {cost:.3g} | {large[name]:.3g} | "
              f"{large[name] / cost if cost else 0:.2f} |")
