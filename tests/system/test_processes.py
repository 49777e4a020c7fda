"""The processes of kithd: killed, stopped, confined, and many at their doors."""

import os
import pathlib
import pwd
import resource
import select
import shutil
import signal
import socket
import tempfile
import time

import pytest

import kith as k
from test_news import article, post

ANNA = "anna@example.net"
BERT = "bert@example.net"
TALK = f"talk@{k.DOMAIN}"
ROLES = ("core", "mail", "parse")


@pytest.fixture
def talk(kith_smtp):
    kith_smtp.ctl("space", "add", "acme.talk", "--kind", "talk", "--mail",
                  "talk", "--post", "anyone")
    kith_smtp.ctl("subscription", "add", "acme.talk", ANNA)
    return kith_smtp


def serves(kith):
    """News and mail both answer, and a mail gets through to an article."""
    try:
        with kith.raw() as news:
            if not news.line().startswith("20"):
                return False
        serves.count += 1
        return not kith.deliver(BERT, TALK, k.mail(
            BERT, TALK, "again", "x", f"<again{serves.count}@example.net>"))
    except (OSError, AssertionError):
        return False


serves.count = 0


@pytest.mark.parametrize("role", ROLES)
def test_a_child_that_is_killed_comes_back_and_nothing_is_lost(
        talk, sink, role):
    posted = []
    with talk.raw() as news:
        news.line()
        for number in range(20):
            mid = f"<k{number}@example.net>"
            assert post(news, article(mid)).startswith("240")
            posted.append(mid)
    before = talk.role_pids(role)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    k.wait_until(lambda: len(talk.role_pids(role)) == len(before) and
                 not set(before) & set(talk.role_pids(role)), 20,
                 f"{role} was not started again")
    k.wait_until(lambda: serves(talk), 20, "the service did not resume")
    with talk.raw() as news:
        news.line()
        for mid in posted:
            assert news.ask(f"STAT {mid}").startswith("223")
    k.wait_until(lambda: set(posted) <= {
        m["Message-ID"] for m in list(sink.mails)}, 30,
        "not all reached the subscriber")
    talk.idle()
    assert "died of signal 9" in talk.log.read_text()


def test_a_child_that_keeps_dying_is_started_with_back_off(talk):
    starts = 0
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for pid in talk.role_pids("mail"):
            os.kill(pid, signal.SIGKILL)
            starts += 1
        select.select([], [], [], 0.01)
    assert starts < 20
    k.wait_until(lambda: serves(talk), 30, "the service did not resume")


def test_sigterm_ends_all_within_five_seconds_in_the_middle_of_work(talk):
    children = talk.children()
    idle = [talk.raw() for _ in range(20)]
    busy = talk.raw()
    busy.line()
    busy.send(b"POST\r\n")
    busy.line()
    busy.send(article("<half@example.net>"))
    lmtp = talk.raw(talk.lmtp_port)
    lmtp.line()
    began = time.monotonic()
    talk.stop()
    assert time.monotonic() - began < 5
    for pid in children:
        assert not os.path.exists(f"/proc/{pid}")
    for connection in [*idle, busy, lmtp]:
        connection.close()


def test_kithctl_stop_ends_it_as_well(talk):
    talk.ctl("stop")
    assert talk.process.wait(5) == 0
    talk.process = None


def test_the_children_end_when_the_parent_is_killed(talk):
    children = talk.children()
    os.kill(talk.process.pid, signal.SIGKILL)
    talk.process.wait(10)
    talk.process = None

    def gone():
        return not any(os.path.exists(f"/proc/{pid}") for pid in children)
    k.wait_until(gone, 10, "children outlive their parent")
    talk.start()
    assert serves(talk)


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.split(":\t", 1) for line in
                    file.read().replace(":  ", ":\t").splitlines()
                    if ":\t" in line)


def test_every_child_is_behind_its_filter(kith):
    assert kith.role_pid("maildir") is not None
    for pid in kith.children():
        status = status_of(pid)
        assert status["Seccomp"].strip() == "2", status["Name"]
        assert status["NoNewPrivs"].strip() == "1"
    for role in ("mail", "parse"):
        for pid in kith.role_pids(role):
            for name in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                assert not target.startswith(str(kith.folder / "store")), \
                    f"{role} has {target} open"


def memory_of(pid):
    """Resident kilobytes."""
    return int(status_of(pid)["VmRSS"].split()[0])


def test_a_reader_who_never_reads_costs_bounded_memory(talk):
    line = "x" * 990 + "\r\n"
    with talk.raw() as news:
        news.line()
        for number in range(5):
            assert post(news, article(f"<big{number}@example.net>",
                                      body=line * 3000)).startswith("240")
    core = talk.role_pid("core")
    before = memory_of(core)
    slow = []
    for _ in range(10):
        connection = socket.create_connection(("127.0.0.1", talk.nntp_port),
                                              20)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        sent = b"GROUP acme.talk\r\n" + b"".join(
            b"ARTICLE %d\r\n" % (n % 5 + 1) for n in range(200))
        while sent:
            try:
                sent = sent[connection.send(sent):]
            except BlockingIOError:
                break
        slow.append(connection)
    # others are served meanwhile
    began = time.monotonic()
    with talk.raw() as news:
        news.line()
        news.ask("GROUP acme.talk")
        for number in range(100):
            assert news.ask(f"STAT {number % 5 + 1}").startswith("223")
        assert news.ask("BODY 1").startswith("222")
        assert len(news.block()) == 3000 * len(line)
    assert time.monotonic() - began < 5
    # ten readers, each 600 MB of answers ahead of it
    assert memory_of(core) - before < 40000
    for connection in slow:
        connection.close()


def test_a_thousand_idle_connections_are_cheap_and_all_alive(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip(f"only {hard} descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    kith = k.Kith(tmp_path / "kith",
                  extra="limits { connections_per_address = 0 }").start()
    core = kith.role_pid("core")
    before = memory_of(core)
    connections = [socket.create_connection(("127.0.0.1", kith.nntp_port), 20)
                   for _ in range(1000)]
    for connection in connections:
        assert connection.recv(1000).startswith(b"20")
    assert (memory_of(core) - before) / 1000 < 6  # KB each
    for connection in connections:
        connection.sendall(b"DATE\r\n")
    for connection in connections:
        assert connection.recv(1000).startswith(b"111")
        connection.close()
    kith.stop()


def test_one_address_gets_no_more_connections_than_the_limit(tmp_path):
    kith = k.Kith(tmp_path / "kith",
                  extra="limits { connections_per_address = 5 }").start()
    for port, refusal in ((kith.nntp_port, "400"), (kith.smtp_port, "421")):
        open_ones = [kith.raw(port) for _ in range(5)]
        for connection in open_ones:
            assert connection.line()[0] == "2"
        with kith.raw(port) as sixth:
            assert sixth.line().startswith(refusal)
        for connection in open_ones:
            connection.close()

        def welcome(port=port):
            with kith.raw(port) as again:
                return again.line()[0] == "2"
        k.wait_until(welcome, 10, "places are not given back")
    kith.stop()


def test_started_as_root_all_but_the_parent_are_somebody_else(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    # below /tmp itself: the user must be able to get there
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kith-root-"))
    nobody = pwd.getpwnam("nobody")
    kith = k.Kith(folder / "kith", extra='user = "nobody"', flags=("-T",))
    try:
        for part in (folder, folder / "kith"):
            os.chmod(part, 0o755)
        for part in ("store", "outbox"):
            (folder / "kith" / part).mkdir()
            os.chown(folder / "kith" / part, nobody.pw_uid, nobody.pw_gid)
        os.chown(folder / "kith", nobody.pw_uid, nobody.pw_gid)
        kith.start()
        for pid in kith.children():
            status = status_of(pid)
            assert set(status["Uid"].split()) == {str(nobody.pw_uid)}
            assert set(status["Gid"].split()) == {str(nobody.pw_gid)}
            assert int(status["CapEff"], 16) == 0
        kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--post",
                 "anyone")
        with kith.raw() as news:
            news.line()
            assert post(news, article("<r@example.net>")).startswith("240")
        kith.stop()
    finally:
        if kith.process is not None:
            kith.kill()
        shutil.rmtree(folder)


# ---- reload

def test_a_reload_applies_what_can_be_and_keeps_all_when_it_is_wrong(talk):
    good = talk.conf.read_text()
    talk.conf.write_text(good + "\nlimits { mail_size = 50000 }\n")
    os.kill(talk.process.pid, signal.SIGHUP)

    def size():
        with talk.raw(talk.smtp_port) as smtp:
            smtp.line()
            smtp.send("EHLO client.example\r\n")
            while not (line := smtp.line()).startswith("250 "):
                pass
            return line
    k.wait_until(lambda: size() == "250 SIZE 50000", 10, "not applied")
    log = len(talk.log.read_text())
    talk.conf.write_text(good + "\nlimits { mail_size = much }\n")
    os.kill(talk.process.pid, signal.SIGHUP)
    line = good.count("\n") + 2
    k.wait_until(lambda: f"{talk.conf}:{line}:" in talk.log.read_text()[log:],
                 10, "the fault is not in the log")
    assert size() == "250 SIZE 50000"
    assert serves(talk)
