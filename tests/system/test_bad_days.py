"""Bad days: a disk without room, a smarthost that is away or refuses."""

import email.utils
import os
import shutil
import ssl
import subprocess
import tempfile
import threading

import pytest

import kith as k
from test_news import article, certificate, post

ANNA = "anna@example.net"
BERT = "bert@example.net"
TALK = f"talk@{k.DOMAIN}"


def make_list(kith, *subscribers):
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--mail", "talk",
             "--post", "anyone")
    for address in subscribers:
        kith.ctl("subscription", "add", "acme.talk", address)
    return kith


def send(kith, number):
    return kith.deliver(BERT, TALK, k.mail(
        BERT, TALK, f"n {number}", "text", f"<n{number}@example.net>"))


# ---- a disk without room

MEGABYTE = 1 << 20


class Disk:
    """A small file system of the test's own."""

    def __init__(self, megabytes):
        self.folder = tempfile.mkdtemp(prefix="kith-disk-")
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "kith-test",
             self.folder], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            os.rmdir(self.folder)
            pytest.skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
        self.filler = os.path.join(self.folder, "filler")

    def free(self):
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize

    def fill(self, leave):
        """Takes all but so many bytes."""
        with open(self.filler, "ab") as file:
            while (size := self.free() - leave) > 0:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), size)
                except OSError:  # somebody else took some meanwhile
                    continue
                file.seek(0, os.SEEK_END)

    def clear(self):
        with open(self.filler, "wb"):
            pass

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=True)
        os.rmdir(self.folder)


@pytest.fixture
def small(tmp_path):
    """(kithd whose store is on a small disk, the disk)"""
    if os.geteuid() != 0:
        pytest.skip("a small file system of one's own needs root")
    if shutil.which("mount") is None:
        pytest.skip("there is no mount")
    disk = Disk(400)
    kith = k.Kith(tmp_path / "kith")
    kith.conf.write_text(kith.conf.read_text().replace(
        f"{kith.folder}/store", f"{disk.folder}/store"))
    try:
        kith.start()
        yield make_list(kith), disk
        if kith.process is not None:
            kith.stop()
    finally:
        if kith.process is not None:
            kith.kill()
        disk.close()


def test_a_full_disk_stops_intake_only_and_intake_resumes(small):
    kith, disk = small
    kith.ctl("peer", "add", "up", "--login", "up", "--password-stdin",
             "--incoming", stdin="feed\n")
    with kith.raw() as news:
        news.line()
        for number in range(20):
            assert post(news, article(f"<a{number}@example.net>")) \
                .startswith("240")
    disk.fill(30 * MEGABYTE)
    k.wait_until(lambda: kith.json("status")["full"], 30, "not seen")
    with kith.raw() as news:
        news.line()
        assert post(news, article("<full@example.net>")).startswith("441")
        assert list(send(kith, 1).values())[0].startswith("452 4.3.1")
        news.ask("AUTHINFO USER up")
        assert news.ask("AUTHINFO PASS feed").startswith("281")
        answer = news.ask("IHAVE <full@far.example>")
        if answer.startswith("335"):
            news.send(article("<full@far.example>", more=(
                "Path: far.example!x\r\n"
                f"Date: {email.utils.formatdate()}\r\n")) + b".\r\n")
            answer = news.line()
        assert answer.startswith("436")
        # readers go on
        assert news.ask("GROUP acme.talk").startswith("211 20 1 20")
        for number in range(20):
            assert news.ask(f"BODY {number + 1}").startswith("222")
            assert news.block() == b"A line.\r\n"
        assert news.ask("STAT <full@example.net>").startswith("430")
    assert "nothing new is taken" in kith.log.read_text()
    disk.clear()
    k.wait_until(lambda: not kith.json("status")["full"], 30,
                 "room was not seen")
    with kith.raw() as news:
        news.line()
        assert post(news, article("<full@example.net>")).startswith("240")
    assert not send(kith, 1)
    kith.ctl("check")


def test_the_very_end_of_the_disk_loses_nothing_acknowledged(small):
    kith, disk = small
    acknowledged, stop = [], threading.Event()

    def poster(name):
        number = 0
        try:
            with kith.raw() as news:
                news.line()
                while not stop.is_set():
                    mid = f"<{name}.{number}@example.net>"
                    number += 1
                    if not news.ask("POST").startswith("340"):
                        return
                    news.send(article(mid, body="x" * 900 + "\r\n") + b".\r\n")
                    if news.line().startswith("240"):
                        acknowledged.append(mid)
        except OSError:
            return
    threads = [threading.Thread(target=poster, args=(f"t{n}",))
               for n in range(4)]
    for thread in threads:
        thread.start()
    k.wait_until(lambda: len(acknowledged) > 200, 30, "no posts")
    # at once, so that no look at the disk comes first
    disk.fill(0)
    k.wait_until(lambda: "nothing new is taken" in kith.log.read_text(
        errors="replace") or kith.role_pid("core") is None or
        "core waits" in kith.log.read_text(errors="replace"), 30,
        "the end was not seen")
    stop.set()
    for thread in threads:
        thread.join(30)
    disk.clear()

    def serves():
        try:
            with kith.raw() as news:
                return news.line().startswith("20") and \
                    post(news, article(f"<end{len(seen)}@example.net>")) \
                    .startswith("240")
        except OSError:
            return False
        finally:
            seen.append(1)
    seen = []
    k.wait_until(serves, 40, "the service did not resume")
    with kith.raw() as news:
        news.line()
        for mid in acknowledged:
            assert news.ask(f"STAT {mid}").startswith("223"), mid
    kith.ctl("check")


# ---- the smarthost

def test_a_smarthost_that_is_away_delays_and_loses_nothing(tmp_path):
    port = k.free_port()
    kith = make_list(k.Kith(tmp_path / "kith", smarthost=port).start(), ANNA)
    for number in range(20):
        assert not send(kith, number)
    k.wait_until(lambda: "mail is not going out" in kith.log.read_text(), 20,
                 "the log does not say so")
    assert kith.ctl("queue", "list").strip()
    sink = k.Sink(port)
    kith.ctl("queue", "flush")
    assert {m["Subject"] for m in sink.wait(20)} == \
        {f"n {number}" for number in range(20)}
    kith.idle()
    assert len(sink.mails) == 20
    kith.stop()
    sink.close()


def test_a_smarthost_that_comes_back_is_found_without_being_told(tmp_path):
    port = k.free_port()
    kith = make_list(k.Kith(tmp_path / "kith", smarthost=port).start(), ANNA)
    assert not send(kith, 1)
    k.wait_until(lambda: "mail is not going out" in kith.log.read_text(), 20,
                 "the log does not say so")
    sink = k.Sink(port)
    sink.wait(1, 60)
    kith.stop()
    sink.close()


def test_jobs_survive_a_kill_while_the_smarthost_is_away(tmp_path):
    port = k.free_port()
    kith = make_list(k.Kith(tmp_path / "kith", smarthost=port).start(), ANNA)
    assert not send(kith, 1)
    kith.kill()
    sink = k.Sink(port)
    kith.start()
    assert sink.wait(1)[0]["Subject"] == "n 1"
    kith.stop()
    sink.close()


def test_a_recipient_refused_for_now_is_tried_again_and_others_are_not(
        kith_smtp, sink):
    make_list(kith_smtp, ANNA, "slow@example.org")
    sink.rules["slow@example.org"] = "451 4.2.0 greylisted"
    assert not send(kith_smtp, 1)
    sink.wait(1)
    k.wait_until(lambda: any(r["deferred"] == 1 for r in
                             kith_smtp.json("queue", "list")), 20,
                 "nothing is deferred")
    sink.rules.clear()
    kith_smtp.ctl("clock", "advance", 120)
    kith_smtp.ctl("run-timers")
    mails = sink.wait(2)
    kith_smtp.idle()
    assert sorted(m.recipient for m in mails) == [ANNA, "slow@example.org"]
    assert len(sink.mails) == 2


def test_a_recipient_refused_for_good_is_a_bounce_and_not_tried_again(
        kith_smtp, sink):
    make_list(kith_smtp, ANNA, "gone@example.org")
    sink.rules["gone@example.org"] = "550 5.1.1 no such user"
    assert not send(kith_smtp, 1)
    sink.wait(1)
    kith_smtp.idle()
    rows = {r["address"]: r["bounces"] for r in
            kith_smtp.json("subscription", "list", "acme.talk")}
    assert rows == {ANNA: 0, "gone@example.org": 1}
    sink.rules.clear()
    kith_smtp.ctl("clock", "advance", 86400)
    kith_smtp.ctl("run-timers")
    kith_smtp.idle()
    assert len(sink.mails) == 1


def test_a_connection_cut_at_the_end_of_a_mail_sends_it_again(
        kith_smtp, sink):
    make_list(kith_smtp, ANNA)
    sink.hang_ups = 1
    assert not send(kith_smtp, 1)
    k.wait_until(lambda: sink.hang_ups == 0, 20, "no mail came")
    k.wait_until(lambda: sink.mails or any(
        r["deferred"] for r in kith_smtp.json("queue", "list")), 20,
        "it was neither deferred nor sent again")
    kith_smtp.ctl("clock", "advance", 120)
    kith_smtp.ctl("queue", "flush")
    assert sink.wait(1, 60)[0]["Subject"] == "n 1"


def test_a_list_of_two_thousand_reaches_everyone_once(kith_smtp, sink,
                                                      tmp_path):
    make_list(kith_smtp)
    everyone = {f"r{number}@example.org" for number in range(2000)}
    file = tmp_path / "addresses"
    file.write_text("\n".join(everyone) + "\n")
    kith_smtp.ctl("subscription", "import", "acme.talk", file)
    assert not send(kith_smtp, 1)
    mails = sink.wait(2000, 60)
    kith_smtp.idle()
    assert {m.recipient for m in mails} == everyone
    assert len(sink.mails) == 2000
    assert len({m.sender for m in mails}) == 2000


@pytest.fixture
def trusted(tmp_path):
    """(kithd, sink): the smarthost has a name, TLS, and wants a login."""
    cert, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    sink = k.Sink(context=context)
    (tmp_path / "secret").write_text("open sesame\n")
    kith = k.Kith(tmp_path / "kith", smarthost=1)
    kith.conf.write_text(kith.conf.read_text().replace(
        'smarthost { host = "127.0.0.1" port = 1 }',
        f'''smarthost {{ host = "localhost" port = {sink.port} tls = "implicit"
user = "kith" secret_file = "{tmp_path}/secret" ca_file = "{cert}" }}'''))
    kith.certificate = cert
    yield kith, sink
    if kith.process is not None:
        kith.stop()
    sink.close()


def test_mail_leaves_by_verified_tls_and_a_login(trusted):
    kith, sink = trusted
    make_list(kith.start(), ANNA)
    assert not send(kith, 1)
    assert sink.wait(1)[0]["Subject"] == "n 1"
    assert set(sink.logins) == {"\0kith\0open sesame"}
    assert "sesame" not in kith.log.read_text()


def test_a_smarthost_whose_certificate_is_unknown_gets_nothing(
        trusted, tmp_path):
    kith, sink = trusted
    other = tmp_path / "other"
    other.mkdir()
    kith.conf.write_text(kith.conf.read_text().replace(
        f'ca_file = "{kith.certificate}"',
        f'ca_file = "{certificate(other)[0]}"'))
    make_list(kith.start(), ANNA)
    assert not send(kith, 1)
    k.wait_until(lambda: "certificate" in kith.log.read_text(), 20,
                 "the log does not say why")
    assert not sink.mails and not sink.logins
    assert kith.ctl("queue", "list").strip()
