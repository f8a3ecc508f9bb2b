"""The verb test-alert: real processes, a real mail server, the test Slack."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import pytest

from tests.support.process import ROOT, Monitor, train
from tests.support.slack_server import SlackServer, refused
from tests.support.smtpd import MailServer
from tests.support.sshd import free_port
from tests.support.stage import Stage, subjects

ONCALL, BOSS = "oncall@example.com", "boss@example.com"
OTHER = "C0OTHER01"


@pytest.fixture
def slack():
    with SlackServer() as server:
        server.add_channel(OTHER, "other")
        yield server


@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


@pytest.fixture
def configured(tmp_path, monkeypatch, slack, mail):
    """A configuration with two channels, somebody for what is critical, and somebody in Slack's stead."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"BOT": slack.bot_token, "APP": slack.app_token}.items():
        monkeypatch.setenv(f"SLACK_{name}_TOKEN", value)
    train(tmp_path / "llama.log", time.time())
    _write(tmp_path, slack, mail.port)


def _write(folder, slack, port):
    (folder / "trainstatus.yaml").write_text(
        f"""\
database: sqlite:///{folder}/t.db
hosts: {{here: {{transport: local}}}}
runs: {{llama: {{host: here, logs: {folder}/llama.log, channel: {OTHER}}}}}
slack:
  {{channel: {slack.channel}, bot_token: env:SLACK_BOT_TOKEN, app_token: env:SLACK_APP_TOKEN, api_url: {slack.api_url}}}
email:
  smtp: {{host: 127.0.0.1, port: {port}, security: none}}
  from: trainstatus@example.com
  recipients: [{{address: {ONCALL}, severity: critical}}, {{address: {BOSS}, when: fallback}}]
"""
    )


def test_alert(*words):
    """Type the command; return exit status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from bot.__main__ import main; sys.exit(main())", "test-alert", *words],
        env=os.environ | {"PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    return done.returncode, done.stdout, done.stderr


test_alert.__test__ = False


def rows(query):
    with closing(sqlite3.connect("t.db")) as database:
        return database.execute(query).fetchall()


def test_everybody_gets_one_alert_that_mentions_nobody_where_no_monitor_runs(configured, slack, mail):
    status, out, _ = test_alert()
    assert (status, sorted(out.split())) == (
        0,
        sorted(
            [*4 * ["sent"], f"slack:{slack.channel}", f"slack:{OTHER}", f"email:{ONCALL}", f"email:{BOSS}"],
        ),
    )
    for channel in (slack.channel, OTHER):
        (message,) = slack.messages(channel)
        assert "trainstatus TEST" in message.shown
        assert re.search(r"\*This is a test,\* asked for by \S+ at <!date\^.*>\. Nothing is wrong\.", message.shown)
        assert not re.search(r"<[@!](?!date)", message.shown)
        assert message.buttons == {}
    assert sorted(one.targets[0] for one in mail.received) == [BOSS, ONCALL]
    assert mail.received[0].mail["Subject"] == "[trainstatus] trainstatus TEST (incident 1)"
    assert rows("SELECT kind, state, severity FROM incidents") == [("test", "resolved", "info")]
    assert rows("SELECT verb, subject FROM audit") == [("test-alert", "incident 1")]


def test_the_running_monitor_delivers_it_and_no_secret_is_needed(configured, slack, monkeypatch):
    monitor = Monitor("bot")
    try:
        slack.wait_connected()
        monkeypatch.delenv("SLACK_BOT_TOKEN")
        status, out, error = test_alert("--to", "slack")
        assert (status, error) == (0, "")
        assert out.split() == ["sent", f"slack:{slack.channel}", "sent", f"slack:{OTHER}"]
        assert len(slack.messages(slack.channel)) == 1
    finally:
        monitor.end(signal.SIGTERM)


@pytest.mark.parametrize("to", [f"email:{BOSS}", BOSS.upper()])
def test_one_receiver_may_be_named(configured, mail, slack, to):
    assert test_alert("--to", to)[:2] == (0, f"sent   email:{BOSS}\n")
    assert [one.targets for one in mail.received] == [[BOSS]]
    assert slack.messages(slack.channel) == []


def test_who_is_not_configured_is_refused_with_who_is(configured):
    status, _, error = test_alert("--to", "zzz")
    assert status == 2
    assert error.startswith("No receiver is named zzz. There are: slack:C0TRAIN01, email:oncall@example.com,")
    assert rows("SELECT * FROM deliveries") == []


def test_what_fails_is_told_with_the_reason_and_what_to_do(configured, slack, mail):
    slack.kick(OTHER)
    mail.replies[BOSS] = "550 5.1.1 no such user"
    status, out, _ = test_alert("--json")
    assert status == 1
    found = {one["receiver"]: one for one in json.loads(out)}
    assert found[f"slack:{slack.channel}"]["state"] == found[f"email:{ONCALL}"]["state"] == "sent"
    assert "invite the bot there" in found[f"slack:{OTHER}"]["error"]
    assert found[f"email:{BOSS}"]["error"].endswith("550 5.1.1 no such user")
    assert rows("SELECT kind FROM incidents") == [("test",)]


def test_a_passing_trouble_is_tried_again(configured, slack):
    slack.fail("chat.postMessage", refused("internal_error"))
    assert test_alert("--to", slack.channel)[:2] == (0, f"sent   slack:{slack.channel}\n")


def test_what_stays_away_is_given_up_after_three_attempts_and_never_sent_later(configured, slack, tmp_path):
    _write(tmp_path, slack, free_port())
    status, out, _ = test_alert("--to", ONCALL)
    assert status == 1
    assert re.fullmatch(rf"failed email:{ONCALL}: mail server 127.0.0.1:\d+ cannot be reached: .*\n", out)
    assert rows("SELECT state, attempts FROM deliveries") == [("superseded", 3)]


def test_a_secret_that_is_missing_is_told_and_leaves_nothing_to_send(configured, monkeypatch):
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    status, _, error = test_alert()
    assert status == 2
    assert "the environment variable SLACK_BOT_TOKEN is not set" in error
    assert {state for (state,) in rows("SELECT state FROM deliveries")} == {"superseded"}


def test_other_deliveries_that_wait_are_left_to_the_monitor(tmp_path, mail):
    stage = Stage(tmp_path, mail=mail)
    stage.fire()
    number = stage.control.test_alert("shell:alice")
    replace(stage.outboxes["email"], only=number).drain()
    assert subjects(mail) == [f"trainstatus TEST (incident {number})"]
    assert stage.rows("SELECT state FROM deliveries ORDER BY number") == [("pending",), ("sent",)]
    stage.close()


def test_a_terminal_gets_it_where_nobody_else_is_configured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trainstatus.yaml").write_text(
        f"database: sqlite:///{tmp_path}/t.db\nhosts: {{here: {{transport: local}}}}\n"
        f"runs: {{llama: {{host: here, logs: {tmp_path}/llama.log}}}}\n"
    )
    status, out, _ = test_alert()
    assert status == 0
    assert out.startswith("TEST  trainstatus TEST\nThis is a test, asked for by ")
    assert out.endswith("sent   console:terminal\n")
