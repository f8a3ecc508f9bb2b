"""When was a line written? Places log lines on our clock.

Three sources are weighed. A printed timestamp is exact but naive: its zone is unknown, and it may come from a container
on UTC. The file's mtime says when the last byte came. The clock at the previous read says that everything new is
younger. Where they disagree the later time wins: an alert may come late by that much, but never without reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

# All zones of the world are multiples of a quarter of an hour away from UTC.
_QUARTER = 900.0
# A line may carry a timestamp a little younger than the mtime: clocks of two hosts of one run differ by some seconds.
_TOLERANCE = 60.0


@dataclass(frozen=True, slots=True)
class Window:
    """Between which moments (our clock, seconds since 1970) the lines of one read were written.

    `after` is None on first sight. `until` is the file's mtime. `skew` is the host's clock minus ours.
    """

    after: float | None
    until: float
    skew: float = 0.0


@dataclass(slots=True)
class LineClock:
    """Places the lines of one run.

    `zone` is what must be added to a printed timestamp to get seconds since 1970, None until known. `at` is the time of
    the line before. On first sight nothing is anchored yet: `at` then runs on printed or added-up time, and `anchor`
    says afterwards by how much everything must be moved.
    """

    zone: float | None = None
    at: float = 0.0
    stamped: bool = False

    def place(self, timestamp: float | None, elapsed: float, window: Window | None) -> float:
        """Return when a line was written; `elapsed` is how many seconds after the line before it should have come."""
        if window is None:
            guess = timestamp if timestamp is not None else self.at + elapsed
        elif timestamp is not None and self.zone is not None:
            guess = _clamp(self._zoned(timestamp, window), window)
        else:
            guess = _clamp(self.at + elapsed, window)
        self.stamped = timestamp is not None or self.stamped
        self.at = max(self.at, guess)
        return self.at

    def date(self, timestamp: float, elapsed: float) -> float:
        """Take the first printed time of a first sight; return by how much all that came before must be moved."""
        moved = timestamp - elapsed - self.at
        self.at += moved
        return moved

    def catch_up(self, elapsed: float, window: Window) -> None:
        """Before lines without timestamps are placed: let the last of them, `elapsed` seconds on, end at the mtime."""
        self.at = max(self.at, _clamp(window.until - elapsed, window))

    def observe(self, newest: float, window: Window, *, last: Callable[[], bool] = bool) -> None:
        """Learn the zone from the newest timestamp of a read; `last` tells if nothing was written after that line."""
        offset = window.until + window.skew - newest
        unknown = (
            self.zone is not None
            and window.after is not None
            and newest + self.zone - window.skew < window.after - _TOLERANCE
        )
        if (
            unknown
            or self.zone is None
            or offset < self.zone - _TOLERANCE
            or (offset > self.zone + _TOLERANCE and last())
        ):
            self.zone = _zone(offset, last=last())

    def anchor(self, window: Window, *, last: bool = False) -> float:
        """End the first sight: return the seconds by which all times so far must be moved."""
        moved = window.until - self.at
        if self.stamped:
            self.zone = _zone(window.until + window.skew - self.at, last=last)
            moved = min(moved, self.zone - window.skew)
        self.at += moved
        return moved

    def _zoned(self, timestamp: float, window: Window) -> float:
        return timestamp + (self.zone or 0.0) - window.skew


def _zone(offset: float, *, last: bool) -> float:
    """Return the zone that an offset tells of: that of a line which was written last is no zone if it is uneven.

    Then the clock that stamps the lines is wrong by minutes. A line that was followed by others may have been written
    earlier than the mtime.
    """
    zone = quarter_hours(offset)
    return offset if last and offset - zone > _TOLERANCE else zone


def quarter_hours(seconds: float) -> float:
    """Return the largest whole number of quarter hours that is not more than `seconds` (with a minute's tolerance)."""
    return math.floor((seconds + _TOLERANCE) / _QUARTER) * _QUARTER


def _clamp(moment: float, window: Window) -> float:
    return min(max(moment, window.after if window.after is not None else moment), window.until)
