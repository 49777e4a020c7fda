"""The tools: every spelling of kithctl that scripts rely on, kith-import,
kith-deliver, and kithd -n."""

import email.utils
import json
import mailbox
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

import kith as k
from test_news import article, post

ANNA = "anna@example.net"
BERT = "bert@example.net"
TALK = f"talk@{k.DOMAIN}"


def refused(kith, *args, status=1, stdin=None):
    """The words on stderr of a command that must fail so."""
    with pytest.raises(k.Refused) as caught:
        kith.ctl(*args, stdin=stdin)
    assert caught.value.status == status, caught.value
    assert caught.value.text.strip()
    return caught.value.text


def post_one(kith, mid, group="acme.talk", **more):
    with kith.raw() as news:
        news.line()
        assert post(news, article(mid, group, **more)).startswith("240")


def talk(kith, *options):
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--mail", "talk",
             "--post", "anyone", *options)
    return kith


# ---- nouns and verbs

def test_spaces_are_added_shown_changed_listed_and_removed(kith):
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--mail", "talk",
             "--description", "Talk", "--read", "anyone", "--post", "members",
             "--moderation", "none")
    kith.ctl("space", "add", "acme.news", "--kind", "announce")
    rows = kith.json("space", "list")
    assert [(r["name"], r["mail"], r["kind"]) for r in rows] == [
        ("acme.news", "", "announce"), ("acme.talk", "talk", "talk")] or \
        {r["name"] for r in rows} == {"acme.news", "acme.talk"}
    shown = kith.json("space", "show", "acme.talk")
    assert (shown["read"], shown["post"], shown["moderation"]) == \
        ("anyone", "members", "none")
    kith.ctl("space", "set", "acme.talk", "--description", "New words",
             "--post", "anyone", "--moderation", "non-members")
    shown = kith.json("space", "show", "acme.talk")
    assert (shown["description"], shown["post"], shown["moderation"]) == \
        ("New words", "anyone", "non-members")
    kith.ctl("space", "set", "acme.talk", "--moderation", "none")
    post_one(kith, "<a@example.net>")
    refused(kith, "space", "remove", "acme.talk")
    kith.ctl("space", "set", "acme.talk", "--closed", "yes")
    with kith.raw() as news:
        news.line()
        answer = news.ask("POST")
        if answer.startswith("340"):
            news.send(article("<b@example.net>") + b".\r\n")
            answer = news.line()
        assert answer[:3] in ("440", "441", "480")
    kith.ctl("space", "remove", "acme.talk", "--force")
    assert [r["name"] for r in kith.json("space", "list")] == ["acme.news"]
    with kith.raw() as news:
        news.line()
        assert news.ask("GROUP acme.talk").startswith("411")
        assert news.ask("STAT <a@example.net>").startswith("430")


def test_a_space_that_is_made_again_goes_on_with_its_numbers(kith):
    talk(kith)
    for number in range(3):
        post_one(kith, f"<{number}@example.net>")
    kith.ctl("space", "remove", "acme.talk", "--force")
    kith.kill()
    kith.start()
    talk(kith)
    with kith.raw() as news:
        news.line()
        assert news.ask("GROUP acme.talk") == "211 0 4 3 acme.talk"
        post_one(kith, "<new@example.net>")
        assert news.ask("GROUP acme.talk") == "211 1 4 4 acme.talk"
    kith.ctl("space", "remove", "acme.talk", "--force")
    talk(kith)
    with kith.raw() as news:
        news.line()
        assert news.ask("GROUP acme.talk") == "211 0 5 4 acme.talk"
    kith.ctl("check")


@pytest.mark.parametrize("words", [
    ("space", "add", "acme.x", "--kind", "panel"),
    ("space", "add", "acme.talk", "--kind", "talk"),
    ("space", "add", "acme.x", "--kind", "talk", "--mail", "talk"),
    ("space", "show", "no.such.space"),
    ("space", "set", "no.such.space", "--closed", "yes"),
    ("member", "show", "nobody@example.net"),
    ("subscription", "add", "no.such.space", ANNA),
    ("subscription", "remove", "acme.talk", "nobody@example.net"),
    ("article", "show", "<nothing@example.net>"),
    ("article", "show", "acme.talk:99"),
    ("held", "show", "99"),
    ("held", "release", "99"),
    ("ticket", "show", "99"),
    ("ticket", "set", "99", "--status", "solved"),
    ("digest", "send", "no.such.space"),
    ("queue", "remove", "99"),
    ("peer", "remove", "nobody"),
    ("peer", "show", "nobody"),
    ("peer", "pull", "nobody", "acme.talk"),
])
def test_what_cannot_be_done_exits_1_and_says_why(kith, words):
    talk(kith)
    refused(kith, *words)
    done = kith.run_tool("kithctl", "--json", *words)
    assert done.returncode == 1
    error = json.loads(done.stderr)
    assert error["error"] and error["code"]
    assert json.loads(done.stdout) == error


@pytest.mark.parametrize("words", [
    (), ("nonsense",), ("space",), ("space", "nonsense"), ("space", "add"),
    ("space", "add", "acme.x", "--nonsense", "y"), ("space", "show"),
    ("member", "add"), ("subscription", "add", "acme.talk"),
    ("article", "show"), ("held", "release"), ("ticket", "show", "x"),
    ("clock", "advance", "much"), ("batch",),
    # values that can never be right
    ("space", "add", "acme.x", "--kind", "poll"),
    ("space", "add", "acme.x", "--kind", "talk", "--mail", "a+b"),
    ("space", "add", "acme.x", "--kind", "talk", "--mail", "x-subscribe"),
    ("space", "add", "acme.x", "--kind", "talk", "--mail", "x" * 25),
    ("space", "add", "acme.x", "--kind", "talk", "--mail", "postmaster"),
    ("space", "add", "not a name", "--kind", "talk"),
    ("member", "add", "not-an-address"),
])
def test_wrong_usage_exits_2(kith, words):
    talk(kith)
    assert kith.run_tool("kithctl", *words).returncode == 2


def test_exit_69_says_that_kithd_is_not_running(tmp_path):
    kith = k.Kith(tmp_path / "kith")
    refused(kith, "status", status=69)
    done = kith.run_tool("kithctl", "--json", "space", "list")
    assert done.returncode == 69
    assert json.loads(done.stderr)["code"] == "not-running"


def test_members_have_logins_roles_addresses_and_passwords(kith):
    talk(kith, "--read", "members")
    kith.ctl("member", "add", ANNA, "--login", "anna", "--name", "Anna Ä",
             "--role", "moderator", "--password-stdin", stdin="one\n")
    kith.ctl("member", "add", BERT)
    rows = {r["address"]: r for r in kith.json("member", "list")}
    assert (rows[ANNA]["login"], rows[ANNA]["role"], rows[ANNA]["name"]) == \
        ("anna", "moderator", "Anna Ä")
    assert rows[BERT]["role"] == "member"
    kith.nntp("anna", "one").quit()
    kith.ctl("member", "password", "anna", "--password-stdin", stdin="two\n")
    with kith.raw() as news:
        news.line()
        news.ask("AUTHINFO USER anna")
        assert news.ask("AUTHINFO PASS one").startswith("481")
    kith.nntp("anna", "two").quit()
    kith.ctl("member", "set", "anna", "--role", "staff", "--name", "Anna B",
             "--add-address", "anna@example.org")
    shown = kith.json("member", "show", "anna@example.org")
    assert (shown["role"], shown["name"]) == ("staff", "Anna B")
    kith.ctl("member", "set", BERT, "--state", "suspended")
    assert kith.json("member", "show", BERT)["state"] == "suspended"
    kith.ctl("member", "remove", BERT)
    refused(kith, "member", "show", BERT)
    assert "one" not in kith.log.read_text().split()


def test_a_password_that_is_missing_is_asked_for_by_name(kith):
    assert "password" in refused(kith, "member", "add", ANNA,
                                 "--password-stdin", stdin="")


def test_subscriptions_are_added_imported_changed_and_listed(kith, tmp_path):
    talk(kith)
    kith.ctl("subscription", "add", "acme.talk", ANNA)
    kith.ctl("subscription", "add", "acme.talk", BERT, "--mode", "digest")
    assert sorted(kith.ctl("subscription", "list", "acme.talk")
                  .splitlines()) == [f"{ANNA}\teach\tactive",
                                     f"{BERT}\tdigest\tactive"]
    file = tmp_path / "addresses"
    file.write_text("one@example.org\n\n# a comment\ntwo@example.org\n")
    kith.ctl("subscription", "import", "acme.talk", file, "--mode", "nomail")
    rows = {r["address"]: r["mode"] for r in
            kith.json("subscription", "list", "acme.talk")}
    assert rows["two@example.org"] == rows["one@example.org"] == "nomail"
    kith.ctl("subscription", "set", "acme.talk", ANNA, "--mode", "plain")
    kith.ctl("subscription", "remove", "acme.talk", BERT)
    rows = {r["address"]: r["mode"] for r in
            kith.json("subscription", "list", "acme.talk")}
    assert rows[ANNA] == "plain" and BERT not in rows
    # nobody was asked or welcomed
    assert not kith.outbox().peek()


def test_an_import_of_ten_thousand_subscribers_takes_seconds(kith, tmp_path):
    talk(kith)
    file = tmp_path / "addresses"
    file.write_text("".join(f"reader{n}@example.org\n" for n in range(10000)))
    kith.ctl("subscription", "import", "acme.talk", file)
    assert len(kith.ctl("subscription", "list", "acme.talk").splitlines()) \
        == 10000
    assert kith.json("status")["members"] == 10000


def test_articles_are_shown_as_received_and_removed_everywhere(kith):
    talk(kith)
    post_one(kith, "<a@example.net>", body="..dot\r\ntext\r\n")
    by_id = kith.run_tool("kithctl", "article", "show", "<a@example.net>")
    by_number = kith.run_tool("kithctl", "article", "show", "acme.talk:1")
    assert by_id.returncode == by_number.returncode == 0
    assert by_id.stdout == by_number.stdout
    assert b".dot\r\ntext\r\n" in by_id.stdout or \
        b".dot\ntext\n" in by_id.stdout
    kith.ctl("article", "remove", "<a@example.net>")
    refused(kith, "article", "show", "<a@example.net>")
    with kith.raw() as news:
        news.line()
        assert post(news, article("<a@example.net>", body="..dot\r\ntext\r\n")) \
            .startswith("441")


def test_peers_are_added_listed_and_removed(kith):
    kith.ctl("peer", "add", "near", "--address", "192.0.2.7", "--spaces",
             "acme.*", "--incoming")
    kith.ctl("peer", "add", "far", "--login", "far", "--password-stdin",
             "--incoming", stdin="feed\n")
    rows = {r["name"]: r for r in kith.json("peer", "list")}
    assert rows["near"]["address"] == "192.0.2.7"
    assert rows["near"]["spaces"] == "acme.*" and rows["far"]["login"] == "far"
    kith.ctl("peer", "remove", "near")
    assert [r["name"] for r in kith.json("peer", "list")] == ["far"]
    assert "feed" not in kith.ctl("peer", "list")


def test_a_peer_that_could_not_be_told_from_another_is_refused(kith):
    kith.ctl("peer", "add", "near", "--address", "192.0.2.7", "--incoming")
    for words in (("add", "twin", "--address", "192.0.2.7"),
                  ("add", "twin", "--address", "::ffff:192.0.2.7"),
                  ("add", "", "--address", "192.0.2.8"),
                  ("add", "fed", "--address", "192.0.2.8", "--backlog")):
        with pytest.raises(k.Refused):
            kith.ctl("peer", *words)
    assert [r["name"] for r in kith.json("peer", "list")] == ["near"]
    kith.ctl("peer", "set", "near", "--address", "192.0.2.7", "--rate", "5")
    kith.ctl("peer", "add", "other", "--address", "192.0.2.8")
    with pytest.raises(k.Refused, match="192.0.2.7"):
        kith.ctl("peer", "set", "other", "--address", "192.0.2.7")


def test_kithctl_lists_its_commands(kith):
    everything = kith.ctl("help").splitlines()
    assert "kithctl run-timers" in everything
    of_articles = kith.ctl("help", "article").splitlines()
    assert of_articles == [line for line in everything
                           if line.startswith("kithctl article ")]
    assert len(of_articles) == 3
    with pytest.raises(k.Refused, match="help") as refused:
        kith.ctl("nonsense")
    assert refused.value.status == 2
    done = kith.run_tool("kithctl", "--help")
    assert done.returncode == 2  # not the only word: -f stands before it
    done = subprocess.run([k.BUILD / "kithctl", "--help"], check=True,
                          capture_output=True)
    assert done.stdout.startswith(b"usage: kithctl")


def test_texts_and_suggestions_reach_newsreaders(kith, tmp_path):
    talk(kith, "--suggested", "2")
    kith.ctl("space", "add", "acme.start", "--kind", "talk", "--suggested",
             "1")
    kith.ctl("space", "add", "acme.other", "--kind", "talk")
    assert "no motd" in refused(kith, "text", "show", "motd")
    kith.ctl("text", "set", "motd", stdin="Down on Friday.\n.\n")
    assert kith.ctl("text", "show", "motd") == "Down on Friday.\n.\n"
    file = tmp_path / "distributions"
    file.write_text("local\tOf this house\n")
    kith.ctl("text", "set", "distributions", file)
    assert "line 1" in refused(kith, "text", "set", "distrib-pats",
                               stdin="local\n")
    refused(kith, "text", "set", "poem", status=2, stdin="x\n")
    with kith.raw() as news:
        news.line()
        assert news.ask("LIST MOTD").startswith("215")
        assert news.block() == b"Down on Friday.\r\n.\r\n"
        assert news.ask("LIST DISTRIBUTIONS").startswith("215")
        assert news.block() == b"local\tOf this house\r\n"
        assert news.ask("LIST DISTRIB.PATS").startswith("503")
        assert news.ask("LIST SUBSCRIPTIONS").startswith("215")
        assert news.block() == b"acme.start\r\nacme.talk\r\n"
    kith.ctl("text", "remove", "motd")
    with kith.raw() as news:
        news.line()
        assert news.ask("LIST MOTD").startswith("503")


def test_held_mail_is_listed_shown_released_and_rejected(kith):
    talk(kith, "--moderation", "all")
    for number in (1, 2):
        kith.deliver(BERT, TALK, k.mail(BERT, TALK, f"Held {number}", "text",
                                        f"<held{number}@example.net>"))
    assert "2 articles" in refused(kith, "space", "remove", "acme.talk")
    rows = kith.json("held", "list")
    assert [r["subject"] for r in rows] == ["Held 1", "Held 2"]
    assert {r["cause"] for r in rows} == {"moderation"}
    assert "Held 1" in kith.ctl("held", "show", rows[0]["id"])
    kith.ctl("held", "release", rows[0]["id"])
    kith.ctl("held", "reject", rows[1]["id"], "--reason", "Not here")
    assert kith.json("held", "list") == []
    with kith.nntp() as news:
        assert news.group("acme.talk")[1] == 1
    told = kith.outbox().take(BERT)
    assert "Not here" in told.text


def test_the_queue_shows_what_waits_and_gives_it_up(tmp_path):
    kith = k.Kith(tmp_path / "kith", smarthost=k.free_port()).start()
    talk(kith)
    kith.ctl("subscription", "add", "acme.talk", ANNA)
    assert kith.json("queue", "list") == []
    kith.deliver(BERT, TALK, k.mail(BERT, TALK, "x", "y", "<q@example.net>"))
    k.wait_until(lambda: kith.json("queue", "list"), 10, "no job")
    row = kith.json("queue", "list")[0]
    assert row["space"] == "acme.talk"
    kith.ctl("queue", "remove", row["id"])
    k.wait_until(lambda: kith.json("queue", "list") == [], 10, "still there")
    kith.stop()


def test_status_and_check_are_for_scripts_too(kith):
    talk(kith)
    post_one(kith, "<a@example.net>")
    status = kith.json("status")
    assert status["articles"] == 1 and status["spaces"] == 1
    assert status["full"] is False
    assert kith.json("check")["faults"] == 0
    assert "articles: 1" in kith.ctl("status")


def test_a_batch_goes_on_after_a_line_that_failed(kith, tmp_path):
    file = tmp_path / "batch"
    file.write_text(
        "# spaces\nspace add acme.one --kind talk --description 'Two words'\n"
        "space show no.such.space\n\n"
        'space add acme.two --kind talk --description "A \\"quote\\""\n')
    text = refused(kith, "batch", file)
    assert f"{file}:3" in text
    rows = {r["name"]: r["description"] for r in kith.json("space", "list")}
    assert rows == {"acme.one": "Two words", "acme.two": 'A "quote"'}
    kith.ctl("batch", "-", stdin="space remove acme.one\n")
    assert len(kith.json("space", "list")) == 1


def test_clock_advance_needs_a_kithd_for_tests(tmp_path):
    kith = k.Kith(tmp_path / "kith", flags=("-d",)).start()
    refused(kith, "clock", "advance", "60")
    kith.stop()


def test_clock_advance_and_run_timers_make_time_pass(kith):
    before = kith.json("status")["time"]
    kith.ctl("clock", "advance", 86400)
    kith.ctl("run-timers")
    assert 86400 <= kith.json("status")["time"] - before < 86500


# ---- backup

def test_a_backup_taken_while_serving_restores_everything(tmp_path):
    kith = talk(k.Kith(tmp_path / "kith").start())
    kith.ctl("member", "add", ANNA, "--login", "anna", "--password-stdin",
             stdin="sesame\n")
    kith.ctl("subscription", "add", "acme.talk", ANNA, "--mode", "digest")
    with kith.raw() as news:
        news.line()
        for number in range(200):
            assert post(news, article(f"<b{number}@example.net>",
                                      body=f"{number}\r\n" * 50)) \
                .startswith("240")
    backup = tmp_path / "backup"
    kith.ctl("backup", backup)
    post_one(kith, "<later@example.net>")
    refused(kith, "backup", backup)  # not empty
    refused(kith, "restore", backup)  # running
    kith.stop()
    refused(kith, "restore", backup)  # the store is not empty
    shutil.rmtree(kith.folder / "store")
    kith.ctl("restore", backup)
    kith.ctl("check")
    kith.start()
    with kith.nntp("anna", "sesame") as news:
        assert news.group("acme.talk")[1:4] == (200, 1, 200)
        assert news.body(200)[1].lines == [b"199"] * 50
    assert kith.json("subscription", "list", "acme.talk")[0]["mode"] == \
        "digest"
    post_one(kith, "<after@example.net>")
    kith.ctl("check")
    kith.stop()


# ---- kith-import

TRICKY = [
    # (name, bytes with LF)
    ("dots", b"From: a@example.net\nSubject: dots\nMessage-ID: <d@x.example>\n"
             b"Date: Mon, 4 Jan 1999 10:00:00 +0100\n\n.\n..\n.x\n...end\n"),
    ("bytes", b"From: \xe4@example.net\nSubject: raw \xff 8 bit\n"
              b"Message-ID: <8@x.example>\n"
              b"Date: Mon, 4 Jan 1999 11:00:00 +0100\n\n\xe4\xf6\xfc\xfe\n"),
    ("long", b"From: a@example.net\nSubject: long\nMessage-ID: <l@x.example>\n"
             b"Date: Mon, 4 Jan 1999 12:00:00 +0100\n\n" + b"y" * 20000 +
             b"\n"),
    ("no id", b"From: a@example.net\nSubject: no id\n"
              b"Date: Mon, 4 Jan 1999 13:00:00 +0100\n\nx\n"),
    ("obsolete", b"From: Some. One <a@example.net> (x)\n"
                 b"Subject:no blank\nX-Empty:\nDate: Tue, 5 Jan 99 10:00 EST\n"
                 b"Message-Id: <o@x.example>\nReferences: <d@x.example>\n"
                 b"Newsgroups: evil.group\nPath: forged\nXref: a b:1\n"
                 b"Control: cancel <d@x.example>\n\nobsolete\n"),
    ("from", b"From: a@example.net\nSubject: from line\n"
             b"Message-ID: <f@x.example>\n"
             b"Date: Wed, 6 Jan 1999 10:00:00 +0000\n\nbefore\n"
             b"From here on it is text\n>From the start\n"),
    ("empty", b"From: a@example.net\nSubject: empty\n"
              b"Message-ID: <e@x.example>\n"
              b"Date: Thu, 7 Jan 1999 10:00:00 +0000\n\n"),
    ("multi", b"From: a@example.net\nSubject: multi\n"
              b"Message-ID: <m@x.example>\nMIME-Version: 1.0\n"
              b"Date: Thu, 7 Jan 1999 11:00:00 +0000\n"
              b"Content-Type: multipart/mixed; boundary=b\n\npreamble\n"
              b"--b\n\none\n--b\n\ntwo\n--b--\nepilogue\n"),
]


def body_of(raw):
    return raw.split(b"\n\n", 1)[1]


def check_imported(kith):
    with kith.raw() as news:
        news.line()
        _, count, first, last, _ = news.ask("GROUP acme.old").split()
        assert (count, first, last) == (str(len(TRICKY)), "1",
                                        str(len(TRICKY)))
        for number, (name, raw) in enumerate(TRICKY, 1):
            assert news.ask(f"BODY {number}").startswith("222"), name
            assert news.block() == body_of(raw).replace(b"\n", b"\r\n"), name
            assert news.ask(f"HEAD {number}").startswith("221")
            head = news.block()
            for field in raw.split(b"\n\n", 1)[0].split(b"\n"):
                if field.split(b":")[0] not in (b"Newsgroups", b"Path",
                                                b"Xref", b"Control"):
                    assert field + b"\r\n" in head, (name, field)
            assert b"\r\nNewsgroups: acme.old\r\n" in b"\r\n" + head
            assert b"evil.group" not in head
        assert news.ask("STAT <o@x.example>").startswith("223")
        assert news.ask("OVER 5").startswith("224")
        assert news.block().split(b"\t")[5] == b"<d@x.example>"


def old(kith):
    kith.ctl("space", "add", "acme.old", "--kind", "talk", "--mail", "old")
    kith.ctl("subscription", "add", "acme.old", ANNA)
    return kith


def test_an_mbox_is_imported_byte_for_byte_and_only_once(kith, tmp_path):
    old(kith)
    mbox = tmp_path / "mbox"
    text = b""
    for name, raw in TRICKY:
        if name == "from":  # as programs write it that know "From "
            raw = raw.replace(b"\nFrom here", b"\n>From here") \
                .replace(b"\n>From the", b"\n>>From the")
        text += b"From a@example.net Mon Jan  4 10:00:00 1999\n" + raw + b"\n"
    mbox.write_bytes(text)
    first = kith.run_tool("kith-import", "acme.old", mbox)
    assert first.returncode == 0, first.stderr
    with kith.raw() as news:
        news.line()
        assert news.ask("GROUP acme.old").startswith(f"211 {len(TRICKY)} ")
        for number, (name, raw) in enumerate(TRICKY, 1):
            if name == "from":
                continue
            assert news.ask(f"BODY {number}").startswith("222"), name
            assert news.block() == body_of(raw).replace(b"\n", b"\r\n"), name
    second = kith.run_tool("kith-import", "acme.old", mbox)
    assert second.returncode == 0
    with open(mbox, "ab") as file:  # the archive has grown
        file.write(b"From b@example.net Fri Jan  8 10:00:00 1999\n"
                   b"From: b@example.net\nSubject: new\n"
                   b"Message-ID: <new@x.example>\n"
                   b"Date: Fri, 8 Jan 1999 10:00:00 +0000\n\nnew\n")
    assert kith.run_tool("kith-import", "acme.old", mbox).returncode == 0
    with kith.nntp() as news:
        assert news.group("acme.old")[1] == len(TRICKY) + 1
        head = news.head("<d@x.example>")[1].lines
        assert b"Date: Mon, 4 Jan 1999 10:00:00 +0100" in head
    # nobody is sent anything
    kith.idle()
    assert not kith.outbox().peek()
    kith.ctl("check")


def test_a_maildir_is_imported_byte_for_byte(kith, tmp_path):
    old(kith)
    folder = mailbox.Maildir(tmp_path / "maildir", create=True)
    folder.close()
    for number, (_, raw) in enumerate(TRICKY):
        part = "cur" if number % 2 else "new"
        suffix = ":2,S" if part == "cur" else ""
        (tmp_path / "maildir" / part / f"{1000 + number}.M1.host{suffix}") \
            .write_bytes(raw)
    for _ in range(2):
        done = kith.run_tool("kith-import", "acme.old", tmp_path / "maildir")
        assert done.returncode == 0, done.stderr
        check_imported(kith)


def test_the_same_id_with_other_content_is_kept_under_another(kith, tmp_path):
    old(kith)
    mbox = tmp_path / "mbox"
    separator = b"From a@example.net Mon Jan  4 10:00:00 1999\n"
    one = TRICKY[0][1]
    mbox.write_bytes(separator + one + b"\n" + separator +
                     one.replace(b"...end", b"another") + b"\n")
    done = kith.run_tool("kith-import", "acme.old", mbox)
    assert done.returncode == 0, done.stderr
    with kith.nntp() as news:
        assert news.group("acme.old")[1] == 2
        head = news.head(2)[1].lines
        assert b"X-Original-Message-ID: <d@x.example>" in head


def test_an_import_into_nothing_or_of_nothing_says_so(kith, tmp_path):
    old(kith)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "mbox").write_bytes(b"From x\nFrom: a@b.example\n\nx\n")
    assert kith.run_tool("kith-import", "acme.old", tmp_path / "none") \
        .returncode != 0
    assert kith.run_tool("kith-import", "no.such.space", tmp_path / "mbox") \
        .returncode == 1
    assert kith.run_tool("kith-import", "acme.old").returncode == 2


# ---- kith-deliver

def test_kith_deliver_exits_as_sysexits_has_it(kith):
    talk(kith)
    message = k.mail(BERT, TALK, "By pipe", "text", "<pipe@example.net>") \
        .replace(b"\r\n", b"\n")

    def deliver(*recipients, data=message):
        return kith.run_tool("kith-deliver", "-r", BERT, *recipients,
                             stdin=data).returncode
    assert deliver(TALK, data=b"From x Mon Jan  4 10:00:00 1999\n" +
                   message) == 0
    assert deliver(TALK) == 0  # again: it is there
    assert deliver(f"nobody@{k.DOMAIN}") == 67
    assert deliver() == 64
    kith.ctl("space", "set", "acme.talk", "--post", "staff")
    assert deliver(TALK, data=message.replace(b"<pipe", b"<pipe2")) in (0, 77)
    with kith.nntp() as news:
        assert news.group("acme.talk")[1] == 1
    kith.stop()
    assert deliver(TALK) == 75
    kith.start()


# ---- kithd

def kithd(*args):
    return subprocess.run([k.BUILD / "kithd", *args], capture_output=True,
                          text=True, check=False, timeout=30,
                          stdin=subprocess.DEVNULL)


GOOD = """domain = "lists.example"
store { directory = "/tmp/kith-no-store" }
transport = "maildir:/tmp/kith-no-outbox"
"""


@pytest.mark.parametrize("line,text", [
    (4, 'loops = 1000'),
    (4, 'nonsense = 1'),
    (4, 'limits { article_size = -5 }'),
    (4, 'listen nntp { address = "not an address" }'),
    (4, 'listen nntp { address = "127.0.0.1" port = 99999 }'),
    (4, 'listen nntps { address = "127.0.0.1" port = 1563 }'),
    (4, 'tls { certificate = "/no/such/file" }'),
    (4, 'log { level = "chatty" }'),
    (5, '\nauth_without_tls = perhaps'),
    (4, 'digest { hour = 24 }'),
    (4, 'smarthost { host = "x" tls = "maybe" }'),
])
def test_kithd_n_names_file_and_line_of_a_fault(tmp_path, line, text):
    conf = tmp_path / "kithd.conf"
    conf.write_text(GOOD + text + "\n")
    done = kithd("-n", "-f", conf)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{conf}:{line}:") or \
        f" {conf}:{line}:" in done.stderr, done.stderr


def test_kithd_n_is_content_with_a_good_file(tmp_path):
    conf = tmp_path / "kithd.conf"
    conf.write_text(GOOD)
    assert kithd("-n", "-f", conf).returncode == 0
    assert kithd("-n", "-f", tmp_path / "none").returncode == 1
    assert kithd("-x").returncode == 2
    assert kithd("-V").stdout.startswith("kith")


def test_a_second_kithd_on_the_same_store_is_refused(kith, tmp_path):
    other = k.Kith(tmp_path / "other")
    other.conf.write_text(other.conf.read_text().replace(
        f"{other.folder}/store", f"{kith.folder}/store"))
    other.start(wait=False)
    try:
        assert other.process.wait(20) == 1
    finally:
        if other.process.poll() is None:
            other.kill()
    talk(kith)
    kith.ctl("check")
