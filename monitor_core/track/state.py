"""What is known of a run: its phase, its progress, its usual gaps and pace. `course` says how records change it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import ConfigDict

from monitor_core.model.incidents import Phase
from monitor_core.model.records import Progress, Record
from monitor_core.track.clock import LineClock
from monitor_core.track.end import End
from monitor_core.track.failure import FailureSeen
from monitor_core.track.losses import Losses
from monitor_core.track.marks import Marks, What
from monitor_core.track.pace import Pace, Setup, covered, took
from monitor_core.track.process import ProcessSeen
from monitor_core.track.relaunch import Relaunch
from monitor_core.track.settings import settings_of
from monitor_core.track.silence import Silence

# The first iterations of a launch compile, allocate and fill caches: they say nothing about its pace.
WARM_UP = 10


@dataclass(slots=True)
class RunState:
    """One run. Times are seconds since 1970 on our clock; None is what is not known, or not yet.

    `phase_at` is when it entered its phase, `line_at` the last progress line, `alive_at` the last sign of life that a
    stuck run would not give (a progress line, the end of a pause), `stuck_since` the onset of a silence that is too
    long, `written_at` the last byte of any of its logs, `seen_at` the last good read.

    `lines` are counted over all launches, `launch_lines` in this one, which began at `started_at`; `first_launch` is
    the one that told the first iteration. `step` iterations lie between two lines. `loss`, `ms` (per iteration),
    `batch_size` and `sequence_length` are those of the last line.

    `settings` are what the start-up lines told, `evaluated` is the iteration of the last evaluation. `sources` holds
    the last iteration that each log file told of. `read_at`: when what is read now was written, None on first sight.
    `announces_end`: a training that is done prints so. `learning`: the lines so far are too few to judge by. `tail` are
    the last lines, redacted. `marks` are what else came since the last progress line.
    """

    __pydantic_config__ = ConfigDict(ser_json_inf_nan="strings")

    clock: LineClock = field(default_factory=LineClock)
    pace: Pace = field(default_factory=Pace)
    losses: Losses = field(default_factory=Losses)
    silence: Silence = field(default_factory=Silence)
    end: End = field(default_factory=End)
    relaunch: Relaunch = field(default_factory=Relaunch)
    process: ProcessSeen = field(default_factory=ProcessSeen)
    failure: FailureSeen | None = None
    marks: Marks = field(default_factory=Marks)
    phase: Phase = Phase.UNKNOWN
    phase_at: float | None = None
    started_at: float | None = None
    line_at: float | None = None
    alive_at: float | None = None
    stuck_since: float | None = None
    written_at: float | None = None
    seen_at: float | None = None
    read_at: float | None = None
    missing_since: float | None = None
    launches: int = 0
    lines: int = 0
    launch_lines: int = 0
    first_iteration: int | None = None
    first_launch: int = 1
    launch_iteration: int | None = None
    iteration: int | None = None
    total: int | None = None
    step: int = 1
    loss: float | None = None
    first_loss: float | None = None
    ms: float | None = None
    batch_size: int | None = None
    sequence_length: int | None = None
    settings: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    evaluated: int = 0
    checkpoint: int | None = None
    checkpoint_at: float | None = None
    announces_end: bool = False
    learning: bool = False
    tail: list[str] = field(default_factory=list)

    @property
    def gap(self) -> float | None:
        """Return how many seconds usually lie between two progress lines; None while that cannot be known."""
        usual = self.silence.usual_gap
        if self.ms is None:
            return usual
        printed = self.ms / 1000 * (self.step if self.silence.gaps else self.log_interval)
        return max(printed, usual or 0.0)

    @property
    def rhythm(self) -> bool:
        """Whether it is known how many iterations lie between two lines, or how many seconds."""
        return bool(self.silence.gaps) or "log_interval" in self.settings or self.first_iteration == 1

    @property
    def covers_pause(self) -> bool:
        """Whether more than iterations lay between the last line and the one before."""
        return self.silence.covers_pause

    @property
    def log_interval(self) -> int:
        """Return after how many iterations a line is printed: as was set, else as it was the last time."""
        return self.settings.get("log_interval", self.step)

    @property
    def warm(self) -> bool:
        """Whether the last progress line is beyond the first iterations of its launch."""
        if self.iteration is None or self.launch_iteration is None:
            return False
        return self.iteration - self.launch_iteration >= WARM_UP

    @property
    def setup(self) -> Setup:
        """Return with what the last line was done."""
        return Setup(self.batch_size, self.sequence_length, self.log_interval, self.settings.get("world_size"))

    @property
    def started(self) -> bool:
        """Whether this launch has printed a progress line."""
        return self.launch_lines > 0

    def covered(self, line: Progress) -> int:
        """Return of how many iterations a line tells that comes now."""
        return covered(line.iteration, self.iteration if self.started else None, self.step)

    def took_each(self, lines: Sequence[Progress]) -> list[float]:
        """Return how many seconds after the one before each of the next lines comes, by what they say themselves."""
        before = [self.iteration if self.started else None, *(line.iteration for line in lines[:-1])]
        return [took(line, covered(line.iteration, b, self.step)) for line, b in zip(lines, before, strict=False)]

    def appear(self, at: float) -> None:
        """Note that there is a log, though it has not said anything yet."""
        if self.launches == 0:
            self.launch(at)

    def launch(self, at: float) -> None:
        """Note that a launch begins: what was learned of the one before holds where it says something of this one."""
        self.marks.add(at, What.LAUNCH)
        self.launches += 1
        self.relaunch = Relaunch(self.iteration if self.started else self.relaunch.left_at)
        self.launch_lines = 0
        self.started_at = self.alive_at = at
        self.pace = self.pace.relaunched(self.setup)
        self.losses = Losses(told=self.losses.told)
        self.silence = self.silence.relaunched()
        self.sources.clear()
        self.failure = None
        self.end = End()
        self.enter(Phase.STARTING, at)

    def enter(self, phase: Phase, at: float) -> None:
        """Note what the run does from now on; after its end it ends, whatever it does."""
        if self.end.kind is not None:
            phase = Phase.ENDING
        if self.phase is not phase:
            self.phase, self.phase_at = phase, at

    def exit(self, code: int, at: float) -> None:
        """Note that the process is gone, with its exit code."""
        self.appear(at)
        self.marks.add(at, What.EXIT, str(code))
        self.end.exit(code, at)

    def forget(self, at: float) -> None:
        """What was taken for progress was that of something else: it is as if there had been none."""
        self.launches = max(0, self.first_launch - 1)
        self.iteration = self.total = self.first_iteration = self.launch_iteration = self.ms = None
        self.loss = self.first_loss = self.line_at = self.batch_size = None
        self.lines, self.launch_lines, self.step = 0, 0, 1
        self.relaunch = Relaunch()
        self.losses.told = False
        self.launch(at)

    def recall(self, records: Iterable[Record]) -> None:
        """Take from the beginning of a log the total and the settings that its last part, read before, did not tell."""
        told = [record.total for record in records if isinstance(record, Progress) and record.total]
        self.total = self.total or next(reversed(told), None)
        self.settings = settings_of(records) | self.settings

    def shift(self, seconds: float) -> None:
        """Move everything in time: the first sight of a log has been anchored."""
        for name in ("phase_at", "started_at", "line_at", "alive_at", "stuck_since", "checkpoint_at"):
            moment = getattr(self, name)
            if moment is not None:
                setattr(self, name, moment + seconds)
        self.pace.shift(seconds)
        self.losses.shift(seconds)
        self.end.shift(seconds)
        self.marks.shift(seconds)
        if self.failure is not None:
            self.failure.at += seconds
