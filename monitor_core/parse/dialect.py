"""How a framework's log lines are described.

A dialect is a table of rules. A rule names a literal that its lines hold, which makes all other lines free, and says
what such a line is: `progress`, `detail` (values of the last progress line), `context` (values of lines to come) or a
`marker`. Patterns are those of `pattern`; where a line names its values, `keys` finds them in any order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache

from monitor_core.model.records import Marker, MarkerKind, Progress, Record
from monitor_core.parse.counter import HEAD, Counter
from monitor_core.parse.fields import FIELDS, Told, told
from monitor_core.parse.pattern import regular_expression
from monitor_core.parse.stamps import first_stamp, last_stamp

Read = Callable[[bytes, Counter], Record | None]
Compile = Callable[[bytes], re.Pattern[bytes]]
Keys = Mapping[str, str]
_NO_KEYS: Keys = {}
_COUNT = re.compile(r"\d{1,18}").fullmatch


class Rank(IntEnum):
    """Who is believed where several dialects recognise a log: a framework before what is printed inside of many."""

    FRAMEWORK = 0
    LIBRARY = 1
    BAR = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that holds `literal` (matched to the letter) is given to `read`, which may find that it is nothing.

    `proves`: no other framework prints such a line. `all` reads all such lines of a block at once, where that is much
    faster; it returns None if it cannot, and neither uses the counter. `pattern` is the regular expression that the
    line is read by, if it is one. `tells` are the fields that such lines may tell, or the kind of marker, for people.
    """

    literal: bytes
    read: Read
    proves: bool = True
    all: Callable[[bytes], list[Progress] | None] | None = None
    pattern: bytes = b""
    tells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """The log lines of one framework. Lines that hold none of the literals are never looked at.

    `title` is what people call it, `example` lines of it as they are printed. `ends_at_total`: it prints no end, and
    the last iteration is one; `announces_end`: it prints one whenever a training is done; `first_iteration` is the
    number of the first. `needs_proof`: its progress is told by lines that others print, too.
    """

    name: str
    rules: tuple[Rule, ...]
    title: str = ""
    example: str = ""
    rank: Rank = Rank.FRAMEWORK
    ends_at_total: bool = False
    announces_end: bool = False
    first_iteration: int = 1
    needs_proof: bool = False

    @property
    def literals(self) -> tuple[bytes, ...]:
        """Return what to look for in a log; a line may matter only if it holds one of these."""
        return tuple(rule.literal for rule in self.rules)

    def record(self, line: bytes, counter: Counter) -> Record | None:
        """Return what one line says, None if it says nothing."""
        for rule in self.rules:
            if rule.literal in line:
                record = rule.read(line, counter)
                if record is not None:
                    counter.proven = counter.proven or rule.proves
                    return record
        return None


@dataclass(frozen=True, slots=True)
class _Line:
    """Finds the values of a line: those of a pattern, then those of keys after it."""

    pattern: re.Pattern[bytes]
    keys: Callable[[bytes, int, Told], None] | None
    fields: tuple[str, ...]

    def told(self, line: bytes) -> tuple[Told, int] | None:
        """Return the values, and where the pattern begins; None if the line is another one."""
        match = self.pattern.search(line)
        if match is None:
            return None
        try:
            values = told(match.groupdict())
            if self.keys:
                self.keys(line, match.end(), values)
        except ValueError:
            return None
        return values, match.start()


def _line(pattern: str, keys: Keys, *, expression: bool = False, compile: Compile = re.compile) -> _Line:
    compiled = compile((pattern if expression else regular_expression(pattern)).encode())
    find = finder(tuple(keys.items())) if keys else None
    return _Line(compiled, find, (*compiled.groupindex, *keys.values()))


_BETWEEN = r"""['"]?[ \t]{0,20}[:=][ \t]{0,20}['"]?\[?[ \t]{0,20}"""


def _any_of(names: list[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


@lru_cache
def finder(keys: tuple[tuple[str, str], ...]) -> Callable[[bytes, int, Told], None]:
    """Return what finds the values of `key: value`, `key=value` and `'key': value`; of a key told twice the first."""
    fields = {key.encode(): field for key, field in keys}
    written: dict[str, list[str]] = {}
    for key, field in keys:
        written.setdefault(FIELDS[field].pattern, []).append(key)
    pairs = "|".join(f"({_any_of(names)}){_BETWEEN}({pattern})" for pattern, names in written.items())
    find = re.compile(rf"(?<![\w/.-])(?:{pairs})".encode()).finditer

    def values(line: bytes, start: int, found: Told) -> None:
        for match in find(line, start):
            key, word = filter(None, match.groups())
            field = fields[key]
            if field not in found:
                found[field] = FIELDS[field].read(word)

    return values


def progress(
    literal: str,
    pattern: str,
    *,
    keys: Keys = _NO_KEYS,
    first_epoch: int = 0,
    expression: bool = False,
    proves: bool = True,
    compile: Compile = re.compile,
) -> Rule:
    """Return the rule of lines that tell how far the training is.

    A line that tells a place in an epoch has its iterations counted through, from the epoch of that number on.
    `expression`: the pattern is a regular expression with named groups. `proves`: no other framework prints
    such lines. `compile` makes what searches for it.
    """
    line = _line(pattern, keys, expression=expression, compile=compile)

    def read(text: bytes, counter: Counter) -> Record | None:
        found = line.told(text)
        if not found:
            return None
        if counter.hidden:
            counter.hidden -= 1
            return None
        values, start = found
        return counter.progress(values, last_stamp(text[:start]), first_epoch)

    return Rule(literal.encode(), read, proves, pattern=line.pattern.pattern, tells=line.fields)


def redrawn(rule: Rule) -> Rule:
    """Return the rule of lines that are drawn again and again: one with the iteration of the last says nothing new."""

    def read(line: bytes, counter: Counter) -> Record | None:
        before = counter.iteration
        record = rule.read(line, counter)
        return None if isinstance(record, Progress) and record.iteration == before else record

    return replace(rule, read=read)


def detail(literal: str, pattern: str, *, keys: Keys = _NO_KEYS, counts: bool = False) -> Rule:
    """Return the rule of lines that add values to the last progress line.

    `counts`: where no line tells an iteration, such lines are progress themselves, and their number the iteration.
    """
    line = _line(pattern, keys)

    def read(text: bytes, counter: Counter) -> Record | None:
        found = line.told(text)
        if not found:
            return None
        if counts and counter.bar is None and (counter.iteration is None or counter.leads):
            return counter.count(found[0], first_stamp(text))
        if counts:
            counter.doubt()
        return counter.detail(found[0], first_stamp(text))

    return Rule(literal.encode(), read, pattern=line.pattern.pattern, tells=line.fields)


def context(literal: str, pattern: str, *, keys: Keys = _NO_KEYS, expression: bool = False) -> Rule:
    """Return the rule of lines whose values belong to progress lines to come.

    One with an iteration is the head of a block that a progress line without one completes; if the block before was
    never completed, it is told now.
    """
    line = _line(pattern, keys, expression=expression)

    def read(text: bytes, counter: Counter) -> Record | None:
        found = line.told(text)
        if not found:
            return None
        values, start = found
        counter.proven = True
        left = counter.progress({}, None) if "iteration" in values and "iteration" in counter.held else None
        stamp = last_stamp(text[:start]) if "iteration" in values else None
        if stamp is not None:
            values[HEAD] = stamp
        counter.hold(values)
        return left

    return Rule(literal.encode(), read, pattern=line.pattern.pattern, tells=line.fields)


def _number(word: str) -> int | None:
    digits = word.replace(",", "")
    return int(digits) if _COUNT(digits) else None


def marker(
    kind: MarkerKind,
    literal: str,
    pattern: bytes | None = None,
    *,
    proves: bool = False,
    hides: int = 0,
    compile: Compile = re.compile,
) -> Rule:
    """Return the rule of lines that tell a phase: those with the literal, and with the pattern if there is one.

    `proves`: no other framework prints such a line. `hides`: so many lines after it only look like progress, unless the
    evaluation is over or a training starts before. The groups `iteration`, `total`, `text`, `name` and `value` of the
    regular expression fill the fields of that name; `epochs` is a total of epochs. `compile` makes what
    searches for it.
    """
    expression = pattern if pattern is not None else re.escape(literal.encode())
    search = compile(expression).search

    def read(line: bytes, counter: Counter) -> Marker | None:
        match = search(line)
        if not match:
            return None
        if kind is MarkerKind.START:
            counter.announced = True
            counter.release()
        if hides or kind is MarkerKind.EVALUATION_END:
            counter.hidden = hides
        words = {key: word.decode("utf-8", "replace") for key, word in match.groupdict().items() if word}
        iteration, total, epochs = (_number(words.pop(name, "")) for name in ("iteration", "total", "epochs"))
        if epochs and counter.batches:
            total = epochs * counter.batches
        return Marker(kind, iteration, first_stamp(line), total=total, **words)

    return Rule(literal.encode(), read, proves, pattern=expression, tells=(kind,))
