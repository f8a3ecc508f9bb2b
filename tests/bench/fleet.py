"""A fleet as one monitor watches it: many runs on many hosts, all behind one sshd of this machine, with Slack.

The monitor is a process of its own, so that its CPU time and memory can be told from those of the server, which with
real hosts are theirs, and from those of the trainings.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.bench.training_log import BLOCK, grow
from tests.support.slack_server import SlackServer
from tests.support.sshd import until

ROOT = Path(__file__).parents[2]
RUNS, HOSTS, INTERVAL = 200, 50, 10.0
# Each training writes a progress line, and what comes between, so often.
_WRITES_EVERY = 10.0
_HISTORY = 40
_PATIENCE, _STOP = 120.0, 20.0
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Watched:
    """What watching a fleet cost: shares of a core, bytes, and how the polls kept their rhythm.

    `missed` counts the check intervals in which a run was not looked at, `longest` (seconds) is the longest time
    between two looks at one run, `looks` how many there were.
    """

    monitor: float
    server: float
    memory: int
    looks: int
    missed: int
    longest: float


def watch_fleet(folder, sshd, seconds, *, runs=RUNS, hosts=HOSTS, interval=INTERVAL):
    """Start a monitor on a fleet, wait until it has looked at each run twice, and measure it for so many seconds."""
    logs = [folder / f"run-{number:03d}.log" for number in range(runs)]
    for log in logs:
        grow(log, _HISTORY * BLOCK, time.time())
    with SlackServer() as slack, contextlib.ExitStack() as stack:
        _configure(folder, sshd, slack, logs, hosts, interval)
        monitor = stack.enter_context(_monitor(folder))
        looks = Looks(folder / "t.db")
        until(lambda: _grown(logs) and looks.least(runs) > 1, _PATIENCE)
        looks.begin(time.time())
        server = sshd.cpu_seconds()
        before, began, peak = _cpu(monitor), time.monotonic(), 0
        while (spent := time.monotonic() - began) < seconds:
            _grown(logs)
            looks.sample()
            peak = max(peak, _resident(monitor))
            time.sleep(0.5)
        missed, longest = looks.rhythm(interval)
        return Watched(
            monitor=(_cpu(monitor) - before) / spent,
            server=(sshd.cpu_seconds() - server) / spent,
            memory=peak,
            looks=looks.count(),
            missed=missed,
            longest=longest,
        )


class Looks:
    """When each run was looked at, read from the monitor's database beside it."""

    def __init__(self, database):
        self._database = database
        self._seen = defaultdict(list)

    def begin(self, at):
        """Forget what came before; a look is counted from here on."""
        self._seen = {run: seen[-1:] or [at] for run, seen in self._seen.items()}

    def sample(self):
        with contextlib.closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            for run, seen_at in database.execute("SELECT name, seen_at FROM runs WHERE seen_at IS NOT NULL"):
                looks = self._seen.setdefault(run, [])
                if not looks or looks[-1] != seen_at:
                    looks.append(seen_at)

    def least(self, runs):
        """Return how often the run with the fewest looks was looked at."""
        if self._database.exists():
            with contextlib.suppress(sqlite3.OperationalError):  # its tables are being made
                self.sample()
        return min(map(len, self._seen.values())) if len(self._seen) == runs else 0

    def count(self):
        return sum(len(looks) - 1 for looks in self._seen.values())

    def rhythm(self, interval):
        """Return how many intervals passed without a look at a run, and the longest time between two looks."""
        gaps = [after - before for seen in self._seen.values() for before, after in itertools.pairwise(seen)]
        return sum(max(0, round(gap / interval) - 1) for gap in gaps), max(gaps)


def _configure(folder, sshd, slack, logs, hosts, interval):
    host = sshd.host().model_dump(mode="json", include={"address", "user", "port", "host_key", "keys", "agent"})
    names = [f"gpu-{number:02d}" for number in range(hosts)]
    config = {
        "database": f"sqlite:///{folder}/t.db",
        "defaults": {"check_interval": f"{interval:g}s"},
        "hosts": dict.fromkeys(names, host),
        "runs": {log.stem: {"host": names[n % hosts], "logs": [str(log)]} for n, log in enumerate(logs)},
        "slack": {"channel": slack.channel, "bot_token": "env:BOT", "app_token": "env:APP", "api_url": slack.api_url},
    }
    (folder / "trainstatus.yaml").write_text(json.dumps(config))  # JSON is YAML
    (folder / "secrets").write_text(json.dumps({"BOT": slack.bot_token, "APP": slack.app_token}))


@contextlib.contextmanager
def _monitor(folder):
    secrets = json.loads((folder / "secrets").read_text())
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "--config", "trainstatus.yaml"],
            cwd=folder,
            env=os.environ | secrets | {"PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=said,
        )
    try:
        yield process.pid
        assert process.poll() is None, (folder / "said").read_text()[-2000:]
    finally:
        process.terminate()
        process.wait(_STOP)


def _grown(logs):
    """Let each training write when its time has come, not all in the same moment; return True."""
    now = time.time()
    for log in logs:
        if now - log.stat().st_mtime >= _WRITES_EVERY:
            grow(log, BLOCK, now)
    return True


def _cpu(process):
    """Return the seconds of CPU time that a process has spent, its threads included."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _resident(process):
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
