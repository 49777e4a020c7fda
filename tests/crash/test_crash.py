"""kill -9 at random points under load, with a ledger kept by the clients of what
was acknowledged: after each restart everything in it is there, numbered once,
and reaches the subscriber."""

import collections
import os
import random
import re
import smtplib
import socket
import threading

import pytest

import kith as k

ROUNDS = int(os.environ.get("KITH_CRASH_ROUNDS", "20"))
POSTERS = 4
MAILERS = 2


class Ledger:
    """What was acknowledged with 240 or 250: Message-ID -> lines of its body."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}
        self.checked = set()
        self.enough = threading.Semaphore(0)

    def add(self, message_id, lines):
        with self.lock:
            self.acknowledged[message_id] = lines
        self.enough.release()

    def unchecked(self):
        """What was acknowledged since the last time."""
        new = set(self.acknowledged) - self.checked
        self.checked |= new
        return new


def post_until_killed(kith, ledger, name, stop, group="acme.crash"):
    """Posts one article after the other until the connection breaks."""
    try:
        with kith.raw() as news:
            news.line()
            for number in range(100000):
                if stop.is_set():
                    return
                message_id = f"<{name}.{number}@crash.example>"
                if not news.ask("POST").startswith("340"):
                    return
                lines = random.randint(1, 80)
                news.send(f"From: Poster <{name}@crash.example>\r\n"
                          f"Newsgroups: {group}\r\n"
                          f"Subject: {name} {number}\r\n"
                          f"Message-ID: {message_id}\r\n\r\n"
                          + "A line of text.\r\n" * lines
                          + ".\r\n")
                answer = news.line()
                if answer.startswith("240"):
                    ledger.add(message_id, lines)
                elif not answer.startswith("4"):
                    return
    except OSError:
        return


def mail_until_killed(kith, ledger, name, stop):
    try:
        with kith.lmtp() as lmtp:
            for number in range(100000):
                if stop.is_set():
                    return
                message_id = f"<{name}.{number}@crash.example>"
                lmtp.sendmail(
                    f"{name}@crash.example", [f"crash@{k.DOMAIN}"],
                    k.mail(f"{name}@crash.example", f"crash@{k.DOMAIN}",
                           f"{name} {number}", "text\n" * 20, message_id))
                ledger.add(message_id, 21)
    except (OSError, smtplib.SMTPException):
        return


def run_round(kith, ledger, round_number):
    stop = threading.Event()
    threads = [threading.Thread(target=post_until_killed, args=(
        kith, ledger, f"p{i}.r{round_number}", stop)) for i in range(POSTERS)]
    threads += [threading.Thread(target=mail_until_killed, args=(
        kith, ledger, f"m{i}.r{round_number}", stop)) for i in range(MAILERS)]
    for thread in threads:
        thread.start()
    # from a start that was hardly made to caches and log files that turn over
    for _ in range(int(10 ** random.uniform(1, 3.5))):
        ledger.enough.acquire(timeout=20)
    # now and then only one child dies, and the parent starts it again
    role = {2: "mail", 3: "core"}.get(round_number % 4)
    if role is not None:
        os.kill(kith.role_pid(role), 9)
    else:
        kith.kill()
    stop.set()
    for thread in threads:
        thread.join(30)
    if role is None:
        kith.start()
    else:
        k.wait_until(lambda: answers(kith), 30, f"{role} did not come back")


def answers(kith):
    try:
        with kith.raw() as news:
            return news.line().startswith("20")
    except (OSError, socket.timeout):
        return False


def numbers_of(kith):
    """number -> Message-ID of the whole group."""
    with kith.raw() as news:
        news.line()
        answer = news.ask("GROUP acme.crash").split()
        assert answer[0] == "211", answer
        if answer[1] == "0":
            return {}
        assert news.ask(f"HDR Message-ID {answer[2]}-{answer[3]}") \
            .startswith("225")
        rows = news.block().decode().splitlines()
    return {int(row.split()[0]): row.split()[1] for row in rows}


def check_bodies(kith, ledger):
    """What was acknowledged in the last round is there to its last line."""
    wanted = sorted(ledger.unchecked())
    with kith.raw() as news:
        news.line()
        for message_id in wanted:
            assert news.ask(f"BODY {message_id}").startswith("222")
            lines = news.block().count(b"\r\n")
            assert lines == ledger.acknowledged[message_id], message_id


def check_round(kith, ledger, before):
    now = numbers_of(kith)
    stored = collections.Counter(now.values())
    missing = set(ledger.acknowledged) - set(stored)
    assert not missing, f"acknowledged and lost: {sorted(missing)[:5]}"
    twice = [i for i, n in stored.items() if n > 1]
    assert not twice, f"numbered twice: {twice[:5]}"
    changed = [n for n in before if now.get(n) != before[n]]
    assert not changed, f"numbers changed: {changed[:5]}"
    check_bodies(kith, ledger)
    return now


@pytest.fixture
def kith(tmp_path):
    sink = k.Sink()
    instance = k.Kith(tmp_path / "kith", smarthost=sink.port)
    instance.sink = sink
    yield instance
    if instance.process is not None:
        instance.kill()
    sink.close()


def test_nothing_acknowledged_is_lost_by_kill_9(kith):
    random.seed(20261121)
    kith.start()
    kith.ctl("space", "add", "acme.crash", "--kind", "talk", "--mail", "crash",
             "--post", "anyone")
    kith.ctl("subscription", "add", "acme.crash", "reader@crash.example")
    ledger = Ledger()
    numbers = {}
    for round_number in range(ROUNDS):
        run_round(kith, ledger, round_number)
        numbers = check_round(kith, ledger, numbers)
    assert len(ledger.acknowledged) > ROUNDS * 10
    kith.ctl("check")  # exits 1 at any fault

    # each current subscriber gets each article at least once
    kith.ctl("run-timers")
    wanted = set(numbers.values())

    def delivered():
        return {mail["Message-ID"] for mail in list(kith.sink.mails)}
    k.wait_until(lambda: wanted <= delivered(), 60,
                 "some articles did not reach the subscriber")
    kith.idle(60)
    for mail in kith.sink.mails:
        assert re.fullmatch(r"crash\+b\.[a-z2-7]+@" + re.escape(k.DOMAIN),
                            mail.sender)
    kith.stop()


def tidy_until_killed(kith, stop):
    """Expiry, one run after the other."""
    while not stop.is_set():
        try:
            kith.ctl("run-timers")
        except k.Refused:
            return


def test_kill_9_while_articles_expire_harms_nothing(kith):
    random.seed(20261122)
    kith.start()
    kith.ctl("space", "add", "acme.crash", "--kind", "talk", "--mail", "crash",
             "--post", "anyone")
    kith.ctl("space", "add", "acme.gone", "--kind", "talk", "--mail", "gone",
             "--post", "anyone", "--expire-count", "40")
    ledger = Ledger()
    lost = Ledger()
    numbers = {}
    for round_number in range(max(ROUNDS // 4, 3)):
        stop = threading.Event()
        threads = [threading.Thread(target=post_until_killed, args=(
            kith, ledger, f"c{i}.r{round_number}", stop)) for i in range(2)]
        threads += [threading.Thread(target=post_until_killed, args=(
            kith, lost, f"g{i}.r{round_number}", stop, "acme.gone"))
            for i in range(2)]
        threads.append(threading.Thread(target=tidy_until_killed,
                                        args=(kith, stop)))
        for thread in threads:
            thread.start()
        for _ in range(int(10 ** random.uniform(1.5, 3))):
            ledger.enough.acquire(timeout=20)
        kith.kill()
        stop.set()
        for thread in threads:
            thread.join(30)
        kith.ctl("space", "compact")  # kithd being down
        kith.start()
        numbers = check_round(kith, ledger, numbers)
        kith.ctl("check")
    kith.ctl("run-timers")
    with kith.raw() as news:
        news.line()
        count, low, high = map(int, news.ask("GROUP acme.gone").split()[1:4])
    assert count == 40 and high - low == 39 and low > 1
    kith.stop()
