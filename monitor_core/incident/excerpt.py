"""The log lines of a message, short enough to be read on a phone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import Incident, Kind

_WIDTH = 64
_TAIL = 22
_DATE = re.compile(r"\[?\d{4}[-/]\d\d[-/]\d\d[ T](\d\d:\d\d:\d\d)(?:[.,]\d+)?\]?")
_SPACES = re.compile(r"\s+")
_AFTER_SLASH = re.compile(r"(?<=\d/) +(?=\d)")
_BETWEEN = " | "
_MANY = 4
_ERROR = 200
# Kinds that quote the line by which they were found.
_QUOTED = {Kind.FAILED: "Log: first error", Kind.GPU_XID: "Kernel log"}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Log lines worth showing, and what they are."""

    title: str = ""
    lines: tuple[str, ...] = ()


def excerpt(incident: Incident, scene: Scene) -> Excerpt:
    """Return the log lines that add something the facts do not."""
    if incident.kind in _QUOTED and incident.said("text"):
        return Excerpt(_QUOTED[incident.kind], (incident.said("text")[:_ERROR],))
    if incident.kind is Kind.LOSS_NAN and incident.said("text"):
        return Excerpt("Log: first such line", (shorten(incident.said("text")),))
    if incident.kind is Kind.STUCK and scene.tail:
        written = incident.facts.get("still_written")
        return Excerpt("Log: still written, but no progress line" if written else "Log: last lines", _short(scene, 3))
    return Excerpt()


def _short(scene: Scene, lines: int) -> tuple[str, ...]:
    return tuple(shorten(line) for line in scene.tail[-lines:])


def shorten(line: str, width: int = _WIDTH) -> str:
    """Return the line with single spaces and its time without the date, and cut if it is too long.

    Of a progress line in fields, the first and the loss stay; of any other line, the beginning and the end.
    """
    line = _AFTER_SLASH.sub("", _SPACES.sub(" ", _DATE.sub(r"\1", line, count=1)).strip())
    fields = line.split(_BETWEEN)
    if len(fields) >= _MANY:
        loss = [field for field in fields[1:] if field.partition(":")[0].endswith("loss")][:1]
        line = _BETWEEN.join([fields[0], "…", *loss])
    if len(line) <= width:
        return line
    head, tail = line[: width - _TAIL - 3], line[-_TAIL:]
    # Between words, so that no number is shown in part; a word that fills half of either is cut all the same.
    head = head.rpartition(" ")[0] if " " in head[len(head) // 2 :] else head
    tail = tail.partition(" ")[2] if " " in tail[: len(tail) // 2] else tail
    return f"{head.rstrip()} … {tail.lstrip()}"
