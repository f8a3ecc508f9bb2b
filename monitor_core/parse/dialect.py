"""How a framework's log lines are described."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from monitor_core.model.records import Marker, MarkerKind, Record
from monitor_core.parse.stamps import first_stamp

Read = Callable[[bytes], Record | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that holds `literal` (matched to the letter) is given to `read`, which may find that it is nothing."""

    literal: bytes
    read: Read


@dataclass(frozen=True, slots=True)
class Dialect:
    """The log lines of one framework. Lines that hold none of the literals are never looked at."""

    name: str
    rules: tuple[Rule, ...]

    @property
    def literals(self) -> tuple[bytes, ...]:
        """Return what to look for in a log; a line may matter only if it holds one of these."""
        return tuple(rule.literal for rule in self.rules)

    def record(self, line: bytes) -> Record | None:
        """Return what one line says, None if it says nothing."""
        for rule in self.rules:
            if rule.literal in line:
                record = rule.read(line)
                if record is not None:
                    return record
        return None


def marker(kind: MarkerKind, pattern: bytes) -> Read:
    """Return a reader that makes a marker of lines in which the pattern is found.

    Its groups `iteration`, `text`, `name` and `value` fill the fields of that name; none of them is needed.
    """
    search = re.compile(pattern).search

    def read(line: bytes) -> Marker | None:
        match = search(line)
        if not match:
            return None
        words = {key: word.decode("utf-8", "replace") for key, word in match.groupdict().items() if word}
        iteration = words.pop("iteration", None)
        return Marker(kind, int(iteration) if iteration else None, first_stamp(line), **words)

    return read
