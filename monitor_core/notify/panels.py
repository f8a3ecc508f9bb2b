"""The two panels of a chart: how long iterations take, with what is usual and the limit, and the loss."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any

from matplotlib.axes import Axes

from monitor_core.model.incidents import Kind
from monitor_core.notify.axis import Axis
from monitor_core.notify.charts import (
    Alert,
    Chart,
    Sample,
    gaps,
    losses,
    odd_losses,
    silences,
    thin,
    times,
    usual_gaps,
    usual_times,
)
from monitor_core.notify.lettering import BAD, INK, MARGIN, PALE, USUAL, write
from monitor_core.notify.scale import Scale, fit_losses, fit_times, height_of
from monitor_core.notify.words import Words, across
from monitor_core.units import count, ratio, significant

# Dots are drawn where there is room for so many; other marks keep such a distance (in widths of the panel).
_DOTS, _APART = 120, 0.02
_STEPS: Any = {"drawstyle": "steps-post"}
_MARK: Any = {"linewidth": 0, "markersize": 8, "clip_on": False, "zorder": 4}


def draw_times(panel: Axes, chart: Chart, axis: Axis) -> None:
    """Draw how long iterations took; where no line tells, the seconds between the lines."""
    samples, usual, limit = times(chart), usual_times(chart), chart.limit
    title = "seconds per iteration"
    if not samples and gaps(chart):
        samples, usual, limit, title = gaps(chart), usual_gaps(chart), None, "seconds between lines"
    _entitle(panel, title)
    if not samples:
        _say_nothing(panel, "no line tells of a time per iteration")
        return
    beyond = [] if limit is None else [sample.value * limit for sample in usual]
    scale = fit_times(panel, [sample.value for sample in samples], [*(sample.value for sample in usual), *beyond])
    words = Words(panel)
    words.avoid_launches(chart, axis)
    _draw_line(panel, _curve(samples, axis, (since for since, _ in silences(chart))), scale, words, USUAL)
    _draw_slow(panel, chart, axis, samples, scale, words)
    _draw_cut(panel, axis, samples, scale, words)
    if usual:
        _draw_usual(panel, axis, usual, limit, words)


def draw_losses(panel: Axes, chart: Chart, axis: Axis) -> None:
    """Draw the loss, and cross out where it is not finite."""
    samples, odd = losses(chart), odd_losses(chart)
    _entitle(panel, _loss_title(chart, samples, odd))
    if not samples:
        _say_nothing(panel, "" if odd else "no line tells of a loss")
        panel.set_ylim(0, 1)
    words = Words(panel)
    if samples:
        scale = fit_losses(panel, [sample.value for sample in samples], foot=bool(odd))
        breaks = [*(since for since, _ in silences(chart)), *(at for at, _, _ in odd)]
        _draw_line(panel, _curve(samples, axis, breaks), scale, words, INK)
        _draw_cut(panel, axis, samples, scale, words, unit="")
    if odd:
        _draw_odd(panel, axis, odd)


@dataclass(frozen=True, slots=True)
class _Curve:
    """A line of samples: where they lie, and after which moments it is broken."""

    samples: Sequence[Sample]
    places: Sequence[float]
    breaks: Sequence[float]

    def pieces(self, scale: Scale | None = None) -> Iterator[tuple[list[float], list[float]]]:
        """Yield the places and values of each piece: a launch, up to where nothing was heard; thinned."""
        kept = thin(self.samples, self.places)
        high = math.inf if scale is None else scale.high
        for _, piece in groupby(kept, key=self._piece):
            indexes = list(piece)
            yield [self.places[n] for n in indexes], [min(self.samples[n].value, high) for n in indexes]

    def _piece(self, index: int) -> tuple[int, int]:
        sample = self.samples[index]
        return sample.launch, bisect_left(self.breaks, sample.at)


def _curve(samples: Sequence[Sample], axis: Axis, breaks: Iterable[float]) -> _Curve:
    return _Curve(samples, axis.places([sample.at for sample in samples]), sorted(breaks))


def _draw_line(panel: Axes, curve: _Curve, scale: Scale, words: Words, colour: str) -> None:
    few = len(curve.samples) <= _DOTS
    for places, values in curve.pieces(scale):
        alone = "o" if few or len(places) == 1 else ""
        panel.plot(places, values, color=colour, linewidth=2.2 if few else 1.3, marker=alone, markersize=4, zorder=3)
        words.avoid(places, values)


def _draw_slow(panel: Axes, chart: Chart, axis: Axis, samples: Sequence[Sample], scale: Scale, words: Words) -> None:
    """Draw again, in another colour and with other marks, what people were told to be slow, and say how slow."""
    quiet = [since for since, _ in silences(chart)]
    for alert in chart.alerts:
        lasts = alert.until >= chart.span[1]
        slow = [s for s in samples if alert.since <= s.at < alert.until or (lasts and s.at == alert.until)]
        if alert.kind is not Kind.SLOW or not slow:
            continue
        curve = _curve(slow, axis, quiet)
        for places, values in curve.pieces(scale):
            panel.plot(places, values, color=BAD, linewidth=2.4, zorder=3.5)
            shown = _apart(places)
            marked = [places[n] for n in shown], [values[n] for n in shown]
            panel.plot(*marked, color=BAD, marker="D", **{**_MARK, "markersize": 6})
        _say_slow(panel, chart, alert, slow, scale, words, curve.places)


def _say_slow(
    panel: Axes,
    chart: Chart,
    alert: Alert,
    slow: Sequence[Sample],
    scale: Scale,
    words: Words,
    places: Sequence[float],
) -> None:
    beyond = [sample.value for sample in slow if alert.usual is None or sample.value > alert.usual * (chart.limit or 1)]
    value = median(beyond or [sample.value for sample in slow])
    compared = f" ({ratio(value / alert.usual)})" if alert.usual else ""
    text = f"{significant(value, 3)} s{compared}\nsince {count(slow[0].iteration)}"
    (left, y), (right, _) = panel.transData.transform([(places[0], min(value, scale.high)), (places[-1], value)])
    beside = [(left - 200, y), (right + 200, y)]
    words.put(text, [*beside, *((x, y + up) for up in (0, 100, -100, 160) for x in across(panel))], BAD)


def _draw_cut(panel: Axes, axis: Axis, samples: Sequence[Sample], scale: Scale, words: Words, unit: str = " s") -> None:
    """Point up where a value is beyond the panel, and write the highest over it."""
    cut = [sample for sample in samples if sample.value > scale.high]
    if not cut:
        return
    places = axis.places([sample.at for sample in cut])
    shown = _apart(places)
    panel.plot(
        [places[n] for n in shown],
        [scale.high] * len(shown),
        color=BAD,
        linewidth=0,
        marker="^",
        markersize=9,
        zorder=4,
    )
    highest = max(cut, key=lambda sample: sample.value)
    x, y = panel.transData.transform((axis.place(highest.at), scale.high))
    words.avoid(places, [scale.high] * len(places))
    text = f"{significant(highest.value, 3)}{unit} at {count(highest.iteration)}"
    words.put(text, [(x, y + 40), *((each, y + 40) for each in across(panel))], BAD)


def _draw_usual(panel: Axes, axis: Axis, usual: Sequence[Sample], limit: float | None, words: Words) -> None:
    """Draw the usual time and the limit as steps, as they were when each line came."""
    known = [sample.value for sample in usual]
    for places, values in _curve(usual, axis, ()).pieces():
        panel.plot(places, values, color="#56B4E9", linewidth=5, alpha=0.55, zorder=2, **_STEPS)
        words.avoid(places, values)
        if limit is not None:
            beyond = [value * limit for value in values]
            panel.plot(places, beyond, color=INK, linewidth=1.6, linestyle=(0, (5, 3)), zorder=2.5, **_STEPS)
            words.avoid(places, beyond)
    _name_line(panel, axis, usual, known, f"usual {significant(known[-1], 3)} s", USUAL, words, -30)
    if limit is not None:
        beyond = [value * limit for value in known]
        text = f"limit {significant(beyond[-1], 3)} s ({ratio(limit)})"
        _name_line(panel, axis, usual, beyond, text, INK, words, 30)


def _name_line(
    panel: Axes,
    axis: Axis,
    usual: Sequence[Sample],
    values: Sequence[float],
    text: str,
    colour: str,
    words: Words,
    off: float,
) -> None:
    """Write beside a line of steps, latest first; else further from it."""
    places = axis.places([sample.at for sample in usual])
    spots = []
    for far in (1, 1.6, 2.4, 3.4, 4.6, -1.2):
        for x in reversed(across(panel)):
            at = bisect_right(places, float(panel.transData.inverted().transform((x, 0.0))[0]))
            spots.append((x, height_of(panel, values[max(0, at - 1)]) + off * far))
    words.put(text, spots, colour)


def _draw_odd(panel: Axes, axis: Axis, odd: Sequence[tuple[float, int, str]]) -> None:
    """Cross out at the foot of the panel where the loss is not finite."""
    places = axis.places([at for at, _, _ in odd])
    shown = [places[n] for n in _apart(places)]
    level = 18 / panel.get_window_extent().height
    across = panel.get_xaxis_transform()
    panel.plot(shown, [level] * len(shown), transform=across, color=BAD, marker="X", **_MARK)


def _loss_title(chart: Chart, samples: Sequence[Sample], odd: Sequence[tuple[float, int, str]]) -> str:
    ends = [significant(sample.value) for sample in (*samples[:1], *samples[-1:])]
    if not odd:
        return f"loss: {ends[0]} to {ends[-1]}" if samples else "loss"
    last = samples[-1].at if samples else -math.inf
    _, iteration, word = next((each for each in odd if each[0] > last), odd[0])
    if odd[-1][0] > last:
        return f"loss: {', then '.join([*ends[-1:], f'{word} from {count(iteration)}'])}"
    until = f"from {count(iteration)} to {count(odd[-1][1])}" if len(odd) > 1 else f"at {count(iteration)}"
    return f"loss: {ends[0]} to {ends[-1]}, {word} {until}"


def _entitle(panel: Axes, text: str) -> None:
    write(panel, text, MARGIN, panel.get_window_extent().y1 + 1, bold=True)


def _say_nothing(panel: Axes, text: str) -> None:
    """Say why a panel is empty."""
    panel.set_yticks([])
    frame = panel.get_window_extent()
    label = write(panel, text, (frame.x0 + frame.x1) / 2, (frame.y0 + frame.y1) / 2, colour=PALE)
    label.set(ha="center")


def _apart(places: Sequence[float]) -> list[int]:
    """Return the indexes of places that are far enough from each other for a mark at each."""
    kept: list[int] = []
    for index, place in enumerate(places):
        if not kept or abs(place - places[kept[-1]]) >= _APART:
            kept.append(index)
    return kept
