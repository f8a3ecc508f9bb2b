"""Follows one run: lines go in, incidents come out. The poller and the replay are built on it.

Everything is judged at the time at which it happened, line by line, and not at the time of the poll: what passed
between two polls, or while the monitor was away, is seen as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from monitor_core.detect import RULES, findings
from monitor_core.incident.lifecycle import next_change, step
from monitor_core.model.incidents import Finding, Incident, IncidentState, Kind, Severity, Subject
from monitor_core.model.records import Failure, LogTrouble, Progress, Record
from monitor_core.parse.parser import Parser
from monitor_core.redact import redact
from monitor_core.thresholds import Preset, Values
from monitor_core.track.clock import Window
from monitor_core.track.state import RunState, remember

_TAIL = 5
_LINE = 300
_RECENT = 8192
_UNSEEN = frozenset({Kind.LOG_MISSING, Kind.LOG_UNREADABLE})
# A healthy run's next lines come within so many usual gaps.
_HEALTHY_GAPS = 2.0


@dataclass(slots=True)
class Watch:
    """One run, between two commits.

    `parsers` holds a parser for each log file. `active` are its incidents that still hold, `closed` those that ended
    since the watch was made, in the order of their ends. `recent` are the last bytes read.
    `judged_at` is the moment up to which everything has been judged.
    """

    subject: Subject
    values: Values
    preset: Preset = Preset.DEFAULT
    format: str = "auto"
    state: RunState = field(default_factory=RunState)
    parsers: dict[str, Parser] = field(default_factory=dict)
    active: tuple[Incident, ...] = ()
    closed: list[Incident] = field(default_factory=list)
    recent: bytes = b""
    judged_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.judged_at = max(self.state.clock.at, self.state.seen_at or 0.0)

    def feed(self, source: str, lines: bytes, window: Window | None) -> int:
        """Take new lines of one file; return how many progress lines were among them.

        `window` is None on first sight, until `anchor` is called.
        """
        parser = self.parsers.setdefault(source, Parser(self.format))
        records = parser.feed(lines)
        self.recent = (self.recent + lines)[-_RECENT:]
        if window is not None:
            self._prepare(records, window)
        return sum(self._take(source, record, window) for record in records)

    def anchor(self, window: Window) -> None:
        """End the first sight of a log: everything so far is moved to where its last line was written."""
        moved = self.state.clock.anchor(window)
        self.state.shift(moved)
        self.judged_at += moved
        self.active = tuple(_shifted(incident, moved) for incident in self.active)
        self.closed = [_shifted(incident, moved) for incident in self.closed]

    def look(self, now: float, written_at: float | None = None) -> None:
        """Note a good read of the run's logs at `now` and bring the incidents up to it.

        `written_at` is the newest mtime. On the way it stops at each moment at which a verdict changes.
        """
        self.state.missing_since = None
        if written_at is not None:
            self.state.written_at = written_at
            self.state.appear(written_at)
        self._judge_until(now)
        self._judge_at(now)
        self.state.seen_at = now

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
        unseen = tuple(incident for incident in self.active if incident.kind in _UNSEEN)
        others = tuple(incident for incident in self.active if incident not in unseen)
        done = step(self.subject, unseen, [finding], now)
        self.active = (*others, *done.active)
        self.closed += done.closed

    def deadline(self) -> float | None:
        """Return the next moment at which a verdict changes if no line comes."""
        rules, at = RULES[self.preset], self.judged_at
        moments = (
            rules.deadline(self.state, self.values, at),
            next_change(self.active, findings(rules, self.state, self.values, at)),
        )
        return min((moment for moment in moments if moment is not None), default=None)

    def _prepare(self, records: Sequence[Record], window: Window) -> None:
        stamps = [r.timestamp for r in records if isinstance(r, Progress) and r.timestamp is not None]
        if stamps:
            self.state.clock.observe(max(stamps), window)
        else:
            elapsed = sum(r.ms_per_iteration or 0.0 for r in records if isinstance(r, Progress)) / 1000
            self.state.clock.catch_up(elapsed * self.state.step, window)

    def _take(self, source: str, record: Record, window: Window | None) -> bool:
        if isinstance(record, Failure):
            self.state.apply(record, self.state.clock.at if window is None else window.until, source)
            self._judge_at(self.state.clock.at)
            return False
        elapsed = 0.0
        if isinstance(record, Progress):
            elapsed = (record.ms_per_iteration or 0.0) / 1000 * self.state.step
        stamp = record.timestamp if isinstance(record, Progress) or self.state.clock.stamped else None
        before = self.state.line_at
        at = self.state.clock.place(stamp, elapsed, window)
        if isinstance(record, Progress):
            self._judge_until(at)
            self._learn_lag(before, at, window)
        fresh = self.state.apply(record, at, source, healthy=not self._stuck())
        if fresh:
            RULES[self.preset].follow(self.state, self.values, at)
        if fresh or self.active or self.state.ending is not None:
            self._judge_at(at)
        return fresh

    def _judge_until(self, now: float) -> None:
        """Judge at each moment before `now` at which a verdict changes without a line."""
        while (moment := self.deadline()) is not None and moment < now:
            if not self._judge_at(moment):
                break

    def _judge_at(self, now: float) -> bool:
        """Judge at one moment; return whether anything changed."""
        self.judged_at = max(self.judged_at, now)
        found = findings(RULES[self.preset], self.state, self.values, now)
        done = step(self.subject, self.active, found, now)
        changed = bool(done.closed) or _states(done.active) != _states(self.active)
        self.active = done.active
        self.closed += done.closed
        return changed

    def _stuck(self) -> bool:
        return any(i.kind is Kind.STUCK and i.state is IncidentState.FIRING for i in self.active)

    def _learn_lag(self, before: float | None, at: float, window: Window | None) -> None:
        """Learn how old the newest line gets on a healthy run: logs are often written in blocks."""
        gap = self.state.gap
        if window is None or window.after is None or before is None or gap is None:
            return
        if at - before <= _HEALTHY_GAPS * gap and window.after > before:
            remember(self.state.lags, window.after - before)


def _states(incidents: Sequence[Incident]) -> list[tuple[Kind, str, str, str]]:
    return [(i.kind, i.detail, i.state, i.severity) for i in incidents]


def _shifted(incident: Incident, seconds: float) -> Incident:
    return replace(
        incident,
        starts_at=incident.starts_at + seconds,
        fired_at=None if incident.fired_at is None else incident.fired_at + seconds,
        ends_at=None if incident.ends_at is None else incident.ends_at + seconds,
    )
