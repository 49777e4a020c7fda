"""Real newsreaders against a real kithd, each as its user has it: a list of
newsgroups, a thread, an article, and an answer that needs a login."""

import email
import email.policy
import nntplib
import os
import re
import subprocess

import pytest

import kith as k
import leafnode
import pan
import thunderbird
from screen import Screen
from test_news import certificate

LOGIN, PASSWORD = "ann", "sesame"
FIRST, SECOND = "<tea1@example.net>", "<tea2@example.net>"
WORD = "I shall bring the cups."


def article(mid, subject, body, references=""):
    more = f"References: {references}\r\n" if references else ""
    return (f"From: Bert <bert@example.net>\r\nNewsgroups: acme.talk\r\n"
            f"Subject: {subject}\r\nMessage-ID: {mid}\r\n{more}\r\n"
            f"{body}\r\n").encode().splitlines()


def furnish(kith):
    """A thread of two in acme.talk, where members post, and a space beside it
    that Ann does not see."""
    kith.ctl("space", "add", "acme.talk", "--kind", "talk", "--suggested", "1",
             "--description", "Talk of the house")
    kith.ctl("space", "add", "acme.inner", "--kind", "internal")
    for name in ("ann", "bert"):
        kith.ctl("member", "add", f"{name}@example.net", "--login", name,
                 "--password-stdin", stdin=PASSWORD + "\n")
    with kith.nntp("bert", PASSWORD) as news:
        news.post(article(FIRST, "Tea at four", "There is cake as well."))
        news.post(article(SECOND, "Re: Tea at four", "..and biscuits.",
                          FIRST))
    return kith


@pytest.fixture
def house(kith):
    return furnish(kith)


@pytest.fixture
def secure_house(tmp_path):
    """The same with TLS: STARTTLS on nntp_port, at once on nntps_port."""
    cert, key = certificate(tmp_path)
    port = k.free_port()
    kith = k.Kith(tmp_path / "kith", extra=f"""
tls {{ certificate = "{cert}" key = "{key}" }}
listen nntps {{ address = "127.0.0.1" port = {port} }}
""")
    kith.nntps_port, kith.certificate = port, cert
    kith.start()
    yield furnish(kith)
    kith.stop()


@pytest.fixture
def home(tmp_path):
    """A home of its own, and an editor that adds one line to an article."""
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    editor = home / "editor"
    editor.write_text("#!/bin/sh\nfor file; do :; done\n"
                      f"echo '{WORD}' >>\"$file\"\n")
    editor.chmod(0o755)
    return home


def environment(home, **more):
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("NNTP", "LC_", "MAIL", "XDG"))}
    return {**env, "HOME": str(home), "TMPDIR": str(home / "tmp"),
            "TERM": "vt100", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
            "EDITOR": str(home / "editor"), "VISUAL": str(home / "editor"),
            **more}


def write(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def answer(house, number=3):
    """The article that a newsreader has posted, as an email.Message."""
    with house.nntp() as news:
        assert news.group("acme.talk")[3] == number
        _, info = news.article(number)
    return email.message_from_bytes(b"\n".join(info.lines) + b"\n",
                                    policy=email.policy.default)


def check_answer(house, to=FIRST):
    posted = answer(house)
    assert posted["Newsgroups"] == "acme.talk"
    assert posted["Subject"] == "Re: Tea at four"
    assert posted["References"].split()[-1] == to
    assert "ann@example.net" in posted["From"]
    assert WORD in posted.get_content()


# ---- on a terminal

def test_slrn_reads_a_thread_and_answers(house, home):
    write(home / "jnewsrc", "acme.talk:\n")
    write(home / "slrnrc", f"""
set read_active 0
set confirm_actions 0
set username "ann"
set hostname "example.net"
set realname "Ann"
set editor_command "{home}/editor '%s'"
set netiquette_warnings 0
nnrpaccess "127.0.0.1" "{LOGIN}" "{PASSWORD}"
""")
    with Screen(["slrn", "-n", "-i", home / "slrnrc", "-f", home / "jnewsrc",
                 "-h", "127.0.0.1", "-p", str(house.nntp_port)],
                environment(home)) as screen:
        screen.wait_for(r"acme\.talk")
        screen.type("\r")
        screen.wait_for(r"Tea at four")
        screen.type("\r")
        screen.wait_for(r"There is cake as well")
        screen.type("f")
        screen.wait_for(r"Post the message")
        screen.type("y")
        screen.wait_for(r"\.\.\.done")
    check_answer(house)


def test_tin_reads_a_thread_and_answers(house, home):
    (home / ".tin").mkdir()
    write(home / ".tin" / "tinrc",
          "mail_address=Ann <ann@example.net>\n"
          "show_only_unread_groups=OFF\n")
    write(home / ".newsrc", "acme.talk:\n")
    write(home / ".newsauth", f"127.0.0.1 {PASSWORD} {LOGIN}\n")
    with Screen(["tin", "-r", "-A", "-d", "-p", str(house.nntp_port)],
                environment(home, NNTPSERVER="127.0.0.1")) as screen:
        screen.wait_for(r"Group Selection(?s:.*)acme\.talk")
        screen.type("\r")
        screen.wait_for(r"Tea at four")
        screen.type("\r")
        screen.wait_for(r"There is cake as well")
        screen.type("f")
        screen.wait_for(r"o=postpone: .")
        screen.press("p", r"Article posted")
    check_answer(house)


def test_tin_saves_unread_articles_without_a_person(house, home):
    (home / ".tin").mkdir()
    write(home / ".tin" / "tinrc", "")
    write(home / ".newsrc", "acme.talk:\n")
    tin = ["tin", "-r", "-p", str(house.nntp_port)]
    env = environment(home, NNTPSERVER="127.0.0.1")
    # 2: there is unread news
    assert subprocess.run([*tin, "-Z"], env=env, timeout=60, check=False,
                          capture_output=True).returncode == 2
    subprocess.run([*tin, "-S", "-s", home / "News"], env=env, timeout=60,
                   check=True, capture_output=True)
    saved = sorted((home / "News" / "acme" / "talk").iterdir())
    assert [path.name for path in saved] == ["1", "2"]
    assert "\n..and biscuits.\n" in saved[1].read_text()


def test_neomutt_reads_a_thread_and_answers(house, home):
    write(home / "newsrc", "acme.talk:\n")
    write(home / "muttrc", f"""
set news_server="nntp://127.0.0.1:{house.nntp_port}"
set nntp_user={LOGIN} nntp_pass={PASSWORD} nntp_authenticators=user
set newsrc="{home}/newsrc" news_cache_dir="{home}/cache" folder="{home}"
set ssl_starttls=no ssl_force_tls=no sort=threads copy=no nntp_poll=0 sleep_time=0
set editor="{home}/editor %s" from="ann@example.net" realname="Ann"
set use_from=yes hostname="example.net" abort_unmodified=no fast_reply=yes
set include=yes wait_key=no
bind index,pager F followup-message
""")
    with Screen(["neomutt", "-n", "-F", home / "muttrc", "-G"],
                environment(home)) as screen:
        screen.wait_for(r"acme\.talk.*Talk of the house")
        screen.type("\r")
        screen.wait_for(r"Tea at four(?s:.*)Re: Tea|Tea at four(?s:.*)─>")
        screen.type("\r")
        screen.wait_for(r"There is cake as well")
        screen.type("F")
        screen.wait_for(r"Compose")
        screen.type("y")
        screen.wait_for(r"Article posted")
    check_answer(house)


def test_alpine_reads_a_thread_and_answers(house, home):
    (home / "mail").mkdir()
    write(home / "mail" / "inbox", "")
    write(home / "newsrc", "acme.talk:\n")
    write(home / "pinerc", f"""
personal-name=Ann
user-domain=example.net
nntp-server=127.0.0.1:{house.nntp_port}/user={LOGIN}
inbox-path={home}/mail/inbox
newsrc-path={home}/newsrc
default-fcc=""
feature-list=allow-changing-from,enable-alternate-editor-implicitly,news-post-without-validation,disable-password-file-saving
customized-hdrs=From: Ann <ann@example.net>
editor={home}/editor
last-version-used=6.26
""")
    folder = f"{{127.0.0.1:{house.nntp_port}/nntp/user={LOGIN}}}#news.acme.talk"
    with Screen(["alpine", "-p", home / "pinerc", "-x", home / "exceptions",
                 "-i", "-f", folder], environment(home)) as screen:
        screen.wait_for(r"ENTER PASSWORD")
        screen.type(PASSWORD + "\r")
        screen.wait_for(r"Tea at four")
        screen.type("\r")
        screen.wait_for(r"There is cake as well(?s:.*)ALL of message")
        screen.type("r")
        screen.wait_for(r"Include original message")
        screen.type("y")
        screen.wait_for(r"Follow-up to news")
        screen.type("f")
        screen.wait_for(r"Alternate editor done")
        screen.type("\x18")
        screen.wait_for(r"Send message")
        screen.type("y")
        screen.wait_for(r"Really post")
        screen.type("y")
        screen.wait_for(r"Updating \"Answered\"")
    check_answer(house)


# ---- without one

GNUS = """
(setq user-mail-address "ann@example.net" user-full-name "Ann"
      gnus-select-method
      `(nntp "kith" (nntp-address "127.0.0.1")
             (nntp-port-number ,(string-to-number (getenv "KITH_PORT"))))
      auth-sources (list (expand-file-name "authinfo" (getenv "HOME")))
      gnus-home-directory (getenv "HOME")
      gnus-save-newsrc-file nil gnus-read-newsrc-file nil
      gnus-use-dribble-file nil gnus-check-new-newsgroups nil
      gnus-novice-user nil gnus-expert-user t gnus-interactive-exit nil
      gnus-message-archive-group nil gnus-message-highlight-citation nil
      message-signature nil message-insert-canlock nil)
(require 'gnus)
(require 'message)
(gnus)
(gnus-subscribe-newsgroup "acme.talk")
(gnus-group-list-all-groups)
(defun show (title)
  (princ (format "== %s\\n%s" title (buffer-string))))
(show "groups")
(gnus-group-read-group t t "acme.talk")
(show "summary")
(gnus-summary-goto-subject 1)
(gnus-summary-select-article)
(with-current-buffer gnus-article-buffer (show "article"))
(gnus-summary-refer-article "<tea2@example.net>")
(with-current-buffer gnus-article-buffer (show "by id"))
(gnus-summary-goto-subject 1)
(gnus-summary-select-article)
(gnus-summary-followup nil)
(goto-char (point-max))
(insert (getenv "WORD") "\\n")
(message-send)
(princ "== sent\\n")
"""


def test_gnus_reads_a_thread_and_answers(house, home):
    write(home / "authinfo", f"machine 127.0.0.1 port {house.nntp_port} "
          f"login {LOGIN} password {PASSWORD} force yes\n")
    env = environment(home, WORD=WORD, KITH_PORT=str(house.nntp_port))
    out = subprocess.run(
        ["emacs", "-Q", "--batch", "-l", write(home / "gnus.el", GNUS)],
        env=env, timeout=60, check=False, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    parts = dict(re.findall(r"(?ms)^== (.*?)\n(.*?)(?=^== |\Z)", out.stdout))
    assert "acme.talk" in parts["groups"]
    assert "acme.inner" not in parts["groups"]
    assert re.search(r"Bert *\] Tea at four\n.*Bert *\]", parts["summary"])
    assert "There is cake as well." in parts["article"]
    assert "..and biscuits." in parts["by id"]
    check_answer(house)


PERL = r"""
use Net::NNTP;
my ($port, $login, $password, $word) = @ARGV;
my $news = Net::NNTP->new("127.0.0.1", Port => $port) or die "connect";
print "groups: ", join(" ", sort keys %{$news->list}), "\n";
print "group: ", join(" ", $news->group("acme.talk")), "\n";
my $rows = $news->xover("1-2") or die "xover";
print "row $_: $rows->{$_}[0]\n" for sort keys %$rows;
my $subjects = $news->xhdr("Subject", [1, 2]) or die "xhdr";
print "subject $_: $subjects->{$_}\n" for sort keys %$subjects;
my $found = $news->xpat("Subject", "Re:*", [1, 2]) or die "xpat";
print "matches: ", join(" ", keys %$found), "\n";
print "titles: ", join(" ", %{$news->xgtitle("acme.*")}), "\n";
print "format: @{$news->overview_fmt}\n";
print "numbers: @{$news->listgroup}\n";
print "new: @{$news->newnews(time - 3600, 'acme.*')}\n";
print "newgroups: ", join(" ", keys %{$news->newgroups(time - 3600)}), "\n";
print "suggested: @{$news->subscriptions}\n";
print "clock: ", abs($news->date - time) < 60 ? "right" : "wrong", "\n";
print "body: ", join("", @{$news->body("<tea2\@example.net>")});
print "next: ", $news->next, " last: ", $news->last, "\n";
print "unknown: ", defined $news->article("<no\@example.net>") ? 1 : 0, "\n";
$news->post("x") and die "posted without a login";
$news->authinfo($login, $password) or die "login";
$news->post("From: Ann <ann\@example.net>\n", "Newsgroups: acme.talk\n",
    "Subject: Re: Tea at four\n", "References: <tea1\@example.net>\n", "\n",
    "$word\n", ".dot\n") or die "post: " . $news->message;
$news->quit;
"""


def test_perl_reads_lists_headers_and_articles_and_posts(house, home):
    out = subprocess.run(
        ["perl", write(home / "news.pl", PERL), str(house.nntp_port), LOGIN,
         PASSWORD, WORD], env=environment(home), timeout=60, check=False,
        capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    assert out.stdout.splitlines() == [
        "groups: acme.talk", "group: 2 1 2 acme.talk", "row 1: Tea at four",
        "row 2: Re: Tea at four", "subject 1: Tea at four",
        "subject 2: Re: Tea at four", "matches: 2",
        "titles: acme.talk Talk of the house",
        "format: Subject: From: Date: Message-ID: References: Bytes: Lines: "
        "Xref:full", "numbers: 1 2", f"new: {FIRST} {SECOND}",
        "newgroups: acme.talk", "suggested: acme.talk", "clock: right",
        "body: ..and biscuits.", f"next: {SECOND} last: {FIRST}",
        "unknown: 0"]
    check_answer(house)
    assert answer(house).get_content().endswith("\n.dot\n")


def test_suck_takes_articles_away_and_rpost_brings_one(house, home):
    (home / "sucked").mkdir()
    write(home / "sucknewsrc", "acme.talk 0\n")
    login = ["-N", str(house.nntp_port), "-U", LOGIN, "-P", PASSWORD, "-M"]
    subprocess.run(["suck", "127.0.0.1", *login, "-m", "-c", "-dt", home,
                    "-dd", home, "-dm", home / "sucked"], cwd=home,
                   env=environment(home), timeout=60, check=True,
                   capture_output=True)
    texts = [path.read_text() for path in (home / "sucked").iterdir()]
    assert len(texts) == 2
    assert any(f"Message-ID: {SECOND}\n" in text and
               text.endswith("\n..and biscuits.\n") for text in texts)
    assert (home / "sucknewsrc").read_text() == "acme.talk 2\n"
    write(home / "article", "From: Ann <ann@example.net>\n"
          "Newsgroups: acme.talk\nSubject: Re: Tea at four\n"
          f"References: {FIRST}\nMessage-ID: <r1@example.net>\n\n"
          f"{WORD}\n.dot\n")
    write(home / "batch", f"{home}/article\n")
    subprocess.run(["rpost", "127.0.0.1", *login, "-b", home / "batch", "-p",
                    ""], cwd=home, env=environment(home), timeout=60,
                   check=True, capture_output=True)
    check_answer(house)
    assert answer(house).get_content().endswith("\n.dot\n")


@pytest.mark.skipif(not pan.is_to_be_had(), reason="Pan is not to be had")
def test_pan_reads_an_article_and_answers(house, home):
    def posted():
        with house.nntp() as news:
            return news.group("acme.talk")[3] == 3

    read = pan.read_and_answer(home, environment(home), WORD, posted,
                               port=house.nntp_port, login=LOGIN,
                               password=PASSWORD)
    # which of the two is Pan's choice; a dot at the start of a line is one
    first, second = "There is cake as well.", "..and biscuits."
    assert any(f"\n{first}" in text or f"\n{second}" in text for text in read)
    to = FIRST if f"> {first}\n" in answer(house).get_content() else SECOND
    assert to == FIRST or f"> {second}\n" in answer(house).get_content()
    check_answer(house, to)


@pytest.mark.skipif(not thunderbird.is_to_be_had(),
                    reason="Thunderbird is not to be had")
def test_thunderbird_reads_a_thread_and_answers(house, home):
    said = thunderbird.read_and_post(
        home, environment(home), house.nntp_port, LOGIN, PASSWORD,
        "From: Ann <ann@example.net>\r\nNewsgroups: acme.talk\r\n"
        f"Subject: Re: Tea at four\r\nReferences: {FIRST}\r\n\r\n{WORD}\r\n")
    # it shows a thread's subject without Re:
    assert said["subjects"] == ["Tea at four", "Tea at four"]
    assert said["ids"] == [FIRST.strip("<>"), SECOND.strip("<>")]
    assert said["thread"] == 2
    assert "\r\nThere is cake as well.\r\n" in said["articles"][0]
    assert "\r\n..and biscuits.\r\n" in said["articles"][1]
    check_answer(house)


# ---- over TLS

def test_tin_reads_over_nntps(secure_house, home):
    (home / ".tin").mkdir()
    write(home / ".tin" / "tinrc", "")
    write(home / ".newsrc", "acme.talk:\n")
    subprocess.run(["tin", "-r", "-T", "-k", "-S", "-s", home / "News", "-p",
                    str(secure_house.nntps_port)],
                   env=environment(home, NNTPSERVER="localhost"), timeout=60,
                   check=True, capture_output=True)
    assert len(list((home / "News" / "acme" / "talk").iterdir())) == 2


def test_gnus_begins_tls_where_it_is_offered(secure_house, home):
    write(home / "authinfo", f"machine 127.0.0.1 port "
          f"{secure_house.nntp_port} login {LOGIN} password {PASSWORD} "
          "force yes\n")
    # its own certificate is not one that somebody else vouches for
    (home / ".emacs.d").mkdir()
    script = "(setq network-security-level 'low)" + GNUS + """
(princ (format "== tls\\n%S\\n"
  (plist-get (gnutls-peer-status (nntp-find-connection nntp-server-buffer))
             :protocol)))
"""
    out = subprocess.run(
        ["emacs", "-Q", "--batch", "-l", write(home / "gnus.el", script)],
        env=environment(home, WORD=WORD,
                        KITH_PORT=str(secure_house.nntp_port)),
        timeout=60, check=False, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    assert re.search(r'== tls\n"TLS1\.[23]"', out.stdout), out.stdout
    check_answer(secure_house)


def test_neomutt_begins_tls_before_it_logs_in(secure_house, home):
    write(home / "newsrc", "acme.talk:\n")
    write(home / "muttrc", f"""
set news_server="nntp://localhost:{secure_house.nntp_port}"
set nntp_user={LOGIN} nntp_pass={PASSWORD} nntp_authenticators=user
set newsrc="{home}/newsrc" news_cache_dir="{home}/cache" folder="{home}"
set ssl_starttls=yes ssl_force_tls=yes ssl_ca_certificates_file="{secure_house.certificate}"
set certificate_file="{secure_house.certificate}" sleep_time=0 nntp_poll=0
""")
    with Screen(["neomutt", "-n", "-F", home / "muttrc", "-G"],
                environment(home)) as screen:
        screen.wait_for(r"TLS(?s:.*)acme\.talk.*Talk of the house")
        screen.type("\r")
        screen.wait_for(r"Tea at four")


@pytest.mark.skipif(not leafnode.is_to_be_had(),
                    reason="leafnode is not to be had")
def test_leafnode_takes_groups_posts_and_is_pulled_from(house, home):
    leaf = leafnode.Leafnode(house.nntp_port, LOGIN, PASSWORD)
    try:
        leaf.fetch()
        with nntplib.NNTP("127.0.0.1", leaf.serve(), timeout=30) as news:
            assert [group.group for group in news.list()[1]] == ["acme.talk"]
            news.group("acme.talk")
            news.over((1, 1))  # now it is of interest
        leaf.fetch()
        with nntplib.NNTP("127.0.0.1", leaf.serve(), timeout=30) as news:
            _, count, first, last, _ = news.group("acme.talk")
            assert count == 2
            rows = news.over((first, last))[1]
            assert [row["message-id"] for _, row in rows] == [FIRST, SECOND]
            assert news.body(SECOND)[1].lines == [b"..and biscuits."]
            news.post(f"From: Ann <ann@example.net>\r\n"
                      f"Newsgroups: acme.talk\r\nSubject: Re: Tea at four\r\n"
                      f"References: {FIRST}\r\n\r\n{WORD}\r\n".encode()
                      .splitlines())
        leaf.fetch()
        assert not any((leaf.spool / "failed.postings").iterdir())
        check_answer(house)
        # and a community moves in from there
        other = k.Kith(home / "other", hostname="other.example").start()
        try:
            other.ctl("space", "add", "acme.talk", "--kind", "talk")
            other.ctl("peer", "add", "leaf", "--pull",
                      f"127.0.0.1:{leaf.serve()}")
            row, = other.json("peer", "pull", "leaf", "acme.talk")
            assert (row["taken"], row["refused"]) == (3, 0)
            check_answer(other)
        finally:
            other.stop()
    finally:
        leaf.remove()
