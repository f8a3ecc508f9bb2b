"""The picture of a chart. Only `charts.png` loads this module: matplotlib is optional.

Each colour is repeated by a shape or a word, so that the picture can be read without telling colours apart. They are
those of Okabe and Ito (https://jfly.uni-koeln.de/color/), darker where they colour text. All lengths are in pixels.
"""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from monitor_core.model.incidents import Severity
from monitor_core.notify.axis import Axis
from monitor_core.notify.charts import Alert, Chart, gaps, losses, odd_losses, times
from monitor_core.notify.lettering import (
    BACKGROUND,
    FONT,
    GAP,
    INK,
    LARGE,
    MARGIN,
    PALE,
    SMALL,
    WIDTH,
    box,
    write,
)
from monitor_core.notify.panels import draw_losses, draw_times
from monitor_core.notify.strip import FILLS, PHASES, Strip
from monitor_core.units import counted

_HEIGHT, _DPI = 1120, 200
_LEFT, _RIGHT = 158, WIDTH - MARGIN
_TITLE, _HEAD, _FOOT, _BETWEEN = 50, 46, 152, 18
# The upper panel is so much higher than the lower one: with both, without a loss, without times.
_BOTH, _NO_LOSS, _NO_TIMES = 1.75, 5.0, 0.25
# So many phases are shaded in the panels though they are short; of more, only the long ones are.
_SHORT = 20
_GRID = "#E4E4E4"
_SHADES = {Severity.INFO: 0.0, Severity.WARNING: 0.16, Severity.CRITICAL: 0.2}
# Room for the ends of lines, in parts of the width.
_EDGE = 0.012
# What is shaded is at least so wide, in parts of the width.
_SEEN = 0.006


def draw(chart: Chart) -> bytes:
    """Return the picture as a PNG."""
    picture = io.BytesIO()
    made = figure(chart)
    # Said in full, since a person's own matplotlibrc may ask for other margins or colours.
    made.savefig(picture, format="png", dpi=_DPI, bbox_inches=made.bbox_inches, facecolor=BACKGROUND)
    return picture.getvalue()


def figure(chart: Chart) -> Figure:
    """Return the picture as matplotlib's own object: its axes are the strip, the times and the losses."""
    made = Figure(figsize=(WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI, facecolor=BACKGROUND)
    FigureCanvasAgg(made)
    axis = Axis(chart)
    sheet = made.add_axes((0, 0, 1, 1))
    sheet.set_axis_off()
    top = _draw_head(sheet, chart)
    strip = Strip(sheet, chart, axis, lambda moment: _pixel(axis.place(moment)))
    top = strip.draw(top)
    ratio = _ratio(chart)
    height = (top - _FOOT - 2 * _HEAD - _BETWEEN) / (ratio + 1)
    upper = _panel(made, top - _HEAD - ratio * height, ratio * height)
    lower = _panel(made, _FOOT, height)
    for panel in (upper, lower):
        _shade(panel, chart, axis)
    draw_times(upper, chart, axis)
    draw_losses(lower, chart, axis)
    _draw_foot(sheet, chart, axis, strip.unnamed)
    return made


def _ratio(chart: Chart) -> float:
    """Return how much higher the upper panel is: what has nothing to show needs little room."""
    if not times(chart) and not gaps(chart):
        return _NO_TIMES
    return _BOTH if losses(chart) or odd_losses(chart) else _NO_LOSS


def _pixel(place: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * (place + _EDGE) / (1 + 2 * _EDGE)


def _panel(made: Figure, bottom: float, height: float) -> Axes:
    panel = made.add_axes((_LEFT / WIDTH, bottom / _HEIGHT, (_RIGHT - _LEFT) / WIDTH, height / _HEIGHT))
    panel.set_facecolor(BACKGROUND)
    panel.set_xlim(-_EDGE, 1 + _EDGE)
    panel.set_xticks([])
    panel.grid(visible=True, axis="y", color=_GRID, linewidth=1)
    panel.set_axisbelow(True)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    panel.spines["bottom"].set_color(PALE)
    panel.tick_params(length=0, labelsize=SMALL, labelcolor=PALE, labelfontfamily=FONT)
    return panel


def _draw_head(sheet: Axes, chart: Chart) -> float:
    """Write the name and the state, and as many facts as find room; return where that ends."""
    title = write(sheet, f"{chart.name}: {chart.state}" if chart.state else chart.name, MARGIN, 0, bold=True)
    title.set(fontsize=LARGE, y=_HEIGHT - GAP - _TITLE)
    for letters in range(len(chart.name), 0, -1):
        if box(title).x1 <= WIDTH - MARGIN:
            break
        title.set_text(f"{chart.name[: letters - 1]}…{f': {chart.state}' if chart.state else ''}")
    if not chart.facts:
        return _HEIGHT - GAP - _TITLE
    facts = write(sheet, "", MARGIN, _HEIGHT - GAP - _TITLE - _HEAD, colour=PALE)
    for many in range(len(chart.facts), 0, -1):
        facts.set_text(", ".join(chart.facts[:many]))
        if box(facts).x1 <= WIDTH - MARGIN:
            break
    return _HEIGHT - GAP - _TITLE - _HEAD - GAP / 2


def _shade(panel: Axes, chart: Chart, axis: Axis) -> None:
    """Shade alerts and phases; mark launches and endings by lines, and hatch silences that are not to scale."""
    for alert in chart.alerts:
        _shade_alert(panel, alert, axis)
    named = [span for span in chart.phases if span.phase in PHASES]
    for span in named:
        if len(named) <= _SHORT or axis.place(span.until) - axis.place(span.since) > _SEEN:
            _band(panel, axis, span.since, span.until, PHASES[span.phase][0], 0.12)
    for since, until in axis.cuts:
        left, right = axis.places([since, until])
        panel.axvspan(left, right, facecolor="none", edgecolor="#C8C8C8", hatch="//", linewidth=0, zorder=0.4)
    for launch in chart.launches:
        if launch.number > 1:
            panel.axvline(axis.place(launch.at), color=INK, linewidth=1.6, linestyle=(0, (1, 1.5)), zorder=1)


def _shade_alert(panel: Axes, alert: Alert, axis: Axis) -> None:
    if alert.severity is Severity.INFO or alert.until <= alert.since:
        panel.axvline(axis.place(alert.since), color=FILLS[alert.severity], linewidth=2, zorder=1)
        return
    first = alert.severity if alert.worse is None else Severity.WARNING
    worse = alert.until if alert.worse is None else min(max(alert.worse, alert.since), alert.until)
    _band(panel, axis, alert.since, worse, FILLS[first], _SHADES[first])
    if worse < alert.until:
        _band(panel, axis, worse, alert.until, FILLS[alert.severity], _SHADES[alert.severity])


def _band(panel: Axes, axis: Axis, since: float, until: float, colour: str, alpha: float) -> None:
    left, right = axis.places([since, until])
    spare = max(0.0, _SEEN - (right - left)) / 2
    panel.axvspan(left - spare, right + spare, facecolor=colour, alpha=alpha, linewidth=0, zorder=0.5)


def _draw_foot(sheet: Axes, chart: Chart, axis: Axis, unnamed: int) -> None:
    """Write the labels of the axis that find room, and under them what they are."""
    end = 0.0
    for place, text in axis.ticks():
        label = write(sheet, text, _pixel(place), _FOOT - GAP / 2, colour=PALE)
        label.set(va="top", ha="center", linespacing=1.15)
        if box(label).x0 < end or box(label).x1 > WIDTH - GAP / 2:
            label.remove()
            continue
        end = box(label).x1 + 1.5 * GAP
    untold = f"; {counted(unnamed, 'alert')} without a name" if unnamed else ""
    label = write(sheet, axis.caption() + untold, (_LEFT + _RIGHT) / 2, 0, colour=PALE)
    label.set(ha="center")
    if box(label).x1 > WIDTH - MARGIN:
        label.set(x=WIDTH - MARGIN, ha="right")
