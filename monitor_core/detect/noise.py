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
# So many lines tell of it; the fewer there are, the more it may be in truth.
_LEAST, _DOUBT = 20, 10
# It is measured again each few lines; what is known moves by so much of the difference.
_MOVES = 0.05
# The clip grows with the step that it is measured by; three rounds are enough.
_ROUNDS = 3


def step(pace: Pace, slow: float) -> float:
    """Return what a line may add to the log-ratio: half the threshold, more where the run varies more."""
    return max(math.log(slow) / 2, pace.lean + _DEVIATIONS * pace.noise)


def measure(pace: Pace, slow: float) -> None:
    """Learn noise and lean from the times that are taken for usual, without those that may yet turn out to be slow."""
    usual, times = pace.usual, pace.accepted[: -pace.since.lines] if pace.sum > 0 else pace.accepted
    if usual is None or len(times) < _LEAST:
        return
    ratios = [math.log(ms / usual) for ms in times]
    k, larger = 0.0, math.log(slow) / 2
    lean = noise = 0.0
    for _ in range(_ROUNDS):
        if larger <= k:
            break
        k = larger
        clipped = _clipped(ratios, CLIP * k)
        lean, noise = max(0.0, fmean(clipped)), max(_deviation(clipped), _joint_deviation(clipped))
        larger = lean + _DEVIATIONS * noise
    noise *= 1 + _DOUBT / len(times)
    pace.lean, pace.noise = _moved(pace.lean, lean), _moved(pace.noise, noise)


def _clipped(values: Sequence[float], clip: float) -> Sequence[float]:
    if -clip <= min(values) and max(values) <= clip:
        return values
    return [min(clip, max(-clip, value)) for value in values]


def _moved(known: float, new: float) -> float:
    return known + (new - known) * _MOVES if known else new


def _deviation(values: Sequence[float]) -> float:
    mean = fmean(values)
    return math.sqrt(max(0.0, fmean([value * value for value in values]) - mean * mean))


def _joint_deviation(values: Sequence[float]) -> float:
    """Return the deviation that single lines would have if they varied by themselves as much as blocks do."""
    blocks = [fmean(values[at : at + _BLOCK]) for at in range(0, len(values) - _BLOCK + 1, _BLOCK)]
    return _deviation(blocks) * math.sqrt(_BLOCK)
