"""The support conversation: a customer and two members of staff, one of them in
a newsreader, four times back and forth, every mail counted."""

import re

import pytest

import kith as k

SUPPORT = f"support@{k.DOMAIN}"
CUSTOMER = "customer@shop.example"
MAI = "mai@acme.example"
OTTO = "otto@acme.example"
TOKEN = re.compile(rb"support\+r\.[a-z2-7]+@lists\.example")


class Desk:
    """kithd with a support space, and a client for each person."""

    def __init__(self, kith, sink):
        self.kith = kith
        self.sink = sink
        self.taken = 0
        kith.ctl("space", "add", "acme.support", "--kind", "support", "--mail",
                 "support", "--description", "Customers write here")
        for login, address in (("mai", MAI), ("otto", OTTO)):
            kith.ctl("member", "add", address, "--login", login, "--name",
                     login.title(), "--role", "staff", "--password-stdin",
                     stdin=f"{login}'s secret\n")
        # Mai works by mail; Otto reads news and wants no mail
        kith.ctl("subscription", "add", "acme.support", MAI)

    def next(self, *recipients):
        """The next mails, exactly to these; by recipient."""
        mails = self.sink.wait(self.taken + len(recipients))[self.taken:]
        self.kith.idle()
        mails = self.sink.mails[self.taken:]
        assert sorted(m.recipient for m in mails) == sorted(recipients), \
            [(m.recipient, m["Subject"]) for m in mails]
        self.taken += len(mails)
        return {m.recipient: m for m in mails}

    def nothing(self):
        self.kith.idle()
        assert len(self.sink.mails) == self.taken, \
            [(m.recipient, m["Subject"])
             for m in self.sink.mails[self.taken:]]

    def answer(self, original, sender, text, message_id):
        to, data = k.reply_to(original, sender, text, message_id)
        assert not self.kith.deliver(sender, to, data)

    def post(self, login, text, mid):
        """A follow-up to the last article, as a newsreader writes it."""
        with self.kith.nntp(login, f"{login}'s secret") as news:
            _, _, _, last, _ = news.group("acme.support")
            row = news.over((last, last))[1][0][1]
            references = f"{row['references']} {row['message-id']}".strip()
            subject = row["subject"]
            if not subject.lower().startswith("re:"):
                subject = "Re: " + subject
            news.post([
                f"From: {login.title()} <{login}@acme.example>".encode(),
                b"Newsgroups: acme.support", f"Subject: {subject}".encode(),
                f"References: {references}".encode(),
                f"Message-ID: {mid}".encode(), b"", text.encode()])

    def ticket(self, number=1):
        return self.kith.json("ticket", "show", number)


@pytest.fixture
def desk(kith_smtp, sink):
    return Desk(kith_smtp, sink)


def opens(desk, mid="<c1@shop.example>", sender=CUSTOMER, **more):
    assert not desk.kith.deliver(sender, SUPPORT, k.mail(
        f"The Shop <{sender}>", SUPPORT, "It does not start",
        "The green light stays off.", mid, **more))


def test_four_times_back_and_forth_without_a_stray_or_double_mail(desk):
    opens(desk)
    mails = desk.next(CUSTOMER, MAI)
    ack, copy = mails[CUSTOMER], mails[MAI]
    assert "#1" in ack["Subject"]
    assert ack["Auto-Submitted"] == "auto-replied"
    assert ack["In-Reply-To"] == "<c1@shop.example>"
    assert ack.sender == ""  # MAIL FROM:<>
    assert "green light" in copy.text
    ids = ["<c1@shop.example>"]

    for turn in range(4):
        # staff: by mail and by news in turns
        text = f"Staff asks, turn {turn}."
        mid = f"<s{turn}@acme.example>"
        if turn % 2 == 0:
            desk.answer(copy, MAI, text, mid)
            answer = desk.next(CUSTOMER)[CUSTOMER]
            assert "Mai" in answer["From"]
        else:
            desk.post("otto", text, mid)
            mails = desk.next(CUSTOMER, MAI)
            answer, copy = mails[CUSTOMER], mails[MAI]
            assert "Otto" in answer["From"]
        assert text in answer.text
        assert SUPPORT in answer["From"]
        assert b"acme.example" not in answer.raw.replace(mid.encode(), b"") \
            .replace(b"<s0@acme.example>", b"").replace(
                b"<s1@acme.example>", b"").replace(b"<s2@acme.example>", b"")
        assert desk.ticket()["status"] == "pending"

        # the customer: by the token, or to the plain address by References
        text = f"Customer answers, turn {turn}."
        cid = f"<r{turn}@shop.example>"
        if turn % 2 == 0:
            desk.answer(answer, CUSTOMER, text, cid)
        else:
            references = " ".join([answer["References"] or "",
                                   answer["Message-ID"]]).strip()
            opens_not = k.mail(CUSTOMER, SUPPORT, "Re: It does not start",
                               text, cid, In_Reply_To=answer["Message-ID"],
                               References=references)
            assert not desk.kith.deliver(CUSTOMER, SUPPORT, opens_not)
        copy = desk.next(MAI)[MAI]
        assert text in copy.text
        assert desk.ticket()["status"] == "open"
        ids += [mid, cid]

    # all of it is one ticket and one thread, in order
    assert [t["number"] for t in desk.kith.json("ticket", "list")] == [1]
    assert [a["message_id"] for a in desk.ticket()["thread"]] == ids
    with desk.kith.nntp("otto", "otto's secret") as news:
        assert news.group("acme.support")[1] == 9
        rows = [row for _, row in news.over((1, 9))[1]]
        assert [row["message-id"] for row in rows] == ids
        for row in rows[1:]:
            assert row["references"].startswith("<c1@shop.example>")
    # each got what is his and nothing twice
    desk.nothing()
    to_customer = [m for m in desk.sink.mails if m.recipient == CUSTOMER]
    to_mai = [m for m in desk.sink.mails if m.recipient == MAI]
    assert len(to_customer) == 1 + 4  # the acknowledgement, four answers
    assert len(to_mai) == 1 + 4 + 2  # the customer's words, Otto's answers
    assert len({m["Message-ID"] for m in to_customer}) == len(to_customer)
    assert len({m["Message-ID"] for m in to_mai}) == len(to_mai)
    assert len(desk.sink.mails) == len(to_customer) + len(to_mai)
    # no token of one in another's mail, quoted or not
    tokens = [set().union(*(TOKEN.findall(m.raw) for m in mails))
              for mails in (to_customer, to_mai)]
    assert tokens[0] and tokens[1]
    assert not tokens[0] & tokens[1]


def test_the_same_mail_twice_is_acknowledged_once(desk):
    opens(desk)
    opens(desk)
    desk.next(CUSTOMER, MAI)
    desk.nothing()
    assert len(desk.kith.json("ticket", "list")) == 1


def test_a_reply_to_the_acknowledgement_joins_the_ticket(desk):
    opens(desk)
    ack = desk.next(CUSTOMER, MAI)[CUSTOMER]
    desk.answer(ack, CUSTOMER, "One thing more.", "<c2@shop.example>")
    assert "One thing more." in desk.next(MAI)[MAI].text
    assert len(desk.ticket()["thread"]) == 2


def test_kithctl_lists_sets_and_answers_tickets(desk):
    opens(desk)
    desk.next(CUSTOMER, MAI)
    row = desk.kith.json("ticket", "list", "acme.support")[0]
    assert (row["number"], row["status"], row["space"], row["requester"],
            row["subject"]) == (1, "open", "acme.support", CUSTOMER,
                                "It does not start")
    assert desk.kith.ctl("ticket", "list") == \
        f"1\topen\tacme.support\t{CUSTOMER}\tIt does not start\n"
    desk.kith.ctl("ticket", "reply", 1, stdin="Hold the button.\n")
    mails = desk.next(CUSTOMER, MAI)
    assert "Hold the button." in mails[CUSTOMER].text
    assert desk.ticket()["status"] == "pending"
    for status in ("solved", "open", "pending", "solved"):
        desk.kith.ctl("ticket", "set", 1, "--status", status)
        assert desk.ticket()["status"] == status
    # a word of the customer opens it again
    desk.answer(mails[CUSTOMER], CUSTOMER, "It does not help.",
                "<c2@shop.example>")
    desk.next(MAI)
    assert desk.ticket()["status"] == "open"


def test_two_customers_never_see_each_other(desk):
    opens(desk)
    first = desk.next(CUSTOMER, MAI)
    other = "other@else.example"
    opens(desk, "<x1@else.example>", other)
    second = desk.next(other, MAI)
    desk.answer(second[MAI], MAI, "For the other one.", "<s1@acme.example>")
    assert "For the other one." in desk.next(other)[other].text
    desk.answer(first[MAI], MAI, "For the first one.", "<s2@acme.example>")
    assert "For the first one." in desk.next(CUSTOMER)[CUSTOMER].text
    # a stranger with the customer's token is not the customer
    to, data = k.reply_to(first[CUSTOMER], other, "Let me in.",
                          "<x2@else.example>")
    desk.kith.deliver(other, to, data)
    desk.kith.idle()
    assert not [m for m in desk.sink.mails[desk.taken:]
                if m.recipient == CUSTOMER]


def test_staff_cannot_be_forged_by_the_address_alone(desk):
    opens(desk)
    desk.next(CUSTOMER, MAI)
    desk.kith.deliver(MAI, SUPPORT, k.mail(
        MAI, SUPPORT, "Re: It does not start", "Send your password.",
        "<f@evil.example>", References="<c1@shop.example>"))
    desk.kith.idle()
    # staff are asked; nothing of it reaches the customer
    for asked in desk.sink.mails[desk.taken:]:
        assert asked.recipient in (MAI, OTTO)
    assert [r["cause"] for r in desk.kith.json("held", "list")] == \
        ["auth-fail"]


def test_automatic_mail_is_kept_and_never_answered(desk):
    opens(desk)
    ack = desk.next(CUSTOMER, MAI)[CUSTOMER]
    desk.kith.ctl("ticket", "set", 1, "--status", "pending")
    assert not desk.kith.deliver("", ack.reply_address, k.mail(
        CUSTOMER, ack.reply_address, "Out of office", "Back on Monday.",
        "<o@shop.example>", Auto_Submitted="auto-replied"))
    desk.kith.idle()
    assert not [m for m in desk.sink.mails[desk.taken:]
                if m.recipient == CUSTOMER]
    assert desk.ticket()["status"] == "pending"
    assert not desk.kith.deliver("robot@shop.example", SUPPORT, k.mail(
        "robot@shop.example", SUPPORT, "Report", "All is well.",
        "<auto@shop.example>", Auto_Submitted="auto-generated"))
    desk.kith.idle()
    assert not [m for m in desk.sink.mails
                if m.recipient == "robot@shop.example"]
    assert len(desk.kith.json("ticket", "list")) == 1


def test_a_colleague_in_cc_takes_part(desk):
    cc = "colleague@shop.example"
    opens(desk, Cc=cc)
    mails = desk.sink.wait(2)
    desk.kith.idle()
    copy = next(m for m in mails if m.recipient == MAI)
    desk.taken = len(desk.sink.mails)
    desk.answer(copy, MAI, "For both of you.", "<s@acme.example>")
    desk.kith.idle()
    new = desk.sink.wait(desk.taken + 2)[desk.taken:]
    assert {m.recipient for m in new} == {CUSTOMER, cc}
