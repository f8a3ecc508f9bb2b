"""Slow: a lasting slowdown against this launch's own pace.

A one-sided CUSUM on the log of the ratio to the usual time, after Page (1954): each line adds ln(t / usual) - k,
clipped, and the sum may not fall below zero. With k = ln(slow) / 2 a slowdown of the threshold itself is found soonest;
with the clip and the limit in units of k, at least seven slow lines in near succession are needed, so that single
spikes and short pauses never alert.
"""

from __future__ import annotations

import math
import statistics

from monitor_core.model.incidents import Finding, Kind, Severity
from monitor_core.thresholds import Values
from monitor_core.track.pace import Pace, remember
from monitor_core.track.state import RunState

_CLIP = 3.1
_ALARM = 14.7
# The baseline stands still while the sum is over a quarter of the alarm: a slowdown must not become the usual.
_FREEZE = 0.25
# The lines since the onset must bear an alarm out, nearly: about the threshold itself their median scatters.
_NEARLY = 0.9
# So many lines arm the CUSUM; with fewer, six of the last eight lines must be beyond the simple limit.
_ENOUGH = 50
_FEW, _LAST, _OF_LAST, _SIMPLE = 8, 8, 6, 1.15
# Recovery and the critical level are judged over so many lines.
_SPAN = 20


def follow(state: RunState, values: Values, at: float) -> None:
    """Take the last progress line of the state into account.

    A line that covers a pause says nothing about the pace, unless all do: of two in a row the second counts.
    """
    pace, slow = state.pace, values["slow"]
    if state.ms is None or slow is None or not state.warm:
        return
    pace.skipped = state.covers_pause and not pace.skipped
    if pace.skipped:
        return
    remember(pace.times, state.ms)
    if pace.usual is not None:
        _accumulate(pace, state.ms, math.log(slow.amount) / 2, at, state.iteration)
    if pace.firing or (_armed(pace) and pace.sum > _FREEZE * _ALARM * math.log(slow.amount) / 2):
        return
    remember(pace.accepted, state.ms)
    pace.usual = statistics.median(pace.accepted)


def learning(state: RunState, values: Values) -> bool:
    """Whether the usual gap or the pace cannot be known yet; a log that tells no times has no pace to wait for."""
    has_pace = values["slow"] is not None and state.ms is not None
    return not state.rhythm or (has_pace and len(state.pace.times) < _FEW)


def _accumulate(pace: Pace, ms: float, k: float, at: float, iteration: int | None) -> None:
    assert pace.usual is not None
    step = min(math.log(ms / pace.usual), _CLIP * k) - k
    if pace.sum <= 0 < step and not pace.firing:
        pace.since_at, pace.since_iteration, pace.since_lines = at, iteration, 0
    pace.since_lines += 1
    pace.sum = max(0.0, pace.sum + step)


def observe(state: RunState, values: Values, now: float) -> Finding | None:
    """Return a finding from the alarm until the last lines are back below the midpoint of 1 and the threshold."""
    pace, slow, critical = state.pace, values["slow"], values["slow_critical"]
    if slow is None or pace.usual is None or len(pace.times) < _FEW:
        return None
    if not pace.firing:
        pace.firing = _alarm(pace, slow.amount) and _factor(pace) >= 1 + _NEARLY * (slow.amount - 1)
    elif pace.since_lines >= _SPAN and _recent(pace, _SPAN) < pace.usual * (1 + slow.amount) / 2:
        pace.firing, pace.sum = False, 0.0
    if not pace.firing or pace.since_at is None:
        return None
    factor = _factor(pace)
    worst = critical is not None and pace.since_lines >= _SPAN and factor >= critical.amount
    return Finding(
        Kind.SLOW,
        Severity.CRITICAL if worst else Severity.WARNING,
        pace.since_at,
        {
            "factor": factor,
            "usual_ms": pace.usual,
            "now_ms": factor * pace.usual,
            "lines": _lines(pace),
            "limit": slow.amount,
            "limit_critical": None if critical is None else critical.amount,
            "since_iteration": pace.since_iteration,
            "iteration": state.iteration,
            "total": state.total,
        },
    )


def _armed(pace: Pace) -> bool:
    """Before so many lines are known, the baseline takes in every line: it must not freeze on the first few."""
    return len(pace.times) >= _ENOUGH


def _alarm(pace: Pace, slow: float) -> bool:
    if _armed(pace):
        return pace.sum > _ALARM * math.log(slow) / 2
    usual = statistics.median(pace.accepted)
    limit = max(slow, _SIMPLE) * usual
    return len(pace.accepted) >= _FEW and sum(ms > limit for ms in pace.times[-_LAST:]) >= _OF_LAST


def _factor(pace: Pace) -> float:
    """Return how many times the usual an iteration takes since the onset, over the last lines at most."""
    assert pace.usual is not None
    return _recent(pace, _lines(pace)) / pace.usual


def _lines(pace: Pace) -> int:
    return min(_SPAN, max(1, pace.since_lines))


def _recent(pace: Pace, lines: int) -> float:
    return statistics.median(pace.times[-lines:])
