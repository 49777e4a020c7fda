"""A kithd that feeds servers which do not do as they should: nothing is lost, they
cost nothing while they are bad, and one of them does not hold up another."""

import contextlib
import os
import socket
import socketserver
import struct
import threading
import time

import pytest

from kith import Kith, wait_until
from test_feeds import post, settled, space

ARTICLES = 300
SECONDS = 5


class Bad(socketserver.ThreadingTCPServer):
    """A server that is bad in one way until it is told to be good."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, how):
        self.how = how
        self.taken = []
        self.connections = 0
        super().__init__(("127.0.0.1", 0), Talk)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def close(self):
        self.shutdown()
        self.server_close()


class Talk(socketserver.StreamRequestHandler):
    """One connection."""

    def say(self, line):
        data = line if isinstance(line, bytes) else line.encode() + b"\r\n"
        if self.server.how == "byte by byte":
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(0.2)
        else:
            self.wfile.write(data)

    def is_bad(self, *ways):
        return self.server.how in ways

    def wait(self, way):
        while self.is_bad(way):
            time.sleep(0.1)

    def block(self):
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise ConnectionError

    def handle(self):
        self.server.connections += 1
        with contextlib.suppress(OSError):
            if self.greet():
                while line := self.rfile.readline():
                    verb, *rest = line.decode().split()
                    if not getattr(self, f"on_{verb.lower()}")(*rest):
                        return

    def greet(self):
        if self.is_bad("silent"):
            self.wait("silent")
        elif self.is_bad("reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
        elif self.is_bad("400"):
            self.say("400 too busy")
        elif self.is_bad("garbage"):
            self.say(os.urandom(100000))
        elif self.is_bad("endless line"):
            while self.is_bad("endless line"):
                self.say(b"200 " + b"x" * 65536)
        else:
            self.say("200 bad.example")
            while self.is_bad("talkative"):
                self.say(b"238 <x@y.example>\r\n" * 1000)
            return True
        return False

    def on_mode(self, _):
        if self.is_bad("deaf"):
            self.say("203 streaming")
            while self.is_bad("deaf"):
                self.connection.recv(1)
                time.sleep(0.2)
            return False
        self.say("500 what?" if self.is_bad("refuses IHAVE") else
                 "203 streaming")
        return True

    def on_ihave(self, message_id):
        self.say("335 send it")
        self.block()
        if not self.is_bad("refuses IHAVE"):
            self.server.taken.append(message_id)
        self.say("436 later" if self.is_bad("refuses IHAVE") else "235 ok")
        return True

    def on_check(self, message_id):
        if self.is_bad("403"):
            self.say("403 it does not work")
        elif self.is_bad("half"):
            self.say(b"238 <")
            return False
        elif self.is_bad("later"):
            self.say(f"431 {message_id}")
        else:
            known = message_id in self.server.taken
            self.say(f"{438 if known else 238} {message_id}")
        return True

    def on_takethis(self, message_id):
        if self.is_bad("hangs up in the middle"):
            self.rfile.readline()
            return False
        self.block()
        if self.is_bad("full"):
            self.say("400 no room")
            return False
        if self.is_bad("hangs up at 3") and message_id == "<3@a.x>":
            return False
        known = message_id in self.server.taken
        if not known:
            self.server.taken.append(message_id)
        if self.is_bad("hangs up after each"):
            return False
        self.say(f"{439 if known else 239} {message_id}")
        return True

    def on_quit(self):
        self.say("205 bye")
        return False


@pytest.fixture
def kith(tmp_path):
    kith = Kith(tmp_path / "a", hostname="a.example").start()
    space(kith)
    yield kith
    kith.stop()


WAYS = ["silent", "reset", "400", "garbage", "endless line", "talkative",
        "deaf", "byte by byte", "403", "half", "later", "full",
        "refuses IHAVE", "hangs up in the middle", "hangs up after each"]


def seconds_of(pids):
    """CPU time."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def test_bad_servers_cost_nothing_and_get_all_when_they_are_good(kith):
    servers = {way: Bad(way) for way in WAYS}
    good = Bad("good")
    for number, server in enumerate([good, *servers.values()]):
        kith.ctl("peer", "add", f"p{number}", "--outgoing",
                 f"127.0.0.1:{server.port}", "--outgoing-connections", "2")
    wait_until(lambda: kith.role_pid("feed"), 20, "no feed process")
    wanted = post(kith, "a", range(ARTICLES))
    wait_until(lambda: set(good.taken) == wanted, 20,
               "the others hold up one that is good")
    pids = [kith.role_pid("core"), kith.role_pid("feed")]
    before = seconds_of(pids)
    time.sleep(SECONDS)
    assert seconds_of(pids) - before < 0.1 * SECONDS
    for way, server in servers.items():
        assert server.connections < 4 * SECONDS, way
        server.how = "good"

    def all_have_all():
        kith.ctl("clock", "advance", "30")
        kith.ctl("run-timers")
        time.sleep(0.2)
        return all(set(server.taken) == wanted for server in servers.values())
    wait_until(all_have_all, 60, "not all is taken")
    for way, server in servers.items():
        assert len(server.taken) == len(wanted), way
        server.close()
    good.close()
    # neither died of it
    assert pids == [kith.role_pid("core"), kith.role_pid("feed")]


def test_one_article_that_a_server_hangs_up_at_holds_up_no_other(kith):
    server = Bad("hangs up at 3")
    wanted = post(kith, "a", range(20))
    kith.ctl("peer", "add", "b", "--outgoing", f"127.0.0.1:{server.port}",
             "--backlog")

    def has_all_others():
        kith.ctl("clock", "advance", "5")
        time.sleep(0.2)
        return set(server.taken) == wanted - {"<3@a.x>"}
    wait_until(has_all_others, 60, "it holds up the others")
    wait_until(lambda: kith.json("peer", "show", "b")["deferred"] == 1, 20,
               "it is not put off")
    server.how = "good"

    def rests():
        kith.ctl("clock", "advance", "600")
        return settled(kith, "b")
    wait_until(rests, 60, "it is not offered again")
    assert set(server.taken) == wanted
    server.close()
