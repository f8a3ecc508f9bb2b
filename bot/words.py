"""The words of a command: cut apart, and matched with the names that they may mean."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot import messages
from monitor_core.errors import CommandError

ALL = "all"
_COMPARED = 80  # characters of a word that are compared with names: likeness costs the square of the length
_PLAIN = str.maketrans(
    {"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"} | {chr(code): " " for code in range(32)}
)
# Phones turn the two dashes of an option into one long dash.
_LONG_DASH = re.compile(r"(?<!\S)[\u2013\u2014](?=[a-z])")


@dataclass(frozen=True, slots=True)
class Names:
    """What a word may name: the configured runs and hosts."""

    runs: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Return the names of runs, then of hosts."""
        return (*self.runs, *self.hosts)


@dataclass(frozen=True, slots=True)
class Line:
    """A command cut into words: `rest` are those not yet understood, `tail` are options that were taken out."""

    words: tuple[str, ...]
    rest: tuple[str, ...]
    names: Names
    now: float
    tail: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """Return the next word, empty at the end."""
        return self.rest[0] if self.rest else ""

    def after(self, count: int = 1) -> Line:
        """Return the line with so many more words understood."""
        return replace(self, rest=self.rest[count:])

    def instead(self, *words: str, count: int = 1) -> str:
        """Return the command with the next words put right."""
        start = len(self.words) - len(self.rest)
        return " ".join((*self.words[:start], *words, *self.words[start + count :], *self.tail))

    def end(self) -> None:
        """Raise CommandError if there are words left."""
        if self.rest:
            raise CommandError(messages.left_over(" ".join(self.rest)), self.instead(count=len(self.rest)))


def cut(text: str) -> tuple[str, ...]:
    """Return the words without quotes; typographic quotes and dashes are as good as plain ones."""
    text = _LONG_DASH.sub("--", text.translate(_PLAIN))
    return tuple(filter(None, (word.strip("\"'`") for word in text.split())))


def same(word: str, names: Iterable[str]) -> list[str]:
    """Return the names that are the word, or else the word but for case."""
    names = tuple(names)
    return [word] if word in names else [name for name in names if name.casefold() == word.casefold()]


def starting(word: str, names: Iterable[str]) -> list[str]:
    """Return the names that begin with the word."""
    return [name for name in names if name.casefold().startswith(word.casefold())]


def nearest(word: str, names: Iterable[str]) -> str:
    """Return the name most like the word, empty if none is."""
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold()[:_COMPARED], folded, n=1)
    return folded[close[0]] if close else ""


def name(line: Line, names: Iterable[str], kind: str) -> str:
    """Return the one name that the next word means: the same but for case, or the only one that begins with it."""
    names = tuple(dict.fromkeys(names))
    found = same(line.first, names) or starting(line.first, names)
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(messages.ambiguous(line.first, found), line.instead(found[0]))
    near = nearest(line.first, names)
    raise CommandError(messages.no_such(kind, line.first), line.instead(near) if near else "")


def target(line: Line) -> str:
    """Return the run, host, pattern or `all` that the next word means."""
    if line.first.casefold() == ALL:
        return ALL
    if any(sign in line.first for sign in "*?["):
        return line.first
    return name(line, line.names.all, "run or host")
