"""The bench itself: an SSH server on this machine, logs of all sizes, and a process for each measurement."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.fleet import watch_fleet
from tests.bench.training_log import grow
from tests.support.sshd import Sshd

ROOT = Path(__file__).parents[2]
KB, MB, GB = 10**3, 10**6, 10**9
GROWTH = 4096
_PATIENCE = 900.0
_SFTP = "Subsystem sftp internal-sftp\n"


@dataclass
class Sample:
    """What one way cost: medians over its runs, in seconds and bytes.

    `peak` is the most memory that its process held, `loaded` what it held before the work began.
    """

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)
    peak: int = 0
    loaded: int = 0

    @property
    def wall(self):
        return statistics.median(self.walls)

    @property
    def cpu(self):
        return statistics.median(self.cpus)

    @property
    def moved(self):
        return statistics.median(self.moves)

    @property
    def memory(self):
        return self.peak - self.loaded

    def add(self, result):
        self.walls += result["wall"]
        self.cpus += result["cpu"]
        self.moves += result["moved"]
        self.peak, self.loaded = max(self.peak, result["peak"]), max(self.loaded, result["loaded"])


class Lab:
    """Measures ways; each log is made when it is first needed."""

    def __init__(self, folder, sshd):
        self.folder, self._sshd = folder, sshd

    def log(self, size):
        path = self.folder / f"train-{size}.log"
        if not path.exists():
            _say(f"writing a log of {size // MB} MB")
            grow(path, size, time.time())
        return path

    def measure(self, way, size, *, times=1, warm_up=0, counted=False, into=None):
        """Measure a way on a log of so many bytes; add to the sample `into` if there is one."""
        log = self.log(size)
        _say(f"{way}, {size // MB} MB{', bytes counted' if counted else ''}")
        with tempfile.TemporaryDirectory(dir=self.folder) as own:
            job = {"way": way, "log": str(log), "growth": GROWTH, "times": times, "warm_up": warm_up}
            job |= {"counted": counted, "folder": own, "host": self._sshd.host().model_dump(mode="json")}
            result = run("-m", "tests.bench.worker", given=json.dumps(job))
        sample = into if into is not None else Sample()
        sample.add(json.loads(result))
        return sample

    def watch_fleet(self, seconds):
        """Let a monitor watch a fleet for so many seconds."""
        _say(f"watching a fleet for {seconds:g} s")
        with tempfile.TemporaryDirectory(dir=self.folder) as own:
            return watch_fleet(Path(own), self._sshd, seconds)


@contextlib.contextmanager
def open_lab():
    """Yield a lab; whatever happens, its server is stopped and its logs are removed."""
    with tempfile.TemporaryDirectory(prefix="trainstatus-bench-") as name:
        folder = Path(name)
        sshd = Sshd(folder, _SFTP)
        try:
            sshd.start()
            yield Lab(folder, sshd)
        finally:
            sshd.stop()


def run(*arguments, given=""):
    """Run this Python with arguments and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        input=given,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_PATIENCE,
        check=True,
    )
    return done.stdout


def _say(text):
    sys.stderr.write(f"bench: {text}\n")
