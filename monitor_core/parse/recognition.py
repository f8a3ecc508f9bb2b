"""Recognises in which dialect a log is, from progress lines that agree.

Two of one dialect, the second with more iterations than the first, decide. Until then, and as long as only something
is chosen that is also printed inside of other frameworks, all others are asked too. They are asked again after a long
silence of the chosen one: a file may hold a second training by another framework.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from monitor_core.model.records import Detail, Marker, MarkerKind, Progress, Record
from monitor_core.parse.counter import Counter
from monitor_core.parse.dialect import Dialect, Rank

# In lines. A training that prints less often than this is still followed; others are merely asked beside it.
_PATIENCE = 5000


class Recognition:
    """The dialects that a log may be in, what each of them knows of it, and which one is believed.

    Where a line is progress in several dialects, the first in their order is believed. `chosen` was decided by two
    lines; `name` is its name, or that of the first that has spoken. `listens_until` is the number of the line up to
    which only the chosen one is asked.
    """

    def __init__(self, dialects: tuple[Dialect, ...]) -> None:
        self._all = dialects
        self._counters = {dialect.name: Counter() for dialect in dialects}
        self._first: dict[str, Progress] = {}
        self._last: Progress | None = None
        self._spoken: str | None = None
        self.chosen: Dialect | None = dialects[0] if len(dialects) == 1 else None
        self.listens_until = 0

    @property
    def name(self) -> str | None:
        """Return the name of the log's format, None while nothing tells it."""
        return self.chosen.name if self.chosen and self._spoken else self._spoken

    def asked(self, number: int) -> tuple[Dialect, ...]:
        """Return the dialects that are asked about the line of that number."""
        if self.chosen is None or len(self._all) == 1:
            return self._all
        if number < self.listens_until:
            return (self.chosen,)
        return (self.chosen, *(each for each in self._all if each.rank <= self.chosen.rank and each != self.chosen))

    def read(self, line: bytes, number: int) -> list[Record]:
        """Return what a line says."""
        asked = self.asked(number)
        if len(asked) == 1:
            record = asked[0].record(line, self._counters[asked[0].name])
            return [] if record is None else self._told(asked[0], record, number)
        return self._weigh(line, number, asked)

    def read_all(self, block: bytes, literals: Sequence[bytes], number: int, lines: int) -> list[Progress] | None:
        """Return what a block says that holds no other literals; None if its lines have to be read one by one.

        `number` is that of its first line, `lines` how many it has.
        """
        asked = self.asked(number)
        rules = [rule for rule in asked[0].rules if rule.literal in literals] if len(asked) == 1 else []
        bulk = rules[0].all if len(rules) == 1 == len(literals) else None
        records = bulk(block) if bulk else None
        if records:
            last = number + lines - block.count(b"\n", block.rfind(literals[0]))
            self._counters[asked[0].name].proven = True
            self._told(asked[0], records[-1], last)
        return records

    def release(self) -> None:
        """Note that a new training may begin."""
        for counter in self._counters.values():
            counter.release()

    def state(self) -> dict[str, Any]:
        """Return what must be kept across a restart, as values that JSON can hold."""
        counters = {name: counter.state() for name, counter in self._counters.items()}
        return {
            "chosen": self.chosen.name if self.chosen else None,
            "spoken": self._spoken,
            "listens_until": self.listens_until,
            "last": asdict(self._last) if self._last else None,
            "first": {name: asdict(progress) for name, progress in self._first.items()},
            "counters": {name: state for name, state in counters.items() if state},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned; of dialects that are no more nothing is taken."""
        by_name = {dialect.name: dialect for dialect in self._all}
        self.chosen = by_name.get(state["chosen"])
        self._spoken = state["spoken"] if state["spoken"] in by_name else None
        self.listens_until = state["listens_until"]
        self._last = Progress(**state["last"]) if state["last"] else None
        self._first = {name: Progress(**first) for name, first in state["first"].items() if name in by_name}
        self._counters |= {name: Counter.restore(kept) for name, kept in state["counters"].items() if name in by_name}

    def _told(self, dialect: Dialect, record: Record, number: int) -> list[Record]:
        if isinstance(record, Progress):
            self._spoken, self._last = dialect.name, record
            if dialect.rank is Rank.FRAMEWORK and dialect == self.chosen:
                self.listens_until = number + _PATIENCE
            if dialect.ends_at_total and record.total == record.iteration + 1 - dialect.first_iteration:
                return [record, Marker(MarkerKind.LAST_ITERATION, record.iteration, record.timestamp)]
        return [record]

    def _weigh(self, line: bytes, number: int, asked: tuple[Dialect, ...]) -> list[Record]:
        said = [(dialect, record) for dialect, record in self._say(line, asked)]
        for dialect, record in said:
            if not isinstance(record, Progress):
                continue
            if dialect == self.chosen and dialect.rank is Rank.FRAMEWORK:
                break
            if dialect != self.chosen and self._agrees(dialect, record):
                return self._choose(dialect, record, number, goes_on=self._goes_on(record, said))
        self._prove(asked)
        believed = [(dialect, record) for dialect, record in said if self._believes(dialect, record)]
        return self._told(*believed[0], number) if believed else []

    def _say(self, line: bytes, asked: tuple[Dialect, ...]) -> Iterator[tuple[Dialect, Record]]:
        for dialect in asked:
            record = dialect.record(line, self._counters[dialect.name])
            if record is not None:
                yield dialect, record

    def _believes(self, dialect: Dialect, record: Record) -> bool:
        """Whether it may be told already: numbers of one dialect alone, other words of all."""
        if isinstance(record, Detail):
            return self._last is not None and self._last.iteration == record.iteration
        if not isinstance(record, Progress):
            return True
        return self._proven(dialect) and dialect.name == (
            self.chosen.name if self.chosen else self._spoken or dialect.name
        )

    def _agrees(self, dialect: Dialect, record: Progress) -> bool:
        """Whether an earlier line of the dialect fits; if not, this one is what later ones have to fit."""
        if record.counted and dialect.rank is not Rank.FRAMEWORK:
            return False
        first = self._first.get(dialect.name)
        if first is not None and first.iteration < record.iteration and first.total == record.total:
            return self._proven(dialect)
        self._first[dialect.name] = record
        return False

    def _proven(self, dialect: Dialect) -> bool:
        return not dialect.needs_proof or self._counters[dialect.name].proven

    def _choose(self, dialect: Dialect, record: Progress, number: int, *, goes_on: bool) -> list[Record]:
        first, before = self._first.pop(dialect.name), self._spoken
        if dialect.rank is Rank.FRAMEWORK:
            self._first.clear()
        same_rank = self.chosen is not None and self.chosen.rank is dialect.rank
        self.chosen = dialect
        told = self._told(dialect, record, number)
        if goes_on or before in {None, dialect.name}:
            return told
        return [Marker(MarkerKind.START if same_rank else MarkerKind.REVISED), first, *told]

    def _prove(self, asked: tuple[Dialect, ...]) -> None:
        """Choose a framework, once a line proved it, that is as far as the bars followed: they are its own."""
        for dialect in asked:
            counter = self._counters[dialect.name]
            weaker = self.chosen is not None and self.chosen.rank > dialect.rank
            if weaker and counter.proven and self._last is not None and counter.iteration == self._last.iteration:
                self.chosen, self._spoken = dialect, dialect.name

    def _goes_on(self, record: Progress, said: Sequence[tuple[Dialect, Record]]) -> bool:
        """Whether the dialect that was believed reads the same in this line: a bar that a framework draws."""
        others = (other for dialect, other in said if dialect.name == self._spoken)
        return any(isinstance(other, Progress) and other.iteration == record.iteration for other in others)
