"""What else was read of a run between two progress lines; kept with the later one, the run can be judged again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from monitor_core.model.records import Failure, Marker, MarkerKind, Role

# Of marks that say the same within so many seconds, the first and the last are kept.
_CLOSE = 300.0
_MOST = 100
_FAILURE, _SETTING = "failure", "setting"


class What(StrEnum):
    """What no line says by itself.

    A launch began, the log was written, it was looked at, its lines come in blocks or may do so, the pace is measured
    anew, the process is gone.
    """

    LAUNCH = "launch"
    WRITTEN = "written"
    LOOKED = "looked"
    LAG = "lag"
    BLOCK = "block"
    PACE = "pace"
    EXIT = "exit"


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


@dataclass(slots=True)
class Marks:
    """What has been read since the newest progress line."""

    kept: list[Mark] = field(default_factory=list)

    def note(self, record: Marker | Failure, at: float) -> None:
        """Keep what a record says; that a launch began is kept when it does, and what is only context never."""
        if isinstance(record, Failure):
            if record.role is not Role.CONTEXT:
                self.add(at, f"{_FAILURE}:{record.signature}", record.role.value)
        elif record.kind is MarkerKind.SETTING:
            self.add(at, f"{_SETTING}:{record.name}", record.value)
        elif record.kind is not MarkerKind.START:
            self.add(at, record.kind.value, "" if record.iteration is None else str(record.iteration))

    def add(self, at: float, what: str, value: str = "") -> None:
        """Keep something that happened."""
        same = [mark for mark in self.kept if mark.what == what]
        if same and same[-1] == (at, what, value):
            return
        if len(same) > 1 and at - same[-2].at < _CLOSE:
            self.kept.remove(same[-1])
        self.kept.append(Mark(at, str(what), value))
        del self.kept[:-_MOST]

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
