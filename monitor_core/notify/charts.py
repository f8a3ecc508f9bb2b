"""What a chart of a run shows, and how it becomes a PNG.

A chart is a plain value: whoever has the progress lines of a run, from a recording or from the store, can fill one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from monitor_core.errors import CommandError
from monitor_core.model.incidents import Severity
from monitor_core.model.records import Progress
from monitor_core.track.pace import sound_ms
from monitor_core.track.state import WARM_UP

# More points than this cannot be told apart in a picture that is 1200 px wide.
MOST = 2000


@dataclass(frozen=True, slots=True)
class Alert:
    """An incident that people were told of, by the iterations that it spans; `name` is what stands in the picture."""

    name: str
    severity: Severity
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One run: its name, its progress lines in the order of the log, and the alerts about it.

    `usual` is its usual time per iteration in seconds and `limit` the ratio to it beyond which an iteration is slow;
    None where they are not known.
    """

    name: str
    lines: Sequence[Progress]
    usual: float | None = None
    limit: float | None = None
    alerts: Sequence[Alert] = ()

    @property
    def limit_seconds(self) -> float:
        """Return the time per iteration beyond which it is slow, in seconds; infinite if there is no limit."""
        return math.inf if self.usual is None or self.limit is None else self.usual * self.limit


@dataclass(frozen=True, slots=True)
class Sample:
    """A finite number that the line of an iteration told; `launch` counts the launches in the log."""

    launch: int
    iteration: int
    value: float
    slow: bool = False


def times(chart: Chart) -> list[Sample]:
    """Return the seconds per iteration; the first iterations of a launch are never slow, they are its warm-up."""
    samples, first, launch = [], 0, -1
    for number, line in _launches(chart.lines):
        if number != launch:
            launch, first = number, line.iteration
        ms = sound_ms(line)
        if ms is not None:
            slow = ms / 1000 > chart.limit_seconds and line.iteration - first >= WARM_UP
            samples.append(Sample(launch, line.iteration, ms / 1000, slow))
    return samples


def losses(chart: Chart) -> list[Sample]:
    """Return the losses that are finite."""
    return [
        Sample(launch, line.iteration, line.loss)
        for launch, line in _launches(chart.lines)
        if line.loss is not None and math.isfinite(line.loss)
    ]


def odd_losses(chart: Chart) -> list[tuple[int, str]]:
    """Return the iterations whose loss is not finite, each with the word for it.

    Megatron prints no loss where it is not finite; a log that never prints one says nothing about it.
    """
    if all(line.loss is None for line in chart.lines):
        return []
    return [(line.iteration, word) for line in chart.lines if (word := _odd(line.loss))]


def thin(samples: Sequence[Sample], most: int = MOST) -> list[Sample]:
    """Return at most so many samples in their order; of each stretch its lowest and its highest stay, and both ends."""
    if len(samples) <= most:
        return list(samples)
    stretches = (most - 2) // 2
    kept = {0, len(samples) - 1}
    for number in range(stretches):
        stretch = range(number * len(samples) // stretches, (number + 1) * len(samples) // stretches)
        kept |= {_extreme(min, stretch, samples), _extreme(max, stretch, samples)}
    return [samples[index] for index in sorted(kept)]


def png(chart: Chart) -> bytes:
    """Draw a chart of 1200 x 1120 px; raise CommandError if it would be empty, or if matplotlib is not installed."""
    if not (times(chart) or losses(chart) or odd_losses(chart)):
        raise CommandError("There is nothing to draw: no line tells of a time per iteration or of a loss.")
    try:
        from monitor_core.notify.drawing import draw  # noqa: PLC0415 matplotlib is optional, and takes a second to load
    except ImportError as error:
        raise CommandError(
            f"A chart needs matplotlib ({error}): install it with `pip install 'trainstatus[charts]'`."
        ) from error
    return draw(chart)


def _launches(lines: Sequence[Progress]) -> Iterator[tuple[int, Progress]]:
    launch, last = 0, None
    for line in lines:
        if last is not None and line.iteration < last:
            launch += 1
        last = line.iteration
        yield launch, line


def _odd(loss: float | None) -> str:
    if loss is None:
        return "not printed"
    if math.isnan(loss):
        return "NaN"
    return "" if math.isfinite(loss) else "infinite"


def _extreme(choose: Callable[..., int], stretch: range, samples: Sequence[Sample]) -> int:
    return choose(stretch, key=lambda index: samples[index].value)
