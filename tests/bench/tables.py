"""What is measured, table by table, and the limits that were set before."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass

from tests.bench import history, meanings
from tests.bench.figures import BYTES, COUNT, PERCENT, RATE, SECONDS, SHARE, Growth, Limit, Row, Table
from tests.bench.fleet import HOSTS, INTERVAL, RUNS
from tests.bench.hostile import CASES, seconds
from tests.bench.lab import GB, KB, MB, Sample
from tests.bench.start_up import start_up

# "Hundreds of times less time" is read as: at least two hundred.
HUNDREDS = Limit(200, of_ratio=True)
MOST_GROWTH = 1.2
# Twice the bytes take twice as long; what is more is noise.
MOST_LINEAR = 2.5
# Whoever polls meanwhile has to wait for so long at most.
MOST_WAIT = Limit(0.010)


@dataclass(frozen=True)
class Plan:
    """How large the logs are and how often each way runs; `full`: the original's way on the largest one too."""

    sizes: tuple[int, ...] = (MB, 10 * MB, 100 * MB, GB)
    main: int = 100 * MB
    polls: int = 60
    rounds: int = 2
    checks: int = 2
    passes: int = 3
    starts: int = 7
    watch: float = 120.0
    days: int = 30
    full: bool = False


class Bench:
    """Measures by a plan; each way and size is measured once, whichever tables show it."""

    def __init__(self, lab, plan):
        self._lab, self._plan = lab, plan
        self._polls = {}
        self._checks = {}

    def tables(self):
        """Measure everything and return the tables, in the order of the page."""
        self._measure_polls()
        return [
            self._poll(),
            self._sizes(),
            self._memory(),
            self._first_look(),
            self._parse(),
            self._hostile(),
            self._fleet(),
            self._start_up(),
            self._history(),
        ]

    def _measure_polls(self):
        """Go through the sizes several times over: what else the machine does then falls on all of them alike."""
        plan = self._plan
        self._polls = {size: Sample() for size in plan.sizes}
        for _ in range(plan.rounds):
            for size, sample in self._polls.items():
                self._lab.measure("poll", size, times=plan.polls, warm_up=3, into=sample)
        for size in plan.sizes:
            if size < plan.sizes[-1] or plan.full:
                times = 1 if size == plan.sizes[-1] else plan.checks
                self._checks[size] = self._lab.measure("original check", size, times=times)

    def _poll(self):
        plan, lab = self._plan, self._lab
        ours, original = self._polls[plan.main], self._checks[plan.main]
        prompt = lab.measure("original check, prompt", plan.main, times=plan.checks)
        read = lab.measure("read", plan.main, times=plan.polls, warm_up=3)
        floor = lab.measure("floor", plan.main, times=plan.polls, warm_up=3)
        # Not in the runs above: the proxy that counts costs both ways time.
        original.moves = lab.measure("original check", plan.main, counted=True).moves
        ours.moves = lab.measure("poll", plan.main, times=plan.polls, warm_up=3, counted=True).moves
        return Table(
            f"One poll of a {BYTES.name(plan.main)} log that grew by 4 KB",
            meanings.POLL,
            [
                Row("wall time", SECONDS, original.wall, ours.wall, (Limit(0.007), HUNDREDS)),
                Row("wall time, original without its stalls", SECONDS, prompt.wall, ours.wall, (HUNDREDS,)),
                Row("CPU time of the client", SECONDS, original.cpu, ours.cpu, (Limit(0.003),)),
                Row("bytes moved, both directions", BYTES, original.moved, ours.moved, (Limit(6 * KB),)),
                Row("the trip alone: wall time", SECONDS, None, read.wall, (Limit(0.007),)),
                Row("the trip alone: CPU time of the client", SECONDS, None, read.cpu, (Limit(0.0015),)),
                Row("floor: wall time", SECONDS, None, floor.wall),
                Row("floor: CPU time of the client", SECONDS, None, floor.cpu),
            ],
        )

    def _sizes(self):
        near, far = self._plan.sizes[0], self._plan.sizes[-1]
        return Table(
            "The same poll, by the size of the log",
            meanings.SIZES,
            [
                *(
                    Row(f"wall time, {BYTES.name(size)}", SECONDS, self._original(size, "wall"), sample.wall, why=_NOT)
                    for size, sample in self._polls.items()
                ),
                Growth(
                    f"wall time, {BYTES.name(far)} to {BYTES.name(near)}",
                    self._polls[near].wall,
                    self._polls[far].wall,
                    MOST_GROWTH,
                ),
            ],
        )

    def _memory(self):
        limits = {GB: (Limit(120 * MB),)}
        rows = []
        for size, sample in self._polls.items():
            whole, work = self._original(size, "peak"), self._original(size, "memory")
            rows += [
                Row(f"peak, {BYTES.name(size)}", BYTES, whole, sample.peak, limits.get(size, ()), why=_NOT),
                Row(f"more than the imports, {BYTES.name(size)}", BYTES, work, sample.memory, why=_NOT),
            ]
        return Table(
            "Memory of the process, by the size of the log",
            meanings.MEMORY,
            rows,
        )

    def _first_look(self):
        plan, lab = self._plan, self._lab
        ours = lab.measure("first look", plan.main, times=plan.passes, warm_up=1)
        whole = lab.measure("read all", plan.main, times=plan.checks)
        original = self._checks[plan.main]
        return Table(
            f"First look at a {BYTES.name(plan.main)} log",
            meanings.FIRST_LOOK,
            [
                Row("wall time", SECONDS, original.wall, ours.wall, (Limit(0.5),)),
                Row("wall time, ours reading all of it", SECONDS, original.wall, whole.wall),
                Row("CPU time of the client", SECONDS, original.cpu, ours.cpu),
                Row("peak memory", BYTES, original.peak, ours.peak),
            ],
        )

    def _parse(self):
        plan, lab = self._plan, self._lab
        size = lab.log(plan.main).stat().st_size
        original, ours, named = Sample(), Sample(), Sample()
        for _ in range(plan.passes):
            lab.measure("original match", plan.main, warm_up=1, into=original)
            lab.measure("parse", plan.main, warm_up=1, into=ours)
            lab.measure("parse, format named", plan.main, warm_up=1, into=named)
        near, far = (lab.measure("parse, nothing kept", size, warm_up=1) for size in plan.sizes[-2:])
        return Table(
            f"Parsing {BYTES.name(plan.main)}",
            meanings.PARSE,
            [
                Row("wall time", SECONDS, original.wall, ours.wall),
                Row("rate", RATE, size / original.wall, size / ours.wall, (Limit(3, of_ratio=True),)),
                Row("share of recognising the format", PERCENT, None, 1 - named.wall / ours.wall, (Limit(0.05),)),
                *(Row("`rg -c -F` of the same file: rate", RATE, None, size / rg) for rg in self._rg()),
                Growth(
                    f"peak memory, {BYTES.name(plan.sizes[-1])} to {BYTES.name(plan.sizes[-2])}",
                    near.peak,
                    far.peak,
                    MOST_GROWTH,
                    BYTES,
                ),
            ],
        )

    def _rg(self):
        """How long the fastest search there is takes to count the lines, if it is on this machine."""
        program = shutil.which("rg")
        if not program:
            return []
        command = [program, "-c", "-F", "elapsed time per iteration", str(self._lab.log(self._plan.main))]
        times = []
        for _ in range(self._plan.passes):
            began_at = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - began_at)
        return [statistics.median(times)]

    def _hostile(self):
        return Table(
            "Bytes that no log should hold",
            meanings.HOSTILE,
            [
                Growth(f"{name}, to half of it", seconds(what, size // 2), seconds(what, size), MOST_LINEAR, SECONDS)
                for name, what, size in CASES
            ],
        )

    def _fleet(self):
        seconds = self._plan.watch
        watched = self._lab.watch_fleet(seconds)
        return Table(
            f"{RUNS} runs on {HOSTS} hosts",
            meanings.FLEET.format(runs=RUNS, hosts=HOSTS, interval=INTERVAL, seconds=seconds),
            [
                Row("CPU time of the monitor", SHARE, None, watched.monitor, (Limit(0.25),)),
                Row("CPU time of sshd and its sessions", SHARE, None, watched.server),
                Row("most memory that the monitor held", BYTES, None, watched.memory, (Limit(150 * MB),)),
                Row("looks at runs", COUNT, None, watched.looks),
                Row("missed check intervals", COUNT, None, watched.missed, (Limit(0),)),
                Row("longest time between two looks at a run", SECONDS, None, watched.longest),
            ],
        )

    def _start_up(self):
        measured = start_up(self._plan.starts)
        libraries = ", ".join(measured.libraries) or "none"
        return Table(
            "Starting",
            meanings.START_UP.format(libraries=libraries),
            [
                Row(
                    "`trainstatus --help`, beside the imports of the original: wall time",
                    SECONDS,
                    measured.original,
                    measured.help,
                    (Limit(0.150),),
                ),
                Row("Python that does nothing: wall time", SECONDS, None, measured.bare),
            ],
        )

    def _history(self):
        days = self._plan.days
        measured = history.history(days)
        of = f"{history.RUNS} runs with a line every {history.EVERY:g} s"
        return Table(
            "What is kept",
            meanings.HISTORY,
            [
                Row("a progress record", BYTES, None, measured.record),
                Row(f"the database of {of}, after {days} days", BYTES, None, measured.database),
                Row("commit of the six records of a poll", SECONDS, None, measured.commit),
                Row("the same transaction with nothing to write", SECONDS, None, measured.empty),
                Row("a step of housekeeping: median", SECONDS, None, measured.step),
                Row("a step of housekeeping: 99 of 100 take at most", SECONDS, None, measured.late, (MOST_WAIT,)),
            ],
        )

    def _original(self, size, figure):
        return getattr(self._checks[size], figure) if size in self._checks else None


_NOT = "not measured (`--full`)"
