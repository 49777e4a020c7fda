"""Feeds between news servers: kithd to kithd, over TLS, with crashes in between.

KITH_FEED_ARTICLES is how many articles the long ones move (default 10,000)."""

import os
import re
import signal
import socket
import socketserver
import subprocess
import threading
import time

import pytest

from kith import Kith, Raw, Refused, free_port, wait_until

ARTICLES = int(os.environ.get("KITH_FEED_ARTICLES", "10000"))
GROUP = "mesh.talk"


@pytest.fixture
def make(tmp_path):
    """make("a") is a running kithd whose host name is a.example."""
    made = []

    def begin(name, extra="", **more):
        kith = Kith(tmp_path / name, hostname=f"{name}.example", extra=extra,
                    **more)
        made.append(kith)
        kith.start()
        return kith
    yield begin
    for kith in made:
        if kith.process is not None:
            kith.stop()


def space(kith, name=GROUP, *options):
    kith.ctl("space", "add", name, "--kind", "talk", "--post", "anyone",
             *options)


def two(make):
    """a and b, each with the group."""
    both = make("a"), make("b")
    for kith in both:
        space(kith)
    return both


def article(number, name, groups=GROUP, extra="", text=None):
    text = text or f"Text of {number} from {name}.\r\n..a line with a dot\r\n"
    return (f"From: poster@{name}.example\r\nNewsgroups: {groups}\r\n"
            f"Subject: article {number}\r\nMessage-ID: <{number}@{name}.x>\r\n"
            f"Date: Thu, 15 Jan 2026 08:00:00 +0000\r\n{extra}\r\n{text}")


def post(kith, name, numbers, **more):
    """POSTs articles over one connection, pipelined."""
    numbers = list(numbers)
    with kith.raw() as news:
        news.line()
        for number in numbers:
            news.send("POST\r\n")
            assert news.line().startswith("340")
            news.send(article(number, name, **more) + ".\r\n")
            assert news.line().startswith("240")
    return {f"<{number}@{name}.x>" for number in numbers}


def ids(port, group=GROUP):
    """The Message-IDs of a group, in order of number."""
    with Raw(port) as news:
        news.line()
        reply = news.ask(f"GROUP {group}")
        assert reply.startswith("211"), reply
        if reply.split()[1] == "0":
            return []
        assert news.ask("HDR Message-ID 1-").startswith("225")
        return [line.split()[1] for line in news.block().decode().split("\r\n")
                if line]


def count(kith, group=GROUP):
    with kith.raw() as news:
        news.line()
        return int(news.ask(f"GROUP {group}").split()[1])


def link(kith, other, *options, login="link"):
    """kith feeds other, which it knows by login and is fed by too."""
    name = other.hostname.split(".")[0]
    kith.ctl("peer", "add", name, "--login", login, "--password-stdin",
             "--incoming", "--outgoing", f"127.0.0.1:{other.nntp_port}",
             "--path", other.hostname, *options, stdin="secret word\n")


def pull_from(kith, other, *options, **more):
    """kith knows other as old, and can take its groups."""
    kith.ctl("peer", "add", "old", "--pull",
             f"127.0.0.1:{other.nntp_port}", *options, **more)


def settled(kith, peer):
    kith.ctl("run-timers")
    state = kith.json("peer", "show", peer)
    return state["lag"] == 0 and state["deferred"] == 0


def headers(kith, message_id):
    with kith.raw() as news:
        news.line()
        assert news.ask(f"HEAD {message_id}").startswith("221"), message_id
        return news.block().decode()


def test_two_kithd_feed_each_other_through_crashes(make):
    a, b = two(make)
    link(a, b, "--outgoing-connections", "4")
    link(b, a)
    wanted = set()
    share = ARTICLES // 6
    for number, (victim, how) in enumerate([(b, "kill"), (a, "kill"),
                                            (b, "stop")]):
        numbers = range(number * share, (number + 1) * share)
        other, name = (a, "a") if victim is b else (b, "b")
        wanted |= post(victim, victim.hostname[0], numbers)
        # it dies in the middle of being fed
        before = count(victim)
        thread = threading.Thread(target=post, args=(other, name, numbers))
        thread.start()
        wait_until(lambda v=victim, n=before + share // 5: count(v) > n, 30,
                   "nothing arrives")
        getattr(victim, how)()
        victim.start()
        thread.join()
        wanted |= {f"<{n}@{name}.x>" for n in numbers}
    for kith in (a, b):
        wait_until(lambda k=kith: count(k) >= len(wanted), 60,
                   f"{kith.hostname} holds {count(kith)} of {len(wanted)}")
    for kith, peer in ((a, "b"), (b, "a")):
        wait_until(lambda k=kith, p=peer: settled(k, p), 30, "no end")
    for kith in (a, b):
        held = ids(kith.nntp_port)
        assert len(held) == len(set(held)), "an article stands twice"
        assert set(held) == wanted
    # what came from the other was never offered back to it
    path = re.search(r"^Path: (.*)\r$", headers(b, "<0@a.x>"), re.M).group(1)
    assert [p for p in path.split("!") if p.endswith(".example")] == \
        ["b.example", "a.example"]
    for kith, peer in ((a, "b"), (b, "a")):
        kith.ctl("check")
        state = kith.json("peer", "show", peer)
        assert state["refused"] == 0
        assert state["sent"] + state["had"] < 2 * ARTICLES
        assert "secret" not in kith.ctl("peer", "show", peer)
        assert b"secret word" not in kith.log.read_bytes()


def test_what_not_everybody_may_read_leaves_only_by_its_name(make):
    a, b = make("a"), make("b")
    names = ["mesh.talk", "mesh.members", "mesh.staff", "mesh.help"]
    space(a, names[0])
    space(a, names[1], "--read", "members")
    space(a, names[2], "--read", "staff")
    a.ctl("space", "add", names[3], "--kind", "support", "--mail", "help")
    for name in names:
        space(b, name)
    a.ctl("member", "add", "staff@a.example", "--role", "staff", "--login",
          "staff", "--password-stdin", stdin="staff password")
    b.ctl("peer", "add", "a", "--address", "127.0.0.1", "--incoming")
    a.ctl("peer", "add", "b", "--outgoing", f"127.0.0.1:{b.nntp_port}",
          "--spaces", "mesh.*,mesh.members")
    with a.nntp("staff", "staff password") as news:
        for number, name in enumerate(names[:3]):
            news.post(article(number, "a", groups=name).encode().split(
                b"\r\n"))
    post(a, "a", [7])
    post(a, "a", [8], extra="Distribution: local\r\n")
    post(a, "a", [9])
    wait_until(lambda: count(b) == 3, 20, "articles do not arrive")
    wait_until(lambda: settled(a, "b"), 20, "no end")
    assert ids(b.nntp_port) == ["<0@a.x>", "<7@a.x>", "<9@a.x>"]
    assert ids(b.nntp_port, "mesh.members") == ["<1@a.x>"]
    assert ids(b.nntp_port, "mesh.staff") == []


def test_a_new_peer_gets_the_backlog_if_it_is_to(make):
    a, b, c = make("a"), make("b"), make("c")
    for kith in (a, b, c):
        space(kith)
    for kith in (b, c):
        kith.ctl("peer", "add", "a", "--address", "127.0.0.1", "--incoming")
    post(a, "a", range(10))
    a.ctl("peer", "add", "b", "--outgoing", f"127.0.0.1:{b.nntp_port}",
          "--backlog")
    a.ctl("peer", "add", "c", "--outgoing", f"127.0.0.1:{c.nntp_port}")
    post(a, "a", [10])
    wait_until(lambda: count(b) == 11 and count(c) == 1, 20,
               "articles do not arrive")
    a.ctl("peer", "remove", "b")
    post(a, "a", [11])
    wait_until(lambda: count(c) == 2, 20, "articles do not arrive")
    assert count(b) == 11


def test_the_feed_process_is_there_when_wanted_and_may_die(make):
    a, b = two(make)
    assert a.role_pid("feed") is None
    b.ctl("peer", "add", "a", "--address", "127.0.0.1", "--incoming")
    assert b.role_pid("feed") is None
    # by a name: somebody must know it
    a.ctl("peer", "add", "b", "--outgoing", f"localhost:{b.nntp_port}")
    wanted = post(a, "a", range(3))
    wait_until(lambda: count(b) == 3, 20, "articles do not arrive")
    os.kill(a.role_pid("feed"), signal.SIGKILL)
    wanted |= post(a, "a", range(3, 6))
    wait_until(lambda: count(b) == 6, 20, "it does not go on")
    assert set(ids(b.nntp_port)) == wanted


class Picky(socketserver.ThreadingTCPServer):
    """A server that knows IHAVE alone, or answers CHECK as it is told; with
    places for so many connections, and patience until so many are there."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, streaming=False, places=99, wants=1, delay=0):
        picky = self
        self.streaming = streaming
        self.lock = threading.Lock()
        self.used = self.refused = 0
        self.crowd = threading.Event()
        self.later = set()
        self.taken = []
        self.offers = []

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def block(self):
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                return b"".join(lines)

            def handle(self):
                with picky.lock:
                    full = picky.used == places
                    picky.used += not full
                    picky.refused += full
                if full:
                    self.say("400 too many connections")
                    return
                self.serve()
                with picky.lock:
                    picky.used -= 1

            def serve(self):
                self.say("200 picky.example")
                while line := self.rfile.readline():
                    words = line.decode().split()
                    verb, rest = words[0].upper(), words[1:]
                    if verb == "MODE":
                        time.sleep(delay)
                        self.say("203 ok" if picky.streaming else "500 what?")
                    elif verb == "IHAVE":
                        picky.offers.append(rest[0])
                        self.say("335 send it")
                        self.block()
                        picky.taken.append(rest[0])
                        self.say("235 thanks")
                    elif verb == "CHECK":
                        picky.offers.append(rest[0])
                        code = (431 if rest[0] in picky.later else
                                438 if rest[0] in picky.taken else 238)
                        self.say(f"{code} {rest[0]}")
                    elif verb == "TAKETHIS":
                        self.block()
                        if picky.used >= wants:
                            picky.crowd.set()
                        assert picky.crowd.wait(30), "too few connections"
                        with picky.lock:  # a line may break after it came
                            known = rest[0] in picky.taken
                            if not known:
                                picky.taken.append(rest[0])
                        self.say(f"{439 if known else 239} {rest[0]}")
                    else:
                        self.say("205 bye")
                        return

        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


def test_a_server_without_streaming_is_fed_by_ihave(make):
    picky = Picky()
    kith = make("a")
    space(kith)
    kith.ctl("peer", "add", "old", "--outgoing", f"127.0.0.1:{picky.port}")
    wanted = post(kith, "a", range(20))
    wait_until(lambda: len(picky.taken) == 20, 20, "not all are taken")
    assert set(picky.taken) == wanted
    wait_until(lambda: settled(kith, "old"), 20, "no end")
    picky.close()


def test_a_peer_is_fed_over_several_connections(make):
    picky = Picky(streaming=True, wants=3)
    kith = make("a")
    space(kith)
    wanted = post(kith, "a", range(500))
    kith.ctl("peer", "add", "far", "--outgoing", f"127.0.0.1:{picky.port}",
             "--outgoing-connections", "3", "--backlog")
    wait_until(lambda: len(picky.taken) >= 500, 40, "not all are taken")
    assert len(picky.taken) == 500 and set(picky.taken) == wanted
    assert picky.used == 3 and picky.refused == 0
    wait_until(lambda: settled(kith, "far"), 20, "no end")
    assert kith.json("peer", "show", "far")["sent"] == 500
    picky.close()


@pytest.mark.parametrize("delay", [0, 0.5])
def test_a_peer_without_a_place_for_more_is_fed_all_the_same(make, delay):
    picky = Picky(streaming=True, places=2, wants=2, delay=delay)
    kith = make("a")
    space(kith)
    wanted = post(kith, "a", range(1000))
    kith.ctl("peer", "add", "far", "--outgoing", f"127.0.0.1:{picky.port}",
             "--outgoing-connections", "4", "--backlog")
    wait_until(lambda: len(picky.taken) >= 1000, 40, "not all are taken")
    assert len(picky.taken) == 1000 and set(picky.taken) == wanted
    wait_until(lambda: settled(kith, "far"), 20, "no end")
    # and not again and again; twice if the others were not ready
    assert 1 <= picky.refused <= 4
    assert b"cannot be fed" not in kith.log.read_bytes()
    picky.close()


def test_what_a_peer_wants_later_is_offered_again(make):
    picky = Picky(streaming=True)
    picky.later = {"<3@a.x>", "<4@a.x>"}
    kith = make("a")
    space(kith)
    kith.ctl("peer", "add", "busy", "--outgoing", f"127.0.0.1:{picky.port}")
    post(kith, "a", range(6))
    wait_until(lambda: kith.json("peer", "show", "busy")["deferred"] == 2, 20,
               "two are deferred")
    wait_until(lambda: kith.json("peer", "show", "busy")["lag"] == 0, 20,
               "the others do not wait for them")
    assert picky.offers.count("<3@a.x>") == 1
    kith.kill()                 # they are remembered
    kith.start()
    picky.later = set()
    kith.ctl("clock", "advance", "120")
    kith.ctl("run-timers")
    wait_until(lambda: len(picky.taken) == 6, 20, "not offered again")
    wait_until(lambda: settled(kith, "busy"), 20, "no end")
    picky.close()


def test_a_peer_that_is_down_is_tried_again_and_the_admin_sees_why(make):
    a, b = two(make)
    b.ctl("peer", "add", "a", "--address", "127.0.0.1", "--incoming")
    a.ctl("peer", "add", "b", "--outgoing", f"127.0.0.1:{b.nntp_port}")
    b.stop()
    post(a, "a", range(3))
    wait_until(lambda: a.json("peer", "show", "b")["error"] != "", 20,
               "no error is shown")
    state = a.json("peer", "show", "b")
    assert "refused" in state["error"] and state["next-attempt"] >= 0
    assert state["lag"] > 0
    b.start()
    a.ctl("clock", "advance", "3600")
    wait_until(lambda: count(b) == 3, 20, "articles do not arrive")
    assert a.json("peer", "show", "b")["error"] == ""


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost that is its own authority."""
    pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", key,
                    "-out", pem], check=True, capture_output=True)
    return pem, key


@pytest.mark.parametrize("how", ["starttls", "implicit"])
def test_a_feed_over_tls_checks_who_is_there(make, certificate, how):
    pem, key = certificate
    nntps = free_port()
    b = make("b", f'tls {{ certificate = "{pem}" key = "{key}" }}\n'
             f'listen nntps {{ address = "127.0.0.1" port = {nntps} }}')
    a = make("a", f'feed {{ ca_file = "{pem}" }}')
    space(a)
    space(b)
    b.ctl("peer", "add", "a", "--login", "link", "--password-stdin",
          "--incoming", stdin="secret word")
    port = nntps if how == "implicit" else b.nntp_port
    # the certificate names localhost, and no address
    a.ctl("peer", "add", "b", "--outgoing", f"127.0.0.1:{port}", "--tls", how,
          "--login", "link", "--password-stdin", stdin="secret word")
    post(a, "a", [1])
    wait_until(lambda: "TLS failed" in a.json("peer", "show", "b")["error"],
               20, "a certificate for another name is taken")
    assert count(b) == 0
    a.ctl("peer", "set", "b", "--outgoing", f"localhost:{port}")
    wait_until(lambda: count(b) == 1, 20, "articles do not arrive")


def test_a_feed_logs_in_by_the_strongest_that_is_offered(make, certificate):
    pem, key = certificate
    b = make("b", f'tls {{ certificate = "{pem}" key = "{key}" }}')
    a = make("a", f'feed {{ ca_file = "{pem}" }}', flags=("-d", "-v"))
    space(a)
    space(b)
    b.ctl("peer", "add", "a", "--login", "link", "--password-stdin",
          "--incoming", stdin="secret word")
    a.ctl("peer", "add", "b", "--outgoing", f"localhost:{b.nntp_port}",
          "--tls", "starttls", "--login", "link", "--password-stdin",
          stdin="secret word")
    for number, tls, by in [(1, "starttls", b"SCRAM-SHA-256-PLUS"),
                            (2, "none", b"SCRAM-SHA-256")]:
        a.ctl("peer", "set", "b", "--tls", tls)
        post(a, "a", [number])
        wait_until(lambda n=number: count(b) == n, 20, "it does not arrive")
        assert b"host=localhost connected login=" + by + b"," in \
            a.log.read_bytes()
    for log in (a.log, b.log):
        assert b"secret word" not in log.read_bytes()


def test_a_pull_logs_in_too(make):
    a, b = make("a"), make("b")
    a.ctl("space", "add", GROUP, "--kind", "talk", "--read", "members")
    space(b)
    a.ctl("member", "add", "ann@a.example", "--login", "ann", "--role",
          "staff", "--password-stdin", stdin="her word")
    with a.nntp("ann", "her word") as news:
        news.post(article(1, "a").encode().split(b"\r\n"))
    pull_from(b, a, "--login", "ann", "--password-stdin", stdin="her word")
    b.ctl("peer", "pull", "old", GROUP)
    assert ids(b.nntp_port) == ["<1@a.x>"]


def test_a_wrong_password_feeds_nothing(make):
    a, b = two(make)
    link(b, a)
    a.ctl("peer", "add", "b", "--outgoing", f"127.0.0.1:{b.nntp_port}",
          "--login", "link", "--password-stdin", stdin="another word")
    post(a, "a", [1])
    wait_until(lambda: "login" in a.json("peer", "show", "b")["error"], 20,
               "no error is shown")
    assert count(b) == 0


def test_a_community_moves_in_from_another_server(make):
    a, b = make("a"), make("b")
    space(a)
    space(b, "here.talk")
    wanted = post(a, "a", range(120))
    a.ctl("article", "remove", f"{GROUP}:50")
    wanted.remove("<49@a.x>")
    pull_from(b, a)
    rows = b.json("peer", "pull", "old", GROUP, "here.talk")
    assert rows == b.json("peer", "groups", "old")
    assert rows[0]["taken"] == 119 and rows[0]["last"] == 120
    assert set(ids(b.nntp_port, "here.talk")) == wanted
    head = headers(b, "<7@a.x>")
    assert "Path: b.example!a.example!.POSTED!not-for-mail\r\n" in head
    assert "Newsgroups: here.talk\r\n" in head
    assert "Date: Thu, 15 Jan 2026 08:00:00 +0000\r\n" in head
    # again: what is new
    wanted |= post(a, "a", [500])
    rows = b.json("peer", "pull", "old")
    assert rows[0]["taken"] == 120 and rows[0]["had"] == 0
    assert set(ids(b.nntp_port, "here.talk")) == wanted
    # and from the beginning: nothing twice
    b.ctl("peer", "unpull", "old", GROUP)
    rows = b.json("peer", "pull", "old", GROUP, "here.talk")
    assert rows[0]["taken"] == 0 and rows[0]["had"] == 120
    assert len(ids(b.nntp_port, "here.talk")) == 120


def test_a_pull_goes_on_where_a_crash_ended_it(make):
    a, b = two(make)
    wanted = post(a, "a", range(ARTICLES + 500))
    pull_from(b, a)
    b.ctl("peer", "pull", "old", GROUP, "--background")
    wait_until(lambda: count(b) > 100, 20, "nothing comes")
    b.kill()
    b.start()
    b.ctl("peer", "pull", "old")
    held = ids(b.nntp_port)
    assert len(held) == len(set(held)) and set(held) == wanted
    b.ctl("check")
    b.ctl("peer", "remove", "old")
    b.ctl("check")


def test_a_pull_by_the_clock_takes_what_is_new(make):
    a, b = two(make)
    pull_from(b, a, "--every", "600")
    b.ctl("peer", "pull", "old", GROUP)
    post(a, "a", [1])
    b.ctl("clock", "advance", "300")
    b.ctl("run-timers")
    assert count(b) == 0
    b.ctl("clock", "advance", "301")
    b.ctl("run-timers")
    wait_until(lambda: count(b) == 1, 20, "not taken")


def test_a_pull_that_cannot_be_says_why(make):
    a, b = make("a"), make("b")
    space(b)
    pull_from(b, a)
    for words, why in [
            (("peer", "pull", "old"), "no group"),
            (("peer", "pull", "old", GROUP), "411|no such"),
            (("peer", "pull", "old", "no.such.space"), "space"),
            (("peer", "unpull", "old", "never.taken"), "not taken")]:
        with pytest.raises(Refused) as refusal:
            b.ctl(*words)
        assert re.search(why, refusal.value.text, re.I), refusal.value.text
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        b.ctl("peer", "set", "old", "--pull",
              f"127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(Refused) as refusal:
            b.ctl("peer", "pull", "old", GROUP)
    assert "refused" in refusal.value.text.lower()


def test_a_cancel_is_handed_on(make):
    a, b = two(make)
    link(a, b)
    link(b, a)
    a.ctl("member", "add", "anna@a.example", "--login", "anna",
          "--password-stdin", stdin="her password")
    with a.nntp("anna", "her password") as news:
        for number in (1, 2):
            news.post(article(number, "a").encode().split(b"\r\n"))
        wait_until(lambda: count(b) == 2, 20, "articles do not arrive")
        news.post(article("c1", "a", extra="Control: cancel <1@a.x>\r\n")
                  .encode().split(b"\r\n"))
    wait_until(lambda: ids(b.nntp_port) == ["<2@a.x>"], 20,
               "the cancel does not arrive")
    assert ids(a.nntp_port) == ["<2@a.x>"]


def test_what_a_peer_sends_is_limited(make):
    kith = make("a")
    space(kith)
    kith.ctl("peer", "add", "b", "--address", "127.0.0.1", "--incoming",
             "--connections", "1", "--rate", "3", "--in-flight", "2")
    with kith.raw() as news:
        assert news.line().startswith("200")
        with kith.raw() as other:
            assert other.line() == "400 too many connections of this peer"
        for number in range(5):     # more than may be in flight at once
            news.send(f"TAKETHIS <{number}@b.x>\r\nPath: b.example!x\r\n" +
                      article(number, "b") + ".\r\n")
        for number in range(3):
            assert news.line().startswith(f"239 <{number}@b.x>")
        # the others are read in the next minute
        kith.ctl("clock", "advance", "60")
        for number in range(3, 5):
            assert news.line().startswith(f"239 <{number}@b.x>")
        news.send("TAKETHIS <5@b.x>\r\nPath: b.example!x\r\n" +
                  article(5, "b") + ".\r\n")
        assert news.line().startswith("239 <5@b.x>")
        assert news.ask("CHECK <6@b.x>").startswith("431 <6@b.x>")
        assert news.ask("IHAVE <6@b.x>").startswith("436")
        # what it sent before is known all the same
        assert news.ask("CHECK <1@b.x>").startswith("438 <1@b.x>")
        kith.ctl("clock", "advance", "60")
        assert news.ask("CHECK <6@b.x>").startswith("238 <6@b.x>")
        kith.ctl("peer", "set", "b", "--connections", "2", "--rate", "0")
        with kith.raw() as other:
            assert other.line().startswith("200")
            assert other.ask(f"GROUP {GROUP}").startswith("211 6 ")
    # who is held back is told when the server goes
    kith.ctl("peer", "set", "b", "--rate", "1")
    with kith.raw() as news:
        news.line()
        for number in range(7, 9):
            news.send(f"TAKETHIS <{number}@b.x>\r\nPath: b.example!x\r\n" +
                      article(number, "b") + ".\r\n")
        assert news.line().startswith("239 <7@b.x>")
        kith.ctl("stop")
        assert news.line().startswith("400 ")


def test_a_login_counts_as_a_connection_of_its_peer(make):
    kith = make("a")
    space(kith)
    kith.ctl("peer", "add", "b", "--login", "link", "--password-stdin",
             "--incoming", "--connections", "1", stdin="secret word")

    def log_in(news):
        news.line()
        assert news.ask("AUTHINFO USER link").startswith("381")
        return news.ask("AUTHINFO PASS secret word")

    with kith.raw() as news:
        assert log_in(news).startswith("281")
        with kith.raw() as other:
            assert log_in(other).startswith("403")
    wait_until(lambda: _logs_in(kith, log_in), 20, "the place is not free")


def _logs_in(kith, log_in):
    with kith.raw() as news:
        return log_in(news).startswith("281")


def test_what_is_cancelled_goes_everywhere(make):
    """RFC 8315: kithd opens at the peers what it locked itself."""
    a, b, c = make("a"), make("b"), make("c")
    for kith in (a, b, c):
        space(kith)
    a.ctl("member", "add", "ann@a.example", "--login", "ann",
          "--password-stdin", stdin="secret\n")
    for one, other in ((a, b), (b, a), (b, c), (c, b)):
        link(one, other, login="ab" if a in (one, other) else "bc")
    with a.raw() as news:
        news.line()
        assert news.ask("AUTHINFO USER ann").startswith("381")
        assert news.ask("AUTHINFO PASS secret").startswith("281")
        for number in range(4):
            assert news.ask("POST").startswith("340")
            news.send(article(number, "a") + ".\r\n")
            assert news.line().startswith("240")
        wait_until(lambda: count(c) == 4, 30, "the articles did not arrive")
        for extra in ("Control: cancel <0@a.x>\r\n",
                      "Supersedes: <1@a.x>\r\n"):
            assert news.ask("POST").startswith("340")
            news.send(article(len(extra), "a", extra=extra) + ".\r\n")
            assert news.line().startswith("240")
    a.ctl("article", "cancel", "<2@a.x>")
    for kith in (a, b, c):
        wait_until(lambda k=kith: set(ids(k.nntp_port)) ==
                   {"<3@a.x>", f"<{len('Supersedes: <1@a.x>') + 2}@a.x>"}, 30,
                   "not all of it is gone")
        kith.ctl("check")
    # what is gone is not sent round again
    wait_until(lambda: settled(a, "b") and settled(b, "c") and
               settled(c, "b"), 30, "the feeds do not rest")
    # a removal is of this server alone
    a.ctl("article", "remove", "<3@a.x>")
    assert count(a) == 1 and count(b) == 2


def test_who_may_no_longer_feed_hears_it_on_the_connection_that_it_has(make):
    kith = make("a")
    space(kith)
    kith.ctl("peer", "add", "feeder", "--login", "feeder", "--password-stdin",
             "--incoming", stdin="secret\n")
    with kith.raw() as news:
        news.line()
        assert news.ask("AUTHINFO USER feeder").startswith("381")
        assert news.ask("AUTHINFO PASS secret").startswith("281")
        assert news.ask("CHECK <1@b.x>") == "238 <1@b.x>"
        kith.ctl("peer", "set", "feeder", "--no-incoming")
        assert news.ask("CAPABILITIES").startswith("101")
        offered = news.block().split(b"\r\n")
        assert not {b"IHAVE", b"STREAMING"} & set(offered)
        assert news.ask("CHECK <2@b.x>").startswith("502")
        assert news.ask("IHAVE <2@b.x>").startswith("502")
        news.send("TAKETHIS <2@b.x>\r\n" + article(2, "b") + ".\r\n")
        assert news.line().startswith("502")
        kith.ctl("peer", "set", "feeder", "--incoming")
        assert news.ask("CHECK <3@b.x>") == "238 <3@b.x>"
        kith.ctl("peer", "remove", "feeder")
        assert news.ask("CHECK <4@b.x>").startswith("502")
    assert ids(kith.nntp_port) == []
