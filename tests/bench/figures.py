"""Figures as they stand on the page: both ways, their ratio, and the limit that was set before."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor_core.units import significant


@dataclass(frozen=True)
class Unit:
    """How a quantity is written; of most, less is better."""

    steps: tuple[tuple[float, str], ...]
    more_is_better: bool = False

    def write(self, value):
        """Write what was measured, three digits: `5.93 ms`."""
        size, name = self._step(value)
        return f"{significant(value / size, 3)} {name}"

    def name(self, value):
        """Write what was chosen: `7 ms`, `1 GB`."""
        size, name = self._step(value)
        return f"{value / size:g} {name}"

    def _step(self, value):
        return next((step for step in self.steps if value >= step[0]), self.steps[-1])


SECONDS = Unit(((1, "s"), (1e-3, "ms")))
BYTES = Unit(((1e9, "GB"), (1e6, "MB"), (1e3, "KB"), (1, "bytes")))
RATE = Unit(((1e6, "MB/s"),), more_is_better=True)
SHARE = Unit(((0.01, "% of a core"),))
PERCENT = Unit(((0.01, "%"),))


class Count(Unit):
    """A number of things, written in full."""

    def write(self, value):
        return f"{value:,.0f}"

    name = write


COUNT = Count(())


@dataclass(frozen=True)
class Limit:
    """What was asked of a figure. `holds` and `text` are about our value, or about the ratio if `of_ratio`."""

    value: float
    of_ratio: bool = False

    def judge(self, row):
        """Return the limit and whether it was kept."""
        least = self.of_ratio or row.unit.more_is_better
        measured = row.ratio if self.of_ratio else row.ours
        kept = measured >= self.value if least else measured <= self.value
        text = f"{self.value:g} x" if self.of_ratio else row.unit.name(self.value)
        return f"{'≥' if least else '≤'} {text}: {'kept' if kept else '**missed**'}"


@dataclass(frozen=True)
class Row:
    """One quantity. `original` is None where its way does not exist or was not measured; `why` then says which."""

    quantity: str
    unit: Unit
    original: float | None
    ours: float
    limits: tuple[Limit, ...] = ()
    why: str = "-"

    @property
    def ratio(self):
        """How many times better ours is."""
        return self.ours / self.original if self.unit.more_is_better else self.original / self.ours

    def cells(self):
        has = self.original is not None
        return (
            self.quantity,
            self.unit.write(self.original) if has else self.why,
            self.unit.write(self.ours),
            times(self.ratio) if has else "-",
            "; ".join(limit.judge(self) for limit in self.limits) or "-",
        )


@dataclass(frozen=True)
class Growth:
    """How many times more something of ours costs at the far end than at the near one; `most` is the limit.

    With a `unit`, what it costs at the far end is written, too.
    """

    quantity: str
    near: float
    far: float
    most: float
    unit: Unit | None = None

    def cells(self):
        grown = self.far / self.near
        kept = "kept" if grown <= self.most else "**missed**"
        cost = f"{self.unit.write(self.far)}: " if self.unit else ""
        return (self.quantity, "-", f"{cost}{times(grown)}", "-", f"≤ {self.most:g} x: {kept}")


@dataclass(frozen=True)
class Cells:
    """A row whose cells are written already."""

    written: tuple[str, ...]

    def cells(self):
        return self.written


@dataclass(frozen=True)
class Table:
    """Rows of one question, with a sentence (or some) that says what they mean."""

    title: str
    meaning: str
    rows: list[Row | Growth | Cells] = field(default_factory=list)
    head: tuple[str, ...] = ("quantity", "original's way", "ours", "times better", "limit")


def times(ratio):
    """Write a ratio: `1.03 x`, `5,210 x`."""
    return f"{significant(ratio, 3)} x"
