"""The picture of a chart. Only `charts.png` loads this module: matplotlib is optional.

Each colour is repeated by a shape or a word, so that the picture can be read without telling colours apart. They are
blue and vermilion of Okabe and Ito (https://jfly.uni-koeln.de/color/), the latter darker where it colours text.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median, quantiles

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from monitor_core.model.incidents import Severity
from monitor_core.notify.charts import Alert, Chart, Sample, losses, odd_losses, thin, times
from monitor_core.notify.lettering import (
    BACKGROUND,
    BAD,
    FONT,
    INK,
    PALE,
    ROW,
    SMALL,
    beside,
    box,
    entitle,
    name_alerts,
    say_nothing,
    write,
)
from monitor_core.units import count, ratio, significant

# 1200 x 1120 px.
_INCHES, _DPI = (6.0, 5.6), 200
_USUAL, _SHADE, _GRID = "#0072B2", "#D55E00", "#E4E4E4"
# Dots are drawn where there is room for so many; other marks keep such a distance (in widths of the panel).
_DOTS, _APART = 120, 0.02
# A stretch is worth a word from so many lines on, as many as the detector needs; so many others end it.
_STRETCH = 7


@dataclass(frozen=True, slots=True)
class _Scale:
    """What a panel shows: from `low` to `high`; what is beyond is drawn at `high`, and said to be more."""

    low: float
    high: float


def draw(chart: Chart) -> bytes:
    """Return the picture as a PNG."""
    picture = io.BytesIO()
    made = figure(chart)
    # Said in full, since a person's own matplotlibrc may ask for other margins or colours.
    made.savefig(picture, format="png", dpi=_DPI, bbox_inches=made.bbox_inches, facecolor=BACKGROUND)
    return picture.getvalue()


def figure(chart: Chart) -> Figure:
    """Return the picture as matplotlib's own object."""
    made = Figure(figsize=_INCHES, dpi=_DPI, facecolor=BACKGROUND)
    FigureCanvasAgg(made)
    made.subplots_adjust(left=0.15, right=0.98, top=0.93, bottom=0.135, hspace=0.21)
    upper, lower = made.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [1.9, 1]})
    width = _iterations(upper, chart)
    for panel in (upper, lower):
        _bare(panel)
        for alert in chart.alerts:
            _shade(panel, alert, width)
    unnamed, rows = name_alerts(upper, chart.alerts)
    _draw_times(upper, chart, rows)
    _draw_losses(lower, chart)
    upper.tick_params(labelbottom=False)
    lower.set_xlabel(_axis_label(chart, unnamed), fontsize=SMALL, color=PALE, labelpad=6, family=FONT)
    return made


def _iterations(panel: Axes, chart: Chart) -> float:
    """Set the axis of iterations and return how many it spans."""
    shown = [line.iteration for line in chart.lines]
    width = max(1, max(shown) - min(shown))
    panel.set_xlim(min(shown) - 0.015 * width, max(shown) + 0.02 * width)
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
    return width


def _axis_label(chart: Chart, unnamed: int) -> str:
    if not chart.alerts:
        return "iteration"
    return f"iteration   (shaded: alerts{f', {unnamed} without a name' if unnamed else ''})"


def _bare(panel: Axes) -> None:
    panel.set_facecolor(BACKGROUND)
    panel.grid(visible=True, axis="y", color=_GRID, linewidth=1)
    panel.set_axisbelow(True)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    panel.spines["bottom"].set_color(PALE)
    panel.tick_params(length=0, labelsize=SMALL, labelcolor=PALE, labelfontfamily=FONT)
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _shade(panel: Axes, alert: Alert, width: float) -> None:
    """Shade an alert; a short one is made wide enough to be seen."""
    spare = max(0.0, 0.01 * width - (alert.until - alert.since)) / 2
    colour = PALE if alert.severity is Severity.INFO else _SHADE
    panel.axvspan(alert.since - spare, alert.until + spare, facecolor=colour, alpha=0.16, linewidth=0, zorder=0.5)


def _draw_times(panel: Axes, chart: Chart, rows: int) -> None:
    entitle(panel, "seconds per iteration", of=chart.name)
    samples = times(chart)
    if not samples:
        say_nothing(panel, "no line tells of a time per iteration")
        return
    scale = _scale([sample.value for sample in samples], chart)
    cut = [sample for sample in samples if sample.value > scale.high]
    ceiling = _set_height(
        panel, chart, scale, (rows + bool(cut)) * ROW, words=3 if len(_longest(samples)) >= _STRETCH else 1
    )
    panel.yaxis.set_major_locator(MaxNLocator(5))
    _draw_usual(panel, chart, samples)
    _draw_line(panel, thin(samples), scale)
    if cut:
        _draw_cut(panel, cut, scale)
    if math.isfinite(chart.limit_seconds):
        _draw_limit(panel, chart, samples)
        _draw_stretch(panel, chart, samples, ceiling)


def _set_height(panel: Axes, chart: Chart, scale: _Scale, head: float, *, words: int) -> float:
    """Leave a foot for the usual time, a head for names (return where it begins), and room for words over the limit."""
    foot = 0.13
    height = (scale.high - scale.low) / (0.99 - foot - head)
    if math.isfinite(chart.limit_seconds):
        height = max(height, (chart.limit_seconds - scale.low) / (0.99 - foot - head - words * ROW))
    panel.set_ylim(scale.low - foot * height, scale.low + (1 - foot) * height)
    return scale.low + (0.99 - foot - head) * height


def _scale(values: Sequence[float], chart: Chart) -> _Scale:
    """Return what to show: a few values that are far beyond all others must not flatten these."""
    lines = [value for value in (chart.usual, chart.limit_seconds) if value is not None and math.isfinite(value)]
    common = max([quantiles(values, n=33)[-1] if len(values) > 1 else values[0], *lines])
    low, high = min([*values, *lines]), max([*values, *lines])
    if high - low > 2 * (common - low):
        high = common + 0.35 * (common - low)
    return _Scale(low, high) if high > low else _Scale(low * 0.9, high * 1.1)


def _draw_usual(panel: Axes, chart: Chart, samples: Sequence[Sample]) -> None:
    """Draw where eight of ten iterations lie that are not slow, and the usual time in words below all lines."""
    if chart.usual is None:
        return
    healthy = [sample.value for sample in samples if not sample.slow]
    tenths = quantiles(healthy, n=10) if len(healthy) > 1 else [chart.usual]
    low, high = min(tenths[0], chart.usual * 0.995), max(tenths[-1], chart.usual * 1.005)
    panel.axhspan(low, high, facecolor=_USUAL, alpha=0.15, linewidth=0, zorder=1)
    text = f"usual {significant(chart.usual, 3)} s"
    label = write(panel, text, 0.012, 0.015, colour=_USUAL, weight="bold")
    label.set_transform(panel.transAxes)


def _draw_line(panel: Axes, samples: Sequence[Sample], scale: _Scale) -> None:
    few = len(samples) <= _DOTS
    width = 2.2 if few else 1.3
    for _, launch in groupby(samples, key=lambda sample: sample.launch):
        line = list(launch)
        x = [sample.iteration for sample in line]
        y = [min(sample.value, scale.high) for sample in line]
        panel.plot(x, y, color=_USUAL, linewidth=width)
        if few:
            panel.plot(x, _only(y, [not s.slow for s in line]), color=_USUAL, linewidth=0, marker="o", markersize=4)
        # A slow stretch begins at the iteration before it, so that the way up belongs to it.
        slow = [here.slow or after.slow for here, after in zip(line, [*line[1:], line[-1]], strict=True)]
        panel.plot(x, _only(y, slow), color=BAD, linewidth=width + 0.5)
    diamonds = [sample for sample in samples if sample.slow and sample.value <= scale.high]
    shown = _apart(panel, [sample.iteration for sample in diamonds])
    x, y = [diamonds[index].iteration for index in shown], [diamonds[index].value for index in shown]
    panel.plot(x, y, color=BAD, linewidth=0, marker="D", markersize=6)


def _apart(panel: Axes, iterations: Sequence[int]) -> list[int]:
    """Return the indexes of iterations that are far enough from each other for a mark at each."""
    left, right = panel.get_xlim()
    kept: list[int] = []
    for index, iteration in enumerate(iterations):
        if not kept or abs(iteration - iterations[kept[-1]]) >= _APART * (right - left):
            kept.append(index)
    return kept


def _only(values: Sequence[float], wanted: Sequence[bool]) -> list[float]:
    return [value if keep else math.nan for value, keep in zip(values, wanted, strict=True)]


def _draw_cut(panel: Axes, cut: Sequence[Sample], scale: _Scale) -> None:
    """Point up where a value is beyond the panel, and write the highest over it."""
    x = [sample.iteration for sample in cut]
    panel.plot(x, [scale.high] * len(x), color=BAD, linewidth=0, marker="^", markersize=9)
    highest = max(cut, key=lambda sample: sample.value)
    label = write(
        panel, f"{significant(highest.value, 3)} s at iteration {count(highest.iteration)}", 0.0, scale.high, colour=BAD
    )
    left, right = panel.get_xlim()
    width, height = box(label).width, box(label).height
    label.set(x=min(max(left, highest.iteration - width / 2), right - width), y=scale.high + 0.45 * height)


def _draw_limit(panel: Axes, chart: Chart, samples: Sequence[Sample]) -> None:
    """Draw the limit, with its words where the fewest iterations are beyond it."""
    assert chart.limit is not None
    limit = chart.limit_seconds
    panel.axhline(limit, color=INK, linewidth=1.6, linestyle=(0, (5, 3)))
    label = write(panel, f"warning limit {significant(limit, 3)} s ({ratio(chart.limit)})", 0.0, limit)
    left, right = panel.get_xlim()
    width = box(label).width
    beyond = [sample.iteration for sample in samples if sample.value > limit]
    places = [left + (right - left - width) * part for part in (0.012, 0.2, 0.4, 0.6, 0.8, 0.988)]
    label.set(x=min(places, key=lambda x: sum(x <= iteration <= x + width for iteration in beyond)))
    label.set(y=limit + 0.25 * box(label).height)


def _draw_stretch(panel: Axes, chart: Chart, samples: Sequence[Sample], ceiling: float) -> None:
    """Write down how slow the longest slow stretch is, and where it began."""
    stretch = _longest(samples)
    if len(stretch) < _STRETCH or chart.usual is None:
        return
    value = median(sample.value for sample in stretch)
    text = f"{significant(value, 3)} s ({ratio(value / chart.usual)})\nsince iteration {count(stretch[0].iteration)}"
    span = (stretch[0].iteration, stretch[-1].iteration)
    label = beside(panel, text, span, value, colour=BAD, weight="bold")
    # Not into its own line, the names above, or the words of the limit, which are half as high.
    height = box(label).height
    free = (value + chart.limit_seconds) / 2 if span[0] <= box(label).x0 <= span[1] else value
    label.set(y=min(max(free, chart.limit_seconds + 1.25 * height), ceiling - height / 2))


def _longest(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return the longest stretch of slow iterations; a few others between them do not end it."""
    slow = [index for index, sample in enumerate(samples) if sample.slow]
    begin, best = 0, (0, 0)
    for number, index in enumerate(slow):
        if number and index - slow[number - 1] >= _STRETCH:
            begin = number
        best = max(best, (slow[begin], index + 1), key=lambda part: part[1] - part[0])
    return samples[best[0] : best[1]]


def _draw_losses(panel: Axes, chart: Chart) -> None:
    samples, odd = losses(chart), odd_losses(chart)
    entitle(panel, _loss_title(chart, samples))
    panel.yaxis.set_major_locator(MaxNLocator(3))
    if not samples and not odd:
        say_nothing(panel, "no line tells of a loss")
    for _, launch in groupby(thin(samples), key=lambda sample: sample.launch):
        line = list(launch)
        alone = "o" if len(line) == 1 else ""
        panel.plot([s.iteration for s in line], [s.value for s in line], color=INK, linewidth=2, marker=alone)
    if samples:
        low, high = min(sample.value for sample in samples), max(sample.value for sample in samples)
        height = (high - low) or abs(high) or 1.0
        panel.set_ylim(low - (0.6 if odd else 0.1) * height, high + 0.1 * height)
    if odd:
        _draw_odd(panel, odd)


def _draw_odd(panel: Axes, odd: Sequence[tuple[int, str]]) -> None:
    """Cross out the iterations without a finite loss at the foot of the panel, and say how many there are."""
    x = [odd[index][0] for index in _apart(panel, [iteration for iteration, _ in odd])]
    across = panel.get_xaxis_transform()
    panel.plot(x, [0.08] * len(x), transform=across, color=BAD, linewidth=0, marker="X", markersize=9, clip_on=False)
    told = Counter(word for _, word in odd)
    text = ", ".join(f"{word} in {count(lines)} line{'' if lines == 1 else 's'}" for word, lines in told.items())
    label = write(panel, text, 0.0, 0.17, colour=BAD, weight="bold")
    label.set_transform(panel.transAxes)
    width = box(label, panel).width
    start, _ = panel.transAxes.inverted().transform(panel.transData.transform((odd[0][0], 0.0)))
    label.set(x=max(0.0, min(start, 0.995 - width)))


def _loss_title(chart: Chart, samples: Sequence[Sample]) -> str:
    odd = odd_losses(chart)
    if odd and odd[-1][0] == chart.lines[-1].iteration:
        last = f"{significant(samples[-1].value)}, then " if samples else ""
        return f"loss: {last}{odd[-1][1]}"
    if not samples:
        return "loss"
    return f"loss: {significant(samples[0].value)} to {significant(samples[-1].value)}"
