"""How high a panel reaches, and what is written beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from matplotlib.axes import Axes
from matplotlib.ticker import Locator, LogLocator, MaxNLocator, NullLocator

# A loss that spans so many times its least is drawn on a logarithmic scale.
_DECADES = 50
# Values may lie so far above the common ones, in heights of these, to be drawn where they are.
_FAR, _FAR_LOSS = 2.0, 8.0
# Half the height of a label.
_HALF = 22
# So many letters fit beside the panel.
_LABEL = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """What a panel shows: from `low` to `high`; what is beyond is drawn at `high`, and said to be more."""

    low: float
    high: float


def fit_losses(panel: Axes, values: Sequence[float], *, foot: bool) -> Scale:
    """Choose a scale on which the loss can be read, with a foot for the crosses."""
    scale = _reach(values, [], far=_FAR_LOSS)
    low, high = scale.low, scale.high
    below = 0.3 if foot else 0.07
    if low > 0 and high / low >= _DECADES:
        panel.set_yscale("log")
        tall = math.log(high / low)
        panel.set_ylim(low / math.exp(tall * below), high * math.exp(tall * 0.15))
        panel.yaxis.set_minor_locator(NullLocator())
        _set_ticks(panel, LogLocator(numticks=4))
        return scale
    above = 0.4 if max(values) > high else 0.1
    panel.set_ylim(low - below * (high - low), high + above * (high - low))
    _set_ticks(panel, MaxNLocator(3))
    return scale


def fit_times(panel: Axes, values: Sequence[float], lines: Sequence[float]) -> Scale:
    """Choose a scale that shows `values` and `lines` across the panel, with a foot and a head for words."""
    scale = _reach(values, lines)
    height = scale.high - scale.low
    panel.set_ylim(scale.low - 0.24 * height, scale.high + 0.26 * height)
    _set_ticks(panel, MaxNLocator(5))
    return scale


def _set_ticks(panel: Axes, locator: Locator) -> None:
    """Set the ticks, but for one that would touch the title."""
    frame = panel.get_window_extent()
    ticks = [float(tick) for tick in locator.tick_values(*panel.get_ylim())]
    inside = [tick for tick in ticks if frame.y0 + _HALF / 2 <= height_of(panel, tick) <= frame.y1 - _HALF]
    labels = _short(inside)
    panel.set_yticks(list(labels.values()), list(labels))


def _short(ticks: Sequence[float]) -> dict[str, float]:
    """Return labels that are narrow enough, with their ticks; one for those that would read the same."""
    for digits in range(6, 1, -1):
        labels = {re.sub(r"e([+-])0?", lambda power: "e" + power[1].strip("+"), f"{t:.{digits}g}"): t for t in ticks}
        if max(map(len, labels), default=0) <= _LABEL:
            break
    return labels


def height_of(panel: Axes, value: float) -> float:
    """Return at which height of the picture, in pixels, a value is drawn."""
    return float(panel.transData.transform((0.0, value))[1])


def _reach(values: Sequence[float], lines: Sequence[float], far: float = _FAR) -> Scale:
    """Return what to show: a few values that are far beyond all others must not flatten these."""
    common = max([quantiles(values, n=33)[-1] if len(values) > 1 else values[0], *lines])
    low, high = min([*values, *lines]), max([*values, *lines])
    if high - low > far * (common - low) and common > low:
        high = common + 0.35 * (common - low)
    if high - low > 1e-6 * abs(high):
        return Scale(low, high)
    spare = 0.1 * abs(high) or 1.0
    return Scale(low - spare, high + spare)
