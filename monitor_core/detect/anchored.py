"""Slowdowns that a baseline which moves along never sees: a slow drift, and a launch that was slow from the first.

The last lines are compared with a baseline that stays where it is: the first of the launch, or the launch before.
"""

from __future__ import annotations

import statistics

from monitor_core.detect import sudden
from monitor_core.track.pace import WINDOW, Pace
from monitor_core.track.state import RunState

# So many of the last lines are compared for a drift; medians over them hardly move from one line to the next.
SPAN, _EVERY = 100, 10
# Launches get other hosts and neighbours, and differ by a tenth and more without anything being wrong.
LEAST = 1.25


def follow(state: RunState, at: float, slow: float, *, settled: bool) -> None:
    """Take the last line into account, which the pace has; `settled`: the pace is that of the launch by now."""
    _drift(state, at, slow, settled=settled)
    state.pace.slower = _slower(state, slow)


def _drift(state: RunState, at: float, slow: float, *, settled: bool) -> None:
    pace, drift = state.pace, state.pace.drift
    drift.since.lines += 1
    if pace.firing or not settled:
        return
    if len(drift.first) < WINDOW:
        drift.first.append(pace.times[-1])
    if pace.lines % _EVERY == 0 and len(drift.first) >= SPAN:
        _judge_drift(pace, at, state.iteration, slow)


def _judge_drift(pace: Pace, at: float, iteration: int | None, slow: float) -> None:
    drift = pace.drift
    if drift.anchor is None or len(drift.first) < WINDOW:
        drift.anchor = statistics.median(drift.first)
    # The lines of a sudden slowdown are not among those that were taken for usual.
    ratio = statistics.median(pace.accepted[-SPAN:]) / drift.anchor
    if ratio < (1 + slow) / 2:
        drift.since.begin(at, iteration)
    lasts = drift.firing or ratio > max(slow, sudden.SIMPLE)
    drift.firing = lasts and not sudden.recovered(pace, drift.anchor, slow)


def _slower(state: RunState, slow: float) -> bool:
    """Whether this launch is slower than the one before, if that had the same setup, until its own pace is known."""
    pace, before = state.pace, state.pace.before
    if before is None or before.setup != state.setup or pace.usual is None or len(pace.accepted) >= WINDOW:
        return False
    if pace.slower:
        return not sudden.recovered(pace, before.usual, slow)
    limit = max(slow, LEAST) * before.usual
    return len(pace.accepted) >= sudden.SPAN and pace.usual > limit and pace.recent(sudden.SPAN) > limit
