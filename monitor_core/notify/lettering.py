"""Words in a chart: written where they fit, and large enough for a phone. All is in pixels. Loaded by drawing alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox, IdentityTransform
from numpy.typing import NDArray

# A phone shows the 1200 px of a chart 360 px wide: text of 14.4 pt at 200 dpi is 12 px high there.
FONT, SMALL, LARGE = "DejaVu Sans", 14.5, 16.0
BACKGROUND, INK, PALE, BAD, USUAL = "#FFFFFF", "#1D1C1D", "#616061", "#BF4B00", "#0072B2"
# What stands in the picture keeps such a distance from its edges and from other words.
WIDTH, MARGIN, GAP = 1200, 24, 16


@dataclass(slots=True)
class Row:
    """A row of words: what is taken of it, and the spans that the words are about."""

    left: float
    right: float
    taken: list[tuple[float, float]] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)

    def covers(self, span: tuple[float, float]) -> bool:
        """Whether a span overlaps one that the row has already."""
        return any(span[0] < until and since < span[1] for since, until in self.spans)

    def fit(self, width: float, span: tuple[float, float]) -> float | None:
        """Return where words of such a width may begin so that they touch the span; None if there is no room."""
        wanted = sum(span) / 2 - width / 2
        beside = [edge for since, until in self.taken for edge in (until + GAP, since - GAP - width)]
        places = [min(max(place, self.left), self.right - width) for place in (wanted, *beside)]
        free = [place for place in places if self._free(place, width) and _touches(place, width, span)]
        return min(free, key=lambda place: abs(place - wanted), default=None)

    def _free(self, place: float, width: float) -> bool:
        inside = self.left <= place and place + width <= self.right
        return inside and all(place >= until + GAP or place + width + GAP <= since for since, until in self.taken)


def _touches(place: float, width: float, span: tuple[float, float]) -> bool:
    return place <= span[1] + GAP and place + width >= span[0] - GAP


@dataclass(slots=True)
class Label:
    """Words about a span of the axis, in pixels; `texts` say the same in fewer and fewer words."""

    texts: Sequence[str]
    span: tuple[float, float]
    colour: str = INK


def write(
    panel: Axes, text: str, x: float, y: float, *, colour: str = INK, bold: bool = False, rim: bool = False
) -> Text:
    """Write, on a pale rim if lines behind would disturb; what looks like a formula is none."""
    effects = [withStroke(linewidth=4, foreground=BACKGROUND, alpha=0.85)] if rim else []
    style: dict[str, Any] = {"fontsize": SMALL, "fontweight": "bold" if bold else "normal", "color": colour}
    place: dict[str, Any] = {"transform": IdentityTransform(), "parse_math": False, "clip_on": False}
    return panel.text(x, y, text, path_effects=effects, zorder=6, va="bottom", family=FONT, **style, **place)


def box(label: Text) -> Bbox:
    """Return the place that a label takes."""
    return label.get_window_extent()


Placed = tuple[Text, int] | None
Points = NDArray[np.float64]


def arrange(panel: Axes, labels: Sequence[Label], rows: int, *, apart: bool = False) -> list[Placed]:
    """Choose for each label its words, its place and its row (written at y = 0); None for those without room.

    Where not all find room, all use fewer words. `apart`: in a row, the spans do not overlap either.
    """
    most = max((len(label.texts) for label in labels), default=0)
    placed: list[Placed] = []
    for level in range(most):
        for each in placed:
            if each is not None:
                each[0].remove()
        space = [Row(MARGIN, WIDTH - MARGIN) for _ in range(rows)]
        chosen = [label.texts[min(level, len(label.texts) - 1)] for label in labels]
        placed = [_place(panel, *each, space, apart=apart) for each in zip(labels, chosen, strict=True)]
        if None not in placed:
            break
    return placed


def _place(panel: Axes, label: Label, text: str, rows: Sequence[Row], *, apart: bool) -> Placed:
    written = write(panel, text, 0, 0, colour=label.colour, bold=True)
    width = box(written).width
    for number, row in enumerate(rows):
        place = None if apart and row.covers(label.span) else row.fit(width, label.span)
        if place is not None:
            row.taken.append((place, place + width))
            row.spans.append(label.span)
            written.set_x(place)
            return written, number
    written.remove()
    return None


def settle(label: Text, spots: Sequence[tuple[float, float]], taken: Sequence[Bbox], drawn: Points) -> bool:
    """Move a label to the spot where it covers no other words and the least of what is drawn; False if none is free."""
    shape = box(label)
    boxes = [Bbox.from_bounds(x, y, shape.width, shape.height) for x, y in spots]
    free = [place for place in boxes if not any(place.overlaps(other) for other in taken)]
    if not free:
        return False
    best = min(free, key=lambda place: _covered(place, drawn))
    label.set_position((best.x0, best.y0))
    return True


def _covered(place: Bbox, drawn: Points) -> int:
    return int(((drawn >= place.min) & (drawn <= place.max)).all(axis=1).sum())
