"""The way of the original tool, written anew from the description of what it does at each check.

It connects, opens the log over SFTP, reads all lines of it, matches one pattern on each, and compares the last line
with those before. Nothing is kept from one check to the next. Nothing of ours is imported here.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import time
from datetime import UTC, datetime
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import paramiko
import yaml
from paramiko.hostkeys import HostKeyEntry

from tests.bench.training_log import grow, last_iteration

# What its process holds besides: configuration and mail.
LOADED = (yaml, smtplib, MIMEMultipart, MIMEText)
_FIELDS = (
    "consumed samples",
    "elapsed time per iteration (ms)",
    "learning rate",
    "global batch size",
    "lm loss",
    "load_balancing_loss",
    "loss scale",
    "grad norm",
    "num zeros",
    "params norm",
    "number of skipped iterations",
    "number of nan iterations",
)


def _named(field):
    name = re.sub(r"\W", "_", field)
    return rf"\s*{re.escape(field)}:\s+(?P<{name}>[\d.]+(?:E[+-]?\d+)?)\s*"


# All fields, in one order: a line with another order, or without one of them, is not seen. It is looked for anywhere in
# the line, and handed to `re` as text each time.
_LINE = (
    r"\[+(?P<timestamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\]+\s*iteration\s+(?P<iteration>\d+)\s*/\s*(?P<total>\d+)\s+\|"
    + r"\|".join(_named(field) for field in _FIELDS)
)
_STUCK, _SLOW = 2.0, 1.5


def matches(lines):
    """Return the fields of all progress lines, by name."""
    return [match.groupdict() for line in lines if (match := re.search(_LINE, line))]


def judge(rows, now):
    """Return what is wrong by its two rules: the age of the last line, and its time against the mean before."""
    last, before = _seconds(rows[-1]), [_seconds(row) for row in rows[:-1]]
    written_at = datetime.strptime(rows[-1]["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    stuck = now - written_at > _STUCK * last
    slow = bool(before) and last > _SLOW * sum(before) / len(before)
    return [word for word, holds in (("stuck", stuck), ("slow", slow)) if holds]


def _seconds(row):
    return float(row["elapsed_time_per_iteration__ms_"]) / 1000


class Check:
    """One check of the log."""

    def __init__(self, job):
        self.host, self._log, self._growth = job["host"], Path(job["log"]), job["growth"]
        self._key = HostKeyEntry.from_line(Path(self.host["host_key"]).read_text(encoding="ascii").strip()).key
        self._rows = []

    def prepare(self):
        grow(self._log, self._growth, time.time())

    def run(self):
        with (
            contextlib.closing(self._connect()) as client,
            client.open_sftp() as sftp,
            sftp.open(str(self._log)) as log,
        ):
            self._rows = matches(log.readlines())
        judge(self._rows, time.time())

    def check(self):
        assert int(self._rows[-1]["iteration"]) == last_iteration(self._log)

    def close(self):
        """Nothing is left open."""

    def _connect(self):
        address, port = self.host["address"], self.host["port"]
        client = paramiko.SSHClient()
        client.get_host_keys().add(f"[{address}]:{port}", self._key.get_name(), self._key)
        client.connect(
            address,
            port,
            self.host["user"],
            key_filename=self.host["keys"][0],
            allow_agent=False,
            look_for_keys=False,
            sock=self._socket(),
        )
        return client

    def _socket(self):
        """Let the library connect as it does by itself."""


class PromptCheck(Check):
    """The same without the stalls that the TCP settings of its library cost: so much is not our merit."""

    def _socket(self):
        return prompt_socket(self.host)


class Floor(Check):
    """The least that a question over a standing connection can cost: `true` is run on the host."""

    def __init__(self, job):
        super().__init__(job)
        self._client = self._connect()

    def prepare(self):
        """The log plays no part."""

    def run(self):
        with contextlib.closing(self._client.get_transport().open_session()) as channel:
            channel.exec_command("true")
            self._status = channel.recv_exit_status()

    def check(self):
        assert self._status == 0

    def close(self):
        self._client.close()

    def _socket(self):
        return prompt_socket(self.host)


class Match:
    """One pattern on each line of a log that is in memory already."""

    def __init__(self, job):
        self._lines = Path(job["log"]).read_text(encoding="utf-8").splitlines(keepends=True)
        self._last = last_iteration(Path(job["log"]))
        self._rows = []

    def prepare(self):
        self._rows = []

    def run(self):
        self._rows = matches(self._lines)

    def check(self):
        assert [int(row["iteration"]) for row in self._rows] == list(range(1, self._last + 1))

    def close(self):
        """Nothing is open."""


def prompt_socket(host):
    """Return a connection on which nothing waits for an acknowledgement."""
    connection = socket.create_connection((host["address"], host["port"]))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
