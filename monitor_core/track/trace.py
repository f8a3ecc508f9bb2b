"""How a run came along, line by line: what a picture of it is drawn from. Bounded, however long the run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor_core.model.incidents import Phase
from monitor_core.model.records import MOST_POINTS, Detail, Marker, MarkerKind, Progress, Record
from monitor_core.track.pace import sound_ms
from monitor_core.track.state import RunState

# Beyond twice the most points that a run keeps, of each stretch of so many lines its extremes stay.
_STRETCH = 16


@dataclass(slots=True)
class Line:
    """A progress line: when it came (seconds), what it said, and the usual times as they were known by then.

    `ms` and `usual` are milliseconds per iteration, `gap` and `usual_gap` seconds between two lines; None where they
    are not known. `launch` counts from 1.
    """

    at: float
    launch: int
    iteration: int
    ms: float | None = None
    loss: float | None = None
    usual: float | None = None
    gap: float | None = None
    usual_gap: float | None = None


@dataclass(slots=True)
class Launch:
    """A launch of the run: `resumed` is the iteration from which it went on, `redone` how many were done before."""

    number: int
    at: float
    resumed: int | None = None
    redone: int | None = None


@dataclass(slots=True)
class Entered:
    """A phase that the run entered at `at`."""

    phase: Phase
    at: float


@dataclass(slots=True)
class Trace:
    """The lines, phases and launches of a run in their order."""

    lines: list[Line] = field(default_factory=list)
    phases: list[Entered] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)

    def note(self, record: Record, state: RunState, *, fresh: bool) -> None:
        """Note what a record has made of the state; `fresh`: it is a progress line that had not been seen."""
        if isinstance(record, Marker) and record.kind is MarkerKind.REVISED:
            self.lines.clear()
            self.phases.clear()
            self.launches.clear()
        self._note_launch(state)
        if state.phase_at is not None and (not self.phases or self.phases[-1].phase is not state.phase):
            self.phases.append(Entered(state.phase, state.phase_at))
        if fresh and isinstance(record, Progress):
            self._note_line(record, state)
        elif isinstance(record, Detail) and record.loss is not None:
            self._amend(record.iteration, record.loss)

    def shift(self, seconds: float) -> None:
        """Move everything in time: the first sight of a log has been anchored."""
        entries: list[Line | Entered | Launch] = [*self.lines, *self.phases, *self.launches]
        for entry in entries:
            entry.at += seconds

    def _note_launch(self, state: RunState) -> None:
        known = self.launches[-1].number if self.launches else 0
        if state.launches > known and state.started_at is not None:
            self.launches.append(Launch(state.launches, state.started_at))

    def _note_line(self, line: Progress, state: RunState) -> None:
        assert state.line_at is not None
        before = self.lines[-1] if self.lines else None
        first = before is None or before.launch != state.launches
        if first and self.launches:
            self.launches[-1].resumed, self.launches[-1].redone = state.relaunch.resumed, state.relaunch.redone
        gap = None if before is None or first else state.line_at - before.at
        seen = (sound_ms(line), line.loss, state.pace.usual, gap, state.silence.usual_gap)
        self.lines.append(Line(state.line_at, state.launches, line.iteration, *seen))
        if len(self.lines) >= 2 * MOST_POINTS:
            self.lines = _thinned(self.lines)

    def _amend(self, iteration: int, loss: float) -> None:
        """Give a line the loss that a line of its own told later."""
        for line in reversed(self.lines):
            if line.launch != self.lines[-1].launch:
                return
            if line.iteration <= iteration:
                line.loss = loss
                return


def _thinned(lines: Sequence[Line]) -> list[Line]:
    """Return of each stretch its ends and the lines that stick out, so that nothing that happened once is lost."""
    kept = []
    for start in range(0, len(lines), _STRETCH):
        stretch = range(start, min(start + _STRETCH, len(lines)))
        chosen = {stretch[0], stretch[-1]}
        for values in (
            [lines[n].ms for n in stretch],
            [lines[n].loss for n in stretch],
            [lines[n].gap for n in stretch],
        ):
            known = [(value, n) for value, n in zip(values, stretch, strict=True) if _finite(value)]
            chosen |= {min(known)[1], max(known)[1]} if known else set()
        chosen |= {n for n in stretch if _odd(lines[n]) and not (n and _odd(lines[n - 1]))}
        kept += [lines[n] for n in sorted(chosen)]
    return kept


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _odd(line: Line) -> bool:
    return not _finite(line.loss)
