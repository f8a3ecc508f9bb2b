"""Why a log is read as it is: which lines were recognised by which rule, and which were not."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

from monitor_core.collect.lines import cut
from monitor_core.model.records import Detail, Failure, Marker, MarkerKind, Progress, Record
from monitor_core.parse import Parser
from monitor_core.parse.counter import Counter
from monitor_core.parse.dialect import Dialect, Read, Rule
from monitor_core.parse.dialects import Format, choose
from monitor_core.patterns import reach
from monitor_core.redact import redact
from monitor_core.replay.suggest import NUMBER, suggest
from monitor_core.units import significant

_BLOCK = 2**20  # bytes
_SAMPLES = 3  # lines shown of each kind
_SHOWN = 6  # shapes shown of those that were not recognised
_MOST_SHAPES = 5000
_LINE = 500  # characters
_MARKERS: Mapping[MarkerKind, str] = MappingProxyType(
    {
        MarkerKind.START: "training begins",
        MarkerKind.CHECKPOINT_START: "pause begins",
        MarkerKind.CHECKPOINT_END: "checkpoint ends",
        MarkerKind.EVALUATION: "evaluation begins",
        MarkerKind.EVALUATION_END: "evaluation ends",
        MarkerKind.LAST_ITERATION: "last iteration",
        MarkerKind.TRAINING_DONE: "training ends",
        MarkerKind.EXITING: "exits",
        MarkerKind.SETTING: "setting",
    }
)
_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "total": "total",
        "ms_per_iteration": "time per iteration",
        "loss": "loss",
        "grad_norm": "gradient norm",
        "learning_rate": "learning rate",
        "throughput": "throughput",
        "timestamp": "date and time",
    }
)
_VALUES = {"loss": "loss", "grad_norm": "grad norm", "learning_rate": "lr", "throughput": "throughput"}
_AHEAD = "values for lines to come"


@dataclass(frozen=True, slots=True)
class Line:
    """A line, without its secrets: `what` it says, read by a `dialect` since it holds a `literal`."""

    number: int
    kind: str
    what: str
    dialect: str
    literal: str
    text: str


@dataclass(slots=True)
class Shape:
    """Lines that were not recognised and differ in their numbers alone; `why` is empty where nothing in them is known.

    `number` and `text` are those of the first, `last` is the text of the last one.
    """

    number: int
    text: str
    why: str
    last: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was seen in a log.

    `decided_by` are the numbers of the two lines that decided the format, `kinds` how many lines there are of each,
    `recognised` a few of each, `refused` the most frequent shapes of lines that look like a dialect's and are not
    taken, `unknown` those of all others. `suggestion` is a pattern to start from where no line tells progress.
    """

    format: str | None
    decided_by: tuple[int, ...]
    lines: int
    kinds: Mapping[str, int]
    recognised: tuple[Line, ...]
    refused: tuple[Shape, ...]
    unknown: tuple[Shape, ...]
    never_told: tuple[str, ...]
    suggestion: str

    @property
    def understood(self) -> bool:
        """Return whether there was progress or the cause of an ending."""
        return any(kind == "progress" or kind.startswith("error ") for kind in self.kinds)


def explain(log: Path, format: Format, own: tuple[str, ...] = ()) -> Explanation:
    """Read a log and say why it is read so; `own` are the patterns of progress of a format of one's own.

    Raises OSError if it cannot be read and ValueError for an unknown format.
    """
    seen = _Seen(_Hearing(choose(format)), own)
    for block in _blocks(log):
        seen.feed(block)
    return seen.explanation(decided=format == "auto")


def _blocks(log: Path) -> Iterator[bytes]:
    partial = b""
    with log.open("rb") as file:
        while data := file.read(_BLOCK):
            block, partial = cut(partial, data)
            yield block
    rest, _ = cut(partial, b"\n")
    if rest.strip():
        yield rest


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a rule said of a line; `ahead`: it took values for lines to come."""

    number: int
    dialect: str
    rule: Rule
    line: bytes
    record: Record | None
    ahead: bool


class _Hearing:
    """A parser whose rules tell what they are given and what they say of it."""

    def __init__(self, dialects: tuple[Dialect, ...]) -> None:
        self.heard: list[_Heard] = []
        self.parser = Parser(tuple(replace(each, rules=self._all(each)) for each in dialects))

    def _all(self, dialect: Dialect) -> tuple[Rule, ...]:
        return tuple(Rule(rule.literal, self._one(dialect.name, rule), rule.proves) for rule in dialect.rules)

    def _one(self, dialect: str, rule: Rule) -> Read:
        def read(line: bytes, counter: Counter) -> Record | None:
            before = replace(counter, held={**counter.held})
            record = rule.read(line, counter)
            ahead = record is None and counter != before
            self.heard.append(_Heard(self.parser.lines + 1, dialect, rule, line, record, ahead))
            return record

        return read


@dataclass(slots=True)
class _Seen:
    """What has been seen of a log so far."""

    hearing: _Hearing
    own: tuple[str, ...]
    kinds: Tally[str] = field(default_factory=Tally)
    recognised: list[Line] = field(default_factory=list)
    last: Line | None = None
    shapes: dict[str, Shape] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    first: dict[str, tuple[int, Progress]] = field(default_factory=dict)
    agreed: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def feed(self, block: bytes) -> None:
        """Take whole lines."""
        begin = self.hearing.parser.lines + 1
        records = self.hearing.parser.feed(block)
        heard = {number: [*all_] for number, all_ in groupby(self.hearing.heard, key=lambda each: each.number)}
        self.hearing.heard.clear()
        taken = self._take(heard, records)
        for number, line in enumerate(block.split(b"\n")[:-1], start=begin):
            if number not in taken and line.strip():
                self._miss(number, line, heard.get(number, []))

    def explanation(self, *, decided: bool) -> Explanation:
        """Return what was seen; `decided`: the lines decided the format."""
        parser = self.hearing.parser
        if self.last and self.last not in self.recognised:
            self.recognised.append(self.last)
        shapes = sorted(self.shapes.values(), key=lambda shape: -shape.count)
        return Explanation(
            parser.format,
            self.agreed.get(parser.format or "", ()) if decided else (),
            parser.lines,
            self.kinds,
            tuple(sorted(self.recognised, key=lambda line: line.number)),
            tuple(map(_shown, [shape for shape in shapes if shape.why][:_SHOWN])),
            tuple(map(_shown, [shape for shape in shapes if not shape.why][:_SHOWN])),
            tuple(word for name, word in _TOLD.items() if name not in self.told) if self.kinds["progress"] else (),
            "" if self.kinds["progress"] else _suggestion(shapes),
        )

    def _take(self, heard: Mapping[int, list[_Heard]], records: Iterable[Record]) -> set[int]:
        """Note the lines that were recognised; return their numbers."""
        believed = {id(record) for record in records}
        taken = set()
        for each in (each for all_ in heard.values() for each in all_):
            if isinstance(each.record, Progress):
                self._agree(each.number, each.dialect, each.record)
            if each.ahead or id(each.record) in believed:
                self._note(each.number, each.record, each.dialect, _decoded(each.rule.literal), _decoded(each.line))
                taken.add(each.number)
        for record in records:
            if isinstance(record, Failure):
                self._note(record.line_number, record, "", "", record.text)
                taken.add(record.line_number)
        return taken

    def _note(self, number: int, record: Record | None, dialect: str, literal: str, text: str) -> None:
        kind = _kind(record)
        self.kinds[kind] += 1
        if isinstance(record, Progress | Detail):
            self.told |= {name for name in _TOLD if getattr(record, name, None) is not None}
        if self.kinds[kind] <= _SAMPLES or kind == "progress":
            line = Line(number, kind, _what(kind, record), dialect, literal, text)
            if self.kinds[kind] <= _SAMPLES:
                self.recognised.append(replace(line, text=_safe(text)))
            else:
                self.last = line

    def _agree(self, number: int, dialect: str, record: Progress) -> None:
        """Find the two lines that agree, as the recognition does."""
        at, before = self.first.setdefault(dialect, (number, record))
        if dialect in self.agreed or before is record:
            return
        if before.iteration < record.iteration and before.total == record.total:
            self.agreed[dialect] = (at, number)
        self.first[dialect] = (number, record)

    def _miss(self, number: int, line: bytes, heard: list[_Heard]) -> None:
        text = _decoded(line[:_LINE])
        key = " ".join(NUMBER.sub("#", text).split())
        shape = self.shapes.get(key)
        if shape is None and len(self.shapes) < _MOST_SHAPES:
            shape = self.shapes[key] = Shape(number, text, self._why(line, heard), text)
        if shape is not None:
            shape.last, shape.count = text, shape.count + 1

    def _why(self, line: bytes, heard: list[_Heard]) -> str:
        """Return why a line is not taken though something in it is known."""
        reached = ((reach(pattern, line), pattern) for pattern in self.own)
        fits, pattern = max(reached, key=lambda both: len(both[0]), default=("", ""))
        if "{" in fits and fits != pattern:
            return f"fits `{fits}`, but not `{pattern[len(fits) :]}`"
        if not heard:
            return ""
        each = next((each for each in heard if each.record is not None), heard[0])
        literal = f"holds `{_decoded(each.rule.literal)}` of {each.dialect}"
        if each.record is not None:
            chosen = self.hearing.parser.format
            but = f"{chosen} is believed" if chosen and chosen != each.dialect else "no second line agreed with it"
            return f"{literal} and tells {_kind(each.record)}, but {but}"
        fresh = Counter()
        news = each.rule.read(each.line, fresh) is not None or fresh != Counter()
        return f"{literal}, but says nothing new" if news else f"{literal}, but the rest does not fit"


def _shown(shape: Shape) -> Shape:
    return replace(shape, text=_safe(shape.text), last=_safe(shape.last))


def _suggestion(shapes: Iterable[Shape]) -> str:
    """Return the best of the patterns that the most frequent shapes give: with what is told, then how often."""
    patterns = [(suggest(shape.text, shape.last), shape.count) for shape in [*shapes][: 10 * _SHOWN] if shape.count > 1]
    best = max(patterns, key=lambda both: (_worth(both[0]), both[1]), default=("", 0))
    return redact(best[0])


def _worth(pattern: str) -> int:
    return pattern.count("{") - pattern.count("{any}")


def _kind(record: Record | None) -> str:
    if isinstance(record, Marker):
        return _MARKERS.get(record.kind, str(record.kind))
    if isinstance(record, Failure):
        return f"error {record.signature}"
    return _AHEAD if record is None else "progress" if isinstance(record, Progress) else "values"


def _what(kind: str, record: Record | None) -> str:
    """Return what a line says, in words."""
    if isinstance(record, Marker):
        at = "" if record.iteration is None else f" at iteration {record.iteration:,}"
        return redact(f"{kind}{at}" + (f" {record.name} = {record.value}" if record.name else ""))
    if not isinstance(record, Progress | Detail):
        return kind
    parts = []
    if isinstance(record, Progress):
        parts.append(f"{record.iteration:,}" + (f" / {record.total:,}" if record.total else ""))
        parts += [f"{significant(record.ms_per_iteration)} ms"] if record.ms_per_iteration is not None else []
    else:
        parts.append(f"of iteration {record.iteration:,}")
    for name, word in _VALUES.items():
        value = getattr(record, name)
        parts += [f"{word} {significant(value)}"] if value is not None else []
    return f"{kind} {', '.join(parts)}"


def _decoded(line: bytes) -> str:
    return line[:_LINE].decode("utf-8", "replace")


def _safe(text: str) -> str:
    return redact(text)
