"""Follows one run: lines go in, incidents come out. The poller and the replay are built on it.

Everything is judged at the time at which it happened, line by line, and not at the time of the poll: what passed
between two polls, or while the monitor was away, is seen as it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from monitor_core.detect import RULES, exiting, findings, follow
from monitor_core.incident.lifecycle import next_change, step
from monitor_core.model.incidents import ENDINGS, Finding, Incident, IncidentState, Kind, Severity, Subject
from monitor_core.model.records import MOST_POINTS, Detail, Failure, LogTrouble, Marker, Point, Progress, Record, Sign
from monitor_core.parse.dialects import AUTO, Format
from monitor_core.parse.parser import Parser
from monitor_core.redact import redact
from monitor_core.thresholds import Preset, Values
from monitor_core.track import blocks
from monitor_core.track.clock import Window
from monitor_core.track.course import apply
from monitor_core.track.departure import attend
from monitor_core.track.marks import What
from monitor_core.track.pace import sound_ms
from monitor_core.track.process import ProcessSeen
from monitor_core.track.state import RunState
from monitor_core.track.trace import Trace

_TAIL = 5
_LINE = 500
_RECENT = 2 * blocks.BUFFER
_UNSEEN = frozenset({Kind.LOG_MISSING, Kind.LOG_UNREADABLE})


@dataclass(slots=True)
class Watch:
    """One run, between two commits.

    `parsers` holds a parser for each log file. `active` are its incidents that still hold, `closed` those that ended
    since the watch was made, in the order of their ends. `points` are the progress lines that came since then, the
    newest of them. `recent` are the last bytes read. `trace` takes down what a picture needs, where one is wanted.
    `judged_at` is the moment up to which everything has been judged.
    """

    subject: Subject
    values: Values
    preset: Preset = Preset.DEFAULT
    format: Format = AUTO
    state: RunState = field(default_factory=RunState)
    parsers: dict[str, Parser] = field(default_factory=dict)
    active: tuple[Incident, ...] = ()
    closed: list[Incident] = field(default_factory=list)
    points: deque[Point] = field(default_factory=lambda: deque(maxlen=MOST_POINTS))
    recent: bytes = b""
    trace: Trace | None = None
    judged_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.judged_at = max(self.state.clock.at, self.state.seen_at or 0.0)

    @property
    def unrecognised(self) -> int:
        """Return how many lines were read without one that tells progress; 0 once there was one."""
        lines = [parser.unrecognised for parser in self.parsers.values()]
        return sum(lines) if all(lines) else 0

    def feed(self, source: str, lines: bytes, window: Window | None) -> int:
        """Take new lines of one file; return how many progress lines were among them.

        `window` is None on first sight, until `anchor` is called.
        """
        parser = self.parsers.setdefault(source, Parser(self.format))
        records = parser.feed(lines)
        self.state.read_at = None if window is None else window.until
        self.state.announces_end = self.state.announces_end or parser.announces_end
        self.recent = (self.recent + lines)[-_RECENT:]
        if window is not None:
            self._prepare(records, window)
        fresh = sum(self._follow(source, record, window) for record in records)
        self.state.losses.no_number.quote(lines)
        return fresh

    def lacks_head(self, source: str) -> bool:
        """Whether the last part of a file left open what its beginning may tell."""
        parser = self.parsers.get(source)
        return parser is None or parser.format is None or self.state.total is None or not self.state.settings

    def learn_head(self, source: str, lines: bytes) -> None:
        """Take from the beginning of a file what its last part did not tell: format, total and settings.

        What it says of progress, phases and failures was long ago, and counts for nothing.
        """
        head = Parser(self.format)
        self.state.recall(head.feed(lines))
        known = self.parsers.setdefault(source, Parser(self.format))
        if known.format is None and head.format is not None:
            self.parsers[source] = Parser.restore(
                {**known.state(), "recognition": head.state()["recognition"]}, self.format
            )

    def anchor(self, window: Window) -> None:
        """End the first sight of a log: everything so far is moved to where its last line was written."""
        self._move(self.state.clock.anchor(window, last=self._ends_in_progress()))

    def look(self, now: float, written_at: float | None = None, sign: Sign | None = None) -> None:
        """Note a good read of the run's logs at `now` and bring the incidents up to it.

        `written_at` is the newest mtime. On the way it stops at each moment at which a verdict changes. `sign` is what
        was seen of its process (times in it are on our clock); without one, nobody asks for it.
        """
        self.state.missing_since = None
        if written_at is not None:
            self._note_written(written_at)
        self._judge_until(now)
        if sign is None:
            self.state.process = ProcessSeen()
        else:
            attend(self.state, sign, now)
        self._judge_at(now)
        self._see_again(now)
        self.state.learning = RULES[self.preset].learning(self.state, self.values)
        if self.state.seen_at is None and self.state.stuck_since is None:
            held_back = blocks.first_block(self.recent, Parser(self.format), self.state.gap or 0.0)
            blocks.hold_back(self.state, held_back, now)
        self.state.seen_at = now

    def settle(self, now: float) -> None:
        """Judge as if no more lines were to come: an ending need not wait for them."""
        found = findings(RULES[self.preset], self.state, self.values, now)
        self._step([replace(finding, grace=0.0) if finding.kind in ENDINGS else finding for finding in found], now)

    def remember_tail(self) -> None:
        """Take the last lines, redacted, into the state: messages show them."""
        lines = self.recent.decode("utf-8", "replace").splitlines()
        new = [redact(line.strip())[:_LINE] for line in lines[-_TAIL:] if line.strip()]
        self.state.tail = [*self.state.tail, *new][-_TAIL:]
        self.recent = b""

    def miss(self, trouble: LogTrouble, detail: str, now: float, grace: float) -> None:
        """Note that the log could not be read though the host answers; nothing else is judged meanwhile."""
        if self.state.missing_since is None:
            self.state.missing_since = now
        finding = Finding(Kind(trouble), Severity.WARNING, self.state.missing_since, {"error": detail}, grace=grace)
        unseen, others = self._parted()
        done = step(self.subject, unseen, [finding], now)
        self.active = (*others, *done.active)
        self.closed += done.closed

    def deadline(self) -> float | None:
        """Return the next moment at which a verdict changes if no line comes."""
        rules, at = RULES[self.preset], self.judged_at
        moments = [judged(self.state, self.values, at) for judged in (rules.deadline, exiting.deadline)]
        if any(incident.state is IncidentState.PENDING for incident in self.active):
            moments.append(next_change(self.active, findings(rules, self.state, self.values, at)))
        return min((moment for moment in moments if moment is not None and moment > at), default=None)

    def _ends_in_progress(self) -> bool:
        """Whether the last line that was read is a progress line."""
        line = self.recent.rstrip(b"\n").rpartition(b"\n")[2]
        return any(isinstance(record, Progress) for record in Parser(self.format).feed(line + b"\n"))

    def _move(self, seconds: float) -> None:
        """Move all that was placed before its true time was known."""
        self.state.shift(seconds)
        self.points = deque((Point(point.at + seconds, *point[1:]) for point in self.points), self.points.maxlen)
        if self.trace is not None:
            self.trace.shift(seconds)
        self.judged_at += seconds
        self.active = tuple(_shifted(incident, seconds) for incident in self.active)
        self.closed = [_shifted(incident, seconds) for incident in self.closed]

    def _prepare(self, records: Sequence[Record], window: Window) -> None:
        lines = [record for record in records if isinstance(record, Progress)]
        stamps = [line.timestamp for line in lines if line.timestamp is not None]
        if stamps:
            self.state.clock.observe(max(stamps), window, last=self._ends_in_progress)
        else:
            self.state.clock.catch_up(sum(self.state.took_each(lines)), window)
        blocks.learn(self.state, lines, window)

    def _follow(self, source: str, record: Record, window: Window | None) -> bool:
        fresh = self._take(source, record, window)
        if self.trace is not None:
            self.trace.note(record, self.state, fresh=fresh)
        return fresh

    def _take(self, source: str, record: Record, window: Window | None) -> bool:
        if isinstance(record, Failure):
            if window is not None and window.after is not None:
                # Up to there it was judged without it, and now it is where the clock stands.
                self.state.marks.add(window.after, What.LOOKED, str(self.state.clock.at))
            return self.take(record, self.state.clock.at if window is None else window.until, source)
        if isinstance(record, Detail):
            return self.take(record, self.state.clock.at, source)
        return self.take(record, self._place(record, window), source)

    def take(self, record: Record, at: float, source: str = "") -> bool:
        """Take a record of which it is known when it was written; return whether it is new progress."""
        if isinstance(record, Failure):
            apply(self.state, record, at, source)
            self._judge_at(self.state.clock.at)
            return False
        if isinstance(record, Detail):
            apply(self.state, record, at, source)
            self._amend(record)
            return False
        self.state.clock.at = max(self.state.clock.at, at)
        self._judge_until(at)
        fresh = apply(self.state, record, at, source, healthy=self.state.stuck_since is None)
        if fresh and isinstance(record, Progress):
            self.state.marks.say(record, at)
            self._note(record, at)
            follow(RULES[self.preset], self.state, self.values, at)
        if fresh or self.active or self.state.end.kind is not None:
            self._judge_at(at)
        return fresh

    def _note(self, line: Progress, at: float) -> None:
        state, before = self.state, self.state.marks.hand_over(at)
        self.points.append(Point(at, line.iteration, sound_ms(line), state.loss, state.launch_lines == 1, before))

    def _note_written(self, at: float) -> None:
        """Until a run has its rhythm, whatever it writes buys it time: that is kept, too."""
        self.state.written_at = at
        self.state.appear(at)
        if not (self.state.started and self.state.rhythm):
            self.state.marks.add(at, What.WRITTEN)

    def _amend(self, detail: Detail) -> None:
        """Give the newest point what a line of its own says of it."""
        if self.points and detail.loss is not None and self.points[-1].iteration == detail.iteration:
            self.points[-1] = self.points[-1]._replace(loss=detail.loss)

    def _place(self, record: Progress | Marker, window: Window | None) -> float:
        clock = self.state.clock
        if isinstance(record, Marker):
            return clock.place(record.timestamp if clock.stamped else None, 0.0, window)
        elapsed = self.state.took_each([record])[0]
        if window is None and record.timestamp is not None and not clock.stamped:
            self._move(clock.date(record.timestamp, elapsed))
        return clock.place(record.timestamp, elapsed, window)

    def _judge_until(self, now: float) -> None:
        """Judge at each moment before `now` at which a verdict changes without a line."""
        while not self._is_early(now) and (moment := self.deadline()) is not None and moment < now:
            self._judge_at(moment)

    def _is_early(self, now: float) -> bool:
        """Whether it is plain that no verdict changes before `now`: so it is for most lines."""
        state = self.state
        if now <= self.judged_at:
            return True
        if self.active or state.alive_at is None or exiting.deadline(state, self.values, self.judged_at) is not None:
            return False
        return now - state.alive_at <= RULES[self.preset].patience(self.values)

    def _judge_at(self, now: float) -> None:
        self.judged_at = max(self.judged_at, now)
        self._step(findings(RULES[self.preset], self.state, self.values, now), now)

    def _see_again(self, now: float) -> None:
        """A good read ends what was said of a log that could not be read, whenever its lines were written."""
        unseen, others = self._parted()
        done = step(self.subject, unseen, [], now)
        self.active = (*others, *done.active)
        self.closed += done.closed

    def _parted(self) -> tuple[tuple[Incident, ...], tuple[Incident, ...]]:
        """Return the incidents of a log that could not be read, and the others."""
        unseen = tuple(incident for incident in self.active if incident.kind in _UNSEEN)
        return unseen, tuple(incident for incident in self.active if incident.kind not in _UNSEEN)

    def _step(self, found: Sequence[Finding], now: float) -> None:
        unseen, others = self._parted()
        if found or others:
            done = step(self.subject, others, found, now)
            self.active = (*unseen, *done.active)
            self.closed += done.closed
        stuck = (i for i in self.active if i.kind is Kind.STUCK and i.state is IncidentState.FIRING)
        self.state.stuck_since = next((incident.starts_at for incident in stuck), None)


def _shifted(incident: Incident, seconds: float) -> Incident:
    return replace(
        incident,
        starts_at=incident.starts_at + seconds,
        fired_at=None if incident.fired_at is None else incident.fired_at + seconds,
        ends_at=None if incident.ends_at is None else incident.ends_at + seconds,
    )
