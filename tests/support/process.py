"""The monitor as people start it: a configuration of runs on this machine, their logs, and the process."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.support.sshd import until

ROOT = str(Path(__file__).parents[2])
ITERATION = 10.0


def configure(folder, more, runs):
    """Write a configuration of local runs and the log of each, its last line so many seconds old (None: no log)."""
    logs = "\n".join(f"  {name}: {{host: here, logs: {folder}/{name}.log}}" for name in runs)
    text = f"database: sqlite:///{folder}/t.db\nhosts:\n  here: {{transport: local}}\n{more}\nruns:\n{logs}\n"
    (folder / "trainstatus.yaml").write_text(text)
    for name, age in runs.items():
        if age is not None:
            train(folder / f"{name}.log", time.time() - age)


def train(log, end, lines=40, start=0):
    with log.open("a") as out:
        for number in range(lines):
            at = end - (lines - 1 - number) * ITERATION
            stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            iteration = start + number + 1
            out.write(
                f" [{stamp}] iteration {iteration:8d}/   10000 | consumed samples: {iteration * 256:12d} |"
                f" elapsed time per iteration (ms): {ITERATION * 1000:.1f} | learning rate: 3.000E-04 |"
                " global batch size:   256 | lm loss: 2.314012E+00 | grad norm: 0.41 |\n"
            )
    os.utime(log, (end, end))


class Monitor:
    """`python -m MODULE --config trainstatus.yaml`, with what it says on standard error in a file of this folder.

    `path` is a folder of commands that it finds before others, `stdin` what it reads. `bot` with a `ttl` of so many
    seconds lets others wait no longer until they replace it.
    """

    def __init__(self, module, *options, said="said", ttl=None, path=None, stdin=None):
        what = [module] if ttl is None else ["tests.support.brain", str(ttl)]
        command = [sys.executable, *options, "-m", *what, "--config", "trainstatus.yaml"]
        self._file = Path(said).absolute()
        self._said = self._file.open("w+")
        shims = {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"} if path else {}
        self._process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env=os.environ | {"PYTHONPATH": ROOT} | shims,
            start_new_session=True,
        )

    @property
    def pid(self):
        return self._process.pid

    def said(self):
        return self._file.read_text()

    def wait_for(self, words, seconds=60.0):
        until(lambda: words in self.said() or self._process.poll() is not None, seconds)
        assert words in self.said(), self.said()

    def send(self, number):
        self._process.send_signal(number)

    def takes(self, number):
        """Return whether the process has a handler for a signal by now."""
        caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        return bool(int(caught[1], 16) >> (number - 1) & 1)

    def freeze(self, database):
        """Stop the process, as a machine that sleeps would, outside of any transaction: nobody can get past one."""
        while True:
            self.send(signal.SIGSTOP)
            until(lambda: "\nState:\tT" in Path(f"/proc/{self.pid}/status").read_text())
            if not _locked(database):
                return
            self.send(signal.SIGCONT)

    def kill(self):
        """End the process at once, whatever it does; for the end of a test too."""
        self._process.kill()
        self._process.wait(60)
        self._said.close()

    def end(self, *signals):
        """Send signals; return the exit status and how long the process took."""
        began = time.monotonic()
        for number in signals:
            self._process.send_signal(number)
        status = self._process.wait(60)
        self._said.close()
        return status, time.monotonic() - began


def _locked(database):
    with contextlib.closing(sqlite3.connect(database, timeout=0.2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.execute("ROLLBACK")
    return False
