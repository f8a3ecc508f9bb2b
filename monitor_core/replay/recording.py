"""A recorded log and when its bytes came.

The clock is, in this order: an arrivals file, the timestamps of the lines, or the times per iteration added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor_core.collect.lines import cut
from monitor_core.model.records import Progress
from monitor_core.parse.parser import Parser

# The log is walked line by line, or in so many pieces if it has more.
_PIECES = 20_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines that came at `at` (seconds since 1970, or since the start on a synthetic clock)."""

    at: float
    lines: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """A log with its clock. `synthetic`: the times are no dates. `exited` is when the process ended, with its code."""

    pieces: tuple[Piece, ...]
    progress: tuple[Progress, ...]
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


def read(log: Path, arrivals: Path | None, format: str) -> Recording:
    """Read a log and its clock; raise OSError if a file cannot be read and ValueError if the arrivals make no sense."""
    data = log.read_bytes()
    rows, exited = _arrivals(arrivals) if arrivals is not None else ([], None)
    parser = Parser(format)
    records: list[tuple[bytes, list[Progress]]] = [
        (lines, [record for record in parser.feed(lines) if isinstance(record, Progress)])
        for lines in _lines(data, [size for _, size in rows])
    ]
    progress = tuple(record for _, found in records for record in found)
    stamped = any(record.timestamp is not None for record in progress)
    if rows:
        times = [at for at, _ in rows]
    elif stamped:
        times = list(_stamped(records))
    else:
        times = list(_added_up(records))
    pieces = tuple(Piece(at, lines) for at, (lines, _) in zip(times, records, strict=False))
    return Recording(pieces, progress, parser.format, parser.lines, len(data), not (rows or stamped), exited)


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


def _arrivals(path: Path) -> tuple[list[tuple[float, int]], tuple[float, int] | None]:
    """Return the rows since the file last shrank (what was written before is in no file) and the end of the process."""
    rows: list[tuple[float, int]] = []
    exited = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        first, _, second = line.partition("\t")
        try:
            if first == "end":
                exited = (rows[-1][0] if rows else 0.0, int(second))
                continue
            row = (float(first), int(second))
        except ValueError as error:
            raise ValueError(
                f"{path}:{number}: {line!r} is not `unix_time<TAB>file_size` or `end<TAB>exit_code`"
            ) from error
        if rows and row[1] < rows[-1][1]:
            rows.clear()
        rows.append(row)
        exited = None
    return rows, exited


def _stamped(records: list[tuple[bytes, list[Progress]]]) -> Iterator[float]:
    known = (r.timestamp for _, found in records for r in found if r.timestamp is not None)
    at = next(known)
    for _, found in records:
        at = max([at, *(record.timestamp for record in found if record.timestamp is not None)])
        yield at


def _added_up(records: list[tuple[bytes, list[Progress]]]) -> Iterator[float]:
    at, last = 0.0, None
    for _, found in records:
        for record in found:
            step = record.iteration - last if last is not None and record.iteration > last else 1
            at += (record.ms_per_iteration or 0.0) / 1000 * step
            last = record.iteration
        yield at
