"""The monitor as people start it: a configuration of runs on this machine, their logs, and the process."""

from __future__ import annotations

import os
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
                " global batch size:   256 | lm loss: nan | grad norm: 0.41 |\n"
            )
    os.utime(log, (end, end))


class Monitor:
    """`python -m MODULE --config trainstatus.yaml`, with what it says on standard error."""

    def __init__(self, module, *options):
        command = [sys.executable, *options, "-m", module, "--config", "trainstatus.yaml"]
        self._said = Path("said").open("w+")  # noqa: SIM115 it lives as long as the process
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=self._said, env=os.environ | {"PYTHONPATH": ROOT}
        )

    def said(self):
        return Path("said").read_text()

    def wait_for(self, words):
        until(lambda: words in self.said() or self._process.poll() is not None)
        assert words in self.said(), self.said()

    def end(self, *signals):
        """Send signals; return the exit status and how long the process took."""
        began = time.monotonic()
        for number in signals:
            self._process.send_signal(number)
        status = self._process.wait(20)
        self._said.close()
        return status, time.monotonic() - began
