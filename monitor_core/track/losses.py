"""What the lines of a launch say of its loss: its level, those that are no number, those that fp16 skipped."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor_core.model.records import Detail, Progress
from monitor_core.redact import redact
from monitor_core.track.pace import remember

# The first iterations of a launch find the scale of fp16, and what their gradients overflow says nothing.
_FIRST_GRADIENTS = 100
# Later than that, a scale that falls or iterations that are skipped are no search for it any more.
_SCALED = 200
# A loss that was never a number may be one that a bar shows before there is any.
_NEVER_A_NUMBER = 5
# Zero with gradients that are no number, or only they: a single line may be an overflow.
_UNSURE = 2
# So many losses in a row must be numbers before the trouble is over: it was told at its first line.
_SOUND_AGAIN = 10
# How a line shows a loss or a gradient norm that is no number, and how one of Megatron names its iteration.
_SHOWN = rb"(?i)(?<!val_)(?<!val )(?:loss|norm)[\w/-]{0,40}\W{1,8}(?:nan|inf)\b"
_AT = rb"\biteration {1,15}%d/"
_LINE = 500
_WAITING = 16
_WINDOW = 50
_NORMS = 64


class Sample(NamedTuple):
    """A loss that is a number; `age` is how many iterations its launch had done, `at` when (our clock)."""

    loss: float
    iteration: int
    at: float
    age: int


@dataclass(slots=True)
class NoNumber:
    """A loss that is no number: since when, how it shows (`value`), and for how many lines in a row.

    `value` is `nan`, `inf`, `missing` (the line tells none any more), `zero` or `gradients` (only they are no number).
    `before` is the last loss that was one; `sound` counts those that are numbers again.
    """

    lines: int = 0
    sound: int = 0
    value: str = ""
    since_at: float = 0.0
    since_iteration: int = 0
    before: float | None = None
    text: str = ""
    firing: bool = False

    def bad(self, value: str, needed: int, iteration: int, at: float) -> None:
        """Take a line whose loss is no number; it is told after so many of them."""
        self.sound = 0
        self.lines += 1
        if not self.firing and (self.lines == 1 or needed == 1):
            self.value, self.since_at, self.since_iteration, self.text = value, at, iteration, ""
        self.firing = self.firing or self.lines >= needed

    def quote(self, lines: bytes) -> None:
        """Find the line that showed it first among those that were just read."""
        if not self.lines or self.text:
            return
        found = re.search(_AT % self.since_iteration if self.value == "missing" else _SHOWN, lines)
        if found:
            line = lines[lines.rfind(b"\n", 0, found.start()) + 1 :].partition(b"\n")[0]
            self.text = redact(line[:_LINE].decode("utf-8", "replace").strip())

    def good(self, loss: float) -> None:
        """Take a loss that is a number."""
        self.lines = 0
        self.sound += 1
        self.firing = self.firing and self.sound < _SOUND_AGAIN
        if not self.firing:
            self.before = loss


@dataclass(slots=True)
class Level:
    """The usual loss, how much it scatters, and what the last losses are beside it; all as logarithms.

    `usual` are the losses that the limit is made of, `scatter` their standard deviation, `last` the newest. `center`
    and `limit` are None while there are too few. `since_*`: where the losses above the limit began, `lines` how many
    there were since. `lost`: they have not come back.

    `smooth` is the smoothed loss, `best` its lowest, `peak` how far it has risen since, `risen` the farthest that it
    came back from; `grown` is for how many lines in a row it is too high, `growing` that they are enough. `first` is
    the highest of the first losses, `far` how many lines in a row were far above that.
    """

    count: int = 0
    usual: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    center: float | None = None
    scatter: float = 0.0
    limit: float | None = None
    firing: bool = False
    lost: bool = False
    lines: int = 0
    since_at: float = 0.0
    since_iteration: int = 0
    smooth: float = 0.0
    best: float | None = None
    peak: float = 0.0
    risen: float = 0.0
    grown: int = 0
    growing: bool = False
    grown_at: float = 0.0
    grown_iteration: int = 0
    first: float | None = None
    far: int = 0
    far_at: float = 0.0
    far_iteration: int = 0


@dataclass(slots=True)
class Flat:
    """For how many lines the loss has been the same, since when, and how it behaved before.

    `changes` counts the lines on which it was another one than before, `longest` is the longest time that it stayed.
    """

    loss: float | None = None
    before: float | None = None
    held: int = 0
    since_at: float = 0.0
    since_iteration: int = 0
    age: int = 0
    changes: int = 0
    longest: int = 0

    def take(self, sample: Sample) -> None:
        """Take the loss of a line."""
        self.age = sample.age
        if sample.loss == self.loss:
            self.held += 1
            return
        self.longest = max(self.longest, self.held)
        self.changes += self.loss is not None
        self.before, self.loss, self.held = self.loss, sample.loss, 1
        self.since_at, self.since_iteration = sample.at, sample.iteration


@dataclass(slots=True)
class Scaling:
    """What fp16 does: iterations and how many of them were skipped, and the loss scale, of the last lines.

    `scales` are told with the iterations from which on they held. The first iterations, which find the scale, are left
    out. `since_*`: from when on too much was skipped, or the scale had fallen too far.
    """

    iterations: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    scales: list[tuple[int, float]] = field(default_factory=list)
    since_at: float | None = None
    since_iteration: int = 0

    def take(self, line: Progress, iterations: int, age: int) -> None:
        """Take a line that covers so many iterations."""
        if age < _SCALED:
            return
        if line.skipped is not None:
            remember(self.iterations, iterations, _WINDOW)
            remember(self.skipped, line.skipped, _WINDOW)
        scale = line.loss_scale
        if scale is not None and math.isfinite(scale) and (not self.scales or self.scales[-1][1] != scale):
            remember(self.scales, (line.iteration, scale), _WINDOW)


@dataclass(slots=True)
class Losses:
    """What is known of the loss of a launch. `told`: its progress lines tell it, or those of an earlier launch did.

    `numbers` counts the losses that were numbers. `new` are those that no detector has seen, `norms` the last gradient
    norms. `drawn` is the iteration of the newest progress line if that told a loss itself.
    """

    told: bool = False
    numbers: int = 0
    drawn: int | None = None
    sequence_length: int | None = None
    new: list[Sample] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    no_number: NoNumber = field(default_factory=NoNumber)
    level: Level = field(default_factory=Level)
    flat: Flat = field(default_factory=Flat)
    scaling: Scaling = field(default_factory=Scaling)

    def take(self, line: Progress, at: float, iterations: int, age: int) -> None:
        """Take a progress line that covers so many iterations, `age` after the first of its launch."""
        if line.sequence_length != self.sequence_length:
            self.sequence_length, self.level = line.sequence_length, Level()
        self.scaling.take(line, iterations, age)
        # fp16 skips iterations whose gradients overflow: a line on which it skipped all has no loss to tell.
        all_skipped = (line.skipped or 0) >= max(iterations, 1)
        value = self._trouble(line, all_skipped=all_skipped)
        if all_skipped and not value:
            return
        sure = line.loss_scale is not None and not line.skipped
        self._see(line, value, Sample(line.loss or 0.0, line.iteration, at, age), sure=sure)
        self.drawn = None if line.loss is None else line.iteration
        self.told = self.told or (line.loss is not None and line.nan_iterations is not None)

    def add(self, detail: Detail, at: float, age: int) -> None:
        """Take what a line of its own says of the newest iteration."""
        value = _not_finite(detail.loss) or _only_gradients(detail)
        self._see(detail, value, Sample(detail.loss or 0.0, detail.iteration, at, age), sure=False)

    def shift(self, seconds: float) -> None:
        """Move everything in time."""
        self.new = [sample._replace(at=sample.at + seconds) for sample in self.new]
        for part in (self.no_number, self.level, self.flat, self.scaling):
            for name in ("since_at", "grown_at", "far_at"):
                if getattr(part, name, None) is not None:
                    setattr(part, name, getattr(part, name) + seconds)

    def _trouble(self, line: Progress, *, all_skipped: bool) -> str:
        """Say in which way a line shows that the loss is no number; empty if it does not."""
        value = _not_finite(line.loss) or ("nan" if line.nan_iterations else "")
        if value or all_skipped:
            return value
        if line.loss is None and line.nan_iterations is not None and self.told:
            return "missing"
        overflows = bool(line.skipped) or (line.loss_scale or 0.0) > 1.0
        return "" if overflows else _only_gradients(line)

    def _see(self, record: Progress | Detail, value: str, sample: Sample, *, sure: bool) -> None:
        norm = record.grad_norm
        if norm is not None and math.isfinite(norm):
            remember(self.norms, norm, _NORMS)
        if value == "gradients" and not sure and sample.age < _FIRST_GRADIENTS:
            return
        if value:
            self.no_number.bad(value, self._needed(value, sure=sure), sample.iteration, sample.at)
        elif record.loss is not None:
            self.numbers += 1
            self.no_number.good(sample.loss)
            # A bar that is drawn again tells the loss of an iteration twice: the first counts.
            if isinstance(record, Progress) or sample.iteration != self.drawn:
                self.flat.take(sample)
                remember(self.new, sample, _WAITING)

    def _needed(self, value: str, *, sure: bool) -> int:
        if not self.numbers:
            return _NEVER_A_NUMBER
        return _UNSURE if value in {"zero", "gradients"} and not sure else 1


def _not_finite(loss: float | None) -> str:
    if loss is None or math.isfinite(loss):
        return ""
    return "nan" if math.isnan(loss) else "inf"


def _only_gradients(record: Progress | Detail) -> str:
    if record.grad_norm is None or math.isfinite(record.grad_norm):
        return ""
    return "zero" if record.loss == 0.0 else "gradients"
