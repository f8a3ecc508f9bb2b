"""The axis of time in a chart: where a moment lies between the left edge (0) and the right (1), and what is written.

To scale, but for silences that would leave too little of the picture to what was heard: these are shortened.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor_core.notify.charts import Chart, Clock, silences
from monitor_core.units import compact_duration, count, utc_date

# Silences get so many times the room of all the rest, at most.
_QUIET = 1.5
_SPACES = (1, 2, 5, 10, 15, 30)
_DAY = 86400
_STEPS = (
    *_SPACES,
    *(60 * each for each in _SPACES),
    *(3600 * each for each in (1, 2, 3, 6, 12)),
    *(_DAY * each for each in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
)
_TICKS = 5


@dataclass(slots=True)
class Axis:
    """The axis of a chart; `cuts` are the silences that are shortened."""

    chart: Chart
    cuts: list[tuple[float, float]] = field(init=False)
    _moments: list[float] = field(init=False)
    _places: list[float] = field(init=False)

    def __post_init__(self) -> None:
        first, last = self.chart.span
        quiet = silences(self.chart) if self.chart.clock is not Clock.NONE else []
        longest = _longest([until - since for since, until in quiet], (last - first))
        self.cuts = [(since, until) for since, until in quiet if until - since > longest]
        self._moments, self._places = [first], [0.0]
        for since, until in self.cuts:
            self._go(since, since - self._moments[-1])
            self._go(until, longest)
        self._go(last, last - self._moments[-1])
        whole = self._places[-1] or 1.0
        self._places = [place / whole for place in self._places]

    def _go(self, moment: float, width: float) -> None:
        self._moments.append(moment)
        self._places.append(self._places[-1] + width)

    def place(self, moment: float) -> float:
        """Return where a moment lies, 0 to 1; what is outside lies at the edge."""
        at = min(max(bisect_right(self._moments, moment), 1), len(self._moments) - 1)
        (since, until), (left, right) = self._moments[at - 1 : at + 1], self._places[at - 1 : at + 1]
        part = (moment - since) / (until - since) if until > since else 0.0
        return left + (right - left) * min(max(part, 0.0), 1.0)

    def places(self, moments: Sequence[float]) -> list[float]:
        """Return where moments lie."""
        return [self.place(moment) for moment in moments]

    def ticks(self) -> list[tuple[float, str]]:
        """Return where to write what; what stands too near to another is for the picture to leave out."""
        first, last = self.chart.span
        if first == last:
            return [(0.0, self._label(first, 1.0))]
        shown = (last - first - sum(until - since for since, until in self.cuts)) / max(self._open, 1e-9)
        step = self._step(shown / _TICKS)
        zero = first if self.chart.clock is Clock.ELAPSED else 0.0
        return [(self.place(moment), self._label(moment, step)) for moment in self._round(step, zero)]

    def caption(self) -> str:
        """Say what the labels are."""
        if self.chart.clock is Clock.NONE:
            return self.chart.unit
        if self.chart.clock is Clock.ELAPSED:
            return f"time since the start, and {self.chart.unit}"
        first, last = (utc_date(moment) for moment in self.chart.span)
        return f"UTC, {first}{'' if first == last else f' to {last}'}, and {self.chart.unit}"

    @property
    def _open(self) -> float:
        """Return which part of the width is not taken by cuts."""
        return 1 - sum(self.place(until) - self.place(since) for since, until in self.cuts)

    def _round(self, step: float, zero: float) -> Iterator[float]:
        """Yield round moments outside of the cuts."""
        first, last = self.chart.span
        edges = [first, *(moment for cut in self.cuts for moment in cut), last]
        for since, until in zip(edges[::2], edges[1::2], strict=True):
            number = math.ceil((since - zero) / step)
            while zero + number * step <= until:
                yield zero + number * step
                number += 1

    def _step(self, least: float) -> float:
        if self.chart.clock is Clock.NONE or least < 1 or least > _STEPS[-1]:
            power = 10.0 ** math.floor(math.log10(least))
            return next(power * part for part in (1, 2, 5, 10) if power * part >= least * 0.999)
        return next(step for step in _STEPS if step >= least)

    def _label(self, moment: float, step: float) -> str:
        iteration = self._iteration(moment)
        if self.chart.clock is Clock.NONE:
            return iteration
        if self.chart.clock is Clock.ELAPSED:
            return f"{compact_duration(moment - self.chart.span[0])}\n{iteration}"
        form = "%d %b" if step >= _DAY else "%H:%M" if step >= 60 else "%H:%M:%S"  # noqa: PLR2004 a minute
        return f"{datetime.fromtimestamp(moment, UTC).strftime(form)}\n{iteration}"

    def _iteration(self, moment: float) -> str:
        """Return where the run was at a moment; nothing before its first line."""
        lines = self.chart.lines
        at = bisect_right(lines, moment, key=lambda line: line.at)
        return count(lines[at - 1].iteration) if at else ""


def _longest(quiet: Sequence[float], whole: float) -> float:
    """Return how long a silence may be to be shown to scale."""
    room = _QUIET * (whole - sum(quiet))
    if sum(quiet) <= room or room <= 0:
        return math.inf
    ordered = sorted(quiet)
    for number, each in enumerate(ordered):
        rest = len(ordered) - number
        if each * rest > room:
            return room / rest
        room -= each
    return math.inf
