"""Lines that are slow by the clock: a checkpoint, an evaluation or a new epoch that is part of the printed time."""

from __future__ import annotations

import math

from monitor_core.detect import noise, sudden
from monitor_core.track.gauge import Measure
from monitor_core.track.pace import Pace
from monitor_core.track.state import RunState

_INTERVALS = ("save_interval", "eval_interval")
# So many slow lines are remembered.
_REMEMBERED = 64
# A rhythm is three equal distances in a row, each of at least so many lines.
_BEATS, _LEAST_LINES = 3, 3


def beats(state: RunState, measured: Measure, slow: float) -> bool:
    """Whether a time is long because that was due; remember it if it is long."""
    pace = state.pace
    if pace.usual is None or math.log(measured.ms / pace.usual) < noise.CLIP * noise.step(pace, slow):
        return False
    looks_slow = pace.firing or sudden.suspects(pace, slow)
    due = not looks_slow and (_planned(state, measured) or _rhythmic(pace, measured))
    pace.spikes = [*pace.spikes, measured.iteration][-_REMEMBERED:]
    return due


def _planned(state: RunState, measured: Measure) -> bool:
    """Whether it is that of an iteration after which a pause was announced, unless each is."""
    every = [state.settings.get(name, 0) for name in _INTERVALS]
    return any(e >= _LEAST_LINES * measured.step and measured.iteration % e < measured.step for e in every)


def _rhythmic(pace: Pace, measured: Measure) -> bool:
    now, step, spikes = measured.iteration, measured.step, set(pace.spikes)

    def slow_at(iteration: int) -> bool:
        return any(near in spikes for near in (iteration, iteration - step, iteration + step))

    def beat(spike: int) -> bool:
        distance = now - spike
        return distance >= _LEAST_LINES * step and all(slow_at(now - n * distance) for n in range(2, _BEATS + 1))

    return any(beat(spike) for spike in spikes)
