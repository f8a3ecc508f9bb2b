"""Two monitors, real processes, on one database: one watches, the other stands by and takes over."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from tests.support.process import Monitor, configure, train
from tests.support.slack_server import SlackServer
from tests.support.smtpd import MailServer
from tests.support.sshd import until

TTL = 3.0
REPEAT = "(May be a repeat.)"
STANDING_BY = "standing by: another monitor watches, process"
LOST = "nothing more is written or sent here"


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with MailServer() as mail:
        made = Site(tmp_path, mail)
        yield made
        for monitor in made.monitors:
            monitor.kill()


class Site:
    """A folder with a configuration and logs, a mail server, and the monitors that were started there."""

    def __init__(self, folder, mail):
        self.folder, self.mail, self.monitors = folder, mail, []

    def configure(self, more="", **runs):
        smtp = f"{{host: 127.0.0.1, port: {self.mail.port}, security: none}}"
        email = f"email: {{smtp: {smtp}, from: t@example.com, recipients: [{{address: a@example.com}}]}}"
        configure(self.folder, f"{more}\n{email}\ndefaults: {{check_interval: 1s}}", runs)

    def begin(self, *, ttl=TTL, **how):
        made = Monitor("bot", said=f"said-{len(self.monitors)}", ttl=ttl, **how)
        self.monitors.append(made)
        return made

    def pair(self, ttl=TTL):
        """Start one that watches, and one that stands by."""
        first = self.begin(ttl=ttl)
        first.wait_for("watching 1 run on 1 host")
        second = self.begin(ttl=ttl)
        second.wait_for(STANDING_BY)
        return first, second

    @property
    def database(self):
        return self.folder / "t.db"

    def rows(self, query):
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def told(self):
        """Return the mails: of what, and whether each says that it may be a repeat."""
        return [(mail.mail["Subject"], REPEAT in mail.body("plain")) for mail in self.mail.received]

    def lines(self, run="llama"):
        """Return how many lines of a run were counted."""
        (found,) = self.rows(f"SELECT json_extract(state, '$.lines') FROM runs WHERE name = '{run}'")
        return found[0]


def test_only_one_reads_tells_and_answers_and_the_other_says_who_does(site, sshd, proxy, monkeypatch):
    with SlackServer() as slack:
        ssh = f"user: {sshd.host().user}, host_key: {sshd.known_hosts}, keys: ['{sshd.key}'], agent: false"
        host = f"  far: {{address: 127.0.0.1, port: {proxy.port}, {ssh}}}"
        tokens = f"bot_token: env:BOT, app_token: env:APP, api_url: '{slack.api_url}'"
        site.configure(f"{host}\nslack: {{channel: {slack.channel}, {tokens}}}", llama=1500)
        config = site.folder / "trainstatus.yaml"
        config.write_text(config.read_text().replace("host: here", "host: far"))
        monkeypatch.setenv("BOT", slack.bot_token)
        monkeypatch.setenv("APP", slack.app_token)
        first, second = site.pair()
        slack.wait_connected()
        until(lambda: site.mail.received and slack.messages(slack.channel))
        began = time.time()
        until(lambda: site.rows("SELECT seen_at FROM hosts")[0][0] > began + 2 * TTL)
        assert (proxy.connections, len(site.told()), len(slack.messages(slack.channel))) == (1, 1, 1)
        assert len(slack.calls_of("apps.connections.open")) == 1
        host = re.escape(os.uname().nodename)
        assert re.search(rf"{STANDING_BY} {first.pid} on {host} since \w+ \d+ \w+ [\d:]+ UTC\n", second.said())
        assert second.said().count("standing by") == 1
        assert "watching" not in second.said()


def test_after_a_clean_stop_the_other_takes_over_at_once(site):
    site.configure(llama=1500)
    first, second = site.pair(ttl=3600)
    until(site.told)
    first.send(signal.SIGTERM)
    second.wait_for(f"taking over from process {first.pid} on")
    second.wait_for("watching 1 run on 1 host")
    train(site.folder / "llama.log", time.time(), start=40)
    until(lambda: len(site.told()) == 2)
    assert site.told()[1][0].startswith("Re: "), "the resolve of what the first has told"


@pytest.mark.parametrize(
    "ttl",
    [
        TTL,
        pytest.param(
            30.0, marks=pytest.mark.skipif("TRAINSTATUS_REAL_LEASE" not in os.environ, reason="takes a minute")
        ),
    ],
)
def test_after_kill_9_the_other_takes_over_within_twice_the_time_of_a_lease(site, ttl):
    site.configure(llama=1500)
    first = site.begin(ttl=ttl)
    first.wait_for("watching")
    second = site.begin(ttl=ttl)
    second.wait_for(STANDING_BY)
    until(site.told)
    first.kill()
    second.wait_for("watching 1 run on 1 host", 2 * ttl)
    train(site.folder / "llama.log", time.time(), start=40)
    until(lambda: len(site.told()) == 2)
    assert "Traceback" not in second.said()


def test_one_that_slept_while_it_sent_is_replaced_and_its_write_is_refused(site):
    site.configure(llama=1500)
    site.mail.fall_silent()
    first = site.begin()
    until(site.told)
    first.freeze(site.database)
    second = site.begin()
    second.wait_for("watching")
    site.mail.speak()
    until(lambda: len(site.told()) == 2)
    until(lambda: site.rows("SELECT state, attempts FROM deliveries") == [("sent", 2)])
    first.send(signal.SIGCONT)
    first.wait_for(LOST)
    first.wait_for(f"{STANDING_BY} {second.pid} on")
    assert site.told() == [(site.told()[0][0], False), (site.told()[0][0], True)]
    train(site.folder / "llama.log", time.time(), start=40)
    until(lambda: len(site.told()) == 3)
    assert site.told()[2][1] is False
    assert "Traceback" not in first.said() + second.said()
    second.send(signal.SIGTERM)
    first.wait_for(f"taking over from process {second.pid}")


def test_one_that_slept_while_it_read_is_replaced_and_no_line_is_lost_or_counted_twice(site):
    entered, release = site.folder / "entered", site.folder / "release"
    shims = site.folder / "bin"
    shims.mkdir()
    (shims / "date").write_text(
        f'#!/bin/sh\ntouch {entered}\nwhile [ ! -e {release} ]; do sleep 0.05; done\nexec /bin/date "$@"\n'
    )
    (shims / "date").chmod(0o755)
    site.configure(llama=0)
    first = site.begin(path=shims)
    until(entered.exists)
    first.freeze(site.database)
    second = site.begin()
    second.wait_for("watching")
    until(lambda: site.rows("SELECT name FROM runs"))
    train(site.folder / "llama.log", time.time(), lines=20, start=40)
    until(lambda: site.lines() == 60)
    release.touch()
    first.send(signal.SIGCONT)
    first.wait_for(STANDING_BY)
    train(site.folder / "llama.log", time.time(), lines=20, start=60)
    until(lambda: site.lines() == 80)
    assert LOST in first.said()
    assert "Traceback" not in first.said() + second.said()
    assert not re.search("could not be|no answer", first.said())


def test_a_configuration_that_is_read_anew_while_standing_by_holds_from_the_take_over_on(site):
    site.configure(llama=1500)
    first, second = site.pair()
    until(site.told)
    site.configure(llama=None, moe=1500)
    second.send(signal.SIGHUP)
    second.wait_for("reloaded trainstatus.yaml: 1 run added")
    assert len(site.told()) == 1
    first.send(signal.SIGTERM)
    second.wait_for("watching 2 runs on 1 host")
    until(lambda: len(site.told()) == 2)
    assert "moe STUCK" in site.told()[1][0]
