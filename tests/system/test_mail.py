"""Mail in and out: swaks, s-nail, a real Postfix, and raw SMTP."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile

import pytest

import kith as k
from test_news import certificate

TALK = f"talk@{k.DOMAIN}"
ANNA = "anna@example.net"
BERT = "bert@example.net"


def make_list(kith, *subscribers):
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--mail", "talk",
             "--post", "anyone")
    for address in subscribers:
        kith.ctl("subscription", "add", "acme.talk", address)
    return kith


def body_of(raw):
    return raw.split(b"\r\n\r\n", 1)[1]


def count_of(kith, group="acme.talk"):
    with kith.raw() as news:
        news.line()
        return int(news.ask(f"GROUP {group}").split()[1])


def swaks(port, *more, protocol="SMTP"):
    return subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(port), "--protocol",
         protocol, "--helo", "client.example", "--from", BERT, *more],
        capture_output=True, text=True, check=False, timeout=60)


# ---- in and out

@pytest.mark.parametrize("protocol", ["SMTP", "ESMTP", "LMTP"])
def test_swaks_hands_a_mail_in_that_reaches_readers_of_both_sides(
        kith, protocol):
    make_list(kith, ANNA)
    port = kith.lmtp_port if protocol == "LMTP" else kith.smtp_port
    done = swaks(port, "--to", TALK, "--h-Subject", "By swaks", "--body",
                 "Hello from swaks", protocol=protocol)
    assert done.returncode == 0, done.stdout
    copy = kith.outbox().take(ANNA)
    assert copy["Subject"] == "By swaks"
    assert "Hello from swaks" in copy.text
    with kith.nntp() as news:
        assert news.group("acme.talk")[1] == 1
        assert b"Hello from swaks" in news.body(1)[1].lines


def test_swaks_is_told_at_rcpt_that_an_address_is_unknown(kith):
    make_list(kith)
    for address in (f"nobody@{k.DOMAIN}", f"talk+nonsense@{k.DOMAIN}",
                    "somebody@elsewhere.example"):
        done = swaks(kith.smtp_port, "--to", address, "--quit-after", "RCPT")
        assert done.returncode == 24, done.stdout
        assert re.search(r"<\*\* 55[014] 5\.[17]\.[0-9]", done.stdout)


def test_a_list_copy_has_the_headers_of_a_list_and_its_own_way_back(
        kith_smtp, sink):
    make_list(kith_smtp, ANNA, "carl@example.org")
    kith_smtp.deliver(BERT, TALK, k.mail(
        f"Bert <{BERT}>", TALK, "Copies", "text", "<h1@example.net>"))
    mails = {mail.recipient: mail for mail in sink.wait(2)}
    assert set(mails) == {ANNA, "carl@example.org"}
    for mail in mails.values():
        assert mail["From"] == f"Bert <{BERT}>"
        assert mail["Message-ID"] == "<h1@example.net>"
        assert mail["List-Id"] == f"<talk.{k.DOMAIN}>"
        assert mail["List-Post"] == f"<mailto:{TALK}>"
        assert mail["Precedence"] == "list"
        for name in ("List-Help", "List-Owner", "Archived-At"):
            assert mail[name], name
        assert re.fullmatch(rf"talk\+b\.[a-z2-7]+@{re.escape(k.DOMAIN)}",
                            mail.sender)
    a, b = mails.values()
    assert a.sender != b.sender
    assert a["List-Unsubscribe"] != b["List-Unsubscribe"]
    assert a["List-Unsubscribe"] not in b.raw.decode()


HARD_BODY = (b"plain\r\n.\r\n..\r\n.dot first\r\ntrailing space \r\n\ttab\r\n"
             b"From here\r\n>From there\r\n\r\n\r\n"
             b"raw 8 bit: \xe4\xf6\xfc \xff\xfe\r\n"
             b"utf-8: \xe6\x97\xa5\xe6\x9c\xac\r\n" + b"x" * 998 + b"\r\n"
             + b"y" * 5000 + b"\r\n=20=\r\n-- \r\nsignature\r\n\r\n\r\n")


def test_the_authors_body_and_signature_leave_as_they_came(kith_smtp, sink):
    make_list(kith_smtp, ANNA)
    head = (b"DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=k;\r\n"
            b"\tbh=abcd; h=from:to;\r\n b=wxyz\r\n"
            b"From: Bert <bert@example.net>\r\nTo: talk@lists.example\r\n"
            b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
            b"Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"
            b"Message-ID: <body@example.net>\r\nX-Odd:no blank\r\n")
    with kith_smtp.raw(kith_smtp.lmtp_port) as lmtp:
        lmtp.line()
        lmtp.send("LHLO client.example\r\n")
        while lmtp.line()[3:4] == "-":
            pass
        assert lmtp.ask(f"MAIL FROM:<{BERT}> BODY=8BITMIME")[:3] == "250"
        assert lmtp.ask(f"RCPT TO:<{TALK}>")[:3] == "250"
        assert lmtp.ask("DATA")[:3] == "354"
        wire = re.sub(rb"(?m)^\.", b"..", head + b"\r\n" + HARD_BODY)
        lmtp.send(wire + b".\r\n")
        assert lmtp.line()[:3] == "250"
    raw = sink.wait(1)[0].raw
    assert body_of(raw) == HARD_BODY
    for field in re.split(rb"\r\n(?![ \t])", head.rstrip()):
        assert field in raw
    with kith_smtp.raw() as news:
        news.line()
        assert news.ask("BODY <body@example.net>")[:3] == "222"
        assert news.block() == HARD_BODY
    shown = kith_smtp.run_tool("kithctl", "article", "show",
                               "<body@example.net>").stdout
    assert body_of(shown) == HARD_BODY


def test_an_article_posted_by_news_reaches_the_same_subscribers(
        kith_smtp, sink):
    make_list(kith_smtp, ANNA)
    kith_smtp.deliver(BERT, TALK, k.mail(
        BERT, TALK, "Question", "Which one?", "<q@example.net>"))
    with kith_smtp.nntp() as news:
        news.post([
            b"From: Nina <nina@example.org>", b"Newsgroups: acme.talk",
            b"Subject: Re: Question", b"References: <q@example.net>",
            b"Message-ID: <a@example.org>", b"", b".first", b"That one."])
        news.group("acme.talk")
        rows = news.over((1, 2))[1]
        assert rows[1][1]["references"] == "<q@example.net>"
    # two jobs, several connections: either copy may come first
    copy = next(mail for mail in sink.wait(2)
                if mail["Message-ID"] == "<a@example.org>")
    assert copy["In-Reply-To"] in ("<q@example.net>", None)
    assert copy["References"] == "<q@example.net>"
    assert body_of(copy.raw) == b".first\r\nThat one.\r\n"
    assert copy["From"] == "Nina <nina@example.org>"
    assert copy["To"] and TALK in copy["To"]
    assert not copy["Xref"] and not copy["Path"]


def test_one_mail_to_two_lists_is_one_article_in_two_places(kith_smtp, sink):
    make_list(kith_smtp, ANNA)
    kith_smtp.ctl("space", "add", "acme.other", "--kind", "talk", "--mail",
                  "other", "--post", "anyone")
    kith_smtp.deliver(BERT, [TALK, f"other@{k.DOMAIN}"], k.mail(
        BERT, f"{TALK}, other@{k.DOMAIN}", "Both", "x", "<two@example.net>"))
    with kith_smtp.nntp() as news:
        assert news.group("acme.other")[1] == 1
        head = b"\n".join(news.head("<two@example.net>")[1].lines)
        assert b"Newsgroups: acme.talk,acme.other" in head or \
            b"Newsgroups: acme.other,acme.talk" in head
        assert re.search(rb"Xref: news\.example .*acme\.other:1", head)
    sink.wait(1)
    kith_smtp.idle()
    assert len(sink.mails) == 1


def test_the_same_mail_again_is_taken_and_does_nothing(kith_smtp, sink):
    make_list(kith_smtp, ANNA)
    mail = k.mail(BERT, TALK, "Once", "x", "<once@example.net>")
    for _ in range(3):
        assert not kith_smtp.deliver(BERT, TALK, mail)
    sink.wait(1)
    kith_smtp.idle()
    assert count_of(kith_smtp) == 1
    assert len(sink.mails) == 1


# ---- s-nail

def s_nail(kith, address, script, folder):
    mailbox = folder / "mailbox"
    shutil.rmtree(mailbox, ignore_errors=True)
    for part in ("new", "cur", "tmp"):
        (mailbox / part).mkdir(parents=True)
    for mail in kith.outbox().peek(address):
        (mailbox / "new" / mail.key).write_bytes(mail.raw)
    return subprocess.run(
        ["s-nail", "-:/", "-Sv15-compat", "-Sdot", "-Sttycharset=utf-8",
         f"-Smta=smtp://127.0.0.1:{kith.smtp_port}", "-Ssmtp-auth=none",
         "-Ssendwait", f"-Sfrom={address}", "-Shostname=example.net",
         "-#", "-f", str(mailbox)],
        input=script, text=True, capture_output=True, check=False,
        timeout=60, env={**os.environ, "HOME": str(folder),
                         "LC_ALL": "C.UTF-8"})


def test_s_nail_reads_the_outbox_and_answers_by_smtp(kith, tmp_path):
    make_list(kith, ANNA)
    kith.deliver(BERT, TALK, k.mail(f"Bert <{BERT}>", TALK, "Tea or coffee?",
                                    "Say which.", "<tea@example.net>"))
    kith.outbox().take(ANNA)
    shown = s_nail(kith, ANNA, "type 1\nquit\n", tmp_path)
    assert "Tea or coffee?" in shown.stdout and "Say which." in shown.stdout
    sent = s_nail(kith, ANNA, "reply 1\nTea, please.\n.\nquit\n", tmp_path)
    assert sent.returncode == 0, sent.stderr
    # an answer to a list mail goes to its author; to the list with this
    listed = s_nail(kith, ANNA,
                    f"mail {TALK}\n~sRe: Tea or coffee?\nTea for all.\n.\n"
                    "quit\n", tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert count_of(kith) == 2


# ---- Postfix

MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 1 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
lmtp      unix - - n - - lmtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
daemon_directory = {daemons}
myhostname = mx.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_client_connection_rate_limit = 0
relayhost = [127.0.0.1]:{sink}
relay_domains = {domain}
relay_recipient_maps =
transport_maps = inline:{{ {domain}=lmtp:inet:127.0.0.1:{lmtp} }}
lmtp_destination_recipient_limit = 50
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
"""


class Postfix:
    """A Postfix of the test's own: configuration, queue and ports."""

    def __init__(self, lmtp, sink):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kith-postfix-"))
        self.folder.chmod(0o755)
        self.port = k.free_port()
        self.lmtp, self.sink = lmtp, sink
        self.process = None

    def start(self):
        daemons = subprocess.run(
            ["postconf", "-dh", "daemon_directory"], capture_output=True,
            text=True, check=True).stdout.strip()
        conf = self.folder / "conf"
        conf.mkdir()
        (conf / "main.cf").write_text(MAIN_CF.format(
            folder=self.folder, daemons=daemons, sink=self.sink,
            lmtp=self.lmtp, domain=k.DOMAIN))
        (conf / "master.cf").write_text(MASTER_CF.format(port=self.port))
        (self.folder / "queue").mkdir()
        (self.folder / "data").mkdir()
        shutil.chown(self.folder / "data", "postfix")
        subprocess.run(["postfix", "-c", conf, "check"], check=True,
                       capture_output=True)
        self.process = subprocess.Popen(
            [f"{daemons}/master", "-c", conf, "-d"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        k.wait_until(self.answers, 20, "Postfix does not start")
        return self

    def answers(self):
        try:
            with k.Raw(self.port) as smtp:
                return smtp.line().startswith("220")
        except OSError:
            return False

    def log(self):
        return (self.folder / "log").read_text()

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
        shutil.rmtree(self.folder)


@pytest.fixture
def postfix(tmp_path, sink):
    """(kithd, Postfix): each is the other's way in or out."""
    if os.geteuid() != 0:
        pytest.skip("a Postfix of one's own needs root")
    try:
        pwd.getpwnam("postfix")
    except KeyError:
        pytest.fail("postfix is not installed")
    kith = k.Kith(tmp_path / "kith", smarthost=1)
    server = Postfix(kith.lmtp_port, sink.port)
    kith.conf.write_text(kith.conf.read_text().replace(
        "port = 1 }", f"port = {server.port} }}"))
    try:
        server.start()
        kith.start()
        yield kith, server
        kith.stop()
    finally:
        server.stop()


def test_postfix_hands_mail_in_and_is_the_smarthost(postfix, sink):
    kith, server = postfix
    make_list(kith, ANNA, "carl@example.org")
    done = swaks(server.port, "--to", TALK, "--h-Subject", "Through Postfix",
                 "--h-Message-Id", "<p1@example.net>", "--body", "one")
    assert done.returncode == 0, done.stdout
    assert {m.recipient for m in sink.wait(2)} == {ANNA, "carl@example.org"}
    copy = next(m for m in sink.mails if m.recipient == ANNA)
    answer = k.mail(ANNA, TALK, "Re: Through Postfix", "two",
                    "<p2@example.net>", In_Reply_To=copy["Message-ID"],
                    References=copy["Message-ID"])
    with smtplib.SMTP("127.0.0.1", server.port) as smtp:
        smtp.sendmail(ANNA, [TALK], answer)
    assert len(sink.wait(4)) == 4
    with kith.nntp() as news:
        assert news.group("acme.talk")[1] == 2
        assert news.over((2, 2))[1][0][1]["references"] == "<p1@example.net>"
        assert b"two" in news.body(2)[1].lines
    # an address that does not exist bounces at Postfix, not here
    with smtplib.SMTP("127.0.0.1", server.port) as smtp:
        smtp.sendmail(BERT, [f"nobody@{k.DOMAIN}"], answer)
    bounce = sink.wait(5)[4]
    assert bounce.recipient == BERT and b"550" in bounce.raw


def test_a_bounce_that_postfix_makes_is_counted_and_not_posted(postfix, sink):
    kith, server = postfix
    make_list(kith, ANNA, "gone@example.org")
    sink.rules["gone@example.org"] = "550 5.1.1 no such user"
    kith.deliver(BERT, TALK, k.mail(BERT, TALK, "To two", "x",
                                    "<b1@example.net>"))
    assert sink.wait(1)[0].recipient == ANNA

    def bounces():
        rows = kith.json("subscription", "list", "acme.talk")
        return {row["address"]: row["bounces"] for row in rows}
    k.wait_until(lambda: bounces()["gone@example.org"] == 1, 30,
                 f"the bounce was not counted:\n{server.log()}")
    assert bounces()[ANNA] == 0
    assert count_of(kith) == 1
    assert len(sink.mails) == 1  # nobody was told


def test_addresses_that_bounce_for_good_are_suspended(kith_smtp, sink):
    make_list(kith_smtp, ANNA, "gone@example.org")
    sink.rules["gone@example.org"] = "550 5.1.1 no such user"
    for number in range(6):
        kith_smtp.deliver(BERT, TALK, k.mail(
            BERT, TALK, f"n {number}", "x", f"<s{number}@example.net>"))
        kith_smtp.idle()

    def states():
        return dict(line.split("\t")[0::2] for line in kith_smtp.ctl(
            "subscription", "list", "acme.talk").splitlines())
    k.wait_until(lambda: states()["gone@example.org"] == "suspended", 20,
                 f"not suspended: {states()}")
    assert states()[ANNA] == "active"
    assert len([m for m in sink.mails if m.recipient == ANNA]) == 6


# ---- bad input

def greet(connection, verb="EHLO"):
    assert connection.line().startswith("220")
    connection.send(f"{verb} client.example\r\n")
    lines = [connection.line()]
    while lines[-1][3:4] == "-":
        lines.append(connection.line())
    assert lines[-1].startswith("250")
    return lines


def envelope(connection, sender=BERT, recipient=TALK):
    assert connection.ask(f"MAIL FROM:<{sender}>")[:3] == "250"
    assert connection.ask(f"RCPT TO:<{recipient}>")[:3] == "250"
    assert connection.ask("DATA")[:3] == "354"


HEAD = (f"From: {BERT}\r\nTo: {TALK}\r\nSubject: x\r\n"
        "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n").encode()


@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n",
                                 b"\r\n.\r", b"\r.\r\n", b"\r\n\0.\r\n"])
@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_no_odd_line_end_smuggles_a_second_mail_in(kith, end, protocol):
    make_list(kith)
    port = kith.smtp_port if protocol == "smtp" else kith.lmtp_port
    second = (f"MAIL FROM:<eve@evil.example>\r\nRCPT TO:<{TALK}>\r\nDATA\r\n"
              "From: boss@acme.example\r\nSubject: smuggled\r\n\r\nhi"
              ).encode()
    with kith.raw(port) as smtp:
        greet(smtp, "EHLO" if protocol == "smtp" else "LHLO")
        envelope(smtp)
        smtp.send(HEAD + b"\r\nfirst" + end + second + b"\r\n.\r\n")
        answer = smtp.line()
        if b"\0" in end:
            assert answer[:3] in ("250", "554"), answer
        else:
            assert answer.startswith("554"), answer
        assert smtp.ask("NOOP").startswith("250")  # and no answer more
    assert count_of(kith) <= 1
    with kith.raw() as news:
        news.line()
        news.ask("GROUP acme.talk")
        answer = news.ask("OVER 1-")
        assert not answer.startswith("224") or b"smuggled" not in \
            news.block().split(b"\t")[1]


def test_a_bare_lf_in_the_header_starts_no_header(kith):
    make_list(kith)
    with kith.raw(kith.lmtp_port) as lmtp:
        greet(lmtp, "LHLO")
        envelope(lmtp)
        lmtp.send(HEAD + b"X-One: a\nBcc: b\r\n\r\ntext\r\n.\r\n")
        assert lmtp.line().startswith("554 5.6")
    assert count_of(kith) == 0


@pytest.fixture
def tls_kith(tmp_path):
    cert, key = certificate(tmp_path)
    kith = k.Kith(tmp_path / "kith",
                  extra=f'tls {{ certificate = "{cert}" key = "{key}" }}')
    kith.context = ssl.create_default_context(cafile=cert)
    kith.start()
    yield make_list(kith, ANNA)
    kith.stop()


def test_mail_comes_in_by_starttls(tls_kith):
    with smtplib.SMTP("127.0.0.1", tls_kith.smtp_port) as smtp:
        smtp.starttls(context=tls_kith.context)
        smtp.ehlo()
        assert not smtp.has_extn("starttls")
        smtp.sendmail(BERT, [TALK], k.mail(BERT, TALK, "Secret", "x",
                                           "<tls@example.net>"))
    assert tls_kith.outbox().take(ANNA)["Subject"] == "Secret"


def test_commands_injected_behind_starttls_are_dropped(tls_kith):
    with socket.create_connection(("127.0.0.1", tls_kith.smtp_port), 20) as s:
        file = s.makefile("rb")
        file.readline()
        s.sendall(b"EHLO client.example\r\n")
        while file.readline()[3:4] == b"-":
            pass
        s.sendall(b"STARTTLS\r\nEHLO evil.example\r\n"
                  b"MAIL FROM:<eve@evil.example>\r\n")
        assert file.readline().startswith(b"220")
        try:
            with tls_kith.context.wrap_socket(
                    s, server_hostname="localhost") as secure:
                lines = secure.makefile("rb")
                secure.sendall(b"RCPT TO:<" + TALK.encode() + b">\r\n")
                assert lines.readline().startswith(b"503")
        except (ssl.SSLError, ConnectionError, EOFError):
            pass  # or the connection ends: as good


def test_mails_over_the_limit_are_refused_with_552(tmp_path):
    kith = k.Kith(tmp_path / "kith", extra="limits { mail_size = 100000 }")
    kith.start()
    make_list(kith)
    with kith.raw(kith.smtp_port) as smtp:
        assert any("SIZE 100000" in line for line in greet(smtp))
        assert smtp.ask(f"MAIL FROM:<{BERT}> SIZE=100001")[:3] == "552"
        envelope(smtp)
        smtp.send(HEAD + b"\r\n" + (b"x" * 70 + b"\r\n") * 2000 + b".\r\n")
        assert smtp.line().startswith("552 5.3.4")
        envelope(smtp)
        smtp.send(HEAD + b"\r\n" + (b"x" * 70 + b"\r\n") * 1000 + b".\r\n")
        assert smtp.line().startswith("250")
    assert count_of(kith) == 1
    kith.stop()


def nested(depth):
    parts = b""
    for level in range(depth):
        parts += (f"Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n"
                  f"--b{level}\r\n").encode()
    return HEAD + b"MIME-Version: 1.0\r\n" + parts + b"\r\ntext\r\n"


def test_a_mail_nested_too_deep_is_held_as_bad_mime(kith):
    make_list(kith, ANNA)
    kith.deliver(BERT, TALK, nested(2000))
    rows = kith.json("held", "list")
    assert [row["cause"] for row in rows] == ["bad-mime"]
    assert b"multipart/mixed" in kith.ctl(
        "held", "show", rows[0]["id"]).encode()
    kith.ctl("held", "reject", rows[0]["id"])
    assert kith.json("held", "list") == []
    # what is nested as real mail is goes through
    kith.deliver(BERT, TALK, nested(20))
    assert count_of(kith) == 1


def test_a_mail_that_stops_the_parser_twice_is_held(kith):
    make_list(kith)
    mail = k.mail(BERT, TALK, "Killer", "x" * 1000, "<killer@example.net>")
    for expected in ("451", "250"):
        parsers = set(kith.role_pids("parse"))  # one for mail, one for core
        for pid in parsers:
            os.kill(pid, signal.SIGSTOP)  # as one that does not end
        answer = kith.deliver(BERT, TALK, mail).get(TALK, "250")
        for pid in parsers & set(kith.children()):
            os.kill(pid, signal.SIGCONT)
        assert answer[:3] == expected
        k.wait_until(
            lambda old=parsers: len(set(kith.role_pids("parse")) - old) == 1,
            20, "parse was not killed and started again")
    assert [r["cause"] for r in kith.json("held", "list")] == ["bad-mime"]
    assert count_of(kith) == 0
    kith.deliver(BERT, TALK, k.mail(BERT, TALK, "Fine", "x",
                                    "<fine@example.net>"))
    assert count_of(kith) == 1
