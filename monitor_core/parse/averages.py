"""The time of the last iterations, from the average that a progress bar prints instead.

In the average of tqdm each iteration weighs less than the next one, so a pause fades away over a dozen lines; that of
Lightning goes back to the beginning of the bar, so a slowdown hardly shows. Two averages in a row tell what came
between them, as far as their digits do (`std.py`, `EMA` and `format_meter` in https://github.com/tqdm/tqdm).
"""

from __future__ import annotations

from dataclasses import dataclass

# The weight of what is new in the average, tqdm's default; without a weight the average is that since the beginning.
SMOOTHING = 0.3
# Rates are printed with two decimals, and the time since the beginning in whole seconds.
_HALF_DIGIT, _HALF_SECOND = 0.005, 0.5
# A time that is known worse than this is not told.
_WELL_KNOWN = 0.05


@dataclass(frozen=True, slots=True)
class Average:
    """What a bar says after `count` iterations: `seconds` for each on average, `doubt` is the share it may be wrong."""

    count: int
    seconds: float
    doubt: float

    @classmethod
    def of(cls, count: int, rate: float, *, per_second: bool) -> Average | None:
        """Return what a printed rate says, which is iterations per second or seconds per iteration; None for none."""
        if not 0 < rate < float("inf"):
            return None
        return cls(count, 1 / rate if per_second else rate, _HALF_DIGIT / rate)


@dataclass(slots=True)
class Unfolding:
    """Follows the averages of one bar. `weight` is how many iterations an earlier line stands for, on average."""

    count: int = 0
    seconds: float = 0.0
    doubt: float = 0.0
    weight: float = 0.0

    def smoothed(self, new: Average) -> float | None:
        """Return how many seconds each iteration since the last line took, None where that is not known."""
        came = new.count - self.count
        if came <= 0 or not self.seconds:
            self._keep(new.count, new.seconds, new.doubt, float(max(1, new.count if came <= 0 else came)))
            return new.seconds
        before, fresh = (1 - SMOOTHING) * self.weight, SMOOTHING * came
        spent = (before + fresh) * new.seconds - before * self.seconds
        wrong = (before + fresh) * new.seconds * new.doubt + before * self.seconds * self.doubt
        self._keep(new.count, new.seconds, new.doubt, before + fresh)
        return spent / fresh if wrong <= _WELL_KNOWN * spent else None

    def overall(self, new: Average, elapsed: float) -> float | None:
        """Return how many seconds each iteration took since the last line that told; `elapsed` since the beginning.

        `seconds` and `doubt` are then those since the beginning.
        """
        if new.count <= self.count:
            self._keep(0, 0.0, 0.0)
        spent, wrong = new.count * new.seconds, new.count * new.seconds * new.doubt
        if wrong > _HALF_SECOND:
            spent, wrong = elapsed + _HALF_SECOND, _HALF_SECOND
        took = spent - self.seconds
        if wrong + self.doubt > _WELL_KNOWN * took:
            return None
        each = took / (new.count - self.count)
        self._keep(new.count, spent, wrong)
        return each

    def _keep(self, count: int, seconds: float, doubt: float, weight: float = 0.0) -> None:
        self.count, self.seconds, self.doubt, self.weight = count, seconds, doubt, weight
