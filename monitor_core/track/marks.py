"""What else was read of a run between two progress lines; kept with the later one, the run can be judged again."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from monitor_core.model.records import Failure, Marker, MarkerKind, Point, Progress, Role

# Of marks that say the same within so many seconds, the first and the last are kept.
_CLOSE = 300.0
_MOST = 100
_FAILURE, _SETTING = "failure", "setting"


class What(StrEnum):
    """What no line says by itself.

    A launch began, the log was written, it was looked at, its lines come in blocks or may do so, the process is gone or
    waits in a queue; or a line said something else than the one before it, beside what its record holds.
    """

    LAUNCH = "launch"
    WRITTEN = "written"
    LOOKED = "looked"
    LAG = "lag"
    BLOCK = "block"
    EXIT = "exit"
    QUEUED = "queued"
    SAID = "said"


_NO_LINE = frozenset(What) - {What.LAUNCH}


class Mark(NamedTuple):
    """Something that is no progress: when (seconds since 1970, our clock), what, and a value where it has one."""

    at: float
    what: str
    value: str = ""

    @property
    def record(self) -> Marker | Failure | None:
        """Return the record that it was; None for what was no line."""
        kind, _, name = self.what.partition(":")
        if kind == _FAILURE:
            return Failure(name, Role(self.value), "")
        if kind == _SETTING:
            return Marker(MarkerKind.SETTING, name=name, value=self.value)
        if kind == What.LAUNCH:
            return Marker(MarkerKind.START)
        if kind in _NO_LINE:
            return None
        return Marker(MarkerKind(kind), iteration=int(self.value) if self.value else None)


class Said(NamedTuple):
    """What lines say besides what their records hold, and rarely change.

    `loss` and `grad_norm` are kept where they are no numbers. `timestamp` is 0.5 or 0 where it is printed with or
    without fractions of a second.
    """

    batch_size: int | None = None
    sequence_length: int | None = None
    loss_scale: float | None = None
    skipped: int | None = None
    nan_iterations: int | None = None
    loss: str = ""
    grad_norm: str = ""
    timestamp: float | None = None

    @classmethod
    def of(cls, line: Progress) -> Said:
        """Return what a line says."""
        stamp = None if line.timestamp is None else 0.5 if line.timestamp % 1 else 0.0
        scale = None if line.loss_scale is None or not math.isfinite(line.loss_scale) else line.loss_scale
        counts = line.batch_size, line.sequence_length, scale, line.skipped, line.nan_iterations
        return cls(*counts, _odd(line.loss), _odd(line.grad_norm), stamp)

    @classmethod
    def read(cls, text: str) -> Said:
        """Return what `text` wrote."""
        return cls(*json.loads(text))

    @property
    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(self, separators=(",", ":"))

    def line(self, point: Point, total: int | None) -> Progress:
        """Return a line as it was printed, as far as it matters."""
        odd = float(self.loss) if self.loss else None
        return Progress(
            point.iteration,
            total,
            point.ms,
            odd if point.loss is None else point.loss,
            float(self.grad_norm) if self.grad_norm else None,
            batch_size=self.batch_size,
            sequence_length=self.sequence_length,
            loss_scale=self.loss_scale,
            skipped=self.skipped,
            nan_iterations=self.nan_iterations,
            timestamp=self.timestamp,
        )


def _odd(value: float | None) -> str:
    return "" if value is None or math.isfinite(value) else str(value)


@dataclass(slots=True)
class Marks:
    """What has been read since the newest progress line, and what that line said."""

    kept: list[Mark] = field(default_factory=list)
    said: Said = field(default_factory=Said)

    def note(self, record: Marker | Failure, at: float) -> None:
        """Keep what a record says; that a launch began is kept when it does, and what is only context never."""
        if isinstance(record, Failure):
            if record.role is not Role.CONTEXT:
                self.add(at, f"{_FAILURE}:{record.signature}", record.role.value)
        elif record.kind is MarkerKind.SETTING:
            self.add(at, f"{_SETTING}:{record.name}", record.value)
        elif record.kind is not MarkerKind.START:
            self.add(at, record.kind.value, "" if record.iteration is None else str(record.iteration))

    def say(self, line: Progress, at: float) -> None:
        """Keep what a new line says, if it is something else than before."""
        said = Said.of(line)
        if said != self.said:
            self.said = said
            self.add(at, What.SAID, said.text)

    def add(self, at: float, what: str, value: str = "") -> None:
        """Keep something that happened."""
        same = [mark for mark in self.kept if mark.what == what]
        if same and same[-1] == (at, what, value):
            return
        if len(same) > 1 and at - same[-2].at < _CLOSE:
            self.kept.remove(same[-1])
        self.kept.append(Mark(at, str(what), value))
        if len(self.kept) > _MOST:
            self.kept.remove(same[0] if same else self.kept[0])

    def shift(self, seconds: float) -> None:
        """Move everything in time."""
        self.kept = [mark._replace(at=mark.at + seconds) for mark in self.kept]

    def hand_over(self, at: float) -> str:
        """Return as text what came before the line of a moment, for that line to keep; from now on it is forgotten."""
        if not self.kept:
            return ""
        text = json.dumps([(at - mark.at, *mark[1:]) for mark in self.kept], separators=(",", ":"))
        self.kept.clear()
        return text


def before(text: str, at: float) -> list[Mark]:
    """Return what `hand_over` wrote down for the line of a moment."""
    return [Mark(at - seconds, *rest) for seconds, *rest in json.loads(text)] if text else []
