"""How long an iteration takes, and which of the figures that a line prints can be believed."""

from __future__ import annotations

import statistics
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, TypeVar

from pydantic import Field

from monitor_core.model.records import Progress
from monitor_core.track.gauge import Gauge, Measure

# Medians over 200 lines follow a run's phases and still stand against half of them being odd.
WINDOW = 200
# So many lines tell a usual time.
FEW = 8
# A launch that has told of so many lines is one to compare the next with.
_ENOUGH = 50
# With another batch size the lines of the last one count if there are so many, within so much of what was expected.
_TELLING, _ABOUT = 3, 1.15
# No iteration takes longer than eleven days: a line that says so is garbage. So are `nan`, `inf` and what is negative.
_LONGEST_MS = 1e9
# No line tells of more than a week.
_LONGEST = 7 * 86400.0
_Value = TypeVar("_Value")


def remember(values: list[_Value], value: _Value, most: int = WINDOW) -> None:
    """Append to a list that keeps the last values, `most` of them."""
    values.append(value)
    del values[:-most]


@dataclass(slots=True)
class Middle:
    """The median of a list that grows by `remember`: its values are kept in order, which is not stored."""

    values: list[float] | None = None
    ordered: list[float] = field(default_factory=list)

    def remember(self, values: list[float], value: float) -> float:
        """Remember a value and return the new median. A list that was replaced or emptied is put in order anew."""
        if values is not self.values or len(values) != len(self.ordered):
            self.values, self.ordered = values, sorted(values)
        for forgotten in values[: max(0, len(values) + 1 - WINDOW)]:
            del self.ordered[bisect_left(self.ordered, forgotten)]
        insort(self.ordered, value)
        remember(values, value)
        return statistics.median(self.ordered)


def sound_ms(line: Progress) -> float | None:
    """Return the line's time per iteration in ms, None where it says none that can be true."""
    ms = line.ms_per_iteration
    return ms if ms is not None and 0 < ms < _LONGEST_MS else None


def covered(iteration: int, before: int | None, step: int) -> int:
    """Return of how many iterations a line tells when the one before told of `before`; a repeated line of none."""
    return step if before is None or iteration < before else iteration - before


def took(line: Progress, iterations: int) -> float:
    """Return how many seconds so many iterations took by what the line says."""
    return min((sound_ms(line) or 0.0) / 1000 * iterations, _LONGEST)


@dataclass(frozen=True, slots=True)
class Setup:
    """What decides how long an iteration takes, as far as the log tells; None where it does not."""

    batch_size: int | None = None
    sequence_length: int | None = None
    log_interval: int | None = None
    world_size: int | None = None


@dataclass(slots=True)
class Onset:
    """Where something began that may turn out to be a slowdown: its time, its iteration, how many lines ago."""

    at: float | None = None
    iteration: int | None = None
    lines: int = 0

    def begin(self, at: float, iteration: int | None) -> None:
        """Note that it may begin with the line that is read now."""
        self.at, self.iteration, self.lines = at, iteration, 0


@dataclass(slots=True)
class Drift:
    """The baseline that stays where it is: `first` are the times (ms) it is made of, `anchor` is their median.

    `since` is where the run was last near it.
    """

    first: list[float] = field(default_factory=list)
    anchor: float | None = None
    since: Onset = field(default_factory=Onset)
    firing: bool = False


@dataclass(frozen=True, slots=True)
class Launch:
    """How long an iteration usually took in an earlier launch (ms), and with which setup."""

    usual: float
    setup: Setup


@dataclass(slots=True)
class Pace:
    """How long an iteration takes: the last times (ms), and what the slow detector has gathered from them.

    `measured` is what the last line told of it. `accepted` are the times that the baseline `usual` (ms, None before
    there are a few) is made of. `sum` is the CUSUM statistic, `since` where it left zero; `firing` freezes the
    baseline. `noise` is how much the times vary (in logarithms), `lean` by how much more they do upwards. `lines`
    counts them. `spikes` are the iterations of the last lines that were much too slow. `skipped`: the line before was
    left out, since it covered a pause. `derived`: the times are those of `gauge`, since the log prints none. `before`
    is the launch to compare this one with, `slower` whether it is slower. `mean_count` and `mean_sum` cover all lines,
    for the seed preset.
    """

    times: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    middle: Annotated[Middle, Field(exclude=True)] = field(default_factory=Middle, compare=False)
    usual: float | None = None
    sum: float = 0.0
    since: Onset = field(default_factory=Onset)
    firing: bool = False
    noise: float = 0.0
    lean: float = 0.0
    spikes: list[int] = field(default_factory=list)
    lines: int = 0
    skipped: bool = False
    measured: Measure | None = None
    gauge: Gauge = field(default_factory=Gauge)
    derived: bool = False
    drift: Drift = field(default_factory=Drift)
    before: Launch | None = None
    slower: bool = False
    mean_count: int = 0
    mean_sum: float = 0.0

    def measure(self, line: Progress, at: float, step: int, *, pause: bool) -> None:
        """Let `measured` be what a line of so many iterations, written at `at`, says of their time.

        A launch that has printed times is not measured by its gauge any more. `pause`: between this line and the one
        before was more than iterations.
        """
        printed, between = sound_ms(line), self.gauge.measure(at, line.iteration, line.timestamp, pause=pause)
        if printed is not None:
            self.measured = Measure(printed, at, line.iteration, step)
        else:
            self.derived = self.derived or not self.times
            self.measured = between if self.derived else None

    def accept(self, ms: float) -> None:
        """Take a time for usual. A baseline that was carried over holds until there are a few."""
        middle = self.middle.remember(self.accepted, ms)
        if len(self.accepted) >= FEW:
            self.usual = middle

    def recent(self, lines: int) -> float:
        """Return the median time (ms) of so many last lines; at least one has been seen."""
        return statistics.median(self.times[-max(1, lines) :])

    def relaunched(self, setup: Setup) -> Pace:
        """Return the pace of a new launch, which knows of the one before, done with that setup."""
        known = len(self.accepted) >= _ENOUGH and self.usual is not None
        return Pace(before=Launch(self.usual or 0.0, setup) if known else self.before)

    def renewed(self) -> Pace:
        """Return the pace of the same launch with another setup: nothing so far can be compared with it."""
        return Pace(before=self.before, gauge=self.gauge, mean_count=self.mean_count, mean_sum=self.mean_sum)

    def scaled(self, batches: float) -> Pace:
        """Return the pace with so many times the samples in a batch: an iteration may take as much longer, not more.

        It takes less as a rule. So this baseline finds what is slow with any batch size, and holds only until the new
        one has a few lines of its own. With fewer samples an iteration may take what it took.
        """
        longer = max(1.0, batches)
        expected = self._expected()
        return replace(
            self,
            times=_times(self.times, longer),
            accepted=_times(self.accepted, longer) if expected is None else [],
            usual=None if expected is None else expected * longer,
            spikes=[],
            drift=Drift(),
        )

    def shift(self, seconds: float) -> None:
        """Move everything in time."""
        for onset in (self.since, self.drift.since):
            onset.at = None if onset.at is None else onset.at + seconds
        self.gauge.shift(seconds)

    def _expected(self) -> float | None:
        """Return what an iteration is expected to take: what the last lines took, unless that is out of all reason."""
        if self.usual is None or len(self.accepted) < _TELLING:
            return self.usual
        own = statistics.median(self.accepted)
        return own if self.usual / _ABOUT < own < self.usual * _ABOUT else self.usual


def _times(values: Sequence[float], factor: float) -> list[float]:
    return [factor * value for value in values]
