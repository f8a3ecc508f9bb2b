"""SIGHUP: a running monitor reads its configuration anew, and only what is different changes."""

from __future__ import annotations

import os
import pty
import signal
import sqlite3
import time
from contextlib import ExitStack, closing

import pytest

from tests.support.process import Monitor, configure, train
from tests.support.slack_server import SlackServer
from tests.support.smtpd import MailServer
from tests.support.sshd import until


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


class Site:
    """A folder with a configuration and logs, a mail server, and a monitor."""

    def __init__(self, folder, stack):
        self.folder, self._stack = folder, stack
        self.mail = self.enter(MailServer())

    def enter(self, server):
        return self._stack.enter_context(server)

    def configure(self, *, more="", mail=None, interval="1s", **runs):
        smtp = f"{{host: 127.0.0.1, port: {(mail or self.mail).port}, security: none}}"
        email = f"email: {{smtp: {smtp}, from: t@example.com, recipients: [{{address: a@example.com}}]}}"
        configure(self.folder, f"{more}\n{email}\ndefaults: {{check_interval: {interval}}}", runs)

    def change(self, old, new):
        """Change the text of the configuration."""
        file = self.folder / "trainstatus.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def begin(self, words="watching", **how):
        self.monitor = Monitor("bot", **how)
        self._stack.callback(self.monitor.kill)
        self.monitor.wait_for(words)

    def reload(self):
        """Send SIGHUP; return what the monitor says of it."""
        before = len(self.monitor.said())
        self.monitor.send(signal.SIGHUP)
        until(lambda: any(word in self.monitor.said()[before:] for word in ("reloaded", "is not taken")))
        return self.monitor.said()[before:]

    def rows(self, query):
        with closing(sqlite3.connect(f"file:{self.folder}/t.db?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def seen(self, run):
        """Return when a run was looked at last, None if never."""
        found = self.rows(f"SELECT seen_at FROM runs WHERE name = '{run}'")
        return found[0][0] if found else None

    def subjects(self):
        return [mail.mail["Subject"].replace("[trainstatus] ", "") for mail in self.mail.received]

    def body(self, number):
        return " ".join(self.mail.received[number].body("plain").split())


def test_runs_that_are_added_removed_and_changed_are_taken_and_the_others_keep_their_rhythm(site):
    site.configure(interval="1h", stays=5, goes=1500, changes=5)
    site.begin()
    until(lambda: site.subjects() and site.seen("stays") and site.seen("changes"))
    stays, changes, goes = (site.seen(run) for run in ("stays", "changes", "goes"))
    site.configure(interval="1h", stays=None, changes=None, comes=1500)
    site.change(f"logs: {site.folder}/changes.log", f"logs: {site.folder}/changes.log, owner: carol")
    assert "reloaded trainstatus.yaml: 1 run added, 1 removed, 1 changed\n" in site.reload()
    until(lambda: site.seen("comes") and site.seen("changes") > changes and len(site.subjects()) == 3)
    assert (site.seen("stays"), site.seen("goes")) == (stays, goes)
    over, told = sorted((1, 2), key=lambda number: site.subjects()[number])
    assert site.subjects()[over].startswith("Re: goes STUCK on here")
    assert site.subjects()[told].startswith("comes STUCK on here")
    assert "No longer watched since" in site.body(over)
    assert site.rows("SELECT state FROM incidents WHERE subject = 'run:goes'") == [("resolved",)]


def test_a_poll_that_is_under_way_when_its_run_is_removed_brings_nothing_back(site):
    held, release = site.folder / "held", site.folder / "release"
    shim = site.folder / "bin" / "date"
    shim.parent.mkdir()
    wait = f"if [ -e {site.folder}/hold ]; then touch {held}; while [ ! -e {release} ]; do sleep 0.05; done; fi"
    shim.write_text(f'#!/bin/sh\n{wait}\nexec /bin/date "$@"\n')
    shim.chmod(0o755)
    site.configure(stays=5, goes=1500)
    site.begin(path=shim.parent)
    until(site.subjects)
    (site.folder / "hold").touch()
    until(held.exists)
    site.configure(stays=None)
    site.reload()
    until(lambda: len(site.subjects()) == 2)
    seen = site.seen("stays")
    release.touch()
    until(lambda: site.seen("stays") > seen)
    until(lambda: site.rows("SELECT state FROM incidents") == [("resolved",)])
    assert len(site.subjects()) == 2
    assert "Traceback" not in site.monitor.said()
    assert "failed" not in site.monitor.said()


def test_a_run_that_is_removed_while_the_monitor_is_down_is_closed_at_its_start(site):
    site.configure(stays=5, goes=1500)
    site.begin()
    until(site.subjects)
    site.monitor.end(signal.SIGTERM)
    site.configure(stays=None)
    site.begin()
    until(lambda: len(site.subjects()) == 2)
    assert site.subjects()[1].startswith("Re: goes STUCK on here")
    assert "No longer watched since" in site.body(1)


def test_a_host_that_stays_keeps_its_connection_and_one_that_is_gone_lets_go_of_it(site, sshd, proxy):
    ssh = f"user: {sshd.host().user}, host_key: {sshd.known_hosts}, keys: ['{sshd.key}'], agent: false"
    hosts = f"  far: {{address: 127.0.0.1, port: {proxy.port}, {ssh}}}"
    site.configure(more=hosts, llama=5)
    site.change("host: here", "host: far")
    site.begin()
    until(lambda: site.seen("llama"))
    site.configure(more=hosts, llama=None, moe=5)
    site.change("llama: {host: here", "llama: {host: far")
    site.reload()
    until(lambda: site.seen("moe"))
    seen = site.seen("llama")
    until(lambda: site.seen("llama") > seen)
    assert proxy.connections == 1
    site.configure(moe=None)
    site.reload()
    until(lambda: not _open(proxy))
    assert "Traceback" not in site.monitor.said()
    assert "no answer" not in site.monitor.said()


def _open(proxy):
    return [end for end in list(proxy._pairs) if proxy._pairs[end][1] and _alive(end)]


def _alive(end):
    try:
        return end.recv(1, 0x40 | 0x02) != b""  # MSG_DONTWAIT, MSG_PEEK
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_an_invalid_configuration_changes_nothing_and_says_so_until_a_good_one_comes(site):
    site.configure(llama=5)
    site.begin()
    site.change("check_interval: 1s", "check_interval: 5 minuts")
    site.change("transport: local", "transport: loca")
    said = site.reload()
    assert "trainstatus.yaml:6: defaults.check_interval: '5 minuts' is not a duration" in said
    assert "trainstatus.yaml:3: hosts.here.transport: " in said
    assert "trainstatus.yaml is not taken, nothing is changed" in said
    until(site.subjects)
    assert site.subjects()[0].startswith("trainstatus MONITOR ERROR")
    assert "What is new in trainstatus.yaml is not in force since" in site.body(0)
    assert "hosts.here.transport: " in site.body(0)
    assert "(and 1 more problem)" in site.body(0)
    before = site.seen("llama")
    until(lambda: site.seen("llama") > before)
    site.configure(llama=None)
    assert "reloaded trainstatus.yaml: nothing changed" in site.reload()
    until(lambda: len(site.subjects()) == 2)
    assert site.subjects()[1].startswith("Re: trainstatus MONITOR ERROR")


def test_a_database_is_not_changed_while_it_runs(site):
    site.configure(llama=5)
    site.begin()
    site.change("t.db", "other.db")
    site.change("check_interval: 1s", "check_interval: 2s")
    said = site.reload()
    assert "trainstatus.yaml: database: cannot change while trainstatus runs: restart it, or put" in said
    assert "nothing is changed" in said
    assert not (site.folder / "other.db").exists()


def test_what_is_to_be_kept_for_less_long_goes_at_once(site):
    site.configure(llama=1500)
    site.begin()
    until(site.subjects)
    train(site.folder / "llama.log", time.time(), start=40)
    until(lambda: len(site.subjects()) == 2)
    with closing(sqlite3.connect(site.folder / "t.db")) as database, database:
        database.execute("UPDATE incidents SET ends_at = ends_at - 7200")
    site.configure(more="retention: {incidents: 1h}", llama=None)
    assert "reloaded trainstatus.yaml: retention changed" in site.reload()
    until(lambda: site.rows("SELECT count(*) FROM incidents") == [(0,)])


def test_another_mail_server_is_used_from_then_on_and_slack_is_left_alone(site, monkeypatch):
    slack, other = site.enter(SlackServer()), site.enter(MailServer())
    monkeypatch.setenv("BOT", slack.bot_token)
    monkeypatch.setenv("APP", slack.app_token)
    tokens = f"bot_token: env:BOT, app_token: env:APP, api_url: '{slack.api_url}'"
    section = f"slack: {{channel: {slack.channel}, {tokens}}}"
    site.configure(more=section, llama=1500)
    site.begin()
    slack.wait_connected()
    until(lambda: site.subjects() and slack.messages(slack.channel))
    site.configure(more=section, mail=other, llama=None)
    assert "reloaded trainstatus.yaml: mail changed" in site.reload()
    train(site.folder / "llama.log", time.time(), start=40)
    until(lambda: other.received)
    assert other.received[0].mail["Subject"].startswith("Re: [trainstatus] llama STUCK on here")
    assert len(slack.calls_of("apps.connections.open")) == 1
    slack.add_channel("C0OTHER01", "other")
    site.change(slack.channel, "C0OTHER01")
    site.configure(more=section.replace(slack.channel, "C0OTHER01"), mail=other, llama=None, moe=1500)
    assert "reloaded trainstatus.yaml: 1 run added, Slack changed" in site.reload()
    until(lambda: slack.messages("C0OTHER01"))
    until(lambda: len(slack.calls_of("apps.connections.open")) == 2)
    slack.wait_connected()
    assert "moe" in slack.command("moe").wait_for_answer()["text"]
    site.configure(mail=other, llama=None, moe=None)
    assert "reloaded trainstatus.yaml: Slack changed" in site.reload()
    until(lambda: slack._sockets.count == 0)


def test_commands_know_the_runs_of_the_new_configuration_without_a_new_connection(site, monkeypatch):
    slack = site.enter(SlackServer())
    monkeypatch.setenv("BOT", slack.bot_token)
    monkeypatch.setenv("APP", slack.app_token)
    tokens = f"bot_token: env:BOT, app_token: env:APP, api_url: '{slack.api_url}'"
    section = f"slack: {{channel: {slack.channel}, {tokens}}}"
    site.configure(more=section, llama=5)
    site.begin()
    slack.wait_connected()
    site.configure(more=section, moe=5)
    site.reload()
    assert "moe" in slack.command("mo").wait_for_answer()["text"]
    assert "No run or command is named llama." in slack.command("llama").wait_for_answer()["text"]
    assert len(slack.calls_of("apps.connections.open")) == 1


def test_a_changed_threshold_takes_effect(site):
    site.configure(more="", llama=60)
    site.change("logs:", "thresholds: {stuck: 1h}, logs:")
    site.begin()
    until(lambda: site.seen("llama"))
    site.change("thresholds: {stuck: 1h}", "thresholds: {stuck: 30s, stuck_floor: 10s}")
    assert "reloaded trainstatus.yaml: 1 run changed" in site.reload()
    until(site.subjects)
    assert site.subjects()[0].startswith("llama STUCK")


def test_a_secret_that_was_typed_at_the_start_is_kept_and_nobody_is_asked_again(site):
    site.enter(mail := MailServer(login=("me", "tr0ub4dor")))
    site.configure(mail=mail, llama=5)
    site.change("security: none", "security: none, username: me, password: ask")
    person, terminal = pty.openpty()
    for end in (person, terminal):
        site._stack.callback(os.close, end)
    site.begin("SMTP password: ", stdin=terminal)
    os.write(person, b"tr0ub4dor\n")
    site.monitor.wait_for("watching")
    site.configure(mail=mail, llama=None, moe=1500)
    site.change("security: none", "security: none, username: me, password: ask")
    assert "reloaded trainstatus.yaml: 1 run added" in site.reload()
    until(lambda: mail.received)
    assert mail.logins == [("me", "tr0ub4dor")]
    site.change("email:", "slack: {channel: C0123ABCD, bot_token: ask, app_token: ask}\nemail:")
    assert "slack.bot_token: nobody was asked for it at the start: restart, or write env:NAME" in site.reload()
    assert site.monitor.said().count("SMTP password: ") == 1
