"""What a host is asked in one trip: to read files, to search for what became of them, and whether processes are there.

`run` is the place of a question in the trip, by which its answers are known; `request` is the place of the request that
it is for. What hangs is left alone for a time by name: a path, or a pattern in whose folders the host looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from monitor_core.model.records import KnownBy, LogCursor, ProcessQuery

# More files than this of one run are not read in one trip; the newest are.
MAX_FILES = 64
# New bytes of one trip, shared fairly by its runs and their files: what bounds memory and time.
BUDGET = 16 * 2**20

_WILDCARD = re.compile(r"(\*|\?|\[!?[\w.,:=+@%-]+\])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Question:
    """What to read: which files, and how far each is known; of one that is not, only the facts come.

    `patterns` are paths and globs in the sense of `is_path`, just paths if they are `exact`. At most `limit` bytes of
    each file come at once. Files in `skip` are passed over, those in `hung` refused without a touch.
    """

    run: int
    request: int
    patterns: tuple[str, ...]
    limit: int
    cursors: Mapping[str, LogCursor] = field(default_factory=dict)
    exact: bool = False
    skip: frozenset[str] = frozenset()
    hung: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all that it is about."""
        return frozenset(self.patterns)

    def names_at(self, what: str) -> frozenset[str]:
        """Return the names of what the host is at: a path, the pattern at that place, or all."""
        if what.isdigit():
            return frozenset({self.patterns[int(what)]})
        return frozenset({what}) if what and what not in self.hung else self.names

    def without(self, hung: frozenset[str]) -> Question | None:
        """Return it without what hangs; None if nothing is left."""
        patterns = tuple(pattern for pattern in self.patterns if pattern not in hung)
        return replace(self, patterns=patterns, hung=hung) if patterns else None

    def after(self, said: Iterable[str]) -> Question:
        """Return it without the files about which something has been said."""
        return replace(self, skip=self.skip.union(said))


@dataclass(frozen=True, slots=True)
class _Search:
    """A search on account of the files `paths`, which can only be read when it has been answered as a whole."""

    run: int
    request: int
    paths: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all that it is about."""
        return frozenset(self.paths)

    def names_at(self, _what: str) -> frozenset[str]:
        """Return the names of what the host is at."""
        return self.names

    def without(self, hung: frozenset[str]) -> Self | None:
        """Return it if nothing that it is about hangs."""
        return None if self.names & hung else self

    def after(self, _said: Iterable[str]) -> Self:
        """Return it as it is: a part of it is no answer."""
        return self


@dataclass(frozen=True, slots=True)
class Trace(_Search):
    """A search for what a cursor has not read yet, in the folder of its file and at the paths."""

    cursor: LogCursor


@dataclass(frozen=True, slots=True)
class Hole(_Search):
    """A search for the first byte of the one file, from `start` on, that is no NUL."""

    start: int


@dataclass(frozen=True, slots=True)
class Roll(_Search):
    """A look whether the process of a run is there; `paths` is the pid file, or the program that has to be asked."""

    query: ProcessQuery


Ask = Question | Trace | Hole | Roll
# What lists the processes of a host, and its jobs: one that hangs for one run hangs for all.
_ASKED = {KnownBy.COMMAND: "ps", KnownBy.SLURM: "squeue"}


def roll(run: int, request: int, query: ProcessQuery) -> Roll:
    """Return the question whether a process is there."""
    return Roll(run, request, (_ASKED.get(query.by, query.name),), query)


def is_path(pattern: str) -> bool:
    """Say whether a pattern names files: it is absolute or in the home folder, and without line feed and NUL."""
    return pattern.startswith(("/", "~/")) and "\n" not in pattern and "\0" not in pattern


def is_glob(pattern: str) -> bool:
    """Say whether a pattern may name several files."""
    return _WILDCARD.search(pattern) is not None


def parts(pattern: str) -> list[str]:
    """Cut a pattern into its wildcards and what stands for itself."""
    return [part for part in _WILDCARD.split(pattern) if part]
