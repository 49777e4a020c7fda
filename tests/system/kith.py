"""A real kithd on loopback, and what talks to it in tests."""

import base64
import contextlib
import email
import email.policy
import json
import nntplib
import os
import pathlib
import random
import re
import selectors
import shutil
import signal
import smtplib
import socket
import socketserver
import subprocess
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("KITH_BUILD", TOP / "build" / "plain"))
DOMAIN = "lists.example"
HOSTNAME = "news.example"


_given = set()


def free_port():
    """One that nobody listens at, none twice, and none that the kernel gives to a
    client while a kithd that listened there is down."""
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


class Refused(Exception):
    """kithctl exited with a status other than 0."""

    def __init__(self, status, text):
        super().__init__(f"exit {status}: {text}")
        self.status = status
        self.text = text


def end(process, seconds=20):
    """Asks a program to end, and ends it if it does not."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Kith:
    """kithd in a folder of its own: started, stopped, killed, asked."""

    prefix = ()         # words before the command that become it by exec
    environment = None  # more of it

    def __init__(self, folder, smarthost=None, extra="",
                 flags=("-d", "-T"), hostname=HOSTNAME):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.nntp_port = free_port()
        self.lmtp_port = free_port()
        self.smtp_port = free_port()
        self.conf = self.folder / "kithd.conf"
        self.log = self.folder / "log"
        self.flags = flags
        self.hostname = hostname
        self.process = None
        if smarthost is None:
            transport = f'transport = "maildir:{self.folder}/outbox"'
        else:
            transport = ('transport = "smtp"\n'
                         'smarthost { host = "127.0.0.1" '
                         f'port = {smarthost} }}')
        self.conf.write_text(f"""
domain    = "{DOMAIN}"
hostname  = "{hostname}"
store     {{ directory = "{self.folder}/store" }}
control   {{ path = "{self.folder}/control.sock" }}
listen nntp {{ address = "127.0.0.1" port = {self.nntp_port} }}
listen lmtp {{ address = "127.0.0.1" port = {self.lmtp_port} }}
listen smtp {{ address = "127.0.0.1" port = {self.smtp_port} }}
{transport}
{extra}
""")

    # ---- the process

    def start(self, wait=True):
        log = open(self.log, "ab")
        self.process = subprocess.Popen(
            [*self.prefix, BUILD / "kithd", *self.flags, "-f", self.conf],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.PIPE,
            env={**os.environ, **(self.environment or {})})
        self._ready = threading.Event()
        self._reader = threading.Thread(
            target=self._read_log, args=(self.process.stderr, log),
            daemon=True)
        self._reader.start()
        if wait and not self._ready.wait(30):
            raise AssertionError("kithd did not get ready:\n" +
                                 self.log.read_text(errors="replace")[-4000:])
        return self

    def _read_log(self, pipe, log):
        for line in pipe:
            log.write(line)
            log.flush()
            if re.search(rb"\bready\b", line):
                self._ready.set()
        log.close()
        self._ready.set()

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        status = self.process.wait(10)
        self._reader.join(10)
        self.process = None
        assert status == 0, f"kithd ended with {status}"

    def kill(self):
        """kill -9 to the parent and all its children at once."""
        for pid in [self.process.pid, *self.children()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        self._reader.join(10)
        self.process = None

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as f:
            return [int(pid) for pid in f.read().split()]

    def role_pids(self, role):
        """The pids of the children with that role."""
        found = []
        for pid in self.children():
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if role.encode() in f.read().split(b"\0"):
                        found.append(pid)
        return found

    def role_pid(self, role):
        """The pid of the first child with that role; None if there is none."""
        return next(iter(self.role_pids(role)), None)

    # ---- talking to it

    def run_tool(self, tool, *args, stdin=b""):
        """A tool of ours, whatever it says: a CompletedProcess of bytes."""
        return subprocess.run(
            [BUILD / tool, "-f", self.conf, *map(str, args)], timeout=120,
            check=False, input=stdin, capture_output=True)

    def ctl(self, *args, stdin=None, json_output=False):
        command = [BUILD / "kithctl", "-f", self.conf]
        if json_output:
            command.append("--json")
        done = subprocess.run(
            [*command, *map(str, args)], timeout=120, check=False,
            input=stdin.encode() if isinstance(stdin, str) else stdin or b"",
            capture_output=True)
        if done.returncode != 0:
            raise Refused(done.returncode, done.stderr.decode())
        text = done.stdout.decode()
        return json.loads(text) if json_output else text

    def json(self, *args, stdin=None):
        return self.ctl(*args, stdin=stdin, json_output=True)

    def nntp(self, user=None, password=None):
        return nntplib.NNTP("127.0.0.1", self.nntp_port, user, password,
                            timeout=20)

    def raw(self, port=None):
        return Raw(port or self.nntp_port)

    def lmtp(self):
        return smtplib.LMTP("127.0.0.1", self.lmtp_port)

    def deliver(self, sender, recipients, message):
        """Hands a mail in over LMTP: {recipient: reply} of those who did not
        get it. (smtplib reads one reply, whatever the number of recipients.)"""
        if isinstance(recipients, str):
            recipients = [recipients]
        answers, taken = {}, []
        with self.raw(self.lmtp_port) as lmtp:
            lmtp.line()
            lmtp.send("LHLO client.example\r\n")
            while lmtp.line()[3:4] == "-":
                pass
            reply = lmtp.ask(f"MAIL FROM:<{sender}> BODY=8BITMIME")
            assert reply.startswith("250"), reply
            for recipient in recipients:
                answers[recipient] = lmtp.ask(f"RCPT TO:<{recipient}>")
                if answers[recipient].startswith("250"):
                    taken.append(recipient)
            if taken:
                assert lmtp.ask("DATA").startswith("354")
                if not message.endswith(b"\r\n"):
                    message += b"\r\n"
                lmtp.send(re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")
                for recipient in taken:
                    answers[recipient] = lmtp.line()
        return {recipient: reply for recipient, reply in answers.items()
                if not reply.startswith("250")}

    def idle(self, seconds=30):
        """Waits until no mail is on its way."""
        wait_until(lambda: not self.ctl("queue", "list").strip(), seconds,
                   "the queue does not empty")

    def outbox(self):
        return Outbox(self.folder / "outbox")


class Raw:
    """A line-wise connection that says exactly what it is told."""

    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), 20)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        return self.file.readline().decode(errors="replace").rstrip("\r\n")

    def ask(self, command):
        self.send(command + "\r\n")
        return self.line()

    def block(self):
        lines = []
        while (line := self.file.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Outbox:
    """Mails that left into a Maildir, oldest first, each read once."""

    def __init__(self, folder):
        self.folder = folder
        self.seen = set()

    def _files(self):
        found = []
        for part in ("new", "cur"):
            found += (self.folder / part).glob("*")
        return sorted(found, key=lambda f: (f.stat().st_mtime_ns, f.name))

    def peek(self, address=None):
        mails = []
        for file in self._files():
            if file.name in self.seen:
                continue
            mail = Mail(file.read_bytes(), file.name)
            if address is None or mail.recipient == address:
                mails.append(mail)
        return mails

    def take(self, address, seconds=20):
        """The oldest unread mail to the address, waiting for it."""
        found = []

        def look():
            found[:] = self.peek(address)
            return bool(found)
        wait_until(look, seconds, f"no mail to {address}")
        self.seen.add(found[0].key)
        return found[0]


class Mail:
    def __init__(self, raw, key="", recipient=None, sender=None):
        self.raw = raw
        self.key = key
        self.message = email.message_from_bytes(
            raw, policy=email.policy.default)
        self.recipient = recipient or str(
            self.message.get("Delivered-To", "")).strip()
        self.sender = sender

    def __getitem__(self, name):
        value = self.message.get(name)
        return None if value is None else str(value)

    @property
    def text(self):
        body = self.message.get_body(("plain",))
        return body.get_content() if body is not None else ""

    @property
    def reply_address(self):
        value = self["Reply-To"] or self["From"]
        return email.utils.parseaddr(value)[1]


class Sink:
    """An SMTP server that keeps what it gets; rules refuse by recipient, and
    hang_ups is how often it leaves without an answer to the end of a mail. With
    a context it speaks TLS from the first byte and wants AUTH PLAIN."""

    def __init__(self, port=0, context=None):
        sink = self
        self.logins = []
        self.mails = []
        self.rules = {}
        self.hang_ups = 0
        self.changed = threading.Condition()

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def handle(self):
                self.say("220 sink.example")
                sender, recipients = None, []
                while line := self.rfile.readline():
                    words = line.decode(errors="replace").strip()
                    verb = words[:4].upper()
                    if verb in ("EHLO", "HELO"):
                        self.say("250-sink.example")
                        self.say("250-PIPELINING")
                        if context is not None:
                            self.say("250-AUTH PLAIN")
                        self.say("250 8BITMIME")
                    elif verb == "AUTH":
                        word = words.split()[2]
                        sink.logins.append(base64.b64decode(word).decode())
                        self.say("235 2.7.0 welcome")
                    elif verb == "MAIL":
                        sender = re.search(r"<(.*?)>", words).group(1)
                        recipients = []
                        self.say("250 ok")
                    elif verb == "RCPT":
                        to = re.search(r"<(.*?)>", words).group(1)
                        reply = sink.rules.get(to, "250 2.1.5 ok")
                        if reply.startswith("250"):
                            recipients.append(to)
                        self.say(reply)
                    elif verb == "DATA":
                        if not recipients:
                            self.say("503 no recipient")
                            continue
                        self.say("354 go on")
                        data = []
                        while (part := self.rfile.readline()) != b".\r\n":
                            if not part:
                                return
                            data.append(part[1:] if part.startswith(b".")
                                        else part)
                        with sink.changed:
                            if sink.hang_ups > 0:
                                sink.hang_ups -= 1
                                return
                            for to in recipients:
                                sink.mails.append(Mail(
                                    b"".join(data), recipient=to,
                                    sender=sender))
                            sink.changed.notify_all()
                        self.say("250 2.0.0 taken")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def get_request(self):
                connection, address = super().get_request()
                if context is not None:
                    # the handshake belongs into the handler's thread
                    connection = context.wrap_socket(
                        connection, server_side=True,
                        do_handshake_on_connect=False)
                return connection, address

            def handle_error(self, request, client_address):
                pass  # a client that does not trust us, for one

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       daemon=True)
        self.thread.start()

    def wait(self, count, seconds=30):
        with self.changed:
            assert self.changed.wait_for(
                lambda: len(self.mails) >= count, seconds), \
                f"{len(self.mails)} mails of {count}"
            return list(self.mails)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def wait_until(condition, seconds, what):
    """Polls what has no event to wait for: other processes' files and queues."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.02)


def mail(sender, to, subject, body, message_id=None, **headers):
    """A mail as bytes with CRLF."""
    lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}",
             "Date: Fri, 15 Jan 2027 08:00:00 +0000"]
    if message_id is not None:
        lines.append(f"Message-ID: {message_id}")
    lines += [f"{name.replace('_', '-')}: {value}"
              for name, value in headers.items()]
    return "\r\n".join([*lines, "", *body.split("\n"), ""]).encode()


def reply_to(original, sender, body, message_id):
    """What a mail client sends as an answer to a Mail: (recipient, bytes)."""
    references = " ".join(filter(None, [original["References"],
                                        original["Message-ID"]]))
    subject = original["Subject"]
    if not subject.lower().startswith("re:"):
        subject = "Re: " + subject
    quoted = "\n".join("> " + line for line in original.text.splitlines())
    return original.reply_address, mail(
        sender, original.reply_address, subject, body + "\n\n" + quoted,
        message_id, In_Reply_To=original["Message-ID"],
        References=references.replace("\r\n", "").replace("\n", ""))


def have(program):
    return shutil.which(program, path=os.environ["PATH"] +
                        ":/usr/sbin:/sbin:/usr/games") is not None
