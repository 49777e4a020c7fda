"""A Thunderbird without a window and without a person: its own parts for news, as
its windows use them, driven by JavaScript over Marionette."""

import json
import re
import shutil
import socket
import subprocess
import threading

from kith import end

# nothing of it shall want the network, or to be looked at
PREFERENCES = """
user_pref("marionette.port", 0);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mail.spotlight.firstRunDone", true);
user_pref("mailnews.start_page.enabled", false);
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("browser.region.network.url", "");
"""

READ_AND_POST = """
const [port, login, password, article, resolve] = arguments;
const { MailServices } = ChromeUtils.importESModule(
    "resource:///modules/MailServices.sys.mjs");
const is = name => ChromeUtils.generateQI([name]);

function when_done(start) {
  return new Promise((done, failed) => start({
    OnStartRunningUrl() {},
    OnStopRunningUrl(url, status) {
      Components.isSuccessCode(status) ? done() : failed(status.toString(16));
    },
    QueryInterface: is("nsIUrlListener"),
  }));
}

function read(folder, header) {
  const uri = folder.getUriForMsg(header);
  let text = "";
  return new Promise(done => MailServices.messageServiceFromURI(uri)
    .streamMessage(uri, {
      onStartRequest() {},
      onDataAvailable(request, stream, offset, count) {
        const input = Cc["@mozilla.org/scriptableinputstream;1"]
          .createInstance(Ci.nsIScriptableInputStream);
        input.init(stream);
        text += input.read(count);
      },
      onStopRequest() { done(text); },
      QueryInterface: is("nsIStreamListener"),
    }, null, null, false, "", true));
}

async function read_and_post() {
  const server = MailServices.accounts.createIncomingServer(login,
    "127.0.0.1", "nntp").QueryInterface(Ci.nsINntpIncomingServer);
  const account = MailServices.accounts.createAccount();
  const identity = MailServices.accounts.createIdentity();
  server.port = port;
  identity.email = "ann@example.net";
  account.incomingServer = server;
  account.addIdentity(identity);
  server.subscribeToNewsgroup("acme.talk");
  const folder = server.rootFolder.getChildNamed("acme.talk");
  await when_done(listener => folder.getNewMessages(null, listener));
  const headers = [...folder.messages].sort(
    (one, other) => one.messageKey - other.messageKey);
  const said = {
    subjects: headers.map(header => header.mime2DecodedSubject),
    ids: headers.map(header => header.messageId),
    thread: folder.msgDatabase.getThreadContainingMsgHdr(headers[0])
      .numChildren,
    articles: [],
  };
  for (const header of headers)
    said.articles.push(await read(folder, header));
  for (const place of [server.rootFolder, folder]) {
    place.QueryInterface(Ci.nsIMsgNewsFolder);
    place.groupUsername = login;
    place.groupPassword = password;
  }
  const file = Services.dirsvc.get("TmpD", Ci.nsIFile);
  file.append("article");
  await IOUtils.writeUTF8(file.path, article);
  await when_done(listener => Cc["@mozilla.org/messenger/nntpservice;1"]
    .getService(Ci.nsINntpService)
    .postMessage(file, "acme.talk", account.key, listener, null));
  return JSON.stringify(said);
}
read_and_post().then(resolve, error => resolve(`${error} ${error?.stack}`));
"""


VERSION = 140  # the first one that takes what is said here


def is_to_be_had():
    if shutil.which("thunderbird") is None:
        return False
    text = subprocess.run(["thunderbird", "--version"], check=False,
                          capture_output=True, text=True).stdout
    found = re.search(r"Thunderbird (\d+)", text)
    return found is not None and int(found.group(1)) >= VERSION


class Marionette:
    """Requests and answers, each LENGTH:JSON."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.file = self.socket.makefile("rb")
        self.asked = 0
        self._read()

    def _read(self):
        size = b""
        while not size.endswith(b":"):
            octet = self.file.read(1)
            assert octet, "Thunderbird hung up"
            size += octet
        return json.loads(self.file.read(int(size[:-1])))

    def ask(self, command, **parameters):
        self.asked += 1
        text = json.dumps([0, self.asked, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def close(self):
        self.file.close()
        self.socket.close()


def port_of(process):
    """The one that it listens at, when it says so."""
    for line in process.stdout:
        found = re.search(rb"Listening on port (\d+)", line)
        if found:
            return int(found.group(1))
    raise AssertionError("Thunderbird ended")


def read_and_post(folder, env, *arguments):
    """What it found in acme.talk: subjects, ids, articles, thread; then it has
    posted. arguments: port, login, password, article."""
    profile = folder / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(PREFERENCES)
    process = subprocess.Popen(
        ["thunderbird", "--headless", "--no-remote", "--profile", profile,
         "--marionette", "--remote-allow-system-access"],
        env={**env, "MOZ_HEADLESS": "1"}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    try:
        port = port_of(process)
        # it says more, which somebody has to read
        threading.Thread(target=process.stdout.read, daemon=True).start()
        marionette = Marionette(port)
        marionette.ask("WebDriver:NewSession", capabilities={})
        marionette.ask("Marionette:SetContext", value="chrome")
        said = marionette.ask("WebDriver:ExecuteAsyncScript",
                              script=READ_AND_POST, args=arguments,
                              newSandbox=True, scriptTimeout=60000)["value"]
        marionette.close()
    finally:
        end(process, 30)
    assert said is not None and said.startswith("{"), said
    return json.loads(said)
