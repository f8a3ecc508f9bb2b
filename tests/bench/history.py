"""What the progress records of ten runs cost: bytes, the time of a commit, and the steps in which they are thinned."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.lab import run
from tests.support.fleet import DAY, HOUR, Fleet

RUNS, EVERY = 10, 10.0  # runs, and seconds between two lines of each
_POLL = 60.0


@dataclass
class History:
    """Bytes per record kept in full, bytes of the whole database, and seconds.

    `step` is the median of the steps of the housekeeping, `late` what one in a hundred takes or more.
    """

    record: float
    database: int
    commit: float
    empty: float
    step: float
    late: float


def history(days):
    """Measure in a process of its own."""
    sys.stderr.write(f"bench: history, {days} days of {RUNS} runs\n")
    return History(**json.loads(run("-m", "tests.bench.history", str(days))))


def measure(days):
    with tempfile.TemporaryDirectory(prefix="trainstatus-bench-") as folder:
        fleet = Fleet(Path(folder), runs=RUNS, every=EVERY)
        empty = statistics.median(_clocked(lambda: fleet.add(fleet.names[0], [])) for _ in range(1000))
        before = _size(fleet)
        commits = [commit for _ in range(round(2 * DAY / _POLL)) for commit in _poll(fleet)]
        record = (_size(fleet) - before) / (RUNS * 2 * DAY / EVERY)
        steps = [step for _ in range(round((days - 2) * DAY / HOUR)) for step in _hour(fleet)]
        size = Path(folder, "t.db").stat().st_size
        fleet.close()
    late = statistics.quantiles(steps, n=100)[-1]
    return History(record, size, statistics.median(commits), empty, statistics.median(steps), late)


def _poll(fleet):
    """Yield how long it took to write what a poll of each run brought."""
    for name in fleet.names:
        points = fleet.points(fleet.now, round(_POLL / EVERY))
        yield _clocked(lambda points=points, name=name: fleet.add(name, points))
    fleet.now += _POLL


def _hour(fleet):
    """Yield how long each step took that followed on another hour, without the last: it keeps nobody waiting."""
    fleet.pass_time(HOUR)
    more = True
    while more:
        before = time.perf_counter()
        more = fleet.housekeeping.step()
        if more:
            yield time.perf_counter() - before


def _size(fleet):
    with fleet.engine.begin() as connection:
        pages, size = (connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("page_count", "page_size"))
    return pages * size


def _clocked(work):
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure(int(sys.argv[1])))))
