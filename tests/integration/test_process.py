"""The monitor as a process: how it ends, and what it loads."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import Monitor, configure
from tests.support.smtpd import MailServer
from tests.support.sshd import until

# Who waits for what hangs waits longer; on a busy machine all else takes its time too.
NO_DEADLINE = 15.0


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a configuration of local runs and the log of each, whose last line is so many seconds old."""
    monkeypatch.chdir(tmp_path)

    def write(*, more="", **runs):
        configure(tmp_path, more, runs)

    return write


@pytest.mark.parametrize("signals", [(signal.SIGTERM,), (signal.SIGINT,), (signal.SIGTERM, signal.SIGTERM)])
def test_the_monitor_ends_at_once_and_cleanly_when_told_to(write, signals):
    write(more="defaults: {check_interval: 1s}", llama=1)
    monitor = Monitor("monitor_core")
    monitor.wait_for("watching 1 run on 1 host")
    status, seconds = monitor.end(*signals)
    assert (status, seconds < NO_DEADLINE) == (0, True)
    assert "Traceback" not in monitor.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_monitor_that_is_told_to_end_while_it_still_loads_ends_cleanly(write, number):
    write(llama=1)
    monitor = Monitor("monitor_core")
    until(lambda: monitor.takes(signal.SIGHUP))
    status, seconds = monitor.end(number)
    assert (status, seconds < NO_DEADLINE) == (0, True)
    assert "Traceback" not in monitor.said()


def test_a_reload_that_is_asked_for_while_the_monitor_still_loads_waits_for_it(write):
    write(llama=1)
    monitor = Monitor("monitor_core")
    until(lambda: monitor.takes(signal.SIGHUP))
    monitor.send(signal.SIGHUP)
    monitor.wait_for("reloaded trainstatus.yaml: nothing changed")
    assert monitor.said().index("watching 1 run on 1 host") < monitor.said().index("reloaded")
    assert monitor.end(signal.SIGTERM)[0] == 0


def test_a_monitor_that_runs_notes_that_it_looks(write):
    write(more="defaults: {check_interval: 1s}", llama=1)
    monitor = Monitor("monitor_core")
    until(lambda: stored("SELECT looked_at FROM lease WHERE looked_at > 0"))
    assert monitor.end(signal.SIGTERM)[0] == 0


def stored(query):
    """Return what the monitor's database holds; nothing while it is not there."""
    with (
        contextlib.suppress(sqlite3.OperationalError),
        contextlib.closing(sqlite3.connect("t.db")) as database,
    ):
        return database.execute(query).fetchall()
    return []


def test_the_monitor_ends_in_time_though_a_host_and_the_mail_server_hang(write):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mail = f"smtp: {{host: 127.0.0.1, port: {port}, security: none}}, from: t@example.com"
        more = f"  hangs: {{address: 127.0.0.1, user: me, port: {port}}}\n"
        more += f"email: {{{mail}, recipients: [{{address: a@example.com}}]}}"
        write(more=more, llama=1500)
        with Path("trainstatus.yaml").open("a") as config:
            config.write("  far: {host: hangs, logs: /data/far.log}\n")
        monitor = Monitor("monitor_core")
        monitor.wait_for("watching 2 runs on 2 hosts")
        connections = [silent.accept()[0] for _ in range(2)]
        status, seconds = monitor.end(signal.SIGTERM)
        for connection in connections:
            connection.close()
    assert (status, seconds < NO_DEADLINE) == (0, True)
    assert "Traceback" not in monitor.said()
    assert "no answer" not in monitor.said()


def test_a_monitor_by_mail_alone_tells_and_never_loads_slack(write):
    with MailServer() as server:
        smtp = f"{{host: 127.0.0.1, port: {server.port}, security: none}}"
        more = f"email: {{smtp: {smtp}, from: t@example.com, recipients: [{{address: a@example.com}}]}}"
        write(more=more, llama=1500)
        monitor = Monitor("bot", "-X", "importtime")
        until(lambda: server.received)
        assert monitor.end(signal.SIGTERM)[0] == 0
    assert "STUCK" in server.received[0].mail["Subject"]
    loaded = set(re.findall(r"\|\s+([\w.]+)$", monitor.said(), re.MULTILINE))
    assert "monitor_core.app" in loaded
    assert not [name for name in loaded if name.startswith(("slack_bolt", "slack_sdk"))]


def test_a_monitor_whose_database_is_removed_says_so_and_makes_no_other(write, tmp_path):
    write(more="defaults: {check_interval: 1s}", llama=1)
    monitor = Monitor("monitor_core")
    monitor.wait_for("watching 1 run on 1 host")
    until((tmp_path / "t.db-wal").exists)
    for file in tmp_path.glob("t.db*"):
        file.unlink()
    monitor.wait_for(f"database {tmp_path}/t.db was removed or replaced")
    assert monitor.end(signal.SIGTERM)[0] == 0
    assert list(tmp_path.glob("t.db*")) == []


def test_help_loads_neither_ssh_nor_database():
    program = "from bot.__main__ import main; main(['--help'])"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "trainstatus" in done.stdout
    loaded = set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
    assert "monitor_core.cli.arguments" in loaded
    assert not loaded & {"paramiko", "sqlalchemy", "apscheduler", "slack_bolt", "pydantic"}
