"""A Pan with a window that nobody looks at: an X server of its own without a
screen, and keys pressed by xdotool. What it has done is seen in the titles of its
windows and in its files."""

import shutil
import subprocess
import time

from kith import end

PROGRAMS = ("pan", "Xvfb", "xdotool")

SERVERS = """<server-properties>
  <server id="1">
    <host>127.0.0.1</host>
    <port>{port}</port>
    <username>{login}</username>
    <password>{password}</password>
    <connection-limit>2</connection-limit>
    <newsrc>{home}/newsrc</newsrc>
    <rank>1</rank>
    <use-ssl>0</use-ssl>
  </server>
</server-properties>
"""
POSTING = """<posting><profiles><profile name="Ann">
  <username>Ann</username>
  <address>ann@example.net</address>
  <server>1</server>
</profile></profiles></posting>
"""
# no keyring: the password is in the file above
PREFERENCES = """<preferences>
  <flag name='use-password-storage' value='false'/>
</preferences>
"""


def is_to_be_had():
    return all(shutil.which(name) for name in PROGRAMS)


class Display:
    """An X server; its number is its own choice."""

    def __init__(self, env):
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1000x700x24",
             "-nolisten", "tcp"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        number = self.server.stdout.readline().decode().strip()
        assert number, "Xvfb does not begin"
        self.env = {**env, "DISPLAY": ":" + number, "GDK_BACKEND": "x11",
                    "NO_AT_BRIDGE": "1", "GSETTINGS_BACKEND": "memory",
                    "DBUS_SESSION_BUS_ADDRESS": "disabled:"}

    def xdotool(self, *words):
        return subprocess.run(["xdotool", *words], env=self.env, check=False,
                              timeout=30, capture_output=True,
                              text=True).stdout.split()

    def windows(self, title):
        return self.xdotool("search", "--onlyvisible", "--name", title)

    def press(self, window, keys, until, what, every=5):
        """Presses them again if nothing came of it: a window that is being
        made drops them."""
        end = time.monotonic() + 60
        while not until():
            assert time.monotonic() < end, what
            self.xdotool("windowfocus", window)
            self.xdotool("key", *keys)
            again = time.monotonic() + every
            while not until() and time.monotonic() < again:
                time.sleep(0.05)

    def close(self):
        self.server.terminate()
        self.server.wait()
        self.server.stdout.close()


def furnish(home, port, login, password):
    """Its folder, where it knows a server, a newsgroup and a poster."""
    folder = home / "pan2"
    folder.mkdir()
    (folder / "servers.xml").write_text(SERVERS.format(
        port=port, login=login, password=password, home=folder))
    (folder / "posting.xml").write_text(POSTING)
    (folder / "preferences.xml").write_text(PREFERENCES)
    (folder / "newsrc").write_text("acme.talk:\n")
    return folder


def read_and_answer(home, env, word, posted, **server):
    """Enters acme.talk, opens an article, and answers it with a line more.
    posted() says whether that is there. Returns the article that it read."""
    folder = furnish(home, **server)
    display = Display({**env, "PAN_HOME": str(folder)})
    pan = subprocess.Popen(["pan"], env=display.env,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    try:
        [window] = display.xdotool("search", "--sync", "--onlyvisible",
                                   "--name", "^Pan")[:1]
        # what is new in the subscribed groups; the next one that has some
        display.press(window, ["shift+a", "g"],
                      lambda: display.windows("^Pan: acme.talk"),
                      "Pan does not enter the newsgroup", every=1)
        cache = folder / "article-cache"
        display.press(window, ["n"], lambda: any(cache.glob("*.msg")),
                      "Pan opens no article")
        display.press(window, ["f"], lambda: display.windows("^Post Article"),
                      "Pan writes no answer")
        [letter] = display.windows("^Post Article")
        display.xdotool("windowfocus", "--sync", letter)
        display.xdotool("key", "ctrl+End")
        display.xdotool("type", word)
        display.press(letter, ["ctrl+Return"], posted, "Pan does not post")
        return [path.read_text() for path in cache.glob("*.msg")]
    finally:
        end(pan)
        display.close()
