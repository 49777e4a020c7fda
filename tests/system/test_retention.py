"""How long and how much a space keeps, as its readers, posters and peers see it."""

import nntplib
import smtplib

import pytest

import kith as k
from test_news import article, post

DAY = 86400


def add_space(kith, name, *options):
    kith.ctl("space", "add", name, "--kind", "talk", "--mail",
             name.rpartition(".")[2], "--post", "anyone", *options)


def group(kith, name):
    """(count, first, last), as a newsreader sees them."""
    with kith.nntp() as news:
        return news.group(name)[1:4]


def test_days_pass_and_articles_go_with_right_marks(kith):
    add_space(kith, "acme.talk", "--expire-after", 7)
    with kith.nntp() as news:
        for number in range(5):
            news.post(article(f"<o{number}@example.net>", group="acme.talk")
                      .splitlines())
        # read, and so in every cache
        news.group("acme.talk")
        assert len(news.over((1, 10))[1]) == 5
        assert news.article("3")[1].message_id == "<o2@example.net>"
        news.article("<o1@example.net>")
        kith.ctl("clock", "advance", 4 * DAY)
        news.post(article("<young@example.net>", group="acme.talk")
                  .splitlines())
        kith.ctl("clock", "advance", 3 * DAY)
        # one connection, its group selected before and after
        assert news.group("acme.talk")[1:4] == (1, 6, 6)
        assert [row[0] for row in news.over((1, 10))[1]] == [6]
        with pytest.raises(nntplib.NNTPTemporaryError, match="^430"):
            news.article("<o1@example.net>")
        with pytest.raises(nntplib.NNTPTemporaryError, match="^423"):
            news.article("3")
    kith.ctl("clock", "advance", 4 * DAY)
    assert group(kith, "acme.talk") == (0, 7, 6)
    kith.stop()
    kith.start()
    assert group(kith, "acme.talk") == (0, 7, 6)
    with kith.nntp() as news:
        # known, so it does not come back
        with pytest.raises(nntplib.NNTPTemporaryError, match="^441"):
            news.post(article("<o1@example.net>", group="acme.talk")
                      .splitlines())
        news.post(article("<new@example.net>", group="acme.talk").splitlines())
    assert group(kith, "acme.talk") == (1, 7, 7)
    kith.ctl("check")


def test_a_space_has_its_own_limit_of_size_at_every_door(kith, tmp_path):
    add_space(kith, "acme.small", "--max-size", 1000)
    kith.ctl("peer", "add", "p", "--address", "127.0.0.1", "--incoming")
    big = article("<big@example.net>", group="acme.small",
                  body="A line of text.\r\n" * 100)
    fed = (b"Path: p!x\r\nDate: Fri, 02 Jan 2026 10:00:00 +0000\r\n" + big
           + b".\r\n")
    with kith.raw() as news:
        news.line()
        assert news.ask("POST").startswith("340")
        news.send(big + b".\r\n")
        assert "1000 octets" in news.line()
        news.send(b"TAKETHIS <big@example.net>\r\n" + fed)
        assert news.line().startswith("439 <big@example.net>")
        # the id is known as refused now
        assert news.ask("IHAVE <big@example.net>").startswith("435")
        assert news.ask("IHAVE <huge@example.net>").startswith("335")
        news.send(fed.replace(b"<big@", b"<huge@"))
        assert news.line().startswith("437")
    with kith.lmtp() as lmtp, pytest.raises(smtplib.SMTPDataError) as refused:
        lmtp.sendmail("x@example.net", [f"small@{k.DOMAIN}"], big)
    assert refused.value.smtp_code == 552
    assert b"5.3.4" in refused.value.smtp_error
    mbox = tmp_path / "mbox"
    mbox.write_bytes(b"From x@example.net Fri Jan  2 10:00:00 2026\n"
                     + big.replace(b"\r\n", b"\n"))
    done = kith.run_tool("kith-import", "acme.small", mbox)
    assert b"too-large" in done.stdout + done.stderr
    assert group(kith, "acme.small")[0] == 0


def test_the_limits_are_shown_and_checked(kith):
    add_space(kith, "acme.talk")
    kith.ctl("space", "set", "acme.talk", "--expire-after", 30,
             "--expire-count", 1000, "--expire-header", "yes",
             "--max-size", 65536)
    wanted = {"expire_after": 30, "expire_count": 1000, "expire_header": True,
              "max_size": 65536}
    shown = kith.json("space", "show", "acme.talk")
    assert {name: shown[name] for name in wanted} == wanted
    assert kith.json("space", "list")[0].items() >= wanted.items()
    for option, value in (("--expire-after", "soon"), ("--expire-count", -1),
                          ("--expire-header", "maybe"),
                          ("--max-size", "1 MB")):
        with pytest.raises(k.Refused) as refused:
            kith.ctl("space", "set", "acme.talk", option, value)
        assert refused.value.status == 2


def test_compacting_says_what_it_gave_back(kith):
    add_space(kith, "acme.talk", "--expire-count", 1)
    with kith.raw() as news:
        news.line()
        for number in range(400):
            assert post(news, article(
                f"<c{number}@example.net>",
                body="A line of text.\r\n" * 500)).startswith("240")
    kith.ctl("run-timers")
    assert group(kith, "acme.talk") == (1, 400, 400)
    with pytest.raises(k.Refused, match="kithctl stop first"):
        kith.ctl("space", "compact")
    kith.stop()
    result = kith.json("space", "compact")
    assert result["freed_bytes"] > 1000000
    assert result["before_bytes"] - result["after_bytes"] \
        == result["freed_bytes"]
    assert kith.ctl("space", "compact").startswith("0 bytes given back")
    kith.start()
    assert group(kith, "acme.talk") == (1, 400, 400)
    kith.ctl("check")
