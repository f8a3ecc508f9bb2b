"""The program that a host's shell runs for one trip, the same over SSH and on this machine.

Its functions stand in read.sh and trace.sh; what is asked comes after them as calls. What it answers is described in
`frames`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from monitor_core.model.records import LogCursor

# More files than this of one run are not read in one trip; the newest are.
MAX_FILES = 64
# New bytes of one trip, shared fairly by its runs and their files: what bounds memory and time.
BUDGET = 16 * 2**20

_WILDCARD = re.compile(r"(\*|\?|\[!?[\w.,:=+@%-]+\])", re.ASCII)
_IDENTITY = re.compile(r"\d+:(\d+)")
# Comments, empty lines and indentation stay at home: it travels with each trip.
_IDLE = re.compile(r"^ *(?:#.*)?\n|^ +", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Question:
    """What to read: shell words that name files, and how far each is known; of a file that is not, only the facts come.

    The words are safe to stand in a program: see `words`. At most `limit` bytes of each file come at once.
    """

    words: tuple[str, ...]
    limit: int
    cursors: Mapping[str, LogCursor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """A search for what a cursor has not read yet, in the folder of its file and at other paths."""

    cursor: LogCursor
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """A search for the first byte of a file, from `start` on, that is no NUL."""

    path: str
    start: int


def words(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return paths and globs as shell words of which only `*`, `?` and `[]` mean anything to the shell.

    One that begins with `~/` is in the home folder; one that is no path (see `is_path`) has no word.
    """
    return tuple(_word(pattern) for pattern in patterns if is_path(pattern))


def is_path(pattern: str) -> bool:
    """Say whether a pattern names files: it is absolute or in the home folder, and without line feed and NUL."""
    return pattern.startswith(("/", "~/")) and "\n" not in pattern and "\0" not in pattern


def literals(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the shell words that name just these files."""
    return tuple(map(shlex.quote, paths))


def is_glob(pattern: str) -> bool:
    """Say whether a pattern may name several files."""
    return _WILDCARD.search(pattern) is not None


def reading(token: str, questions: Sequence[Question]) -> bytes:
    """Return the program that answers the questions; what it says bears the token and the place of the question."""
    share = BUDGET // max(1, len(questions))
    cases = [
        _case(number, path, cursor)
        for number, question in enumerate(questions)
        for path, cursor in question.cursors.items()
    ]
    looks = [
        f"look {number} {question.limit} {share} {' '.join(question.words)}"
        for number, question in enumerate(questions)
    ]
    cursor = ["cursor() {", "known= offset=0 kept=0", "case $1 in", *cases, "esac", "}"]
    return _program(token, _READ, [*cursor, *looks])


def tracing(token: str, traces: Sequence[Trace], holes: Sequence[Hole]) -> bytes:
    """Return the program that searches; what it says bears the token and the place of the trace, or of the hole."""
    calls = [_trace(number, trace) for number, trace in enumerate(traces)]
    calls += [f"text {number} {hole.start} {shlex.quote(hole.path)}" for number, hole in enumerate(holes)]
    return _program(token, _READ + _TRACE, calls)


def _program(token: str, functions: str, calls: Sequence[str]) -> bytes:
    """Put everything into one compound command: a shell that got only part of it runs nothing."""
    lines = [f"token={token} most={MAX_FILES}", "say clock $(date +%s.%N)", *calls, "say done", "exit 0", "}", ""]
    return ("{\n" + functions + "\n".join(lines)).encode()


def _functions(name: str) -> str:
    return _IDLE.sub("", files(__package__).joinpath(name).read_text())


_READ, _TRACE = _functions("read.sh"), _functions("trace.sh")


def _trace(number: int, trace: Trace) -> str:
    cursor = trace.cursor
    known = _IDENTITY.fullmatch(cursor.identity)
    kept = len(cursor.fingerprint)
    paths = " ".join(literals((cursor.real_path or cursor.path, *trace.paths)))
    return f"trace {number} {known[1] if known else 0} {cursor.offset - kept} {kept} {paths}"


def _word(pattern: str) -> str:
    return '"$HOME"/' + _quote(pattern[2:]) if pattern.startswith("~/") else _quote(pattern)


def _quote(pattern: str) -> str:
    parts = _WILDCARD.split(pattern)
    return "".join(part if is_glob(part) else shlex.quote(part) for part in parts if part)


def _case(number: int, path: str, cursor: LogCursor) -> str:
    known = cursor.identity if _IDENTITY.fullmatch(cursor.identity) else "unknown"
    return f"{number}:{shlex.quote(path)}) known={known} offset={cursor.offset} kept={len(cursor.fingerprint)} ;;"
