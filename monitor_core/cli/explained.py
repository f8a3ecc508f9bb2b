"""`replay --explain` in a terminal: what was recognised in a log, by which rule, and what was not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from monitor_core.replay.explain import Explanation, Line, Shape
from monitor_core.units import counted

_NARROWEST = 60
# What stands before a line of the log, after its number.
_LOG = "  | "
_MARGIN = 9 + len(_LOG)
_TRY = "  To try it: trainstatus replay {log} --explain --format '{pattern}'"


def text(log: str, seen: Explanation) -> str:
    """Return the whole answer, as wide as the terminal."""
    width = max(_NARROWEST, shutil.get_terminal_size((120, 24)).columns)
    shown = (_cut(line, width) for line in _seen(log, seen))
    return "\n".join([*shown, *(_suggestion(log, seen.suggestion) if seen.suggestion else ())])


def _cut(line: str, width: int) -> str:
    """Cut a line of the log to the terminal; what we say ourselves stays whole."""
    ours = not line[:_MARGIN].endswith(_LOG)
    return line if ours or len(line) <= width else line[: width - 1] + "…"


def _seen(log: str, seen: Explanation) -> Iterator[str]:
    yield f"{log}: {counted(seen.lines, 'line')}, {_format(seen)}"
    yield from _part("Recognised, a few lines of each kind", (_line(line, seen.format) for line in seen.recognised))
    yield from _part("Looks like something known, and is not taken", (_shape(shape) for shape in seen.refused))
    yield from _part("Not recognised, the most frequent first", (_shape(shape) for shape in seen.unknown))
    yield from _part("In all", (_summary(seen),))


def _format(seen: Explanation) -> str:
    if seen.format is None:
        return "format not recognised"
    decided = f", decided by lines {seen.decided_by[0]:,} and {seen.decided_by[1]:,}" if seen.decided_by else ""
    return f"format {seen.format}{decided}"


def _part(title: str, entries: Iterator[Iterator[str]] | tuple[Iterator[str], ...]) -> Iterator[str]:
    lines = [line for entry in entries for line in entry]
    if lines:
        yield from ("", title, *lines)


def _line(line: Line, format: str | None) -> Iterator[str]:
    of = f" of {line.dialect}" if line.dialect != format else ""
    by = f"   by `{line.literal.strip()}`{of}" if line.literal else ""
    yield f"{line.number:>9,}  {line.what}{by}"
    yield f"{'':>9}{_LOG}{line.text.strip()}"


def _shape(shape: Shape) -> Iterator[str]:
    times = "" if shape.count == 1 else f"{shape.count:,} lines such as this one"
    about = ": ".join(part for part in (times, shape.why) if part)
    if about:
        yield f"{shape.number:>9,}  {about}"
    yield f"{'' if about else f'{shape.number:,}':>9}{_LOG}{shape.text.strip()}"


def _summary(seen: Explanation) -> Iterator[str]:
    for kind, number in sorted(seen.kinds.items(), key=lambda item: -item[1]):
        yield f"{number:>9,}  {kind}"
    if not seen.kinds:
        yield f"{0:>9}  lines recognised"
    if seen.never_told:
        yield f"{'':>9}  never told: {', '.join(seen.never_told)}"


def _suggestion(log: str, pattern: str) -> Iterator[str]:
    yield from ("", "A pattern to start from", "  formats:", "    ours:", f"      progress: {_quoted(pattern)}")
    yield _TRY.format(log=log, pattern=pattern.replace("'", "'\\''"))


def _quoted(pattern: str) -> str:
    """Return a pattern as YAML takes it."""
    return "'" + pattern.replace("'", "''") + "'"
