"""How much the times of a healthy run vary by themselves: what is no more than that is no slowdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from monitor_core.track.pace import Pace

# One line counts for so many steps of the CUSUM at most, up and down: a spike is no measure of the noise.
CLIP = 3.1
# With a step of so many standard deviations, and the limit in steps, noise alone alarms once in 10 million lines.
_DEVIATIONS = 0.8
# Lines that vary together vary more than single ones say: what counts is how much the means of so many vary.
_BLOCK = 10
_LEAST_BLOCKS = 5
# The clip grows with the step that it is measured by; three rounds are enough.
_ROUNDS = 3


def step(pace: Pace, slow: float) -> float:
    """Return what a line may add to the log-ratio: half the threshold, more where the run varies more."""
    return max(math.log(slow) / 2, pace.lean + _DEVIATIONS * pace.noise)


def measure(pace: Pace, slow: float) -> None:
    """Learn noise and lean from the times that are taken for usual, without those that may yet turn out to be slow."""
    usual, times = pace.usual, pace.accepted[: -pace.since.lines] if pace.sum > 0 else pace.accepted
    if usual is None or len(times) < _BLOCK * _LEAST_BLOCKS:
        return
    ratios = [math.log(ms / usual) for ms in times]
    k = math.log(slow) / 2
    for _ in range(_ROUNDS):
        clip = CLIP * k
        clipped = [min(clip, max(-clip, ratio)) for ratio in ratios]
        pace.lean, pace.noise = max(0.0, fmean(clipped)), max(_deviation(clipped), _joint_deviation(clipped))
        k = max(k, step(pace, slow))


def _deviation(values: Sequence[float]) -> float:
    mean = fmean(values)
    return math.sqrt(max(0.0, fmean([value * value for value in values]) - mean * mean))


def _joint_deviation(values: Sequence[float]) -> float:
    """Return the deviation that single lines would have if they varied by themselves as much as blocks do."""
    blocks = [fmean(values[at : at + _BLOCK]) for at in range(0, len(values) - _BLOCK + 1, _BLOCK)]
    return _deviation(blocks) * math.sqrt(_BLOCK)
