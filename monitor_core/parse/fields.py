"""What a line may tell: the fields, how each is written, and its unit.

The names are those of the groups in patterns, of frameworks and of people's own formats alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

# Lengths are bounded: a pattern must not try a line of digits from each of them to its end.
_COUNT = r"\d{1,15}(?:,\d{3}){0,5}"
_NUMBER = rf"[-+]?(?:{_COUNT}(?:\.\d{{0,20}})?|\.\d{{1,20}})(?:[eE][-+]?\d{{1,3}})?"
_VALUE = rf"(?:{_NUMBER}|[-+]?(?:[nN]a[nN]|[iI]nf(?:inity)?)\b)"
_SUFFIXES: Mapping[bytes, float] = MappingProxyType({b"k": 1e3, b"m": 1e6, b"g": 1e9, b"t": 1e12})

Told = dict[str, float]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a line may tell; `pattern` is how it is written, `meaning` is for people."""

    pattern: str
    read: Callable[[bytes], float]
    meaning: str


def _count(word: bytes) -> int:
    return int(word.replace(b",", b""))


def _value(word: bytes) -> float:
    return float(word.replace(b",", b""))


def _scaled(word: bytes) -> float:
    scale = _SUFFIXES.get(word[-1:].lower())
    return _value(word) if scale is None else _value(word[:-1]) * scale


def _seconds(word: bytes) -> float:
    """Read `3.2`, `1:02:03` and `2 days, 1:02:03`."""
    days, _, clock = word.rpartition(b"day")
    seconds = 86400 * float(days or 0)
    for place, part in enumerate(reversed(clock.lstrip(b"s, ").split(b":"))):
        seconds += float(part) * (1, 60, 3600)[place]
    return seconds


_CLOCK = r"(?:\d{1,5} days?, ?)?\d{1,5}:\d\d:\d\d"
_SCALED = rf"(?:{_NUMBER}[KkMGT]?|nan)"
FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "iteration": Field(_COUNT, _count, "number of the iteration (step, update)"),
        "total": Field(_COUNT, _count, "how many iterations there will be"),
        "epoch": Field(_COUNT, _count, "number of the epoch"),
        "epochs": Field(_COUNT, _count, "how many epochs there will be"),
        "epochs_done": Field(_NUMBER, _value, "how many epochs are done, with a fraction"),
        "batch": Field(_COUNT, _count, "number of the iteration within its epoch"),
        "batches": Field(_COUNT, _count, "iterations per epoch"),
        "ms": Field(_VALUE, _value, "time per iteration in milliseconds"),
        "s": Field(_VALUE, _value, "time per iteration in seconds"),
        "it_per_s": Field(_VALUE, _value, "iterations per second"),
        "interval_ms": Field(_VALUE, _value, "time since the last progress line in milliseconds"),
        "interval_s": Field(_VALUE, _value, "time since the last progress line in seconds"),
        "interval": Field(_COUNT, _count, "at most how many iterations `interval_s` covers"),
        "elapsed_s": Field(rf"(?:{_CLOCK}|{_VALUE})", _seconds, "time since the start in seconds, or as 1:02:03"),
        "loss": Field(_VALUE, _value, "training loss"),
        "grad_norm": Field(_VALUE, _value, "norm of the gradient"),
        "learning_rate": Field(_VALUE, _value, "learning rate"),
        "throughput": Field(_SCALED, _scaled, "tokens, samples or floating-point operations per second"),
        "batch_tokens": Field(_NUMBER, _value, "tokens per iteration"),
        "examples": Field(_COUNT, _count, "samples per epoch"),
        "samples": Field(_COUNT, _count, "samples per iteration, where an epoch's are told"),
        "batch_size": Field(_COUNT, _count, "samples per iteration"),
        "sequence_length": Field(_COUNT, _count, "tokens per sample"),
        "loss_scale": Field(_VALUE, _value, "what the loss is multiplied by, with fp16"),
        "skipped": Field(_COUNT, _count, "iterations since the last progress line that were skipped"),
        "skipped_so_far": Field(_COUNT, _count, "iterations since the start that were skipped"),
        "nan_iterations": Field(_COUNT, _count, "iterations since the last progress line whose loss was not finite"),
    }
)


def told(words: Mapping[str, bytes | None]) -> Told:
    """Return the values of the words that a line has; raise ValueError where one is no number."""
    return {name: FIELDS[name].read(word) for name, word in words.items() if word}
