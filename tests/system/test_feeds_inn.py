"""kithd and a real INN feed each other (KITH_FEED_ARTICLES as in
test_feeds.py)."""

import os
import re
import threading

import pytest

import inn as inn_module
from kith import Kith, Raw, wait_until
from test_news import certificate

ARTICLES = int(os.environ.get("KITH_FEED_ARTICLES", "10000"))
GROUP = "mesh.talk"

pytestmark = pytest.mark.skipif(inn_module.place() is None,
                                reason="inn2 is not to be had")


@pytest.fixture
def kith(tmp_path):
    kith = Kith(tmp_path / "kith", hostname="kith.example")
    kith.start()
    kith.ctl("space", "add", GROUP, "--kind", "talk", "--post", "anyone")
    yield kith
    if kith.process is not None:
        kith.stop()


@pytest.fixture
def inn():
    server = inn_module.Inn([GROUP], {"kith": "kith.example"})
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture
def secure(tmp_path):
    """A kithd and an INN that wants TLS or no TLS, and a login."""
    pair = certificate(tmp_path)
    kith = Kith(tmp_path / "kith", hostname="kith.example",
                extra=f'feed {{ ca_file = "{pair[0]}" }}')
    server = inn_module.Inn([GROUP], {}, pair)
    try:
        server.start()
        kith.start()
        kith.ctl("space", "add", GROUP, "--kind", "talk")
        yield kith, server
    finally:
        server.remove()
        if kith.process is not None:
            kith.stop()


def article(number, name, extra=""):
    return (f"{extra}From: poster@{name}.example\r\nNewsgroups: {GROUP}\r\n"
            f"Subject: article {number}\r\nMessage-ID: <{number}@{name}.x>\r\n"
            "Date: Thu, 15 Oct 2026 08:00:00 +0000\r\n\r\n"
            f"Text of {number} from {name}.\r\n..a line with a dot\r\n")


def post(kith, numbers):
    with kith.raw() as news:
        news.line()
        for number in numbers:
            news.send("POST\r\n")
            assert news.line().startswith("340")
            news.send(article(number, "kith") + ".\r\n")
            assert news.line().startswith("240")
    return {f"<{number}@kith.x>" for number in numbers}


def inject(inn, numbers):
    articles = {f"<{number}@inn.x>":
                article(number, "inn", "Path: poster.example!not-for-mail\r\n")
                for number in numbers}
    inn.offer(articles)
    return set(articles)


def ids(port):
    with Raw(port) as news:
        news.line()
        if news.ask(f"GROUP {GROUP}").split()[1] == "0":
            return []
        assert news.ask("HDR Message-ID 1-").startswith("225")
        return [line.split()[1] for line in news.block().decode().split("\r\n")
                if line]


def body(port, message_id):
    with Raw(port) as news:
        news.line()
        assert news.ask(f"BODY {message_id}").startswith("222")
        return news.block()


def crash_while(kith, work):
    """kill -9 in the middle of the work of another thread."""
    before = len(ids(kith.nntp_port))
    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: len(ids(kith.nntp_port)) > before + 20 or
               not thread.is_alive(), 30, "nothing arrives")
    kith.kill()
    kith.start()
    thread.join()


def test_kithd_and_inn_hold_the_same_after_three_rounds(kith, inn):
    kith.ctl("peer", "add", "inn", "--address", "127.0.0.1", "--incoming",
             "--outgoing", f"127.0.0.1:{inn.feed_port}", "--path",
             inn_module.HOSTNAME)
    wanted, share = set(), ARTICLES // 6
    for number in range(3):
        numbers = range(number * share, (number + 1) * share)
        wanted |= inject(inn, numbers)
        crash_while(kith, lambda: inn.transmit("kith", kith.nntp_port))
        if number == 1:
            inn.stop()
        wanted |= post(kith, numbers)
        if number == 1:
            inn.start()
    kith.stop()
    kith.start()
    wait_until(lambda: inn.transmit("kith", kith.nntp_port), 60,
               "INN does not get rid of its articles")
    kith.ctl("clock", "advance", "600")     # whatever it waits for
    for port in (kith.nntp_port, inn.port):
        wait_until(lambda p=port: len(ids(p)) >= len(wanted), 60,
                   "articles are missing")
        held = ids(port)
        assert len(held) == len(set(held)), "an article stands twice"
        assert set(held) == wanted
    state = kith.json("peer", "show", "inn")
    assert state["refused"] == 0 and state["deferred"] == 0
    assert state["sent"] + state["had"] >= len(wanted) // 2
    # nothing came back: INN keeps no batch of what has been here
    assert inn.transmit("kith", kith.nntp_port)
    for message_id in ("<1@kith.x>", "<1@inn.x>"):
        assert body(kith.nntp_port, message_id) == body(inn.port, message_id)


def test_a_group_moves_in_from_inn(kith, inn):
    wanted = inject(inn, range(200))
    kith.ctl("peer", "add", "inn", "--pull", f"127.0.0.1:{inn.port}")
    rows = kith.json("peer", "pull", "inn", GROUP)
    assert rows[0]["taken"] == 200 and rows[0]["refused"] == 0
    assert set(ids(kith.nntp_port)) == wanted
    with kith.raw() as news:
        news.line()
        assert news.ask("HEAD <1@inn.x>").startswith("221")
        head = news.block().decode()
    assert re.search(r"^Path: kith\.example!inn\.example!.*poster\.example",
                     head, re.M)
    assert head.count("\r\nXref:") + head.startswith("Xref:") == 1
    wanted |= inject(inn, range(200, 210))
    assert kith.json("peer", "pull", "inn")[0]["taken"] == 210
    assert set(ids(kith.nntp_port)) == wanted


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_a_pull_from_inn_logs_in(secure, tls):
    kith, inn = secure
    wanted = inject(inn, range(20))
    kith.ctl("peer", "add", "inn", "--pull", f"127.0.0.1:{inn.port}", "--tls",
             tls, "--login", inn_module.LOGIN, "--password-stdin",
             stdin=inn_module.PASSWORD)
    assert kith.json("peer", "pull", "inn", GROUP)[0]["taken"] == 20
    assert set(ids(kith.nntp_port)) == wanted


def test_mail_of_a_list_reaches_inn(kith, inn):
    kith.ctl("space", "set", GROUP, "--mail", "mesh")
    kith.ctl("peer", "add", "inn", "--outgoing", f"127.0.0.1:{inn.feed_port}",
             "--path", inn_module.HOSTNAME)
    ugly = ("ARC-Seal:i=1; a=rsa\r\nReceived: from a by b;\r\n"
            "\tThu, 15 Oct 2026 08:00:00 +0000\r\nX-Empty:\r\n"
            "From: poster@kith.example\r\nTo: mesh@lists.example\r\n"
            "To: twice@kith.example\r\nSubject: mail\r\n"
            "Message-ID: <mail@kith.x>\r\nMIME-Version: 1.0\r\n"
            "Date: Thu, 15 Oct 2026 08:00:00 +0000\r\n\r\nText.\r\n")
    assert not kith.deliver("poster@kith.example", "mesh@lists.example",
                            ugly.encode())
    wait_until(lambda: ids(inn.port) == ["<mail@kith.x>"], 30,
               "the mail does not arrive")
    assert body(inn.port, "<mail@kith.x>") == b"Text.\r\n"
