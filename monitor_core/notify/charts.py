"""What a chart of a run shows, and how it becomes a PNG.

A chart is a plain value: whoever has the progress lines of a run, from a recording or from the store, can fill one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby, pairwise
from statistics import median

from monitor_core.errors import CommandError
from monitor_core.model.incidents import Kind, Phase, Severity
from monitor_core.track.trace import Launch, Line

# More points than this cannot be told apart in a picture that is 1200 px wide.
MOST = 2000
# A silence is worth showing if it lasts so many usual gaps, and so much of the whole time.
_SILENT, _SEEN = 8, 0.02


class Clock(Enum):
    """What the times of a chart are: seconds since 1970, since the start of the log, or iterations in their place."""

    UTC = auto()
    ELAPSED = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Alert:
    """An incident that people were told of; `name` is what stands in the picture.

    It held from `since` to `until`, was told at `told`, and became critical at `worse` if it was a warning before.
    `usual` are the usual seconds per iteration by which it was judged, where these matter.
    """

    name: str
    kind: Kind
    severity: Severity
    since: float
    told: float
    until: float
    worse: float | None = None
    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A phase of the run and how long it lasted."""

    phase: Phase
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One run: its name and state, facts for the line below these, and its progress lines in the order of the log.

    `limit` is the ratio to the usual time beyond which an iteration is slow, None if there is none. `until` is when
    the run was last looked at. `unit` is what the numbers of the lines count: lines where a log tells no iteration.
    """

    name: str
    lines: Sequence[Line]
    limit: float | None = None
    alerts: Sequence[Alert] = ()
    phases: Sequence[Span] = ()
    launches: Sequence[Launch] = ()
    state: str = ""
    facts: Sequence[str] = ()
    clock: Clock = Clock.UTC
    until: float | None = None
    unit: str = "iteration"

    @property
    def span(self) -> tuple[float, float]:
        """Return when what is shown begins and ends."""
        moments = [line.at for line in (*self.lines[:1], *self.lines[-1:])]
        moments += [moment for phase in self.phases for moment in (phase.since, phase.until)]
        moments += [moment for alert in self.alerts for moment in (alert.since, alert.until)]
        return min(moments), max([*moments, *([] if self.until is None else [self.until])])


@dataclass(frozen=True, slots=True)
class Sample:
    """A finite number that the line of an iteration told."""

    launch: int
    at: float
    iteration: int
    value: float


def times(chart: Chart) -> list[Sample]:
    """Return the seconds per iteration."""
    return _samples(chart, lambda line: None if line.ms is None else line.ms / 1000)


def gaps(chart: Chart) -> list[Sample]:
    """Return the seconds between lines: all that there is to see where no line tells how long an iteration takes."""
    return [] if chart.clock is not Clock.UTC else _samples(chart, lambda line: line.gap)


def losses(chart: Chart) -> list[Sample]:
    """Return the losses that are finite."""
    return _samples(chart, lambda line: line.loss)


def usual_times(chart: Chart) -> list[Sample]:
    """Return the usual seconds per iteration, as they were known when each line came."""
    return _samples(chart, lambda line: None if line.usual is None else line.usual / 1000)


def usual_gaps(chart: Chart) -> list[Sample]:
    """Return the usual seconds between lines, as they were known when each line came."""
    return _samples(chart, lambda line: line.usual_gap)


def odd_losses(chart: Chart) -> list[tuple[float, int, str]]:
    """Return when and at which iterations the loss was not finite, each with the word for it.

    Megatron prints no loss where it is not finite; a log that does not print one with each line says nothing by that.
    """
    told = [line.loss is not None for line in chart.lines]
    followed = sum(here and after for here, after in pairwise(told))
    missing = "not printed" if 2 * followed > sum(told[:-1]) else ""
    first = told.index(True) if any(told) else len(told)
    return [(line.at, line.iteration, word) for line in chart.lines[first:] if (word := _odd(line.loss, missing))]


def silences(chart: Chart) -> list[tuple[float, float]]:
    """Return from when to when nothing was heard for much longer than usual."""
    moments = [line.at for line in chart.lines]
    between = [later - earlier for earlier, later in pairwise(moments) if later > earlier]
    if not between:
        return []
    first, last = chart.span
    least = max(_SILENT * median(between), _SEEN * (last - first))
    edges = [first, *moments, last]
    return [(earlier, later) for earlier, later in pairwise(edges) if later - earlier > least]


def thin(samples: Sequence[Sample], places: Sequence[float], most: int = MOST) -> list[int]:
    """Return the indexes of at most so many samples: of each stretch its lowest and highest, and both ends.

    `places` are where they lie on it, 0 to 1.
    """
    if len(samples) <= most:
        return list(range(len(samples)))
    stretches = most // 2 - 2
    kept = {0, len(samples) - 1}
    for _, stretch in groupby(range(len(samples)), key=lambda index: int(places[index] * stretches)):
        within = list(stretch)
        kept |= {choose(within, key=lambda index: samples[index].value) for choose in (min, max)}
    return sorted(kept)


def png(chart: Chart) -> bytes:
    """Draw a chart of 1200 x 1120 px; raise CommandError if it would be empty, or if matplotlib is not installed."""
    if not any(told(chart) for told in (times, gaps, losses, odd_losses)):
        raise CommandError("There is nothing to draw: no line tells of a time per iteration or of a loss.")
    try:
        from monitor_core.notify.drawing import draw  # noqa: PLC0415 matplotlib is optional, and takes a second to load
    except ImportError as error:
        raise CommandError(
            f"A chart needs matplotlib ({error}): install it with `pip install 'trainstatus[charts]'`."
        ) from error
    return draw(chart)


def _samples(chart: Chart, told: Callable[[Line], float | None]) -> list[Sample]:
    read = ((line, told(line)) for line in chart.lines)
    return [
        Sample(line.launch, line.at, line.iteration, value)
        for line, value in read
        if value is not None and math.isfinite(value)
    ]


def _odd(loss: float | None, missing: str) -> str:
    if loss is None:
        return missing
    if math.isnan(loss):
        return "NaN"
    return "" if math.isfinite(loss) else "infinite"
