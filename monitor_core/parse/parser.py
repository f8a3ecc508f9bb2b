"""Walks through blocks of a log and returns what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

from monitor_core.model.records import Failure, Progress, Record, Role
from monitor_core.parse.dialect import Dialect
from monitor_core.parse.dialects import AUTO, choose
from monitor_core.parse.signatures import TRIGGERS, printed, raised
from monitor_core.parse.stamps import first_stamp
from monitor_core.parse.tags import rank_of, tags_of
from monitor_core.parse.tracebacks import HEADER, Tracebacks
from monitor_core.redact import redact

# No line that matters is longer: the rest of a megabyte of repr is not looked at.
_LINE_BYTES = 8192
_TEXT_CHARACTERS = 500


class Parser:
    """Reads one log, block by block; what it returns does not depend on how the log is cut into blocks.

    `format` is a dialect's name, or `auto`: then the first progress line decides. Raises ValueError for any other.
    """

    def __init__(self, format: str = AUTO) -> None:
        self._choice = format
        self._dialects = choose(format)
        self._tracebacks = Tracebacks()
        self.format: str | None = None
        self.lines = 0

    def state(self) -> dict[str, Any]:
        """Return what must be kept across a restart, as values that JSON can hold."""
        return {
            "choice": self._choice,
            "format": self.format,
            "lines": self.lines,
            "tracebacks": self._tracebacks.state(),
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return a parser that goes on exactly where the one that returned this state was."""
        parser = cls(state["choice"])
        parser.format, parser.lines = state["format"], state["lines"]
        if parser.format is not None:
            parser._dialects = choose(parser.format)
        parser._tracebacks.restore(state["tracebacks"])
        return parser

    def feed(self, block: bytes) -> list[Record]:
        """Take whole lines, each with its line feed; return what they say, in their order."""
        records = []
        counted = 0
        for start, end in self._lines(block):
            self.lines += block.count(b"\n", counted, end) + 1
            counted = end + 1
            record = self._record(block[start : min(end, start + _LINE_BYTES)])
            if record is not None:
                records.append(record)
        self.lines += block.count(b"\n", counted)
        return records

    def _lines(self, block: bytes) -> Iterator[tuple[int, int]]:
        """Yield where the lines begin and end that may matter; inside a traceback that is each line."""
        at = 0
        starts = iter(_hits(block, self._literals()))
        start = next(starts, len(block))
        while at < len(block):
            if not self._tracebacks:
                while start < at:
                    start = next(starts, len(block))
                at = start
            if at >= len(block):
                return
            end = block.find(b"\n", at)
            end = len(block) if end < 0 else end
            yield at, end
            at = end + 1

    def _literals(self) -> Iterable[bytes]:
        return dict.fromkeys((HEADER, *TRIGGERS, *(word for dialect in self._dialects for word in dialect.literals)))

    def _record(self, line: bytes) -> Record | None:
        for dialect in self._dialects:
            record = dialect.record(line)
            if record is not None:
                self._recognise(dialect, record)
                return record
        return self._failure(line)

    def _recognise(self, dialect: Dialect, record: Record) -> None:
        if self.format is None and isinstance(record, Progress):
            self.format, self._dialects = dialect.name, (dialect,)

    def _failure(self, line: bytes) -> Failure | None:
        ending = self._tracebacks.feed(line, self.lines)
        if ending:
            signature = raised(ending.text)
            # Of a chain the first exception is the cause; the later ones came while it was handled.
            role = Role.CASCADE if ending.chained else signature.role
            return self._failed(signature.id, role, ending.text, ending.rank)
        alone = printed(line)
        if not alone or self._tracebacks.shows_source(line):
            return None
        tags = tags_of(line)
        return self._failed(alone.id, alone.role, line[len(tags) :], rank_of(tags))

    def _failed(self, signature: str, role: Role, line: bytes, rank: str) -> Failure:
        text = redact(line.decode("utf-8", "replace").strip())[:_TEXT_CHARACTERS]
        return Failure(signature, role, text, rank, first_stamp(line), self.lines)


def _hits(block: bytes, literals: Iterable[bytes]) -> list[int]:
    """Return where the lines begin that hold one of the literals, in order."""
    starts = set()
    for literal in literals:
        at = block.find(literal)
        while at >= 0:
            starts.add(block.rfind(b"\n", 0, at) + 1)
            end = block.find(b"\n", at)
            at = block.find(literal, end) if end >= 0 else -1
    return sorted(starts)
