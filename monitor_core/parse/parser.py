"""Walks through blocks of a log and returns what they say."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

from monitor_core.model.records import Failure, Record, Role
from monitor_core.parse.dialects import AUTO, Format, choose
from monitor_core.parse.recognition import Recognition
from monitor_core.parse.reports import HEADER as REPORT
from monitor_core.parse.reports import Process, Reports, process_of
from monitor_core.parse.scan import count_lines, end_of_line, end_of_lines, lines_with, pieces, present
from monitor_core.parse.signatures import CHILD_FAILED, SIGNATURES, TRIGGERS, Signature, printed, raised
from monitor_core.parse.signatures.exits import exit_of
from monitor_core.parse.stamps import first_stamp, yearless_stamp
from monitor_core.parse.tags import host_of, rank_of, tags_of
from monitor_core.parse.tracebacks import HEADER, Tracebacks
from monitor_core.redact import redact

# No line that matters is longer: the rest of a megabyte of repr is not looked at.
_LINE_BYTES = 8192
_TEXT_CHARACTERS = 500
# To take secrets out costs half a millisecond a KB, so only a little more than what is shown is gone through.
_REDACTED_CHARACTERS = 1500


class Parser:
    """Reads one log, block by block; what it returns does not depend on how the log is cut into blocks.

    `format` is a dialect's name, `auto`, or dialects: of several the lines decide. Raises ValueError for another name.
    """

    def __init__(self, format: Format = AUTO) -> None:
        dialects = choose(format)
        self._choice = format if isinstance(format, str) else str([(each.name, each.title) for each in dialects])
        self._began = 0
        self._recognition = Recognition(dialects)
        self._tracebacks = Tracebacks()
        self._reports = Reports()
        self.lines = 0

    @property
    def format(self) -> str | None:
        """Return the name of the dialect, None while no progress line has told it."""
        return self._recognition.name

    @property
    def announces_end(self) -> bool:
        """Return whether a training that is done says so in this format."""
        chosen = self._recognition.chosen
        return chosen is not None and chosen.announces_end

    @property
    def unrecognised(self) -> int:
        """Return how many lines were read in this format without one that tells progress; 0 once there was one."""
        return 0 if self.format else self.lines - self._began

    def state(self) -> dict[str, Any]:
        """Return what must be kept across a restart, as values that JSON can hold."""
        return {
            "choice": self._choice,
            "recognition": self._recognition.state(),
            "lines": self.lines,
            "began": self._began,
            "tracebacks": self._tracebacks.state(),
            "reports": self._reports.state(),
        }

    @classmethod
    def restore(cls, state: dict[str, Any], format: Format | None = None) -> Self:
        """Return a parser that goes on exactly where the one of this format was that returned the state.

        Without a format it is that of the state, which must be a name then. If the state is of another format, the
        parser begins to recognise from here on.
        """
        parser = cls(state["choice"] if format is None else format)
        parser.lines = parser._began = state["lines"]
        if state["choice"] == parser._choice:
            parser._began = state["began"]
            parser._recognition.restore(state["recognition"])
        parser._tracebacks.restore(state["tracebacks"])
        parser._reports.restore(state.get("reports", {}))
        return parser

    def feed(self, block: bytes) -> list[Record]:
        """Take whole lines, each with its line feed; return what they say, in their order."""
        return [record for piece in pieces(block) for part in self._parts(piece) for record in self._read(*part)]

    def _parts(self, piece: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield the piece and its number of lines; cut where other dialects are asked again."""
        while piece:
            lines, alone = count_lines(piece), self._recognition.listens_until - self.lines
            end = end_of_lines(piece, alone) if 0 < alone < lines else len(piece)
            part, piece = piece[:end], piece[end:]
            yield part, alone if piece else lines

    def _read(self, piece: bytes, lines: int) -> Iterator[Record]:
        literals = present(piece, self._literals())
        at_once = None if self._follows else self._recognition.read_all(piece, literals, self.lines, lines)
        if at_once is not None:
            yield from at_once
            self.lines += lines
            return
        matter = dict(lines_with(piece, literals))
        counted = 0
        for start, end in self._lines(piece, matter):
            line = piece[start : min(end, start + _LINE_BYTES)]
            self.lines += piece.count(b"\n", counted, start)
            counted = start
            records = self._recognition.read(line, self.lines) if start in matter else []
            yield from records
            # What a program prints before it dies may stand behind its bar.
            if not records or HEADER in line:
                self.lines += 1
                counted = end + 1
                failures = self._failures(line, matters=start in matter)
                if failures:
                    self._recognition.release()
                    yield from failures
        self.lines += piece.count(b"\n", counted)

    def _lines(self, piece: bytes, matter: Mapping[int, int]) -> Iterator[tuple[int, int]]:
        """Yield where the lines begin and end that may matter; inside a traceback or report that is each line."""
        at = yield from self._followed(piece, 0)
        for start, end in matter.items():
            if start >= at:
                yield start, end
                at = yield from self._followed(piece, end + 1)

    def _followed(self, piece: bytes, at: int) -> Generator[tuple[int, int], None, int]:
        """Yield the lines from there on while one is followed; return where the next one begins."""
        while self._follows and at < len(piece):
            end = end_of_line(piece, at)
            yield at, end
            at = end + 1
        return at

    @property
    def _follows(self) -> bool:
        """Return whether something has begun of which each line matters."""
        return bool(self._tracebacks or self._reports)

    def _literals(self) -> Iterable[bytes]:
        asked = self._recognition.asked(self.lines)
        return dict.fromkeys((HEADER, REPORT, *TRIGGERS, *(word for dialect in asked for word in dialect.literals)))

    def _failures(self, line: bytes, *, matters: bool) -> list[Failure]:
        process = self._reports.feed(line)
        if process is not None:
            return self._ended(process, SIGNATURES[CHILD_FAILED], process.text)
        raised = self._raised(line)
        return [raised] if raised else self._printed(line) if matters else []

    def _ended(self, process: Process, signature: Signature, line: bytes) -> list[Failure]:
        """What a launcher says of a process; the signal that has ended it is a cause by itself."""
        known = None if process.exit_code is None else exit_of(process.exit_code)
        signal = [SIGNATURES[known.signature]] if known and known.signature else []
        return [self._failed(each, line, process) for each in (*signal, signature)]

    def _raised(self, line: bytes) -> Failure | None:
        ending = self._tracebacks.feed(line, self.lines)
        if not ending:
            return None
        found = self._failed(raised(ending.text), ending.text, Process(ending.rank, ending.host))
        # Of a chain the first exception is the cause; the later ones came while it was handled.
        return replace(found, role=Role.CASCADE if ending.chained else found.role, frame=ending.frame)

    def _printed(self, line: bytes) -> list[Failure]:
        signature = printed(line)
        if not signature or self._tracebacks.shows_source(line):
            return []
        tags = tags_of(line)
        process = process_of(line) or Process(rank_of(tags), host_of(tags))
        return self._ended(process, signature, line[len(tags) :])

    def _failed(self, signature: Signature, line: bytes, process: Process) -> Failure:
        stamp = first_stamp(line)
        return Failure(
            signature.id,
            signature.role,
            _excerpt(line.decode("utf-8", "replace").strip()),
            process.rank,
            yearless_stamp(line) if stamp is None else stamp,
            self.lines,
            process.host,
            exit_code=process.exit_code,
        )


def _excerpt(text: str) -> str:
    """Return the beginning of the text without its secrets."""
    if len(text) > _REDACTED_CHARACTERS:
        # Not the word that is cut there: half a secret might not be recognised.
        text = text[: text.rfind(" ", 0, _REDACTED_CHARACTERS) + 1]
    return redact(text)[:_TEXT_CHARACTERS].rstrip()
