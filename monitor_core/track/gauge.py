"""The time per iteration of a log that does not print it, from when its lines were written."""

from __future__ import annotations

from dataclasses import dataclass

# Stamps of whole seconds and arrivals tell of a time of so many seconds well enough.
_COARSE = 20.0


@dataclass(frozen=True, slots=True)
class Measure:
    """So long (ms) took each of the last `step` iterations up to `iteration`, which was done at `at`."""

    ms: float
    at: float
    iteration: int
    step: int


@dataclass(slots=True)
class Gauge:
    """Measures from one line to a later one. Times are seconds since 1970.

    Of lines with the same time the last was written then: the others may be older. `fine`: stamps have fractions of a
    second.
    """

    began_at: float | None = None
    began: int = 0
    last_at: float | None = None
    last: int = 0
    fine: bool = False

    def measure(self, at: float, iteration: int, stamp: float | None, *, pause: bool) -> Measure | None:
        """Take a line into account; return what those before it tell. `pause`: it comes after more than iterations."""
        self.fine = self.fine or (stamp is not None and stamp % 1 != 0)
        found = None
        if pause:
            self.began_at = None
        elif self.last_at is not None and at > self.last_at:
            found = self._span(self.last_at)
        self.last_at, self.last = at, iteration
        return found

    def shift(self, seconds: float) -> None:
        """Move everything in time."""
        self.began_at = None if self.began_at is None else self.began_at + seconds
        self.last_at = None if self.last_at is None else self.last_at + seconds

    def _span(self, until: float) -> Measure | None:
        began_at, step = self.began_at, self.last - self.began
        if began_at is None:
            self.began_at, self.began = until, self.last
        elif step > 0 and until - began_at >= (0.0 if self.fine else _COARSE) and until > began_at:
            self.began_at, self.began = until, self.last
            return Measure((until - began_at) * 1000 / step, until, self.last, step)
        return None
