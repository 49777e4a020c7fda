"""Logins by SASL (RFC 4643) against a real kithd, with a SCRAM written here: a
client that shares no code with the server; and what wrong passwords cost."""

import base64
import hashlib
import hmac
import os
import signal
import socket
import ssl
import time

import pytest

import kith as k
from test_operations import Authority, openssl

ANNA = "anna@else.example"


def b64(data):
    return base64.b64encode(data).decode() or "="


def ask(news, command):
    line = news.ask(command)
    return line[:3], base64.b64decode(line[4:]) if line[:3] in (
        "383", "283") and line[4:] != "=" else line[4:]


def scram(news, login, password, mechanism="SCRAM-SHA-256", binding=None,
          name="tls-unique"):
    """RFC 5802 as a client; the last code. 283 is only taken as true."""
    header = f"p={name},,".encode() if binding else b"n,,"
    nonce = b64(os.urandom(18))
    first = f"n={login},r={nonce}".encode()
    code, challenge = ask(news, f"AUTHINFO SASL {mechanism} "
                                f"{b64(header + first)}")
    if code != "383":
        return code
    fields = dict(part.split("=", 1) for part in challenge.decode().split(","))
    assert fields["r"].startswith(nonce) and int(fields["i"]) >= 4096
    final = f"c={b64(header + (binding or b''))},r={fields['r']}".encode()
    signed = first + b"," + challenge + b"," + final
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                 base64.b64decode(fields["s"]),
                                 int(fields["i"]))

    def mac(key, data):
        return hmac.new(key, data, hashlib.sha256).digest()
    client = mac(salted, b"Client Key")
    signature = mac(hashlib.sha256(client).digest(), signed)
    proof = bytes(a ^ b for a, b in zip(client, signature))
    code, said = ask(news, b64(final + b",p=" + b64(proof).encode()))
    if code == "283":
        assert said == b"v=" + b64(mac(mac(salted, b"Server Key"),
                                       signed)).encode()
    return code


def plain(news, login, password):
    return ask(news, "AUTHINFO SASL PLAIN " +
               b64(f"\0{login}\0{password}".encode()))[0]


def add_member(kith, address, login, password):
    kith.ctl("member", "add", address, "--login", login, "--password-stdin",
             stdin=password + "\n")


class Tls:
    """A line-wise connection over TLS."""

    def __init__(self, port, authority, version=None, pair=None):
        context = ssl.create_default_context(cafile=authority.cert)
        if version is not None:
            context.maximum_version = version
        if pair is not None:
            context.load_cert_chain(*pair)
        self.socket = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port), 20),
            server_hostname="localhost")
        self.file = self.socket.makefile("rb")
        assert self.line().startswith("20")

    line, ask, send = k.Raw.line, k.Raw.ask, k.Raw.send
    block, close = k.Raw.block, k.Raw.close
    __enter__, __exit__ = k.Raw.__enter__, k.Raw.__exit__

    def mechanisms(self):
        self.ask("CAPABILITIES")
        return next(line.split()[1:] for line in
                    self.block().decode().splitlines()
                    if line.startswith("SASL"))


def greeted(kith):
    news = kith.raw()
    assert news.line().startswith("20")
    return news


def test_scram_and_plain_log_in_and_the_log_keeps_their_secrets(kith):
    add_member(kith, ANNA, "anna", "open sesame")
    with greeted(kith) as news:
        assert scram(news, "anna", "open sesame") == "283"
        assert ask(news, "AUTHINFO SASL PLAIN")[0] == "502"
    with greeted(kith) as news:
        assert scram(news, ANNA, "wrong") == "481"
        assert plain(news, ANNA, "open sesame") == "281"
    k.wait_until(
        lambda: kith.log.read_text().count("event=login ok=1") == 2, 20,
        "the logins are not in the log")
    log = kith.log.read_text()
    assert "sesame" not in log and b64(b"\0" + ANNA.encode()) not in log


def test_nobody_has_the_same_salt_after_a_restart(kith):
    add_member(kith, ANNA, "anna", "open sesame")

    def salt_of(login):
        with greeted(kith) as news:
            code, text = ask(news, "AUTHINFO SASL SCRAM-SHA-256 " +
                             b64(f"n,,n={login},r=abc".encode()))
            assert code == "383"
            return text.split(b",")[1:]
    before = [salt_of(login) for login in ("anna", "nobody", "other")]
    kith.stop()
    kith.start()
    assert [salt_of(login)
            for login in ("anna", "nobody", "other")] == before
    assert before[0][1] == before[1][1] and before[1] != before[2]


@pytest.fixture
def tls(tmp_path):
    """(kithd, its port for nntps, the authority of all certificates)"""
    authority = Authority(tmp_path / "authority")
    cert, key = authority.sign("server")
    port = k.free_port()
    kith = k.Kith(tmp_path / "kith", extra=f"""
tls {{ certificate = "{cert}" key = "{key}" client_ca = "{authority.cert}" }}
listen nntps {{ address = "127.0.0.1" port = {port} }}
""").start()
    add_member(kith, ANNA, "anna", "open sesame")
    yield kith, port, authority
    kith.stop()


def test_scram_plus_binds_the_login_to_the_tls_connection(tls):
    _, port, authority = tls
    with Tls(port, authority, ssl.TLSVersion.TLSv1_2) as news:
        assert news.mechanisms() == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256",
                                     "PLAIN"]
        binding = news.socket.get_channel_binding("tls-unique")
        other = bytes([binding[0] ^ 1]) + binding[1:]
        assert scram(news, "anna", "open sesame", "SCRAM-SHA-256-PLUS",
                     other) == "481"
        assert scram(news, "anna", "open sesame", "SCRAM-SHA-256-PLUS",
                     binding) == "283"
    # TLS 1.3 has no tls-unique; -PLUS is offered for tls-exporter
    with Tls(port, authority) as news:
        assert "SCRAM-SHA-256-PLUS" in news.mechanisms()
        assert scram(news, "anna", "open sesame", "SCRAM-SHA-256-PLUS",
                     binding) in ("481", "482")
        assert scram(news, "anna", "open sesame") == "283"


def test_a_certificate_is_a_login_for_the_member_whose_address_it_has(tls):
    _, port, authority = tls
    pair = authority.sign("anna", f"email:{ANNA}")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with Tls(port, authority, version, pair) as news:
            assert "EXTERNAL" in news.mechanisms()
            assert ask(news, "AUTHINFO SASL EXTERNAL " + b64(b"bea"))[0] == \
                "481"
            assert ask(news, "AUTHINFO SASL EXTERNAL =")[0] == "281"
    # one signed by somebody else is nobody's, and no reason to hang up
    stranger = Authority(authority.folder / "stranger")
    with Tls(port, authority, None,
             stranger.sign("anna", f"email:{ANNA}")) as news:
        assert "EXTERNAL" not in news.mechanisms()
        assert news.ask("DATE").startswith("111 ")


def revoke(authority, pair):
    """A list of the authority that names this certificate."""
    folder = authority.folder / "revoked"
    folder.mkdir()
    (folder / "index").write_text("")
    (folder / "number").write_text("01\n")
    conf = folder / "conf"
    conf.write_text(f"""[ca]
default_ca = it
[it]
database = {folder}/index
crlnumber = {folder}/number
default_md = sha256
default_crl_days = 2
""")
    common = ("ca", "-config", conf, "-keyfile", authority.key, "-cert",
              authority.cert)
    openssl(*common, "-revoke", pair[0])
    openssl(*common, "-gencrl", "-out", folder / "crl")
    return (folder / "crl").read_text()


def test_a_revoked_certificate_is_no_login_from_a_reload_on(tmp_path):
    authority = Authority(tmp_path / "authority")
    cert, key = authority.sign("server")
    pairs = [authority.sign(name, f"email:{ANNA}") for name in ("a", "b")]
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(authority.cert.read_text())
    port = k.free_port()
    kith = k.Kith(tmp_path / "kith", extra=f"""
tls {{ certificate = "{cert}" key = "{key}" client_ca = "{trusted}" }}
listen nntps {{ address = "127.0.0.1" port = {port} }}
""").start()

    def offered(pair):
        with Tls(port, authority, None, pair) as news:
            return "EXTERNAL" in news.mechanisms()
    assert offered(pairs[0]) and offered(pairs[1])
    trusted.write_text(authority.cert.read_text() +
                       revoke(authority, pairs[0]))
    kith.process.send_signal(signal.SIGHUP)
    k.wait_until(lambda: not offered(pairs[0]), 20, "it is not revoked")
    assert offered(pairs[1])
    # a file that is no use does not replace one that is
    trusted.write_text("rubbish\n")
    kith.process.send_signal(signal.SIGHUP)
    k.wait_until(lambda: "client_ca" in kith.log.read_text(), 20,
                 "nothing is said of it")
    assert offered(pairs[1])
    kith.stop()


def test_wrong_passwords_cost_more_and_more_and_time_forgives(kith):
    add_member(kith, ANNA, "anna", "open sesame")

    def guess(password="wrong"):
        with greeted(kith) as news:
            begun = time.monotonic()
            code = scram(news, "anna", password)
            return code, time.monotonic() - begun
    for _ in range(6):
        assert guess()[0] == "481"
    code, seconds = guess()
    assert code == "481" and seconds > 0.9
    # others are not delayed by those who wait: the loop goes on
    with greeted(kith) as slow, greeted(kith) as news:
        slow.send("AUTHINFO SASL PLAIN " + b64(b"\0anna\0wrong") + "\r\n")
        begun = time.monotonic()
        assert news.ask("DATE").startswith("111 ")
        assert time.monotonic() - begun < 1
        assert slow.line().startswith("481 ")
        assert time.monotonic() - begun > 0.9
    # a clock that is moved on ends a wait, and what was done is forgotten
    kith.ctl("clock", "advance", 7200)
    code, seconds = guess("open sesame")
    assert code == "283" and seconds < 0.9


def test_a_connection_ends_after_five_wrong_passwords(kith):
    add_member(kith, ANNA, "anna", "open sesame")
    with greeted(kith) as news:
        assert [plain(news, "anna", "wrong") for _ in range(4)] == ["481"] * 4
        assert plain(news, "anna", "wrong") == "400"
        assert news.line() == ""
