"""The rules of RFC 5536 and 5537 at the doors for news: what bad input gets, who
cancels, and what nobody finds out."""

import email.utils
import re

import pytest

import kith as k

HEAD = ("Path: far.example!not-for-mail\r\nFrom: Ann <ann@far.example>\r\n"
        "Newsgroups: {group}\r\nSubject: rules\r\nMessage-ID: {mid}\r\n"
        "Date: {date}\r\n{more}\r\n")


def article(mid, body=b"text\r\n", group="acme.talk", more=""):
    return HEAD.format(mid=mid, group=group, more=more,
                       date=email.utils.formatdate()).encode() + body


@pytest.fixture
def talk(kith):
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--post", "anyone")
    kith.ctl("space", "add", "acme.inner", "--kind", "internal")
    kith.ctl("member", "add", "ann@example.net", "--login", "ann",
             "--password-stdin", stdin="ann-secret\n")
    kith.ctl("member", "add", "boss@example.net", "--login", "boss", "--role",
             "staff", "--password-stdin", stdin="boss-secret\n")
    kith.ctl("peer", "add", "up", "--login", "up", "--password-stdin",
             "--spaces", "acme.talk", "--incoming", stdin="feed\n")
    return kith


def login(kith, user=None, password=None):
    news = kith.raw()
    news.line()
    if user is not None:
        assert news.ask(f"AUTHINFO USER {user}").startswith("381")
        assert news.ask(f"AUTHINFO PASS {password}").startswith("281")
    return news


class Post:
    yes, no = "240", "441"
    user, password = None, None

    @staticmethod
    def hand_in(news, _mid, data):
        assert news.ask("POST").startswith("340")
        news.send(data + b".\r\n")
        return news.line()


class Ihave:
    yes, no = "235", "437"
    user, password = "up", "feed"

    @staticmethod
    def hand_in(news, mid, data):
        assert news.ask(f"IHAVE {mid}").startswith("335")
        news.send(data + b".\r\n")
        return news.line()


class Takethis:
    yes, no = "239", "439"
    user, password = "up", "feed"

    @staticmethod
    def hand_in(news, mid, data):
        news.send(f"TAKETHIS {mid}\r\n".encode() + data + b".\r\n")
        answer = news.line()
        assert answer.split()[1] == mid
        return answer.replace(mid + " ", "")


DOORS = [Post, Ihave, Takethis]


def header_with(more):
    return lambda mid: article(mid, more=more)


def body_of(body):
    return lambda mid: article(mid, body=body)


BAD = {
    "NUL": body_of(b"a\0b\r\n"),
    "NUL in the header": header_with("X-A: a\0b\r\n"),
    "bare CR": body_of(b"a\rb\r\n"),
    "bare LF": body_of(b"a\nb\r\n"),
    "bare LF and a dot": body_of(b"a\n.\nb\r\n"),
    "bare CR in the header": header_with("X-A: a\rX-B: b\r\n"),
    "bare LF in the header": header_with("X-A: a\nX-B: b\r\n"),
    "no colon": header_with("X-A\r\n"),
    "no space": header_with("X-A:b\r\n"),
    "an empty header": header_with("X-A: \r\n"),
    "a blank fold": header_with("X-A: b\r\n \r\n"),
    "twice": header_with("Subject: again\r\n"),
    "a line of 999": header_with("X-A: " + "x" * 994 + "\r\n"),
    "a header of 70,000": header_with(("X-A: " + "x" * 900 + "\r\n") * 75),
    "1,001 fields": header_with("X-A: b\r\n" * 1001),
    "10,000 newsgroups": lambda mid: article(
        mid, group=",\r\n ".join(f"g{n}" for n in range(10000))),
    "100 newsgroups": lambda mid: article(
        mid, group="acme.talk," + ",".join(f"g{n}" for n in range(100))),
    "10,000 references": header_with(
        "References:" + "".join(f"\r\n <{n}@x>" for n in range(10000))
        + "\r\n"),
    "1,001 references": header_with(
        "References: <x@x>" + "".join(f"\r\n <{n}@x>" for n in range(1000))
        + "\r\n"),
    "no body": lambda mid: article(mid).replace(b"\r\n\r\ntext", b""),
    "nothing": lambda mid: b"",
    "another control message": header_with(
        "Control: rmgroup acme.talk\r\nApproved: ann@far.example\r\n"),
}


@pytest.mark.parametrize("door", DOORS)
def test_bad_articles_are_refused_with_a_reason_and_nothing_else(talk, door):
    mids = {}
    with login(talk, door.user, door.password) as news:
        for number, (what, make) in enumerate(BAD.items()):
            mid = mids[what] = f"<bad{number}@far.example>"
            answer = door.hand_in(news, mid, make(mid))
            assert answer.startswith(door.no), (what, answer)
            assert len(answer) > 8, (what, answer)
            assert news.ask("DATE").startswith("111"), what
        for what, mid in mids.items():
            assert news.ask(f"STAT {mid}").startswith("430"), what
    assert "acme.talk" in talk.ctl("space", "list")


@pytest.mark.parametrize("door", DOORS)
def test_dots_tabs_and_octets_are_kept_as_they_came(talk, door):
    lines = [b".", b"..", b"...", b" .", b"", b"\t", b"From x", b"a\x80\xff",
             b"x" * 998, b". ", b"."]
    wire = b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n"
                    for line in lines)
    mid = "<dots@far.example>"
    odd = "X-Odd:   two  blanks \r\n\t .folded\r\nX-8bit: \u00e4\r\n"
    with login(talk, door.user, door.password) as news:
        answer = door.hand_in(news, mid, article(mid, body=wire, more=odd))
        assert answer.startswith(door.yes), answer
        assert news.ask(f"BODY {mid}").startswith("222")
        assert news.block() == b"".join(line + b"\r\n" for line in lines)
        assert news.ask(f"HEAD {mid}").startswith("221")
        assert odd.encode() in news.block()


def test_long_lines_of_a_body_are_a_posters_fault_and_a_peers_business(talk):
    long = b"x" * 5000 + b"\r\n"
    for door in DOORS:
        mid = f"<long-{door.__name__}@far.example>"
        with login(talk, door.user, door.password) as news:
            answer = door.hand_in(news, mid, article(mid, body=long))
            if door is Post:
                assert answer.startswith("441") and "998" in answer
                continue
            assert answer.startswith(door.yes)
            assert news.ask(f"BODY {mid}").startswith("222")
            assert news.block() == long


def cancel(mid, target, more=""):
    return article(mid, more=f"Control: cancel {target}\r\n" + more)


def test_an_author_takes_his_article_away_for_good(talk):
    mids = [f"<mine{n}@far.example>" for n in range(3)]
    with login(talk, "ann", "ann-secret") as ann:
        for mid in mids:
            assert Post.hand_in(ann, mid, article(mid)).startswith("240")
        with login(talk) as stranger:
            answer = Post.hand_in(stranger, "",
                                  cancel("<c0@far.example>", mids[0]))
            assert answer.startswith("441") and "author" in answer
        assert Post.hand_in(ann, "", cancel("<c1@far.example>", mids[0])) \
            .startswith("240")
        # and another one by what replaces it
        assert Post.hand_in(ann, "", article(
            "<new@far.example>", more=f"Supersedes: {mids[1]}\r\n")) \
            .startswith("240")
    talk.kill()
    talk.start()
    with login(talk) as news:
        assert news.ask("GROUP acme.talk") == "211 2 3 4 acme.talk"
        assert news.ask(f"STAT {mids[0]}").startswith("430")
        assert news.ask(f"STAT {mids[1]}").startswith("430")
        assert news.ask("STAT <new@far.example>").startswith("223")
        # no newsgroup has the cancel, nor does anybody read it by its id
        assert news.ask("STAT <c1@far.example>").startswith("430")
        assert news.ask("HEAD <new@far.example>").startswith("221")
        head = news.block()
        assert re.search(rb"^Cancel-Lock: sha256:", head, re.M)
        assert re.search(rb"^Cancel-Key: sha256:", head, re.M)
        assert Post.hand_in(news, "", article(mids[0])).startswith("441")
    talk.ctl("check")


LOCK = "Cancel-Lock: sha256:s/pmK/3grrz++29ce2/mQydzJuc7iqHn1nqcJiQTPMc=\r\n"
KEY = "Cancel-Key: sha256:qv1VXHYiCGjkX/N1nhfYKcAeUn8bCVhrWhoKuBSnpMA=\r\n"


def test_a_peers_cancel_is_obeyed_by_its_key(talk):
    with login(talk, "up", "feed") as peer:
        for mid in ("<p1@far.example>", "<p2@far.example>"):
            assert Takethis.hand_in(peer, mid, article(mid, more=LOCK)) \
                .startswith("239")
        for n, (target, more, wanted) in enumerate([
                ("<p1@far.example>", "", "439"),
                ("<p1@far.example>", KEY, "239"),
                ("<later@far.example>", KEY, "239")]):
            mid = f"<pc{n}@far.example>"
            assert Takethis.hand_in(peer, mid, cancel(mid, target, more)) \
                .startswith(wanted)
            assert peer.ask(f"CHECK {mid}").startswith("438")
        assert peer.ask("STAT <p1@far.example>").startswith("430")
        assert peer.ask("STAT <p2@far.example>").startswith("223")
        mid = "<later@far.example>"
        assert Ihave.hand_in(peer, mid, article(mid, more=LOCK)) \
            .startswith("437")
    talk.ctl("check")


def test_a_closed_space_keeps_nothing_away_from_the_others(talk):
    talk.ctl("space", "add", "acme.old", "--kind", "talk", "--post", "anyone")
    talk.ctl("peer", "set", "up", "--spaces", "acme.talk,acme.old")
    with login(talk, "up", "feed") as peer:
        assert Takethis.hand_in(peer, "<1@far.example>", article(
            "<1@far.example>", group="acme.old", more=LOCK)).startswith("239")
        talk.ctl("space", "set", "acme.old", "--closed", "yes")
        answer = Takethis.hand_in(peer, "<2@far.example>", article(
            "<2@far.example>", group="acme.old"))
        assert answer.startswith("439") and "closed" in answer
        assert Takethis.hand_in(peer, "<3@far.example>", article(
            "<3@far.example>", group="acme.old,acme.talk")).startswith("239")
        assert peer.ask("HDR Xref <3@far.example>").startswith("225")
        assert peer.block() == b"0 news.example acme.talk:1\r\n"
        # what is there may still go
        assert Takethis.hand_in(peer, "<4@far.example>", article(
            "<4@far.example>", group="acme.old",
            more="Control: cancel <1@far.example>\r\n" + KEY)) \
            .startswith("239")
        assert peer.ask("LIST COUNTS acme.*").startswith("215")
        assert peer.block() == (b"acme.old 1 2 0 x\r\n"
                                b"acme.talk 1 1 1 y\r\n")


def answers(news, mid):
    """What every command that takes an id says of this one."""
    said = []
    for command in ("ARTICLE", "HEAD", "BODY", "STAT", "OVER", "HDR Subject",
                    "XHDR Subject", "CHECK", "IHAVE"):
        said.append(news.ask(f"{command} {mid}").replace(mid, "ID"))
        if said[-1].startswith("335"):
            news.send(b".\r\n")
            said.append(news.line())
        elif said[-1][:3] in ("220", "221", "222", "224", "225"):
            said.append(news.block().replace(mid.encode(), b"ID"))
    said.append(news.ask(f"XPAT Subject {mid} *").replace(mid, "ID"))
    if said[-1].startswith("221"):
        said.append(news.block().replace(mid.encode(), b"ID"))
    return said


def test_a_hidden_id_answers_as_an_unknown_one_whatever_became_of_it(talk):
    hidden, gone, control = (f"<{n}@inner.example>" for n in "hgc")
    with login(talk, "boss", "boss-secret") as boss:
        for mid in (hidden, gone):
            assert Post.hand_in(boss, "", article(mid, group="acme.inner")) \
                .startswith("240")
        assert Post.hand_in(boss, "", article(
            control, group="acme.inner",
            more=f"Control: cancel {gone}\r\n")).startswith("240")
    for user, password in ((None, None), ("ann", "ann-secret"),
                           ("up", "feed")):
        with login(talk, user, password) as news:
            unknown = answers(news, "<unknown@inner.example>")
            for mid in (hidden, gone, control):
                assert answers(news, mid) == unknown, (user, mid)
            assert news.ask("LIST COUNTS").startswith("215")
            assert b"inner" not in news.block()
            assert news.ask("NEWNEWS * 20200101 000000 GMT").startswith("230")
            assert b"inner" not in news.block()
            # a cancel of it is one of nothing
            assert Post.hand_in(news, "", cancel(
                f"<x{user}@far.example>", hidden)) == Post.hand_in(
                    news, "", cancel(f"<y{user}@far.example>",
                                     "<unknown@inner.example>"))
    with login(talk, "boss", "boss-secret") as boss:
        assert boss.ask(f"STAT {hidden}").startswith("223")


def test_no_article_is_read_as_commands(talk):
    with login(talk, "up", "feed") as peer:
        peer.send(b"TAKETHIS <" + b"x" * 600 + b"@far.example>\r\n" +
                  article("<q@far.example>") + b"QUIT\r\n.\r\n")
        assert peer.line().startswith("501")
        assert peer.ask("DATE").startswith("111")
