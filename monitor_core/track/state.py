"""What is known of a run: its phase, its progress, its usual gaps and pace. Grows by records alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import ConfigDict, Field

from monitor_core.model.incidents import Kind, Phase
from monitor_core.model.records import Detail, Failure, Marker, MarkerKind, Progress, Record, Role
from monitor_core.track.clock import LineClock
from monitor_core.track.closing import Closing
from monitor_core.track.failure import FailureSeen
from monitor_core.track.losses import Losses
from monitor_core.track.marks import Marks, What
from monitor_core.track.pace import Middle, Pace, Setup, covered, sound_ms, took
from monitor_core.track.pauses import Pauses
from monitor_core.track.process import ProcessSeen
from monitor_core.track.relaunch import Relaunch

# The first iterations of a launch compile, allocate and fill caches: they say nothing about its pace.
WARM_UP = 10
# A first line that tells of no more iterations than this is the first of its training: it tells the log interval, too.
_LONGEST_STEP = 1000
# A line that comes so late after an end marker, in seconds, belongs to a new launch; before that it was printed late.
_PRINTED_LATE = 60.0
# A file that begins to print old iterations so many gaps after the newest line is one of a new launch.
_NEW_FILE = 2.0
PAUSES = {
    MarkerKind.CHECKPOINT_START: Phase.CHECKPOINTING,
    MarkerKind.EVALUATION: Phase.EVALUATING,
}


@dataclass(slots=True)
class RunState:
    """One run. Times are seconds since 1970 on our clock.

    `line_at` is the last progress line, `alive_at` the last sign of life that a stuck run would not give (a progress
    line, the end of a pause), `stuck_since` the onset of a silence that is too long, `written_at` the last byte of any
    of its logs, `seen_at` the last good read. `gaps` are the seconds between progress lines, without marked pauses,
    and `last_gap` is the newest, None where a pause was marked in it. `lags` is how old the newest line was when
    the next lines of a healthy run came (logs are written in blocks); until lines were seen to come, `block` is for
    how long they may be held back if they do. `longest` is the longest marked pause of each kind, in seconds,
    `pauses` are the others. `odd_gap`: what lies between the last line and the next says nothing about gaps to
    come. `covers_pause`: it said nothing of those before the last line. `sources` holds the last iteration that
    each log file told of. `learning`: the lines so far are too few to judge by. `read_at`: when what is read now was
    written, None on first sight. `announces_end`: a training that is done prints so. `marks` are what else came since
    the last progress line. `tail` are the last lines,
    redacted.
    """

    __pydantic_config__ = ConfigDict(ser_json_inf_nan="strings")

    clock: LineClock = field(default_factory=LineClock)
    pace: Pace = field(default_factory=Pace)
    losses: Losses = field(default_factory=Losses)
    phase: Phase = Phase.UNKNOWN
    phase_at: float | None = None
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
    started_at: float | None = None
    line_at: float | None = None
    alive_at: float | None = None
    stuck_since: float | None = None
    written_at: float | None = None
    seen_at: float | None = None
    missing_since: float | None = None
    gaps: list[float] = field(default_factory=list)
    middle: Annotated[Middle, Field(exclude=True)] = field(default_factory=Middle, compare=False)
    usual_gap: float | None = None
    last_gap: float | None = None
    lags: list[float] = field(default_factory=list)
    block: float = 0.0
    longest: dict[str, float] = field(default_factory=dict)
    pauses: Pauses = field(default_factory=Pauses)
    settings: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    checkpoint: int | None = None
    evaluated: int = 0
    checkpoint_at: float | None = None
    failure: FailureSeen | None = None
    ending: Kind | None = None
    ended_at: float | None = None
    ending_text: str = ""
    closing: Closing = field(default_factory=Closing)
    relaunch: Relaunch = field(default_factory=Relaunch)
    announces_end: bool = False
    read_at: float | None = None
    exit_code: int | None = None
    process: ProcessSeen = field(default_factory=ProcessSeen)
    odd_gap: bool = False
    covers_pause: bool = False
    learning: bool = False
    tail: list[str] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)

    @property
    def gap(self) -> float | None:
        """Return how many seconds usually lie between two progress lines; None while that cannot be known."""
        if self.ms is None:
            return self.usual_gap
        printed = self.ms / 1000 * (self.step if self.gaps else self.settings.get("log_interval", self.step))
        return max(printed, self.usual_gap or 0.0)

    @property
    def rhythm(self) -> bool:
        """Whether it is known how many iterations lie between two lines, or how many seconds."""
        return bool(self.gaps) or "log_interval" in self.settings or self.first_iteration == 1

    @property
    def lag(self) -> float:
        """Return how old the newest line gets on a healthy run before the next ones are written."""
        return max(self.lags, default=0.0)

    @property
    def warm(self) -> bool:
        """Whether the last progress line is beyond the first iterations of its launch."""
        if self.iteration is None or self.launch_iteration is None:
            return False
        return self.iteration - self.launch_iteration >= WARM_UP

    @property
    def setup(self) -> Setup:
        """Return with what the last line was done."""
        return Setup(self.batch_size, self.sequence_length, self.settings.get("log_interval", self.step))

    @property
    def started(self) -> bool:
        """Whether this launch has printed a progress line."""
        return self.launch_lines > 0

    @property
    def over(self) -> bool:
        """Whether an end was announced, or the process is gone."""
        return self.ending is not None or self.exit_code is not None

    def apply(self, record: Record, at: float, source: str = "", *, healthy: bool = True) -> bool:
        """Take one record into account; return whether it is a progress line that had not been seen.

        `healthy`: the silence before it was not judged too long, so that it may be learned as usual.
        """
        if isinstance(record, Progress):
            return self._progress(record, at, source, healthy=healthy)
        self.appear(at)
        if isinstance(record, Detail):
            self._detail(record, at)
            return False
        self.marks.note(record, at)
        if isinstance(record, Marker):
            self._marker(record, at)
        else:
            self._failure(record, at, source)
        self.closing.sign_at = at if self.ending is not None else None
        return False

    def appear(self, at: float) -> None:
        """Note that there is a log, though it has not said anything yet."""
        if self.launches == 0:
            self._launch(at)

    def took(self, line: Progress) -> float:
        """Return how many seconds after the newest progress line this one comes, by what it says itself."""
        return took(line, covered(line.iteration, self.iteration if self.started else None, self.step))

    def exit(self, code: int, at: float) -> None:
        """Note that the process is gone, with its exit code."""
        self.appear(at)
        self.marks.add(at, What.EXIT, str(code))
        self.exit_code = code
        self.ended_at = at if self.ended_at is None else self.ended_at

    def shift(self, seconds: float) -> None:
        """Move everything in time: the first sight of a log has been anchored."""
        for name in ("phase_at", "started_at", "line_at", "alive_at", "stuck_since", "checkpoint_at", "ended_at"):
            moment = getattr(self, name)
            if moment is not None:
                setattr(self, name, moment + seconds)
        self.pace.shift(seconds)
        self.losses.shift(seconds)
        if self.failure is not None:
            self.failure.at += seconds
        if self.closing.sign_at is not None:
            self.closing.sign_at += seconds
        self.marks.shift(seconds)

    def recall(self, records: Iterable[Record]) -> None:
        """Take from the beginning of a log the total and the settings that its last part, read before, did not tell."""
        told = [record.total for record in records if isinstance(record, Progress) and record.total]
        self.total = self.total or next(reversed(told), None)
        self.settings = _settings(records) | self.settings

    def _progress(self, line: Progress, at: float, source: str, *, healthy: bool) -> bool:
        self.lines += 1
        if self._goes_back(line, at, self.sources.get(source)):
            self._launch(at)
        self.sources[source] = line.iteration
        if self.started and self.iteration is not None and line.iteration <= self.iteration:
            return False
        if self.launches == 0 or (self.ended_at is not None and at - self.ended_at > _PRINTED_LATE):
            self._launch(at - took(line, self.step))
        if healthy:
            self._learn_pause(at)
        self.pace = self._pace_of(line)
        self._learn_gap(line, at, healthy=healthy)
        self._advance(line, at, source)
        return True

    def _pace_of(self, line: Progress) -> Pace:
        other = line.sequence_length != self.sequence_length or (self.pace.derived and sound_ms(line) is not None)
        if line.batch_size == self.batch_size and not other:
            return self.pace
        if other or not line.batch_size or not self.batch_size:
            return self.pace.renewed()
        return self.pace.scaled(line.batch_size / self.batch_size)

    def _goes_back(self, line: Progress, at: float, last: int | None) -> bool:
        """Whether a line is the first of a new launch, by its number; `last` is that of the one before in its file.

        A file that has told of none yet is another rank's, with what others have printed already, or, much later,
        that of a new launch.
        """
        if last is not None:
            return line.iteration <= last and not self._is_copy(line, at)
        if not self.started or self.iteration is None or self.line_at is None or self.gap is None:
            return False
        return line.iteration <= self.iteration and at - self.line_at > _NEW_FILE * self.gap

    def _is_copy(self, line: Progress, at: float) -> bool:
        """Whether a line that is one behind is another rank's copy of the line before, and not a new launch."""
        if self.iteration is None or self.line_at is None:
            return False
        return self.iteration - line.iteration <= self.step and at - self.line_at <= (self.gap or 0.0)

    def _learn_gap(self, line: Progress, at: float, *, healthy: bool) -> None:
        if self.first_iteration is None:
            self.first_iteration, self.first_launch = line.iteration, self.launches
            self.step = line.iteration if 0 < line.iteration <= _LONGEST_STEP else 1
        if not self.started or self.line_at is None:
            self.launch_iteration, self.last_gap = line.iteration, None
            every = self.settings.get("log_interval", self.step)
            self.relaunch.take_up(line.iteration, every, self.checkpoint, from_zero=self.first_iteration == 0)
            return
        self.step = line.iteration - (self.iteration or 0)
        gap = at - (self.alive_at or self.line_at)
        self.last_gap = None if self.odd_gap else gap
        if healthy and not self.odd_gap:
            self.usual_gap = self.middle.remember(self.gaps, gap)

    def _advance(self, line: Progress, at: float, source: str) -> None:
        iterations = covered(line.iteration, self.iteration if self.started else None, self.step)
        self.losses.take(line, at, iterations, line.iteration - (self.launch_iteration or 0))
        self.launch_lines += 1
        relaunched = self.launch_lines == 1 and self.launches > 1
        outrun = self.total is not None and line.iteration > self.total
        self.total = line.total or (None if relaunched or outrun else self.total)
        self.iteration, self.batch_size = line.iteration, line.batch_size
        self.sequence_length = line.sequence_length
        self.ms = sound_ms(line)
        self.loss = self.loss if line.loss is None else line.loss
        if self.first_loss is None:
            self.first_loss = line.loss
        self.line_at = self.alive_at = at
        self.stuck_since = None
        self.closing = Closing(self.closing.marked, at) if self.ending is not None else self.closing
        self._enter(Phase.TRAINING, at)
        self.covers_pause, self.odd_gap = self.odd_gap, False
        self.pace.measure(line, at, self.step, pause=self.covers_pause)
        if self.failure is not None and self.failure.outlived_by(source, at):
            self.failure.outlive(self.read_at)
            if self.failure.forgotten:
                self.failure = None

    def _detail(self, detail: Detail, at: float) -> None:
        self.losses.add(detail, at, detail.iteration - (self.launch_iteration or 0))
        if detail.loss is not None:
            self.loss = detail.loss
            self.first_loss = detail.loss if self.first_loss is None else self.first_loss

    def _forget(self, at: float) -> None:
        """What was taken for progress was that of something else: it is as if there had been none."""
        self.launches = max(0, self.first_launch - 1)
        self.iteration = self.total = self.first_iteration = self.launch_iteration = self.ms = None
        self.loss = self.first_loss = self.line_at = self.batch_size = None
        self.lines, self.launch_lines, self.step = 0, 0, 1
        self.relaunch = Relaunch()
        self.losses.told = False
        self._launch(at)

    def _marker(self, marker: Marker, at: float) -> None:
        self.total = self.total or marker.total
        if marker.kind is MarkerKind.SETTING:
            self._setting(marker, at)
        elif marker.kind is MarkerKind.REVISED:
            self._forget(at)
        elif marker.kind is MarkerKind.START:
            self._begin(at)
        elif marker.kind in PAUSES:
            self._pause(PAUSES[marker.kind], at)
        elif marker.kind is MarkerKind.CHECKPOINT_END:
            self.checkpoint, self.checkpoint_at = marker.iteration, at
            self._resume(Phase.CHECKPOINTING, at)
        elif marker.kind is MarkerKind.EVALUATION_END:
            self._learn_interval(marker.iteration or 0)
            self._resume(Phase.EVALUATING, at)
        elif marker.kind is MarkerKind.LAST_ITERATION:
            self._end(Kind.FINISHED, at, "", marked=False)
        elif marker.kind is MarkerKind.TRAINING_DONE:
            self._end(Kind.FINISHED, at, marker.text)
        elif marker.kind is MarkerKind.EXITING:
            done = self.total is not None and self.iteration is not None and self.iteration >= self.total
            self._end(Kind.FINISHED if done else Kind.STOPPED, at, marker.text)

    def _learn_interval(self, iteration: int) -> None:
        """The start of an evaluation has no marker, but the next one is due after as many iterations as this one."""
        interval = iteration - self.evaluated
        if interval > 0:
            self.settings["eval_interval"] = min(interval, self.settings.get("eval_interval", interval))
            self.evaluated = iteration

    def _setting(self, marker: Marker, at: float) -> None:
        self._begin(at)
        self.settings |= _settings([marker])

    def _begin(self, at: float) -> None:
        """A start-up line came: a new launch, unless this one has neither printed progress yet nor ended."""
        over = self.ended_at is not None or (self.failure is not None and self.failure.final)
        if self.started or over:
            self._launch(at)

    def _launch(self, at: float) -> None:
        self.marks.add(at, What.LAUNCH)
        self.launches += 1
        self.relaunch = Relaunch(self.iteration if self.started else self.relaunch.left_at)
        self.launch_lines = 0
        self.started_at = self.alive_at = at
        self.pace = self.pace.relaunched(self.setup)
        self.losses = Losses(told=self.losses.told)
        self.gaps.clear()
        self.usual_gap = None
        self.sources.clear()
        self.failure = None
        self.ending, self.ended_at, self.ending_text, self.exit_code = None, None, "", None
        self.closing = Closing()
        self.odd_gap = self.covers_pause = False
        self._enter(Phase.STARTING, at)

    def _pause(self, phase: Phase, at: float) -> None:
        self.closing.pause = phase if self.ending is not None else None
        if self.phase is not phase:
            self._learn_pause(at)
            self._enter(phase, at)
        self.alive_at = at
        self.odd_gap = True

    def _learn_pause(self, at: float) -> None:
        """A pause whose end has no marker is over with what comes next."""
        if self.phase in PAUSES.values() and self.phase_at is not None:
            self.longest[self.phase] = max(self.longest.get(self.phase, 0.0), at - self.phase_at)

    def _resume(self, phase: Phase, at: float) -> None:
        self.closing.pause = None
        began = self.phase_at if self.phase is phase else self.alive_at
        if began is not None:
            self.longest[phase] = max(self.longest.get(phase, 0.0), at - began)
        self.alive_at = at
        self.odd_gap = True
        if self.failure is not None:
            self.failure.outlive(self.read_at)
        self._enter(Phase.TRAINING if self.started else Phase.STARTING, at)

    def _end(self, kind: Kind, at: float, text: str, *, marked: bool = True) -> None:
        """The first word on the end counts, and a word more than that the last iteration was reached."""
        if self.ending is None or (marked and not self.closing.marked):
            self.ending, self.ended_at, self.ending_text = kind, at, text
            self.closing = Closing(marked)
            self._enter(Phase.ENDING, at)

    def _failure(self, failure: Failure, at: float, source: str) -> None:
        if failure.role is Role.CONTEXT:
            return
        seen = FailureSeen.of(failure, at, self.iteration, source, first=self.ending is None)
        self.failure = seen if self.failure is None else self.failure.followed_by(seen)

    def _enter(self, phase: Phase, at: float) -> None:
        if self.ending is not None:
            phase = Phase.ENDING
        if self.phase is not phase:
            self.phase, self.phase_at = phase, at


def _settings(records: Iterable[Record]) -> dict[str, int]:
    markers = (each for each in records if isinstance(each, Marker) and each.kind is MarkerKind.SETTING)
    return {marker.name: int(marker.value) for marker in markers if marker.value.isdigit()}
