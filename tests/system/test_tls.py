"""TLS of the news side (RFC 4642, RFC 8143) with OpenSSL as Python has it."""

import contextlib
import socket
import ssl

import pytest

import kith as k
import sanitizers
from test_operations import Authority

CONNECTIONS = 300


@pytest.fixture
def server(tmp_path):
    authority = Authority(tmp_path / "authority")
    cert, key = authority.sign("server")
    port = k.free_port()
    kith = k.Kith(tmp_path / "kith", extra=f"""
tls {{ certificate = "{cert}" key = "{key}" }}
listen nntps {{ address = "127.0.0.1" port = {port} }}
limits {{ connections_per_address = 0 }}
""").start()
    yield kith, port, ssl.create_default_context(cafile=authority.cert)
    kith.stop()


def connect(port, context):
    """A TLS connection that tells an end with close_notify from one without."""
    plain = socket.create_connection(("127.0.0.1", port), 20)
    return context.wrap_socket(plain, server_hostname="localhost",
                               suppress_ragged_eofs=False)


def line(tls):
    text = b""
    while not text.endswith(b"\n"):
        text += tls.recv(1)
    return text.decode()


def test_an_end_is_said_in_tls_too(server):
    _, port, context = server
    with connect(port, context) as tls:
        assert line(tls).startswith("20")
        tls.sendall(b"QUIT\r\n")
        assert line(tls).startswith("205 ")
        assert tls.recv(1) == b""  # close_notify, or this raises
    # the client says it first, and its last commands are answered
    with connect(port, context) as tls:
        assert line(tls).startswith("20")
        tls.sendall(b"DATE\r\n")
        assert line(tls).startswith("111 ")
        tls.unwrap()


def test_what_is_no_tls_ends_the_connection(server):
    kith, port, context = server
    with socket.create_connection(("127.0.0.1", port), 20) as plain:
        plain.sendall(b"CAPABILITIES\r\n")
        # an alert at most, and no word of NNTP
        with contextlib.suppress(ConnectionError):
            assert b"VERSION" not in plain.recv(4096)
            assert plain.recv(4096) == b""
    # plain text within an established connection
    tls = connect(port, context)
    assert line(tls).startswith("20")
    raw = socket.socket(fileno=tls.detach())
    raw.settimeout(20)
    raw.sendall(b"CAPABILITIES\r\n")
    with contextlib.suppress(ConnectionError):
        while data := raw.recv(4096):
            assert b"VERSION" not in data
    raw.close()
    with kith.raw() as news:  # others notice nothing
        assert news.line().startswith("20")


def test_starttls_twice_or_behind_nntps_is_refused(server):
    kith, port, context = server
    with connect(port, context) as tls:
        assert line(tls).startswith("20")
        tls.sendall(b"STARTTLS\r\nCAPABILITIES\r\n")
        assert line(tls).startswith("502 ")
        listed = [line(tls) for _ in range(4)]
        assert "STARTTLS\r\n" not in listed
    with kith.raw() as news:
        assert news.line().startswith("20")
        assert news.ask("STARTTLS").startswith("382 ")
        tls = context.wrap_socket(news.socket, server_hostname="localhost")
        tls.sendall(b"STARTTLS\r\n")
        assert line(tls).startswith("502 ")
        tls.sendall(b"DATE\r\n")
        assert line(tls).startswith("111 ")
        tls.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed(server, version):
    _, port, context = server
    context.maximum_version = version

    def visit(session=None):
        plain = socket.create_connection(("127.0.0.1", port), 20)
        with context.wrap_socket(plain, server_hostname="localhost",
                                 session=session) as tls:
            assert line(tls).startswith("20")
            return tls.session, tls.session_reused
    session, reused = visit()
    assert not reused
    assert visit(session)[1]


@sanitizers.measures_memory
def test_idle_tls_connections_are_small(server):
    kith, port, context = server
    pid = kith.role_pid("core")

    def private():
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return next(int(text.split()[1]) for text in f
                        if text.startswith("RssAnon"))
    with contextlib.ExitStack() as stack:
        def open_one():
            tls = stack.enter_context(connect(port, context))
            assert line(tls).startswith("20")
            tls.sendall(b"DATE\r\n")
            assert line(tls).startswith("111 ")
        for _ in range(50):
            open_one()
        before = private()
        for _ in range(CONNECTIONS):
            open_one()
        # 15 KB, and room for what other libraries and kernels do
        assert (private() - before) / CONNECTIONS < 20
