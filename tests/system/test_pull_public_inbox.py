"""A community moves in from a public-inbox: git and public-inbox-nntpd as Debian
has them, with mails that are written here."""

import os
import shutil
import subprocess

import pytest

from kith import Raw, end, free_port, wait_until

GROUP, ADDRESS = "inbox.talk", "talk@lists.example"
MAILS = 30

pytestmark = pytest.mark.skipif(
    shutil.which("public-inbox-nntpd") is None or shutil.which("git") is None,
    reason="public-inbox is not to be had")

# what the header of a mail may hold, and what a body must keep
FIELDS = {
    3: "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n",
    4: "Subject: folded\n over two lines\n",
    5: "X-Long: " + "x" * 900 + "\nSubject: long\n",
    6: "Subject: with\tTAB\nMIME-Version: 1.0\n"
       "Content-Type: text/plain; charset=utf-8\n"
       "Content-Transfer-Encoding: 8bit\n",
}
BODIES = {
    6: "Grüße, Việt Nam\n",
    7: "a line with one dot:\n.\n..\n.x\nFrom here on\n",
    8: "no end of line at the end",
    9: "z" * 2000 + "\n",
    10: "\n\n\n",
}


def mail(number):
    subject = FIELDS.get(number, f"Subject: mail {number}\n")
    more = f"In-Reply-To: <{number - 1}@pi.x>\n" if number > 1 else ""
    body = BODIES.get(number, f"Text of {number}.\n" * number)
    return (f"From: Bert <bert@example.net>\nTo: {ADDRESS}\n{subject}"
            f"Date: Thu, 15 Jan 2026 08:00:{number:02} +0000\n"
            f"Message-ID: <{number}@pi.x>\n{more}\n{body}").encode()


class Inbox:
    """One that watches a Maildir, and serves what it has."""

    def __init__(self, folder):
        self.folder, self.port, self.daemon = folder, free_port(), None
        self.env = {**os.environ, "HOME": str(folder)}
        self.maildir = folder / "in"
        for part in ("new", "cur", "tmp"):
            (self.maildir / part).mkdir(parents=True)
        self.run("public-inbox-init", "-V2", "-L", "basic", "--ng", GROUP,
                 "talk", folder / "talk", "http://127.0.0.1/talk", ADDRESS)
        for name, value in [
                ("publicinbox.talk.watch", f"maildir:{self.maildir}"),
                ("publicinboxwatch.spamcheck", "none"),
                ("publicinboxmda.spamcheck", "none")]:
            self.run("git", "config", "-f", folder / ".public-inbox/config",
                     name, value)
        self.log = open(folder / "log", "ab")
        self.watch = subprocess.Popen(["public-inbox-watch"], env=self.env,
                                      stdout=self.log, stderr=self.log)

    def run(self, *words, **more):
        return subprocess.run([str(word) for word in words], env={
            **self.env, "ORIGINAL_RECIPIENT": ADDRESS}, check=True,
            capture_output=True, timeout=60, **more).stdout

    def size(self):
        try:
            return int(self.run("git", "-C", self.folder / "talk/git/0.git",
                                "rev-list", "--count", "HEAD"))
        except subprocess.CalledProcessError:
            return 0            # nothing is there yet

    def put(self, numbers):
        wanted = self.size() + len(numbers)
        for number in numbers:
            path = self.maildir / "tmp" / f"{number}.x"
            path.write_bytes(mail(number))
            path.rename(self.maildir / "new" / path.name)
        wait_until(lambda: self.size() >= wanted, 60, "mails are not taken")

    def serve(self):
        if self.daemon is not None:
            end(self.daemon)
        self.daemon = subprocess.Popen(
            ["public-inbox-nntpd", "-W0", "-l",
             f"nntp://127.0.0.1:{self.port}"], env=self.env,
            stdout=self.log, stderr=self.log)
        wait_until(lambda: answers(self.port), 30, "no public-inbox-nntpd")

    def close(self):
        for process in (self.watch, self.daemon):
            if process is not None:
                end(process)
        self.log.close()


def answers(port):
    try:
        with Raw(port) as news:
            return news.line().startswith("20")
    except OSError:
        return False


@pytest.fixture
def inbox(tmp_path):
    inbox = Inbox(tmp_path / "inbox")
    yield inbox
    inbox.close()


def articles(port, group):
    """Message-ID to article, asked for one by one."""
    found = {}
    with Raw(port) as news:
        news.line()
        reply = news.ask(f"GROUP {group}").split()
        assert reply[0] == "211", reply
        for number in range(int(reply[2]), int(reply[3]) + 1):
            reply = news.ask(f"ARTICLE {number}").split()
            if reply[0] == "220":
                assert reply[2] not in found, "it stands twice"
                found[reply[2]] = news.block()
    return found


def authors(article):
    """What of it is not made by the servers that it came through; kithd adds
    References where a mail has only In-Reply-To."""
    header, body = article.split(b"\r\n\r\n", 1)
    fields = header.replace(b"\r\n ", b"\n ").split(b"\r\n")
    made = (b"path:", b"xref:", b"newsgroups:", b"cancel-lock:",
            b"references:")
    return [f for f in fields if not f.lower().startswith(made)], body


def test_all_of_a_public_inbox_is_taken_and_nothing_twice(kith, inbox):
    inbox.run("public-inbox-mda", "--no-precheck", input=mail(1))
    inbox.put(range(2, MAILS + 1))
    # one is gone again: a hole in the numbers
    inbox.run("public-inbox-learn", "rm", input=mail(20))
    inbox.serve()
    kith.ctl("space", "add", "here.talk", "--kind", "talk")
    kith.ctl("peer", "add", "old", "--pull", f"127.0.0.1:{inbox.port}")
    [row] = kith.json("peer", "pull", "old", GROUP, "here.talk")
    wanted = articles(inbox.port, GROUP)
    held = articles(kith.nntp_port, "here.talk")
    assert set(held) == {f"<{n}@pi.x>" for n in range(1, MAILS + 1)
                         if n != 20}
    assert set(held) == set(wanted)
    assert (row["taken"], row["refused"]) == (MAILS - 1, 0)
    for message_id, article in wanted.items():
        assert authors(held[message_id]) == authors(article), message_id
    # another round: what is new
    inbox.put([MAILS + 1])
    inbox.serve()
    [row] = kith.json("peer", "pull", "old")
    assert (row["taken"], row["had"]) == (MAILS, 0)
    # and from the beginning
    kith.ctl("peer", "unpull", "old", GROUP)
    [row] = kith.json("peer", "pull", "old", GROUP, "here.talk")
    assert (row["taken"], row["had"]) == (0, MAILS)
    assert len(articles(kith.nntp_port, "here.talk")) == MAILS
    kith.ctl("check")
