"""What an admin does: starts it as root, renews certificates, has a provider
with TLS and a login for a smarthost, makes backups while it serves."""

import base64
import contextlib
import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import socket
import socketserver
import ssl
import stat
import subprocess
import tempfile
import threading
import time

import pytest

import kith as k
from test_bad_days import Disk, make_list, send
from test_news import article, post
from test_processes import status_of

ANNA = "anna@example.net"
TALK = f"talk@{k.DOMAIN}"
USER = "_kith-test"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def signal_reload(kith):
    os.kill(kith.process.pid, signal.SIGHUP)


def says(kith, *texts, seconds=20):
    """Waits until the log has one of the texts."""
    def found():
        log = kith.log.read_text(errors="replace")
        return any(text in log for text in texts)
    k.wait_until(found, seconds, f"the log does not say {texts}")


def answers(port):
    with contextlib.suppress(OSError), k.Raw(port) as connection:
        return connection.line().startswith("2")
    return False


def ends(kith):
    """Starts what cannot start: (exit status, log)."""
    kith.start()
    status = kith.process.wait(20)
    kith.process = None
    return status, kith.log.read_text()


# ---- started by root

@pytest.fixture(scope="module")
def user():
    """A system user of the test's own."""
    try:
        pwd.getpwnam(USER)
        made = False
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell",
                        "/usr/sbin/nologin", USER], check=True)
        made = True
    yield pwd.getpwnam(USER)
    if made:
        subprocess.run(["userdel", USER], check=False)


@pytest.fixture
def rooted(user):
    """kithd as root starts it, in a folder that the user can reach."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="kith-root-"))
    top.chmod(0o755)
    kith = k.Kith(top / "kith", extra=f"""
user = "{USER}"
listen "local" {{ protocol = "lmtp" path = "{top}/lmtp.sock" mode = "0660" }}
""", flags=("-T",))
    kith.lmtp_path = top / "lmtp.sock"
    for name in ("store", "outbox"):
        (kith.folder / name).mkdir(mode=0o700)
        os.chown(kith.folder / name, user.pw_uid, user.pw_gid)
    yield kith
    if kith.process is not None:
        kith.stop()
    shutil.rmtree(top)


@needs_root
def test_started_by_root_nobody_but_the_parent_is_root(rooted, user):
    rooted.start()
    make_list(rooted, ANNA)
    parent = status_of(rooted.process.pid)
    assert parent["Uid"].split() == ["0"] * 4

    def confined():
        assert len(rooted.children()) >= 4
        for pid in rooted.children():
            status = status_of(pid)
            assert status["Uid"].split() == [str(user.pw_uid)] * 4
            assert status["Gid"].split() == [str(user.pw_gid)] * 4
            assert not status["Groups"].split()
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    confined()
    for path in (rooted.folder / "store").iterdir():
        assert path.stat().st_uid == user.pw_uid
        assert not stat.S_IMODE(path.stat().st_mode) & 0o007, path
    for path in (rooted.lmtp_path, rooted.folder / "control.sock"):
        info = path.stat()
        assert stat.S_ISSOCK(info.st_mode)
        assert stat.S_IMODE(info.st_mode) == 0o660
        assert (info.st_uid, info.st_gid) == (user.pw_uid, user.pw_gid)
    with socket.socket(socket.AF_UNIX) as lmtp:
        lmtp.connect(str(rooted.lmtp_path))
        assert lmtp.recv(100).startswith(b"220")
    for role in ("core", "mail", "parse", "maildir"):
        before = rooted.role_pids(role)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        k.wait_until(lambda r=role, b=before:
                     len(rooted.role_pids(r)) == len(b) and
                     not set(b) & set(rooted.role_pids(r)), 20,
                     f"{role} was not started again")
    number = 0

    def taken():
        nonlocal number
        number += 1
        with contextlib.suppress(OSError, AssertionError):
            return not send(rooted, number)
        return False
    k.wait_until(taken, 20, "the service did not resume")
    confined()
    assert rooted.outbox().take(ANNA)["Subject"] == f"n {number}"
    began = time.monotonic()
    rooted.stop()
    assert time.monotonic() - began < 5
    assert not rooted.lmtp_path.exists()
    assert not (rooted.folder / "control.sock").exists()


@needs_root
def test_kithctl_without_a_daemon_leaves_nothing_of_root_behind(rooted, user):
    rooted.start()
    make_list(rooted, ANNA)
    rooted.stop()
    backup = rooted.folder / "backup"
    backup.mkdir()
    os.chown(backup, user.pw_uid, user.pw_gid)
    rooted.ctl("check")
    rooted.ctl("backup", backup)
    for folder in (rooted.folder / "store", backup):
        for path in folder.iterdir():
            assert path.stat().st_uid == user.pw_uid, path
    rooted.start()
    assert not send(rooted, 1)


@needs_root
def test_a_user_who_does_not_exist_is_named(rooted):
    rooted.conf.write_text(rooted.conf.read_text().replace(
        USER, "_nobody-of-that-name"))
    status, log = ends(rooted)
    assert status == 1
    assert "user _nobody-of-that-name: there is none of that name" in log


@needs_root
def test_a_store_that_the_user_may_not_write_is_refused(rooted):
    os.chown(rooted.folder / "store", 0, 0)
    status, log = ends(rooted)
    assert status == 1
    assert f"{rooted.folder}/store" in log and "Permission denied" in log


# ---- start and its faults

def test_systemd_is_told_when_it_is_ready_and_when_it_stops(tmp_path):
    kith = k.Kith(tmp_path / "kith")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        path = tempfile.mktemp(prefix="kith-notify-")
        notify.bind(path)
        notify.settimeout(20)
        kith.environment = {"NOTIFY_SOCKET": path}
        try:
            kith.start(wait=False)
            assert notify.recv(1000) == b"READY=1"
            for port in (kith.nntp_port, kith.lmtp_port, kith.smtp_port):
                with kith.raw(port) as connection:
                    assert connection.line().startswith("2")
            kith.ctl("status")
            kith.stop()
            assert notify.recv(1000) == b"STOPPING=1"
        finally:
            os.unlink(path)


def test_a_second_kithd_on_the_same_control_socket_is_refused(kith):
    other = k.Kith(kith.folder.parent / "other")
    other.conf.write_text(other.conf.read_text().replace(
        str(other.folder / "control.sock"), str(kith.folder / "control.sock")))
    status, log = ends(other)
    assert status == 1
    assert f"cannot listen on {kith.folder}/control.sock: " \
        "Address already in use" in log
    kith.ctl("status")


def test_a_second_kithd_on_the_same_store_is_refused(kith):
    make_list(kith)
    other = k.Kith(kith.folder.parent / "other")
    other.conf.write_text(other.conf.read_text().replace(
        str(other.folder / "store"), str(kith.folder / "store")))
    status, log = ends(other)
    assert status == 1
    assert f"{kith.folder}/store" in log
    assert "is in use by another process" in log
    assert not send(kith, 1)
    kith.ctl("check")


def test_a_second_kithd_on_the_same_port_is_refused(kith):
    other = k.Kith(kith.folder.parent / "other")
    other.conf.write_text(other.conf.read_text().replace(
        f"port = {other.smtp_port} ", f"port = {kith.smtp_port} "))
    status, log = ends(other)
    assert status == 1
    assert f"cannot listen on 127.0.0.1 port {kith.smtp_port}: " \
        "Address already in use" in log
    assert not (other.folder / "control.sock").exists()
    with kith.raw(kith.smtp_port) as smtp:
        assert smtp.line().startswith("220")


def test_a_store_in_a_folder_that_is_not_there_is_named(tmp_path):
    kith = k.Kith(tmp_path / "kith")
    kith.conf.write_text(kith.conf.read_text().replace(
        f"{kith.folder}/store", f"{kith.folder}/no/such/store"))
    status, log = ends(kith)
    assert status == 1
    assert f"{kith.folder}/no/such/store" in log
    assert "No such file or directory" in log


def test_few_descriptors_refuse_connections_and_nothing_breaks(tmp_path):
    if shutil.which("prlimit") is None:
        pytest.skip("there is no prlimit")
    kith = k.Kith(tmp_path / "kith")
    kith.prefix = ("prlimit", "--nofile=64:64")
    make_list(kith.start(), ANNA)
    for port in (kith.nntp_port, kith.smtp_port):
        many = []
        for _ in range(90):
            many.append(socket.create_connection(("127.0.0.1", port), 20))
        k.wait_until(lambda m=many: len(select.select(m, [], [], 0)[0]) > 10,
                     20, "too few are served")
        for connection in many:
            connection.close()
        k.wait_until(lambda p=port: answers(p), 20, "it does not come back")
    assert not send(kith, 1)
    kith.outbox().take(ANNA)
    kith.ctl("check")
    kith.stop()


@needs_root
def test_a_start_on_a_full_disk_waits_for_room(tmp_path):
    disk = Disk(400)
    kith = k.Kith(tmp_path / "kith")
    kith.conf.write_text(kith.conf.read_text().replace(
        f"{kith.folder}/store", f"{disk.folder}/store"))
    try:
        disk.fill(2 * (1 << 20))
        kith.start(wait=False)
        says(kith, "room")
        assert kith.process.poll() is None
        disk.clear()
        assert kith._ready.wait(40)  # pylint: disable=protected-access
        k.wait_until(lambda: not kith.json("status")["full"], 30,
                     "room was not seen")
        make_list(kith, ANNA)
        assert not send(kith, 1)
        kith.stop()
    finally:
        if kith.process is not None:
            kith.kill()
        disk.close()


# ---- certificates

def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True,
                   capture_output=True)


class Authority:
    """A certificate authority that signs what it is asked to."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.key, self.cert = folder / "ca.key", folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=Test authority", "-keyout", self.key, "-out",
                self.cert)

    def sign(self, name, alternatives="DNS:localhost,IP:127.0.0.1"):
        key, cert = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-addext",
                f"subjectAltName={alternatives}", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", self.cert,
                "-CAkey", self.key, "-keyout", key, "-out", cert)
        return cert, key


def name_shown(port, authority):
    """The name in the certificate that an nntps listener shows."""
    context = ssl.create_default_context(cafile=authority.cert)
    with socket.create_connection(("127.0.0.1", port), 20) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as tls:
        return dict(part[0] for part in tls.getpeercert()["subject"])[
            "commonName"]


def test_a_reload_takes_a_new_certificate_and_keeps_the_old_if_it_is_broken(
        tmp_path):
    authority = Authority(tmp_path / "authority")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def install(pair):
        shutil.copy(pair[0], cert)
        shutil.copy(pair[1], key)
    one, two = authority.sign("one"), authority.sign("two")
    install(one)
    port = k.free_port()
    kith = make_list(k.Kith(tmp_path / "kith", extra=f"""
tls {{ certificate = "{cert}" key = "{key}" }}
listen nntps {{ address = "127.0.0.1" port = {port} }}
""").start())
    assert name_shown(port, authority) == "one"
    context = ssl.create_default_context(cafile=authority.cert)
    with socket.create_connection(("127.0.0.1", port), 20) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as old:
        assert old.recv(100).startswith(b"20")
        install(two)
        signal_reload(kith)
        k.wait_until(lambda: name_shown(port, authority) == "two", 20,
                     "the new certificate is not shown")
        says(kith, "reloaded")
        old.sendall(b"GROUP acme.talk\r\n")
        assert old.recv(100).startswith(b"211")
    for fault, why in (
            (lambda: cert.write_text("no certificate\n"), "PEM"),
            (lambda: (install(two), shutil.copy(one[1], key)), "that of the"),
            (cert.unlink, "No such file")):
        before = len(kith.log.read_text())
        fault()
        signal_reload(kith)
        k.wait_until(lambda b=before, w=why: w in kith.log.read_text()[b:] and
                     "stays" in kith.log.read_text()[b:], 20,
                     f"the log does not say {why} and what it does")
        time.sleep(0.1)
        assert name_shown(port, authority) == "two"
        with kith.raw() as news:
            news.line()
            assert news.ask("STARTTLS").startswith("382")
        with kith.raw(kith.smtp_port) as smtp:
            smtp.line()
            assert smtp.ask("STARTTLS").startswith("220")
    core = kith.role_pid("core")
    os.kill(core, signal.SIGKILL)
    k.wait_until(lambda: kith.role_pid("core") not in (None, core), 20,
                 "core was not started again")
    k.wait_until(lambda: answers(kith.nntp_port), 20, "news does not answer")
    assert name_shown(port, authority) == "two"
    install(one)
    signal_reload(kith)
    k.wait_until(lambda: name_shown(port, authority) == "one", 20,
                 "a good certificate is not taken after broken ones")
    kith.stop()


def test_a_start_with_a_broken_certificate_is_refused(tmp_path):
    authority = Authority(tmp_path / "authority")
    one, two = authority.sign("one"), authority.sign("two")
    kith = k.Kith(tmp_path / "kith", extra=(
        f'tls {{ certificate = "{one[0]}" key = "{two[1]}" }}'))
    status, log = ends(kith)
    assert status == 1
    assert "key" in log and "certificate" in log


# ---- from another machine

@pytest.fixture
def namespace():
    """A network of the test's own, with an address that is not loopback."""
    name = f"kith-{os.getpid()}"
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and ip")
    made = subprocess.run(["ip", "netns", "add", name], check=False,
                          capture_output=True)
    if made.returncode != 0:
        pytest.skip(f"no network of one's own: {made.stderr.decode()}")
    within = ("ip", "netns", "exec", name)
    try:
        for words in (("link", "set", "lo", "up"),
                      ("address", "add", "192.0.2.1/32", "dev", "lo")):
            done = subprocess.run([*within, "ip", *words], check=False,
                                  capture_output=True)
            if done.returncode != 0:
                pytest.skip(f"a network that does not work here: "
                            f"{done.stderr.decode()}")
        yield within
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


FAR_CLIENT = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
f = s.makefile("rb")
print(f.readline().decode().strip())
for line in sys.argv[3:]:
    s.sendall(line.encode() + b"\\r\\n")
    print(f.readline().decode().strip())
"""


def test_a_password_from_afar_needs_tls(tmp_path, namespace):
    authority = Authority(tmp_path / "authority")
    cert, key = authority.sign("one")
    kith = k.Kith(tmp_path / "kith", extra=(
        f'tls {{ certificate = "{cert}" key = "{key}" }}'))
    kith.conf.write_text(kith.conf.read_text().replace(
        'address = "127.0.0.1"', 'address = {"127.0.0.1", "192.0.2.1"}'))
    kith.prefix = namespace
    kith.start()
    kith.ctl("member", "add", ANNA, "--login", "anna", "--password-stdin",
             stdin="open sesame\n")

    def say(address, *lines):
        return subprocess.run(
            [*namespace, "/usr/bin/python3", "-c", FAR_CLIENT, address,
             str(kith.nntp_port), *lines], check=True, capture_output=True,
            text=True, timeout=30).stdout.splitlines()[1:]
    login = ("AUTHINFO USER anna", "AUTHINFO PASS open sesame")
    assert [line[:3] for line in say("127.0.0.1", *login)] == ["381", "281"]
    assert [line[:3] for line in say("192.0.2.1", *login)] == ["483", "483"]
    kith.conf.write_text("auth_without_tls = true\n" + kith.conf.read_text())
    signal_reload(kith)
    says(kith, "reloaded")
    k.wait_until(lambda: say("192.0.2.1", *login)[0][:3] == "381", 20,
                 "auth_without_tls is not applied")
    kith.stop()


# ---- a provider as the smarthost

class Provider:
    """An SMTP server at a provider: STARTTLS, then a login, then mail."""

    def __init__(self, pair=None, port=0):
        provider = self
        self.greeting = "220 smtp.provider.example"
        self.password = "open sesame"
        self.in_plain = []  # lines that came without TLS
        self.mails = []
        self.refused = 0
        self.context = None
        if pair is not None:
            self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.context.load_cert_chain(*pair)

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.secure = False
                self.file = self.request.makefile("rb")
                with contextlib.suppress(OSError):
                    self.talk()

            def say(self, *lines):
                for line in lines:
                    self.request.sendall(line.encode() + b"\r\n")

            def begin_tls(self):
                self.say("220 go on")
                self.request = provider.context.wrap_socket(
                    self.request, server_side=True)
                self.file = self.request.makefile("rb")
                self.secure = True

            def data(self):
                self.say("354 go on")
                lines = []
                while (line := self.file.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                provider.mails.append(b"".join(lines))
                self.say("250 taken")

            def login(self, line):
                words = base64.b64decode(line.split()[2]).split(b"\0")
                if words == [b"", b"kith", provider.password.encode()]:
                    self.say("235 welcome")
                else:
                    provider.refused += 1
                    self.say("535 5.7.8 no such login")

            def talk(self):
                self.say(provider.greeting)
                while line := self.file.readline():
                    verb = line[:4].upper()
                    if not self.secure:
                        provider.in_plain.append(line)
                    if verb == b"EHLO" and self.secure:
                        self.say("250-hello", "250-AUTH PLAIN", "250 8BITMIME")
                    elif verb == b"EHLO" and provider.context is not None:
                        self.say("250-hello", "250-AUTH PLAIN",
                                 "250 STARTTLS")
                    elif verb == b"STAR":
                        self.begin_tls()
                    elif verb == b"AUTH":
                        self.login(line)
                    elif verb == b"DATA":
                        self.data()
                    elif verb == b"QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def customer(tmp_path):
    """A function: kithd whose smarthost is that Provider."""
    authority = Authority(tmp_path / "authority")
    (tmp_path / "secret").write_text("open sesame\n")
    started = []

    def start(provider, host="localhost", ca=authority.cert):
        started.append(provider)
        kith = k.Kith(tmp_path / "kith", smarthost=1)
        kith.conf.write_text(kith.conf.read_text().replace(
            'smarthost { host = "127.0.0.1" port = 1 }', f'''smarthost {{
    host = "{host}" port = {provider.port} tls = "starttls"
    user = "kith" secret_file = "{tmp_path}/secret" ca_file = "{ca}" }}'''))
        started.append(kith)
        return make_list(kith.start(), ANNA)
    start.authority = authority
    yield start
    for one in reversed(started):
        if isinstance(one, Provider):
            one.close()
        elif one.process is not None:
            one.stop()


def queued(kith):
    return [(job["state"], job["deferred"])
            for job in kith.json("queue", "list")]


def nothing_leaves(kith, provider, *why):
    """The mail waits, the log says why, nothing of it went out in plain."""
    assert not send(kith, 1)
    says(kith, *why)
    k.wait_until(lambda: "mail is not going out" in kith.log.read_text(), 20,
                 "the log does not say that mail waits")
    assert len(queued(kith)) == 1
    assert not provider.mails
    for line in provider.in_plain:
        assert line[:4] in (b"EHLO", b"STAR", b"QUIT"), line
    log = kith.log.read_text()
    assert "sesame" not in log
    assert base64.b64encode(b"\0kith\0open sesame").decode() not in log


def leaves(kith, provider, flush=True):
    if flush:
        kith.ctl("queue", "flush")
    k.wait_until(lambda: provider.mails, 60, "the mail did not leave")
    kith.idle()
    assert len(provider.mails) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_mail_leaves_by_starttls_and_a_login(customer, host):
    provider = Provider(customer.authority.sign("provider"))
    kith = customer(provider, host)
    assert not send(kith, 1)
    leaves(kith, provider)
    for line in provider.in_plain:
        assert line[:4] in (b"EHLO", b"STAR")


def test_a_self_signed_certificate_gets_nothing(customer, tmp_path):
    cert, key = tmp_path / "self.pem", tmp_path / "self.key"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert)
    provider = Provider((cert, key))
    nothing_leaves(customer(provider), provider, "certificate")


def test_a_certificate_of_another_name_gets_nothing(customer):
    provider = Provider(customer.authority.sign(
        "provider", "DNS:smtp.other.example"))
    nothing_leaves(customer(provider), provider, "certificate", "hostname")


def test_a_smarthost_that_offers_no_starttls_gets_nothing(customer):
    provider = Provider()
    nothing_leaves(customer(provider), provider,
                   "the smarthost does not offer STARTTLS")


def test_a_wrong_password_keeps_the_mail_until_it_is_put_right(
        customer, tmp_path):
    provider = Provider(customer.authority.sign("provider"))
    provider.password = "open barley"
    kith = customer(provider)
    nothing_leaves(kith, provider, "AUTH was refused")
    assert "5.7.8 no such login" in kith.log.read_text()
    assert provider.refused < 5  # or the provider locks the account
    (tmp_path / "secret").write_text("open barley\n")
    signal_reload(kith)
    says(kith, "reloaded")
    leaves(kith, provider)


def test_a_smarthost_that_refuses_the_greeting_is_asked_again(customer):
    provider = Provider(customer.authority.sign("provider"))
    provider.greeting = "554 5.3.2 closed for today"
    kith = customer(provider)
    nothing_leaves(kith, provider, "closed for today")
    provider.greeting = "220 smtp.provider.example"
    leaves(kith, provider, flush=False)


def test_another_smarthost_is_used_after_a_reload(customer):
    provider = Provider(customer.authority.sign("provider"))
    provider.greeting = "554 5.3.2 closed for good"
    kith = customer(provider, "127.0.0.1")
    assert not send(kith, 1)
    says(kith, "closed for good")
    sink = k.Sink()
    # by its name: somebody has to look that up from now on
    kith.conf.write_text(re.sub(
        r"smarthost \{[^}]*\}",
        f'smarthost {{ host = "localhost" port = {sink.port} }}',
        kith.conf.read_text()))
    signal_reload(kith)
    says(kith, "reloaded")
    assert sink.wait(1, 60)[0]["Subject"] == "n 1"
    kith.idle()
    sink.close()


# ---- time

def test_a_clock_that_is_set_back_keeps_no_mail_waiting(kith_smtp, sink):
    make_list(kith_smtp, ANNA)
    kith_smtp.ctl("clock", "advance", 3 * 86400)
    sink.rules[ANNA] = "451 4.2.0 greylisted"
    assert not send(kith_smtp, 1)
    k.wait_until(lambda: queued(kith_smtp) == [("deferred", 1)], 20,
                 "nothing is deferred")
    kith_smtp.stop()
    sink.rules.clear()
    kith_smtp.start()  # three days earlier
    assert not send(kith_smtp, 2)
    kith_smtp.ctl("run-timers")
    assert sorted(m["Subject"] for m in sink.wait(2)) == ["n 1", "n 2"]
    with kith_smtp.raw() as news:
        news.line()
        assert news.ask("NEWNEWS * 20200101 000000 GMT").startswith("230")
        assert len(news.block().splitlines()) == 2
    kith_smtp.idle()
    kith_smtp.ctl("check")
