"""Joining and leaving by mail, and digests."""

import email
import email.policy
import re

import kith as k

ANNA = "anna@example.net"
BERT = "bert@example.net"
TALK = f"talk@{k.DOMAIN}"


def make_list(kith, *options):
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--mail", "talk",
             "--post", "anyone", *options)
    return kith


def write(kith, to, text="", subject="hello", sender=ANNA, **more):
    write.count += 1
    return kith.deliver(sender, to, k.mail(
        sender, to, subject, text, f"<w{write.count}@example.net>", **more))


write.count = 0


def rows(kith):
    return {r["address"]: (r["mode"], r["state"]) for r in
            kith.json("subscription", "list", "acme.talk")}


def say(kith, original, sender, text):
    write.count += 1
    to, data = k.reply_to(original, sender, text,
                          f"<say{write.count}@example.net>")
    return kith.deliver(sender, to, data)


def test_a_mail_client_joins_reads_and_leaves(kith):
    make_list(kith)
    outbox = kith.outbox()
    assert not write(kith, f"talk+subscribe@{k.DOMAIN}")
    assert rows(kith) == {ANNA: ("each", "unconfirmed")}
    question = outbox.take(ANNA)
    assert re.search("confirm", question["Subject"], re.I)
    assert question["Auto-Submitted"] == "auto-replied"
    # until then nothing is sent
    assert not write(kith, TALK, "before", sender=BERT)
    kith.idle()
    assert not outbox.peek(ANNA)
    assert not say(kith, question, ANNA, "yes")
    assert rows(kith) == {ANNA: ("each", "active")}
    assert "elcome" in outbox.take(ANNA)["Subject"]
    assert not write(kith, TALK, "after", "The first", sender=BERT)
    copy = outbox.take(ANNA)
    assert copy["Subject"] == "The first"
    leave = re.search(r"<mailto:([^>?]+)", copy["List-Unsubscribe"]).group(1)
    # what the button of a mail client sends
    assert not write(kith, leave, "", "unsubscribe")
    assert rows(kith) == {}
    assert "left" in outbox.take(ANNA)["Subject"]
    assert not write(kith, TALK, "gone", sender=BERT)
    kith.idle()
    assert not outbox.peek(ANNA)


def test_commands_work_with_a_hyphen_and_in_any_case(kith):
    make_list(kith)
    outbox = kith.outbox()
    write(kith, f"TALK-Subscribe-Digest@{k.DOMAIN.upper()}")
    question = outbox.take(ANNA)
    to, data = k.reply_to(question, ANNA, "ok", "<case@example.net>")
    assert not kith.deliver(ANNA.upper(), to.upper(), data)
    assert rows(kith) == {ANNA: ("digest", "active")}
    outbox.take(ANNA)
    write(kith, f"talk+help@{k.DOMAIN}")
    assert "subscribe" in outbox.take(ANNA).text


def test_a_request_names_what_is_wanted(kith):
    make_list(kith)
    outbox = kith.outbox()
    write(kith, f"talk+request@{k.DOMAIN}", "subscribe plain\n")
    say(kith, outbox.take(ANNA), ANNA, "yes")
    assert rows(kith) == {ANNA: ("plain", "active")}
    outbox.take(ANNA)
    write(kith, f"talk+request@{k.DOMAIN}", "", "unsubscribe")
    last = outbox.take(ANNA)
    if ANNA in rows(kith):  # asked for a word of consent first
        say(kith, last, ANNA, "yes")
    assert rows(kith) == {}


def test_somebody_else_cannot_confirm_and_no_machine_does(kith):
    make_list(kith)
    outbox = kith.outbox()
    write(kith, f"talk+subscribe@{k.DOMAIN}")
    question = outbox.take(ANNA)
    write(kith, question.reply_address, "away", "Out of office",
          Auto_Submitted="auto-replied")
    assert rows(kith)[ANNA][1] == "unconfirmed"
    assert say(kith, question, "eve@evil.example", "yes")
    assert rows(kith)[ANNA][1] == "unconfirmed"
    # a confirmation that is altered
    address = question.reply_address
    broken = address.replace("+c.", "+c.a" if "+c.a" not in address
                             else "+c.b", 1)
    assert write(kith, broken, "yes")
    kith.idle()
    assert not outbox.peek()


def test_answers_to_one_address_are_capped(kith):
    make_list(kith)
    for _ in range(30):
        write(kith, f"talk+help@{k.DOMAIN}")
    kith.idle()
    assert len(kith.outbox().peek(ANNA)) <= 10


def test_a_poster_who_may_not_post_gets_one_clear_answer(kith):
    make_list(kith)
    kith.ctl("space", "set", "acme.talk", "--post", "members")
    refused = write(kith, TALK, "Hello", sender="eve@example.org")
    kith.idle()
    answers = kith.outbox().peek("eve@example.org")
    # at the door, or by mail: not both, not neither
    assert bool(refused) != bool(answers), (refused, answers)
    with kith.nntp() as news:
        assert news.group("acme.talk")[1] == 0


def test_moderators_decide_by_reply(kith):
    make_list(kith, "--moderation", "all")
    kith.ctl("member", "add", "mod@acme.example", "--role", "moderator")
    outbox = kith.outbox()
    for number in (1, 2):
        write(kith, TALK, f"text {number}", f"Post {number}", sender=BERT)
    first = outbox.take("mod@acme.example")
    second = outbox.take("mod@acme.example")
    assert not say(kith, first, "mod@acme.example", "approve")
    assert not say(kith, second, "mod@acme.example", "reject Not our topic")
    assert kith.json("held", "list") == []
    with kith.nntp() as news:
        assert news.group("acme.talk")[1] == 1
        assert news.over((1, 1))[1][0][1]["subject"] == "Post 1"
    assert "Not our topic" in outbox.take(BERT).text


# ---- digests

TEXTS = ["Hello from Huế.", "- a line with a minus\n\n" + "-" * 30 + "\n\nend",
         "Third."]


def digests(kith):
    make_list(kith)
    kith.ctl("subscription", "add", "acme.talk", ANNA, "--mode", "digest")
    kith.ctl("subscription", "add", "acme.talk", BERT, "--mode", "plain")
    kith.ctl("subscription", "add", "acme.talk", "none@example.net", "--mode",
             "nomail")
    for number, text in enumerate(TEXTS, 1):
        kith.deliver("carl@example.org", TALK, k.mail(
            "Carl <carl@example.org>", TALK, f"Subject {number}", text,
            f"<dig{number}@example.org>", MIME_Version="1.0",
            Content_Type="text/plain; charset=utf-8",
            Content_Transfer_Encoding="8bit"))
    kith.ctl("digest", "send", "acme.talk")
    kith.idle()
    return kith


def test_a_mime_digest_is_what_python_understands_as_one(kith):
    outbox = digests(kith).outbox()
    digest = outbox.take(ANNA)
    assert digest["List-Unsubscribe"] and digest["List-Id"]
    message = email.message_from_bytes(digest.raw,
                                       policy=email.policy.default)
    inner = [part for part in message.walk()
             if part.get_content_type() == "multipart/digest"]
    assert len(inner) == 1
    articles = [part.get_content() for part in inner[0].iter_parts()]
    assert [a["Subject"] for a in articles] == \
        [f"Subject {n}" for n in (1, 2, 3)]
    assert [a["Message-ID"] for a in articles] == \
        [f"<dig{n}@example.org>" for n in (1, 2, 3)]
    for text, part in zip(TEXTS, articles):
        assert part.get_content().splitlines()[:1] == text.splitlines()[:1]
    assert not outbox.peek("none@example.net")


def test_a_plain_digest_is_as_rfc_1153_has_it(kith):
    outbox = digests(kith).outbox()
    digest = outbox.take(BERT)
    lines = digest.text.split("\n")
    assert lines.count("-" * 70) == 1
    # 30 hyphens between blank lines end each message; those in a text do not
    assert digest.text.count("\n\n" + "-" * 30 + "\n\n") == \
        len(TEXTS) + 1  # and the footer
    assert "Hello from Huế." in lines
    assert any(line.startswith("End of ") for line in lines)
    assert lines.index("-" * 70) < lines.index("Hello from Huế.")


def test_nothing_is_sent_twice_and_nothing_when_there_is_nothing(kith):
    outbox = digests(kith).outbox()
    outbox.take(ANNA)
    outbox.take(BERT)
    kith.ctl("digest", "send", "acme.talk")
    kith.ctl("clock", "advance", 86400)
    kith.ctl("run-timers")
    kith.idle()
    assert not outbox.peek()


def test_the_hour_of_the_space_sends_the_digest(kith):
    make_list(kith, "--digest-hour", "7")
    kith.ctl("subscription", "add", "acme.talk", ANNA, "--mode", "digest")
    write(kith, TALK, "text", "Daily", sender=BERT)
    kith.idle()
    assert not kith.outbox().peek()
    kith.ctl("clock", "advance", 86400)
    kith.ctl("run-timers")
    assert "Daily" in kith.outbox().take(ANNA).raw.decode()


def test_enough_articles_send_the_digest_at_once(kith):
    make_list(kith, "--digest-articles", "3")
    kith.ctl("subscription", "add", "acme.talk", ANNA, "--mode", "digest")
    for number in range(3):
        write(kith, TALK, "text", f"n {number}", sender=BERT)
    kith.ctl("run-timers")
    digest = kith.outbox().take(ANNA)
    assert digest.raw.count(b"\nSubject: n ") == 3
