"""Words in a chart: written where they fit, and large enough for a phone. Loaded by `drawing` alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from monitor_core.incident.phrases import short_name
from monitor_core.model.incidents import Severity
from monitor_core.notify.charts import Alert

# A phone shows the 1200 px of a chart 360 px wide: text of 14.4 pt at 200 dpi is 12 px high there.
FONT, SMALL, _LARGE = "DejaVu Sans", 14.5, 16.0
BACKGROUND, INK, PALE, BAD = "#FFFFFF", "#1D1C1D", "#616061", "#BF4B00"
# Names of alerts stand in so many rows at the top of a panel, each so high (in heights of the panel).
_ROWS, ROW = 2, 0.105
# How many letters of the run's name to try, most first.
_NAMES = (24, 20, 16, 12)


def name_alerts(panel: Axes, alerts: Sequence[Alert]) -> tuple[int, int]:
    """Write the alerts' names side by side into rows at the top; return how many found no room, and the rows used."""
    ends, unnamed = [0.0] * _ROWS, 0
    for alert in sorted(alerts, key=lambda alert: alert.since):
        colour = PALE if alert.severity is Severity.INFO else BAD
        label = write(panel, alert.name, 0.0, 0.0, colour=colour, weight="bold")
        label.set_transform(panel.transAxes)
        width = box(label, panel).width
        middle, _ = panel.transAxes.inverted().transform(
            panel.transData.transform(((alert.since + alert.until) / 2, 0.0))
        )
        left = min(max(0.0, middle - width / 2), max(0.0, 0.995 - width))
        row = next((row for row, end in enumerate(ends) if left >= end), None)
        if row is None:
            label.remove()
            unnamed += 1
            continue
        ends[row] = left + width + 0.02
        label.set(x=left, y=1 - row * ROW, verticalalignment="top")
    return unnamed, sum(end > 0 for end in ends)


def say_nothing(panel: Axes, text: str) -> None:
    """Say why a panel is empty."""
    panel.set_yticks([])
    label = write(panel, text, 0.5, 0.45, colour=PALE)
    label.set(transform=panel.transAxes, horizontalalignment="center")


def entitle(panel: Axes, text: str, *, of: str = "") -> None:
    """Write the title of a panel; `of` is the run, whose name is shortened until all fits."""
    style: dict[str, Any] = {"fontsize": _LARGE, "fontweight": "bold", "color": INK, "family": FONT}
    for letters in _NAMES:
        name = f"{short_name(of, letters)}: " if of else ""
        label = panel.set_title(f"{name}{text}", loc="left", pad=8, x=-0.13, parse_math=False, **style)
        if box(label, panel).x1 <= 1:
            return


def beside(panel: Axes, text: str, span: tuple[int, int], y: float, *, colour: str, weight: str = "normal") -> Text:
    """Write to the left of a span of iterations, else to its right, else across its middle."""
    label = write(panel, text, 0.0, y, colour=colour, weight=weight)
    left, right = panel.get_xlim()
    width, gap = box(label).width, 0.02 * (right - left)
    places = (span[0] - gap - width, span[1] + gap, min(sum(span) / 2 - width / 2, right - width))
    x = next((place for place in places if left <= place <= right - width), left)
    label.set(x=x, verticalalignment="center")
    return label


def write(panel: Axes, text: str, x: float, y: float, *, colour: str = INK, weight: str = "normal") -> Text:
    """Write on a pale rim, so that lines behind do not disturb; what looks like a formula is none."""
    rim = [withStroke(linewidth=4, foreground=BACKGROUND, alpha=0.85)]
    style: dict[str, Any] = {"fontsize": SMALL, "fontweight": weight, "color": colour, "family": FONT}
    return panel.text(x, y, text, parse_math=False, path_effects=rim, zorder=5, va="bottom", **style)


def box(label: Text, panel: Axes | None = None) -> Bbox:
    """Return the place that a label takes, in data of its panel, or in parts of `panel`."""
    assert label.axes is not None
    return label.get_window_extent().transformed(
        (label.axes.transData if panel is None else panel.transAxes).inverted()
    )
