"""Words within a panel of a chart: where they cover no other word and the least of what is drawn. In pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from monitor_core.notify.axis import Axis
from monitor_core.notify.charts import Chart
from monitor_core.notify.lettering import GAP, MARGIN, WIDTH, Points, box, settle, write

# So many places across a panel and down it are tried; points of a line stand so near to each other.
_COLUMNS, _ROWS = 24, 8
_NEAR = 12


class Words:
    """The words within a panel: none covers another, and they cover little of what is drawn."""

    def __init__(self, panel: Axes) -> None:
        self.panel = panel
        self.taken: list[Bbox] = []
        self.drawn: Points = np.empty((0, 2))

    def avoid(self, places: Sequence[float], values: Sequence[float]) -> None:
        """Keep words off a line, if that can be."""
        self.drawn = np.vstack([self.drawn, _dots(self.panel, places, values)])

    def avoid_launches(self, chart: Chart, axis: Axis) -> None:
        """Keep words off the lines that mark launches, too."""
        for launch in chart.launches[1:]:
            self.avoid([axis.place(launch.at)] * 2, self.panel.get_ylim())

    def put(self, text: str, spots: Sequence[tuple[float, float]], colour: str) -> None:
        """Write a text at the best of some spots for its middle (pixels), else anywhere, if there is room at all."""
        label = write(self.panel, text, 0, 0, colour=colour, bold=True, rim=True)
        shape, frame = box(label), self.panel.get_window_extent()
        for middles in (spots, self._anywhere()):
            corners = [_inside(frame, x - shape.width / 2, y - shape.height / 2, shape) for x, y in middles]
            if settle(label, corners, self.taken, self.drawn):
                self.taken.append(box(label).padded(GAP / 4))
                return
        label.remove()

    def _anywhere(self) -> list[tuple[float, float]]:
        frame = self.panel.get_window_extent()
        levels = [frame.y1 - frame.height * row / _ROWS for row in range(_ROWS + 1)]
        return [(x, y) for y in levels for x in across(self.panel)]


def _inside(frame: Bbox, x: float, y: float, shape: Bbox) -> tuple[float, float]:
    """Return the corner that keeps a label of this shape within the panel."""
    left = min(max(x, frame.x0 + GAP / 2), WIDTH - MARGIN - shape.width)
    return left, min(max(y, frame.y0 + GAP / 4), frame.y1 - shape.height)


def across(panel: Axes) -> list[float]:
    """Return places from the left of a panel to its right."""
    frame = panel.get_window_extent()
    return [frame.x0 + frame.width * part / _COLUMNS for part in range(_COLUMNS + 1)]


def _dots(panel: Axes, places: Sequence[float], values: Sequence[float]) -> Points:
    """Return points along a line (pixels), near enough to each other that no word can stand between them."""
    ends = panel.transData.transform(np.column_stack([places, values]))
    steps = np.maximum(1, np.abs(np.diff(ends, axis=0)).max(axis=1) // _NEAR).astype(int)
    parts = np.concatenate([np.arange(step) / step for step in steps]) if len(steps) else np.zeros(0)
    begin, way = np.repeat(ends[:-1], steps, axis=0), np.repeat(np.diff(ends, axis=0), steps, axis=0)
    return np.vstack([begin + way * parts[:, None], ends[-1:]])
