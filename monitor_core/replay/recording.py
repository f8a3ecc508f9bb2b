"""A recorded log and when its bytes came.

The clock is, in this order: an arrivals file, the timestamps of the lines, or the times per iteration added up. Where
the lines carry timestamps, those without one are placed by the lines around them: the end of a pause and the start of a
launch when the iterations of the next progress line began, everything else when the line before came.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from monitor_core.collect.lines import cut
from monitor_core.model.records import Detail, Marker, MarkerKind, Progress, Record
from monitor_core.parse.dialects import Format
from monitor_core.parse.parser import Parser
from monitor_core.parse.stamps import first_stamp
from monitor_core.track.pace import covered, took

# The log is walked line by line, or in about so many pieces if it has more.
_PIECES = 20_000
_REVISED = MarkerKind.REVISED
_STARTS = frozenset({MarkerKind.SETTING, MarkerKind.START})
_PAUSE_ENDS = frozenset({MarkerKind.CHECKPOINT_END, MarkerKind.EVALUATION_END})
_ENDS = frozenset({MarkerKind.LAST_ITERATION, MarkerKind.TRAINING_DONE, MarkerKind.EXITING})
# Megatron prints when it has reached each step of its start-up; the parser has no use for most of these lines.
_DATED = b"] datetime: "


@dataclass(frozen=True, slots=True)
class _Dated:
    """A line that says nothing but when it was printed."""

    timestamp: float | None


_Said = Record | _Dated
_Part = tuple[bytes, list[_Said]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines that came at `at` (seconds since 1970, or since the start on a synthetic clock)."""

    at: float
    lines: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """A log with its clock. `synthetic`: the times are no dates. `exited` is when the process ended, with its code.

    `launch` are the progress lines of the last launch that has any, `losses` what all lines tell of the loss.
    """

    pieces: tuple[Piece, ...]
    progress: tuple[Progress, ...]
    launch: tuple[Progress, ...]
    losses: tuple[float, ...]
    format: str | None
    lines: int
    size: int
    synthetic: bool
    exited: tuple[float, int] | None = None

    @property
    def began(self) -> float:
        """Return when there was first something to see."""
        return self.pieces[0].at if self.pieces else 0.0

    @property
    def ended(self) -> float:
        """Return when the last byte had come and the process, where that is known, was gone."""
        return max(self.pieces[-1].at if self.pieces else 0.0, self.exited[0] if self.exited else 0.0)


def read(log: Path, arrivals: Path | None, format: Format) -> Recording:
    """Read a log and its clock; raise OSError if a file cannot be read and ValueError if the arrivals make no sense."""
    data = log.read_bytes()
    rows, code = _arrivals(arrivals) if arrivals is not None else ([], None)
    parts, parser = _parts(data, [size for _, size in rows], format)
    records = [record for _, found in parts for record in found]
    believed = _since_revised(records)
    progress = tuple(record for record in believed if isinstance(record, Progress))
    losses = tuple(r.loss for r in believed if isinstance(r, Progress | Detail) and r.loss is not None)
    stamped = any(record.timestamp is not None for record in progress)
    if rows:
        times = [at for at, _ in rows]
    else:
        moments = _printed(records) if stamped else _added_up(records)
        times = list(_placed(parts, moments))
    pieces = tuple(Piece(at, lines) for at, (lines, _) in zip(times, parts, strict=True))
    exited = None if code is None else (pieces[-1].at if pieces else 0.0, code)
    synthetic = not (rows or stamped)
    return Recording(
        pieces, progress, _launch(believed), losses, parser.format, parser.lines, len(data), synthetic, exited
    )


def _since_revised(records: list[_Said]) -> list[_Said]:
    """Return the records without those that were revised."""
    revised = [at for at, record in enumerate(records) if isinstance(record, Marker) and record.kind is _REVISED]
    return records[revised[-1] :] if revised else records


def _parts(data: bytes, sizes: list[int], format: Format) -> tuple[list[_Part], Parser]:
    """Return the log part by part with what it says, and its parser.

    Where a line other than progress says something, each line is a part of its own. Rows of arrivals stay whole.
    """
    parser = Parser(format)
    parts: list[_Part] = []
    for lines in _lines(data, sizes):
        before, records = parser.state(), parser.feed(lines)
        if sizes or (_DATED not in lines and all(isinstance(record, Progress) for record in records)):
            parts.append((lines, [*records]))
        else:
            parser = Parser.restore(before, format)
            parts += [(line, _said(parser, line)) for line in lines.splitlines(keepends=True)]
    return parts, parser


def _said(parser: Parser, line: bytes) -> list[_Said]:
    records: list[_Said] = [*parser.feed(line)]
    return records or ([_Dated(first_stamp(line))] if _DATED in line else [])


def _lines(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """Yield whole lines piece by piece, as they became visible; a last line without an end counts as whole."""
    ends = sizes or list(_line_ends(data))
    partial, at = b"", 0
    for number, end in enumerate(ends, start=1):
        block, partial = cut(partial, data[at:end])
        at = max(at, min(end, len(data)))
        if number == len(ends):
            block += _rest(partial, data[at:])
        yield block


def _rest(partial: bytes, data: bytes) -> bytes:
    block, partial = cut(partial, data)
    return block + (cut(partial, b"\n")[0] if partial else b"")


def _line_ends(data: bytes) -> Iterator[int]:
    step, end = len(data) // _PIECES, 0
    while end < len(data):
        found = data.find(b"\n", end + step)
        end = found + 1 if found >= 0 else len(data)
        yield end


def _arrivals(path: Path) -> tuple[list[tuple[float, int]], int | None]:
    """Return the rows since the file last shrank (what was written before is in no file) and the exit code."""
    rows: list[tuple[float, int]] = []
    code = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        first, _, second = line.partition("\t")
        try:
            if first == "end":
                code = int(second)
                continue
            at, size = float(first), int(second)
        except ValueError as error:
            raise _refused(path, number, line, "") from error
        if not math.isfinite(at) or size < 0:
            raise _refused(path, number, line, "; the time must be finite and the size 0 or more")
        if rows and at < rows[-1][0]:
            raise _refused(path, number, line, "; the time is before that of the row above")
        if rows and size < rows[-1][1]:
            rows.clear()
        rows.append((at, size))
        code = None
    return rows, code


def _refused(path: Path, number: int, line: str, why: str) -> ValueError:
    return ValueError(f"{path}:{number}: {line!r} is not `unix_time<TAB>file_size` or `end<TAB>exit_code`{why}")


def _placed(parts: Sequence[_Part], moments: Sequence[float | None]) -> Iterator[float]:
    """Yield when each part came, by the moments of its records: never before the part above."""
    at = next((moment for moment in moments if moment is not None), 0.0)
    coming = iter(moments)
    for _, records in parts:
        found = [next(coming) for _ in records]
        at = max([at, *(moment for moment in found if moment is not None)])
        yield at


def _printed(records: Sequence[_Said]) -> list[float | None]:
    """Return when each record came, by its own timestamp or by what follows; None if only what precedes it can tell.

    No other record is later than what follows: a launcher may print the time of another zone, and start-up lines may
    be printed late.
    """
    moments: list[float | None] = []
    latest = math.inf
    launch: float | None = None
    pause: float | None = None
    for record, seconds in zip(reversed(records), reversed(_lasted(records)), strict=True):
        kind = record.kind if isinstance(record, Marker) else None
        own = record.timestamp
        if own is not None:
            latest = own if isinstance(record, Progress) else min(own, latest)
            launch = pause = latest - seconds
            moments.append(latest)
        else:
            moments.append(launch if kind in _STARTS else pause if kind in _PAUSE_ENDS else None)
        if kind in _STARTS or (kind in _ENDS and own is None):
            pause = None
    return moments[::-1]


def _added_up(records: Sequence[_Said]) -> list[float | None]:
    return list(accumulate(_lasted(records)))


def _lasted(records: Sequence[_Said]) -> list[float]:
    """Return how many seconds the iterations of each progress line took by what it says; 0 for other records."""
    progress = [record.iteration for record in records if isinstance(record, Progress)]
    step = next((later - earlier for earlier, later in pairwise(progress) if later > earlier), 1)
    before: int | None = None
    lasted = []
    for record in records:
        seconds = 0.0
        if isinstance(record, Progress):
            seconds = took(record, covered(record.iteration, before, step))
            step = record.iteration - before if before is not None and record.iteration > before else step
            before = record.iteration
        elif _starts(record):
            before = None
        lasted.append(seconds)
    return lasted


def _launch(records: Sequence[_Said]) -> tuple[Progress, ...]:
    """Return the progress lines since a start-up line came between them, or the iteration fell."""
    launch: list[Progress] = []
    begun = False
    for record in records:
        if isinstance(record, Progress):
            if launch and (begun or record.iteration < launch[-1].iteration):
                launch.clear()
            launch.append(record)
            begun = False
        else:
            begun = begun or _starts(record)
    return tuple(launch)


def _starts(record: _Said) -> bool:
    return isinstance(record, Marker) and record.kind in _STARTS
