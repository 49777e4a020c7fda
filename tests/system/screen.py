"""Programs that want a terminal."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time


class Screen:
    """A program in a pty and what it has painted."""

    def __init__(self, command, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], [str(word) for word in command], env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 40, 100, 0, 0))
        self.text = ""

    def shows(self, pattern, seconds):
        """Whether it has painted that before so much time has passed."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            left = end - time.monotonic()
            if left <= 0:
                return False
            if select.select([self.fd], [], [], left)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b""
                assert data, f"ended without {pattern!r}:\n{self.text}"
                self.text += re.sub(r"\x1b[\[(][0-9;?]*[A-Za-z]", " ",
                                    data.decode("utf-8", "replace"))
        return True

    def wait_for(self, pattern, seconds=20):
        assert self.shows(pattern, seconds), f"no {pattern!r} on:\n{self.text}"

    def press(self, keys, pattern, seconds=20):
        """For programs that drop what is typed while they paint: types until
        they answer."""
        end = time.monotonic() + seconds
        self.type(keys)
        while not self.shows(pattern, 1):
            assert time.monotonic() < end, f"no {pattern!r} on:\n{self.text}"
            os.write(self.fd, keys.encode())

    def type(self, keys):
        self.text = ""
        os.write(self.fd, keys.encode())

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()
