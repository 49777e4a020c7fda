"""COMPRESS DEFLATE (RFC 8054) with zlib as the client, in plain and over TLS."""

import ssl
import zlib

import pytest

import kith as k
import sanitizers
from test_logins import ANNA, Tls, add_member
from test_operations import Authority


class Packed:
    """Takes over a connection after 206: packs what it says."""

    def __init__(self, connection):
        self.socket = connection.socket
        self.out = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.into = zlib.decompressobj(-15)
        self.buffer = b""
        self.received = 0

    def send(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        self.socket.sendall(self.out.compress(data) +
                            self.out.flush(zlib.Z_SYNC_FLUSH))

    def until(self, end):
        """Everything up to `end`, which is one answer's."""
        while end not in self.buffer:
            data = self.socket.recv(65536)
            assert data, "the connection ended"
            self.received += len(data)
            self.buffer += self.into.decompress(data)
        text, self.buffer = self.buffer.split(end, 1)
        return (text + end).decode()

    def ask(self, command, end="\r\n"):
        self.send(command + "\r\n")
        return self.until(end.encode())


@pytest.fixture
def server(tmp_path):
    authority = Authority(tmp_path / "authority")
    cert, key = authority.sign("server")
    port = k.free_port()
    kith = k.Kith(tmp_path / "kith", extra=f"""
tls {{ certificate = "{cert}" key = "{key}" }}
listen nntps {{ address = "127.0.0.1" port = {port} }}
""").start()
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--read",
             "anyone", "--post", "members")
    add_member(kith, ANNA, "anna", "open sesame")
    yield kith, port, authority
    kith.stop()


def check_compressed(news):
    assert news.ask("AUTHINFO USER anna").startswith("381 ")
    assert news.ask("AUTHINFO PASS open sesame").startswith("281 ")
    assert news.ask("COMPRESS DEFLATE").startswith("206 ")
    packed = Packed(news)
    for number in range(200):
        assert packed.ask("POST").startswith("340 ")
        packed.send(f"From: {ANNA}\r\nNewsgroups: acme.talk\r\n"
                    f"Subject: number {number}\r\n\r\n"
                    "One of many that are much alike.\r\n.\r\n")
        assert packed.until(b"\r\n").startswith("240 ")
    assert packed.ask("GROUP acme.talk").startswith("211 200 1 200 ")
    before = packed.received
    rows = packed.ask("OVER 1-200", "\r\n.\r\n")
    assert rows.count("\r\n") == 202
    assert (packed.received - before) * 4 < len(rows)
    # pipelined, in order, each whole
    packed.send("STAT 1\r\nHEAD 2\r\nDATE\r\n")
    assert packed.until(b"\r\n").startswith("223 1 ")
    assert "number 1" in packed.until(b"\r\n.\r\n")
    assert packed.until(b"\r\n").startswith("111 ")
    assert packed.ask("COMPRESS DEFLATE").startswith("502 ")
    assert packed.ask("STARTTLS").startswith("502 ")
    assert packed.ask("QUIT").startswith("205 ")


def test_a_client_with_zlib_reads_and_posts(server):
    kith, _, _ = server
    with kith.raw() as news:
        assert news.line().startswith("20")
        check_compressed(news)


def test_compression_lies_within_tls(server):
    _, port, authority = server
    with Tls(port, authority, ssl.TLSVersion.TLSv1_3) as news:
        check_compressed(news)


@sanitizers.measures_memory
def test_a_bomb_costs_kithd_no_memory(server):
    kith, _, _ = server
    with kith.raw() as news:
        assert news.line().startswith("20")
        assert news.ask("COMPRESS DEFLATE").startswith("206 ")
        packed = Packed(news)
        line = b"STAT <" + b"x" * 200 + b"@y.example>\r\n"
        pid = kith.role_pid("core")

        def resident():
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                return next(int(text.split()[1]) for text in f
                            if text.startswith("VmRSS"))
        before = resident()
        # 100 MB of what is no command, in one line: some 100 KB on the wire
        packed.send(b"x" * (100 << 20))
        packed.send(b"\r\n" + line)
        assert packed.until(b"\r\n").startswith("501 ")
        assert packed.until(b"\r\n").startswith("430 ")
        assert resident() - before < 8192
