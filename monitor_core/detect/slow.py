"""Slow: iterations lastingly take longer than usual for this launch.

Three things are looked for, and told as one kind: a slowdown that begins with some line (`sudden`), one that comes
little by little, and a launch that is slower than the one before (both `anchored`).
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor_core.detect import anchored, rhythm, sudden
from monitor_core.model.incidents import Finding, Kind, Severity
from monitor_core.thresholds import Values
from monitor_core.track.pace import FEW, Onset
from monitor_core.track.state import RunState

# After so many iterations of a launch the pace is its own: caches are full, and what is compiled has been.
_SETTLED = 50


@dataclass(frozen=True, slots=True)
class _Found:
    """A slowdown: since when, and from what `usual` (ms) to the median of how many last `lines`.

    `limit` and `critical` are the ratios beyond which it is a warning or critical, None for never.
    """

    how: str
    since: Onset
    usual: float
    lines: int
    limit: float
    critical: float | None


def follow(state: RunState, values: Values, at: float) -> None:
    """Take the last progress line of the state into account.

    A line that covers a pause says nothing about the pace, unless all do: of two in a row the second counts.
    """
    pace, slow = state.pace, values["slow"]
    measured = pace.measured
    if slow is None or measured is None or not state.warm:
        return
    pace.skipped = state.covers_pause and not pace.skipped
    if pace.skipped or rhythm.beats(state, measured, slow.amount):
        return
    settled = measured.iteration - (state.launch_iteration or 0) >= _SETTLED
    sudden.follow(pace, measured, slow.amount)
    anchored.follow(state, measured.at, slow.amount, settled=settled)


def learning(state: RunState, values: Values) -> bool:
    """Whether the usual gap or the pace cannot be known yet; a log that tells no times has no pace to wait for."""
    has_pace = values["slow"] is not None and state.ms is not None
    return not state.rhythm or (has_pace and len(state.pace.times) < FEW)


def observe(state: RunState, values: Values, now: float) -> Finding | None:
    """Return a finding from the alarm until the last lines are back below the midpoint of 1 and the threshold."""
    slow, critical = values["slow"], values["slow_critical"]
    found = None if slow is None else _found(state, slow.amount, None if critical is None else critical.amount)
    return None if found is None or found.since.at is None else _finding(state, found, found.since.at)


def _found(state: RunState, slow: float, critical: float | None) -> _Found | None:
    pace = state.pace
    if pace.firing and pace.usual is not None and not sudden.over(pace, slow):
        return _Found("sudden", pace.since, pace.usual, sudden.lines(pace), slow, critical)
    if pace.drift.firing and pace.drift.anchor is not None:
        return _Found("drift", pace.drift.since, pace.drift.anchor, anchored.SPAN, max(slow, sudden.SIMPLE), critical)
    if pace.slower and pace.before is not None:
        # Never critical: a log does not tell of all that people change between two launches.
        begun = Onset(state.started_at, state.launch_iteration, state.launch_lines)
        return _Found("relaunch", begun, pace.before.usual, sudden.SPAN, max(slow, anchored.LEAST), None)
    return None


def _finding(state: RunState, found: _Found, since: float) -> Finding:
    now_ms = state.pace.recent(found.lines)
    factor = now_ms / found.usual
    worst = found.critical is not None and found.since.lines >= sudden.SPAN and factor >= found.critical
    return Finding(
        Kind.SLOW,
        Severity.CRITICAL if worst else Severity.WARNING,
        since,
        {
            "how": found.how,
            "factor": factor,
            "usual_ms": found.usual,
            "now_ms": now_ms,
            "derived": state.pace.derived,
            "lines": found.lines,
            "limit": found.limit,
            "limit_critical": found.critical,
            "since_iteration": found.since.iteration,
            "iteration": state.iteration,
            "total": state.total,
        },
    )
