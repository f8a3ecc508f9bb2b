"""Lines that are slow by the clock: a checkpoint, an evaluation or a new epoch that is part of the printed time."""

from __future__ import annotations

import math

from monitor_core.detect import noise, sudden
from monitor_core.track.state import RunState

_INTERVALS = ("save_interval", "eval_interval")
# So many slow lines are remembered.
_REMEMBERED = 64
# A rhythm is three equal distances in a row, each of at least so many lines.
_BEATS, _LEAST_LINES = 3, 3


def beats(state: RunState, slow: float) -> bool:
    """Whether the last line is slow because it was due; remember it if it is slow."""
    pace, now = state.pace, state.iteration
    if pace.usual is None or state.ms is None or now is None:
        return False
    if math.log(state.ms / pace.usual) < noise.CLIP * noise.step(pace, slow):
        return False
    due = not sudden.suspects(pace, slow) and not pace.firing and (_planned(state, now) or _rhythmic(state, now))
    pace.spikes = [*pace.spikes, now][-_REMEMBERED:]
    return due


def _planned(state: RunState, now: int) -> bool:
    """Whether the line covers an iteration after which a pause was announced, unless each line does."""
    every = [state.settings.get(name, 0) for name in _INTERVALS]
    return any(each >= _LEAST_LINES * state.step and now % each < state.step for each in every)


def _rhythmic(state: RunState, now: int) -> bool:
    step, spikes = state.step, set(state.pace.spikes)

    def slow_at(iteration: int) -> bool:
        return any(near in spikes for near in (iteration, iteration - step, iteration + step))

    def beat(spike: int) -> bool:
        distance = now - spike
        return distance >= _LEAST_LINES * step and all(slow_at(now - n * distance) for n in range(2, _BEATS + 1))

    return any(beat(spike) for spike in spikes)
