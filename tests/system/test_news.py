"""News: a real kithd, Python's nntplib and raw lines."""

import datetime
import email.utils
import nntplib
import re
import socket
import ssl
import subprocess

import pytest

import kith as k

ARTICLE = ("From: Ann <ann@example.net>\r\nNewsgroups: {group}\r\n"
           "Subject: {subject}\r\nMessage-ID: {mid}\r\n{more}\r\n{body}")


def article(mid, group="acme.talk", subject="Hello", body="A line.\r\n",
            more=""):
    return ARTICLE.format(mid=mid, group=group, subject=subject, body=body,
                          more=more).encode()


def post(news, data):
    """Posts over a Raw; the final answer."""
    assert news.ask("POST").startswith("340")
    news.send(data + b".\r\n")
    return news.line()


@pytest.fixture
def talk(kith):
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--mail", "talk",
             "--post", "anyone", "--description", "Talk of the house")
    return kith


def test_nntplib_posts_and_reads_what_it_posted(talk):
    with talk.nntp() as news:
        news.post([line for line in article(
            "<n1@example.net>", body="one\r\n.dot\r\n..dots\r\n").splitlines()])
        _, count, first, last, name = news.group("acme.talk")
        assert (count, first, last, name) == (1, 1, 1, "acme.talk")
        _, info = news.article("<n1@example.net>")
        assert info.lines[-3:] == [b"one", b".dot", b"..dots"]
        _, info = news.body(1)
        assert info.lines == [b"one", b".dot", b"..dots"]
        _, info = news.head(1)
        names = [line.split(b":")[0].lower() for line in info.lines]
        assert {b"path", b"date", b"message-id", b"from", b"newsgroups",
                b"subject"} <= set(names)
        assert b"xref" in names
        _, number, mid = news.stat(1)
        assert (number, mid) == (1, "<n1@example.net>")


def test_over_hdr_and_list_agree_on_the_same_article(talk):
    with talk.nntp() as news:
        news.post(article("<n1@example.net>", subject="First").splitlines())
        news.post(article("<n2@example.net>", subject="Re: First",
                          more="References: <n1@example.net>\r\n")
                  .splitlines())
        news.group("acme.talk")
        _, rows = news.over((1, 2))
        assert [n for n, _ in rows] == [1, 2]
        assert rows[1][1]["references"] == "<n1@example.net>"
        assert rows[1][1]["subject"] == "Re: First"
        assert int(rows[0][1][":bytes"]) > 0
        assert rows[0][1][":lines"] == "1"
        _, pairs = news.xhdr("subject", "1-2")
        assert pairs == [("1", "First"), ("2", "Re: First")]
        _, groups = news.list("acme.*")
        assert [(g.group, int(g.last), int(g.first), g.flag)
                for g in groups] == [("acme.talk", 2, 1, "y")]
        assert news.description("acme.talk") == "Talk of the house"
        assert not news.list("other.*")[1]


def test_newnews_and_newgroups_name_what_is_new(talk):
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    hour = datetime.timedelta(hours=1)
    with talk.nntp() as news:
        news.post(article("<n1@example.net>").splitlines())
        assert news.newnews("acme.*", now - hour)[1] == ["<n1@example.net>"]
        assert news.newnews("acme.*", now + hour)[1] == []
        assert news.newnews("other.*", now - hour)[1] == []
        assert [g.group for g in news.newgroups(now - hour)[1]] == \
            ["acme.talk"]
        assert not news.newgroups(now + hour)[1]
        _, date = news.date()
        assert abs(date - now) < datetime.timedelta(minutes=5)


def test_capabilities_change_with_a_login(kith):
    kith.ctl("space", "add", "acme.talk", "--kind", "talk")
    kith.ctl("member", "add", "ann@example.net", "--login", "ann",
             "--password-stdin", stdin="sesame\n")
    with kith.nntp() as news:
        before = news.getcapabilities()
        assert {"VERSION", "READER", "OVER", "HDR", "LIST", "NEWNEWS",
                "AUTHINFO"} <= set(before)
        assert "IHAVE" not in before
        with pytest.raises(nntplib.NNTPTemporaryError) as refused:
            news.login("ann", "wrong", usenetrc=False)
        assert refused.value.response.startswith("481")
        news.login("ann", "sesame", usenetrc=False)
        assert "AUTHINFO" not in news.getcapabilities()
        news.post(article("<n1@example.net>").splitlines())
    with kith.nntp() as stranger:
        with pytest.raises(nntplib.NNTPTemporaryError) as refused:
            stranger.post(article("<n2@example.net>").splitlines())
        assert refused.value.response.startswith(("440", "480"))
        assert stranger.group("acme.talk")[1] == 1
    # the address of a member is a login too
    kith.nntp("ann@example.net", "sesame").quit()


def test_moderators_are_named_where_mail_reaches_them(talk):
    talk.ctl("space", "add", "acme.news", "--kind", "announce", "--mail",
             "news", "--moderation", "all")
    talk.ctl("space", "add", "acme.inner", "--kind", "talk", "--mail",
             "inner", "--moderation", "all", "--read", "staff")
    with talk.raw() as news:
        news.line()
        assert news.ask("LIST MODERATORS").startswith("215")
        assert news.block().decode().splitlines() == [
            f"acme.news:news@{k.DOMAIN}"]
        assert news.ask("LIST COUNTS acme.*").startswith("215")
        assert news.block().decode().splitlines() == [
            "acme.news 0 1 0 y", "acme.talk 0 1 0 y"]


FED = ("Path: feed.example!not-for-mail\r\nFrom: a@feed.example\r\n"
       "Newsgroups: acme.talk\r\nSubject: fed\r\nDate: {date}\r\n"
       "Message-ID: {mid}\r\n\r\n{body}\r\n.\r\n")


def takethis(mid):
    return f"TAKETHIS {mid}\r\n".encode() + FED.format(
        mid=mid, date=email.utils.formatdate(), body="x" * 900).encode()


def test_a_peer_streams_articles_and_reads_the_answers_later(talk):
    mids = [f"<s{i}@feed.example>" for i in range(400)]
    with talk.raw() as stranger:
        stranger.line()
        assert stranger.ask("CHECK <s0@feed.example>").startswith("480")
        stranger.send(takethis(mids[0]))
        assert stranger.line().startswith("480")
    talk.ctl("peer", "add", "feed", "--address", "127.0.0.1", "--spaces",
             "acme.*", "--incoming")
    with talk.raw() as peer:
        peer.line()
        assert peer.ask("MODE STREAM").startswith("203")
        assert peer.ask("CAPABILITIES").startswith("101")
        assert b"\r\nSTREAMING\r\n" in peer.block()
        peer.send("".join(f"CHECK {mid}\r\n" for mid in mids[:50]).encode())
        for mid in mids[:50]:
            assert peer.line() == f"238 {mid}"
        peer.send(b"".join(map(takethis, mids)))
        peer.send(takethis(mids[7]) + b"GROUP acme.talk\r\n")
        for mid in mids:
            assert peer.line().startswith(f"239 {mid} ")
        assert peer.line().startswith(f"439 {mids[7]} ")
        assert peer.line() == "211 400 1 400 acme.talk"
    # 239 was said for what is on disk
    talk.kill()
    talk.start()
    with talk.raw() as news:
        news.line()
        for mid in mids:
            assert news.ask(f"STAT {mid}").startswith("223")


def certificate(folder):
    """A key and a certificate of its own for 127.0.0.1: (certificate, key)."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
         "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
         cert], check=True, capture_output=True)
    return cert, key


@pytest.fixture
def tls_kith(tmp_path):
    """kithd with a certificate and an nntps listener."""
    cert, key = certificate(tmp_path)
    port = k.free_port()
    kith = k.Kith(tmp_path / "kith", extra=f"""
tls {{ certificate = "{cert}" key = "{key}" }}
listen nntps {{ address = "127.0.0.1" port = {port} }}
""")
    kith.nntps_port = port
    kith.context = ssl.create_default_context(cafile=cert)
    kith.start()
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--post", "anyone")
    yield kith
    kith.stop()


def test_nntplib_speaks_starttls_and_keeps_nothing_from_before(tls_kith):
    with tls_kith.nntp() as news:
        assert "STARTTLS" in news.getcapabilities()
        news.group("acme.talk")
        news.starttls(tls_kith.context)
        assert "STARTTLS" not in news.getcapabilities()
        with pytest.raises(nntplib.NNTPTemporaryError) as refused:
            news.next()
        assert refused.value.response.startswith("412")
        news.post(article("<t1@example.net>").splitlines())
        assert news.group("acme.talk")[1] == 1


def test_nntplib_speaks_implicit_tls(tls_kith):
    with nntplib.NNTP_SSL("127.0.0.1", tls_kith.nntps_port, timeout=20,
                          ssl_context=tls_kith.context) as news:
        big = "x" * 70 + "\r\n"
        news.post(article("<t2@example.net>", body=big * 20000).splitlines())
        _, info = news.body("<t2@example.net>")
        assert info.lines == [b"x" * 70] * 20000


def test_what_is_sent_behind_starttls_in_plain_is_dropped(tls_kith):
    with socket.create_connection(("127.0.0.1", tls_kith.nntp_port), 20) as s:
        file = s.makefile("rb")
        file.readline()
        s.sendall(b"STARTTLS\r\nGROUP acme.talk\r\n")
        assert file.readline().startswith(b"382")
        try:
            with tls_kith.context.wrap_socket(
                    s, server_hostname="localhost") as secure:
                lines = secure.makefile("rb")
                secure.sendall(b"DATE\r\n")
                assert lines.readline().startswith(b"111")
        except (ssl.SSLError, ConnectionError, EOFError):
            pass  # or the connection ends: as good


def test_a_hidden_space_does_not_exist_for_a_stranger(kith):
    kith.ctl("space", "add", "acme.inside", "--kind", "internal")
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--post", "anyone")
    kith.ctl("member", "add", "mai@acme.example", "--login", "mai", "--role",
             "staff", "--password-stdin", stdin="sesame\n")
    with kith.nntp("mai", "sesame") as staff:
        staff.post(article("<h1@example.net>", "acme.inside").splitlines())
        assert staff.group("acme.inside")[1] == 1
    with kith.raw() as news:
        news.line()
        assert news.ask("GROUP acme.inside")[:3] == \
            news.ask("GROUP acme.nowhere")[:3] == "411"
        for command in ("ARTICLE", "HEAD", "BODY", "STAT", "OVER", "HDR From",
                        "XHDR From"):
            assert news.ask(f"{command} <h1@example.net>")[:3] == "430"
        for command in ("LIST", "LIST NEWSGROUPS", "LIST ACTIVE.TIMES",
                        "NEWGROUPS 20200101 000000 GMT",
                        "NEWNEWS * 20200101 000000 GMT"):
            assert news.ask(command)[0] == "2"
            text = news.block()
            assert b"inside" not in text and b"<h1@" not in text
        # nor can its Message-ID be asked for by posting it
        assert post(news, article("<h1@example.net>", subject="other",
                                  body="another\r\n")).startswith("240")
        assert news.ask("LISTGROUP acme.inside")[:3] == "411"


def test_a_hundred_commands_in_one_packet_are_answered_in_order(talk):
    with talk.raw() as news:
        news.line()
        for number in range(50):
            assert post(news, article(f"<p{number}@example.net>")) \
                .startswith("240")
        news.ask("GROUP acme.talk")
        news.send("".join(f"STAT {n % 50 + 1}\r\n" for n in range(100)))
        answers = [news.line().split()[:2] for _ in range(100)]
        assert answers == [["223", str(n % 50 + 1)] for n in range(100)]


def test_a_post_in_the_middle_of_a_pipeline_keeps_the_order(talk):
    with talk.raw() as news:
        news.line()
        assert post(news, article("<p0@example.net>")).startswith("240")
        news.send(b"GROUP acme.talk\r\nSTAT 1\r\nDATE\r\nBODY 1\r\nNEXT\r\n"
                  b"QUIT\r\n")
        codes = [news.line()[:3] for _ in range(4)]
        assert codes == ["211", "223", "111", "222"]
        assert news.block() == b"A line.\r\n"
        assert [news.line()[:3] for _ in range(2)] == ["421", "205"]
        assert news.line() == ""


def test_a_line_over_the_limit_is_skipped_and_the_connection_lives(talk):
    with talk.raw() as news:
        news.line()
        news.send(b"GROUP " + b"x" * 100000 + b"\r\nDATE\r\n")
        assert news.line().startswith("501")
        assert news.line().startswith("111")


def test_ten_errors_in_a_row_end_the_connection(talk):
    with talk.raw() as news:
        news.line()
        for _ in range(9):
            assert news.ask("NONSENSE").startswith("500")
        news.ask("DATE")
        for _ in range(9):
            assert news.ask("GROUP").startswith("501")
        assert news.ask("NONSENSE").startswith("400")
        assert news.line() == ""


@pytest.mark.parametrize("body", [
    b"a bare\nLF\r\n", b"a bare\rCR\r\n", b"a NUL \0 here\r\n"])
def test_a_post_with_octets_that_are_not_text_is_refused(talk, body):
    data = article("<b1@example.net>", body="").replace(b"\r\n\r\n",
                                                        b"\r\n\r\n" + body)
    with talk.raw() as news:
        news.line()
        assert post(news, data).startswith("441")
        assert news.ask("STAT <b1@example.net>").startswith("430")


def test_a_bare_lf_dot_never_ends_a_post(talk):
    with talk.raw() as news:
        news.line()
        assert news.ask("POST").startswith("340")
        news.send(article("<b2@example.net>") +
                  b"text\n.\nQUIT\n.\r\nmore\r\n.\r\n.\r\nDATE\r\n")
        assert news.line().startswith("441")
        # the first true end was behind "QUIT"; what follows is commands
        assert news.line()[:3] in ("500", "501")


def test_posts_that_miss_what_an_article_needs_are_refused_by_name(talk):
    missing = {
        "Subject": b"From: a@example.net\r\nNewsgroups: acme.talk\r\n\r\nx\r\n",
        "From": b"Subject: x\r\nNewsgroups: acme.talk\r\n\r\nx\r\n",
        "Newsgroups": b"From: a@example.net\r\nSubject: x\r\n\r\nx\r\n",
    }
    with talk.raw() as news:
        news.line()
        for name, data in missing.items():
            answer = post(news, data)
            assert answer.startswith("441") and name in answer
        assert post(news, article("<b3@example.net>", "no.such.group")) \
            .startswith("441")
        assert post(news, article("no-brackets")).startswith("441")
        # a second one with the same id
        assert post(news, article("<b4@example.net>")).startswith("240")
        assert post(news, article("<b4@example.net>", body="other\r\n")) \
            .startswith("441")


def test_an_article_over_four_megabytes_is_refused_and_the_session_goes_on(
        talk):
    line = "x" * 998 + "\r\n"
    with talk.raw() as news:
        news.line()
        assert post(news, article("<big@example.net>", body=line * 4300)) \
            .startswith("441")
        assert news.ask("DATE").startswith("111")
        assert post(news, article("<fits@example.net>", body=line * 4000)) \
            .startswith("240")
        assert news.ask("BODY <fits@example.net>").startswith("222")
        assert news.block() == (line * 4000).encode()


def test_ihave_is_for_peers_and_into_their_spaces_only(kith):
    kith.ctl("space", "add", "acme.talk", "--kind", "talk")
    kith.ctl("space", "add", "acme.kb", "--kind", "kb")
    kith.ctl("peer", "add", "up", "--login", "up", "--password-stdin",
             "--spaces", "acme.talk", "--incoming", stdin="feed\n")
    wire = article("<i1@far.example>",
                   more="Path: far.example!not-for-mail\r\n"
                        f"Date: {email.utils.formatdate()}\r\n")
    with kith.raw() as news:
        news.line()
        assert news.ask("IHAVE <i1@far.example>")[:3] in ("480", "502", "500",
                                                          "437", "435")
        assert news.ask("AUTHINFO USER up").startswith("381")
        assert news.ask("AUTHINFO PASS feed").startswith("281")
        assert news.ask("IHAVE <i1@far.example>").startswith("335")
        news.send(wire + b".\r\n")
        assert news.line().startswith("235")
        assert news.ask("IHAVE <i1@far.example>").startswith("435")
        assert news.ask("IHAVE <i2@far.example>").startswith("335")
        news.send(wire.replace(b"i1@", b"i2@").replace(b"acme.talk",
                                                       b"acme.kb") + b".\r\n")
        assert news.line().startswith("437")
    with kith.raw() as news:
        news.line()
        assert news.ask("HEAD <i1@far.example>").startswith("221")
        head = news.block()
        assert re.search(rb"^Path: news\.example!.*far\.example!not-for-mail",
                         head, re.M)
        assert news.ask("STAT <i2@far.example>").startswith("430")


def test_a_peers_host_stays_one_when_a_member_logs_in_from_it(kith):
    """RFC 3977 3.4.1: IHAVE, once offered, is offered to the end."""
    kith.ctl("space", "add", "acme.talk", "--kind", "talk")
    kith.ctl("member", "add", "ann@example.net", "--login", "ann",
             "--password-stdin", stdin="sesame\n")
    kith.ctl("peer", "add", "up", "--address", "127.0.0.1", "--incoming")
    with kith.raw() as news:
        news.line()
        for login in (False, True):
            if login:
                assert news.ask("AUTHINFO USER ann").startswith("381")
                assert news.ask("AUTHINFO PASS sesame").startswith("281")
            assert news.ask("CAPABILITIES").startswith("101")
            offered = news.block().split(b"\r\n")
            assert b"IHAVE" in offered and b"STREAMING" in offered
            assert b"READER" in offered
            mid = f"<i{login:d}@far.example>"
            assert news.ask(f"IHAVE {mid}").startswith("335")
            news.send(article(mid, more="Path: far.example!not-for-mail\r\n"
                              f"Date: {email.utils.formatdate()}\r\n")
                      + b".\r\n")
            assert news.line().startswith("235")
        # a post is the member's
        assert post(news, article("<p1@example.net>")).startswith("240")
    # an article that was fed is not the member's, whoever is logged in
    k.wait_until(lambda: "id=<p1@" in kith.log.read_text(), 20, "no line")
    lines = {mid: line for line in kith.log.read_text().splitlines()
             for mid in re.findall(r"id=(<[ip]1@\S+>)", line)}
    assert "member=0 " in lines["<i1@far.example>"]
    assert "member=1 peer=0 " in lines["<p1@example.net>"]


def test_articles_removed_are_gone_and_their_numbers_stay_free(talk):
    with talk.raw() as news:
        news.line()
        for number in (1, 2, 3):
            assert post(news, article(f"<r{number}@example.net>")) \
                .startswith("240")
        talk.ctl("article", "remove", "acme.talk:2")
    with talk.raw() as news:
        news.line()
        assert news.ask("GROUP acme.talk").startswith("211 2 1 3")
        assert news.ask("STAT 2").startswith("423")
        assert news.ask("ARTICLE <r2@example.net>").startswith("430")
        assert news.ask("LISTGROUP acme.talk").startswith("211")
        assert news.block() == b"1\r\n3\r\n"
        assert post(news, article("<r4@example.net>")).startswith("240")
        assert news.ask("GROUP acme.talk").startswith("211 3 1 4")


def test_over_of_many_rows_streams_in_order(talk):
    with talk.raw() as news:
        news.line()
        for number in range(1, 301):
            news.send(b"POST\r\n")
            assert news.line().startswith("340")
            news.send(article(f"<o{number}@example.net>",
                              subject=f"s{number}") + b".\r\n")
            assert news.line().startswith("240")
        news.ask("GROUP acme.talk")
        assert news.ask("OVER 1-").startswith("224")
        rows = news.block().decode().splitlines()
        assert [row.split("\t")[:2] for row in rows] == \
            [[str(n), f"s{n}"] for n in range(1, 301)]
