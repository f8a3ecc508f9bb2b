"""A slowdown that comes little by little: the last lines against a baseline that stays where it is.

A baseline that moves along follows a slow drift, and never sees it.
"""

from __future__ import annotations

import statistics

from monitor_core.detect import sudden
from monitor_core.track.pace import WINDOW
from monitor_core.track.state import RunState

# The last lines that are compared, and the first iterations that are not.
SPAN = 100
_SETTLED = 50
# Medians over so many lines hardly move from one line to the next.
_EVERY = 10


def follow(state: RunState, at: float, slow: float) -> None:
    """Take the last line into account, which the pace has."""
    pace, drift = state.pace, state.pace.drift
    drift.since.lines += 1
    if pace.firing or state.iteration is None or state.iteration - (state.launch_iteration or 0) < _SETTLED:
        return
    if len(drift.first) < WINDOW:
        drift.first.append(pace.times[-1])
    if pace.lines % _EVERY == 0 and len(drift.first) >= SPAN:
        _judge(state, at, slow)


def _judge(state: RunState, at: float, slow: float) -> None:
    pace, drift = state.pace, state.pace.drift
    if drift.anchor is None or len(drift.first) < WINDOW:
        drift.anchor = statistics.median(drift.first)
    # The lines of a sudden slowdown are not among those that were taken for usual.
    ratio = statistics.median(pace.accepted[-SPAN:]) / drift.anchor
    if ratio < (1 + slow) / 2:
        drift.since.begin(at, state.iteration)
    lasts = drift.firing or ratio > max(slow, sudden.SIMPLE)
    drift.firing = lasts and not sudden.recovered(pace, drift.anchor, slow)
