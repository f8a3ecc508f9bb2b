"""The log lines of Megatron-LM and its kin: FlagScale, Megatron-DeepSpeed, Megatron-Bridge, old and new.

Line layouts are those of `training_log`, `save_checkpoint`, `evaluate` and `print_args` in Megatron-LM
(https://github.com/NVIDIA/Megatron-LM). Progress is printed by the last rank, checkpoints and arguments by the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from itertools import repeat
from typing import Any

from monitor_core.model.records import MarkerKind, Progress
from monitor_core.parse.counter import Counter
from monitor_core.parse.dialect import Dialect, Rule, marker
from monitor_core.parse.stamps import STAMP, last_stamp, stamp

_ELAPSED = b"elapsed time per iteration"
_HEAD = rb"iteration +(\d{1,15})/ *(\d{1,15}) *\|"
_AFTER_HEAD = re.compile(_HEAD)
_KEY = re.compile(rb" *[A-Za-z][\w /().%-]{0,60}")
# Printed by all versions, after the loss: with it a line is known to be whole though other output follows.
_LAST = b" number of nan iterations:"


def _from_seconds(word: bytes) -> float:
    return float(word) * 1000.0


# The quantities of `Progress`, in the order of its fields. Each has the keys that it goes by, the best first, and how
# to read it in our unit; after `|` each key begins with a space.
_QUANTITIES: tuple[Mapping[bytes, Callable[[bytes], float]], ...] = (
    {b" elapsed time per iteration (ms)": float, b" elapsed time per iteration (s)": _from_seconds},
    {b" lm loss": float, b" loss": float},
    {b" grad norm": float},
    {b" learning rate": float},
    {b" throughput per GPU (TFLOP/s/GPU)": float, b" TFLOPs": float, b" samples per second": float},
    {b" global batch size": int},
    {b" curriculum seqlen": int, b" actual seqlen": int, b" sequence length": int},
    {b" loss scale": float},
    {b" number of skipped iterations": int},
    {b" number of nan iterations": int},
)
_NUMBER = rb" *([-+.\dEe]{1,30}) *"


class _Layout:
    """Which keys a progress line has, in which order."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys
        self._told = [next((key for key in quantity if key in keys), None) for quantity in _QUANTITIES]

    def progress(self, head: tuple[bytes, ...], values: tuple[bytes, ...], timestamp: float | None) -> Progress:
        """Return what a line says: iteration, total, and a value for each key; raise ValueError for no number."""
        pairs = dict(zip(self._keys, values, strict=True))
        numbers: Iterable[Any] = (quantity[key](pairs[key]) if key else None for quantity, key in self._read)
        return Progress(*(int(head[0]), int(head[1]), *numbers, timestamp))

    def all(self, block: bytes) -> list[Progress]:
        """Return what the lines of this layout say that hold plain numbers and nothing but a date before them."""
        columns = [*zip(*self._pattern.findall(b"\n" + block), strict=True)]
        if not columns:
            return []
        stamps, iterations, totals, *values = columns
        told = dict(zip((key for key in self._keys if key in self._told), values, strict=True))
        read: list[Iterable[Any]] = [
            map(quantity[key], told[key]) if key else repeat(None) for quantity, key in self._read
        ]
        return [*map(Progress, map(int, iterations), map(int, totals), *read, map(stamp, stamps))]

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        unread = _NUMBER.replace(b"(", b"(?:")
        pairs = (re.escape(key) + b":" + (_NUMBER if key in self._told else unread) + rb"\|" for key in self._keys)
        return re.compile(rb"\n *\[(" + STAMP + rb")\] " + _HEAD + b"".join(pairs) + rb"[ \t]*(?=\n)")

    @property
    def _read(self) -> Iterable[tuple[Mapping[bytes, Callable[[bytes], float]], bytes | None]]:
        return zip(_QUANTITIES, self._told, strict=True)


_layout_of = lru_cache(maxsize=64)(_Layout)


class ProgressLines:
    """Reads progress lines, one by one or those of a block at once.

    A run keeps to one layout. To make a pattern of one takes as long as to read a hundred lines, so that is done only
    for one that two lines in a row had: the keys may hold numbers that change.
    """

    def __init__(self) -> None:
        self._known: _Layout | None = None
        self._last: _Layout | None = None

    def read(self, line: bytes, _counter: Counter | None = None) -> Progress | None:
        """Read a line; None if it was cut or mixed with other output, since its numbers may be wrong then."""
        start = line.rfind(b"iteration ", 0, line.rfind(_ELAPSED))
        head = _AFTER_HEAD.match(line, start) if start >= 0 else None
        if not head:
            return None
        try:
            keys, values = _pairs(line[head.end() :].rstrip())
            layout = _layout_of(keys)
            self._known, self._last = layout if layout is self._last else self._known, layout
            return layout.progress(head.groups(), values, last_stamp(line[:start]))
        except ValueError:
            return None

    def all(self, block: bytes) -> list[Progress] | None:
        """Return what all progress lines of a block say, None if one of them has to be read by itself."""
        if self._known is None:
            return None
        try:
            found = self._known.all(block)
        except ValueError:
            return None
        return found if len(found) == block.count(_ELAPSED) else None


def _pairs(text: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the keys and values of `key: value | key: value |`; raise ValueError if it is cut or not only that."""
    if not text.endswith(b"|"):
        text = text[: text.index(b"|", text.index(_LAST)) + 1]
    pairs = [pair.partition(b":") for pair in text[:-1].split(b"|")]
    keys = tuple(key for key, _, _ in pairs)
    if len(set(keys)) < len(keys) or not all(colon for _, colon, _ in pairs) or not _are_keys(keys):
        raise ValueError("mixed with other output")
    return keys, tuple(value for _, _, value in pairs)


@lru_cache(maxsize=64)
def _are_keys(words: tuple[bytes, ...]) -> bool:
    return all(_KEY.fullmatch(word) for word in words)


_SETTING = (
    rb"(?<![\w.])(?P<name>(?:log|eval|save)_interval|train_iters|world_size) \.{3,99} (?P<value>[^\s|]{1,40})\s{0,99}$"
)
_AT = rb"(?P<iteration>\d{1,15})\b"

_LINES = ProgressLines()

DIALECT = Dialect(
    "megatron",
    title="Megatron-LM, FlagScale, Megatron-DeepSpeed, Megatron-Bridge, Primus, MindSpeed",
    example="""\
 [2026-11-02 08:15:42] iteration      200/    1000 | consumed samples:       102400 |\
 elapsed time per iteration (ms): 812.3 | learning rate: 3.000000E-04 | global batch size:   512 |\
 lm loss: 6.231415E+00 | loss scale: 1.0 | grad norm: 0.412 | number of skipped iterations:   0 |\
 number of nan iterations:   0 |
saving checkpoint at iteration     200 to /data/checkpoints in torch_dist format""",
    announces_end=True,
    rules=(
        Rule(_ELAPSED, _LINES.read, all=_LINES.all),
        marker(
            MarkerKind.CHECKPOINT_START,
            "saving checkpoint at iteration",
            rb"saving checkpoint at iteration {1,9}" + _AT,
        ),
        marker(
            MarkerKind.CHECKPOINT_END,
            "successfully saved checkpoint",
            rb"successfully saved checkpoint (?:from|at) iteration {1,9}" + _AT,
        ),
        marker(
            MarkerKind.EVALUATION_END,
            "validation loss at ",
            rb"validation loss at (?:iteration {1,9}" + _AT + rb"|the end of training)",
        ),
        marker(MarkerKind.EVALUATION, "Evaluating iter", rb"(?P<text>Evaluating iter {1,9}\d{1,15}/ {0,9}\d{1,15})\b"),
        marker(MarkerKind.START, "[before the start of training step]"),
        marker(MarkerKind.TRAINING_DONE, "[after training is done]"),
        marker(
            MarkerKind.EXITING,
            "[exiting program ",
            rb"\[(?P<text>exiting program (?:at iteration {1,9}" + _AT + rb"|[^\]\[]{1,80}))\]",
        ),
        marker(MarkerKind.SETTING, "_interval", _SETTING),
        marker(MarkerKind.SETTING, "train_iters", _SETTING),
        marker(MarkerKind.SETTING, "world_size", _SETTING),
    ),
)
