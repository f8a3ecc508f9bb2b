"""Writes the tables of docs/log-formats.md: `python -m monitor_core.parse.reference < PAGE` prints the page anew.

What stands between the marks of a part is written from the dialects and fields; the words around it are by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from monitor_core.model.records import Detail, Failure, Marker, MarkerKind, Progress, Record
from monitor_core.parse.dialect import Dialect
from monitor_core.parse.dialects import DIALECTS
from monitor_core.parse.fields import FIELDS
from monitor_core.parse.parser import Parser

_PART = re.compile(r"(<!-- (\w+): from the code -->\n).*?(<!-- end -->)", re.DOTALL)
# What people call it, in the order in which it is listed, and the fields and markers that tell it.
_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "iteration": ("iteration", "batch"),
        "total": ("total", "epochs", "batches"),
        "time per iteration": (
            *("ms", "s", "it_per_s", "interval_ms", "interval_s", "elapsed_s"),
            "ms_per_iteration",
        ),
        "loss": ("loss",),
        "gradient norm": ("grad_norm",),
        "learning rate": ("learning_rate",),
        "throughput": ("throughput",),
        "batch size": ("batch_size",),
        "date and time": ("timestamp",),
        "start": (MarkerKind.START,),
        "checkpoints": (MarkerKind.CHECKPOINT_START, MarkerKind.CHECKPOINT_END),
        "evaluations": (MarkerKind.EVALUATION, MarkerKind.EVALUATION_END),
        "end": (MarkerKind.LAST_ITERATION, MarkerKind.TRAINING_DONE, MarkerKind.EXITING),
    }
)


def page(before: str) -> str:
    """Return the page with its parts as they are now."""
    return _PART.sub(lambda part: f"{part[1]}{_PARTS[part[2]]()}\n{part[3]}", before)


def tells(dialect: Dialect) -> list[str]:
    """Return what lines of a dialect tell, in words: by its rules, and by its example."""
    told = {name for rule in dialect.rules for name in rule.tells}
    for record in Parser((dialect,)).feed(f"{dialect.example}\n".encode()):
        told |= set(_told(record))
    if dialect.ends_at_total:
        told.add(MarkerKind.LAST_ITERATION)
    return [word for word, names in _WORDS.items() if told & set(names)]


def _told(record: Record) -> Iterator[str]:
    if isinstance(record, Marker):
        yield record.kind
    if not isinstance(record, Failure):
        yield from ["timestamp"] if record.timestamp is not None else []
    if isinstance(record, Progress | Detail):
        yield from (name for name in record.__slots__ if getattr(record, name) is not None)


def _formats() -> str:
    return "\n".join(_section(dialect) for dialect in DIALECTS.values())


def _section(dialect: Dialect) -> str:
    end = " The last iteration is the end." if dialect.ends_at_total else ""
    title = f"{dialect.title}. " if dialect.title else ""
    return (
        f"### `{dialect.name}`\n\n{title}Told: {', '.join(tells(dialect))}.{end}\n\n```text\n{dialect.example}\n```\n"
    )


def _fields() -> str:
    rows = (f"| `{{{name}}}` | {field.meaning} |" for name, field in FIELDS.items())
    return "\n".join(["| field | meaning |", "|---|---|", *rows, "| `{any}`, `{any:words}` | any text, not kept |"])


_PARTS: Mapping[str, Callable[[], str]] = MappingProxyType({"formats": _formats, "fields": _fields})

if __name__ == "__main__":
    sys.stdout.write(page(sys.stdin.read()))
