"""The log lines of Megatron-LM and its kin: FlagScale, Megatron-DeepSpeed, Megatron-Bridge, old and new.

Line layouts are those of `training_log`, `save_checkpoint`, `evaluate` and `print_args` in Megatron-LM
(https://github.com/NVIDIA/Megatron-LM). Progress is printed by the last rank, checkpoints and arguments by the first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from monitor_core.model.records import MarkerKind, Progress
from monitor_core.parse.dialect import Dialect, Rule, marker
from monitor_core.parse.stamps import last_stamp

_ELAPSED = b"elapsed time per iteration"
_HEAD = re.compile(rb"iteration +(\d{1,15})/ *(\d{1,15}) *\|")
_KEY = re.compile(rb" *[A-Za-z][\w /().%-]{0,60}")
# Printed by all versions, after the loss: with it a line is known to be whole though other output follows.
_LAST = b" number of nan iterations:"
# The names that a quantity has, the best first, with the factor to our unit; after `|` each begins with a space.
_QUANTITIES = (
    (b" elapsed time per iteration (ms)", "ms_per_iteration", 1.0),
    (b" elapsed time per iteration (s)", "ms_per_iteration", 1000.0),
    (b" lm loss", "loss", 1.0),
    (b" loss", "loss", 1.0),
    (b" grad norm", "grad_norm", 1.0),
    (b" learning rate", "learning_rate", 1.0),
    (b" throughput per GPU (TFLOP/s/GPU)", "throughput", 1.0),
    (b" TFLOPs", "throughput", 1.0),
    (b" samples per second", "throughput", 1.0),
)
_BATCH_SIZE = b" global batch size"


def _progress(line: bytes) -> Progress | None:
    """Read a progress line; None if it was cut or mixed with other output, since its numbers may be wrong then."""
    at = line.rfind(b"iteration ", 0, line.rfind(_ELAPSED))
    head = _HEAD.match(line, at) if at >= 0 else None
    if not head:
        return None
    try:
        fields = _fields(line[head.end() :])
        batch_size = fields.get(_BATCH_SIZE)
        return Progress(
            iteration=int(head[1]),
            total=int(head[2]),
            batch_size=None if batch_size is None else int(batch_size),
            timestamp=last_stamp(line[:at]),
            **_numbers(fields),
        )
    except ValueError:
        return None


def _fields(text: bytes) -> dict[bytes, bytes]:
    """Return the values of `key: value | key: value |` by key; raise ValueError if the text is cut or not only that."""
    text = text.rstrip()
    if not text.endswith(b"|"):
        text = text[: text.index(b"|", text.index(_LAST)) + 1]
    pairs = [pair.split(b":", 1) for pair in text[:-1].split(b"|")]
    fields = dict(pairs)
    if len(fields) < len(pairs) or not _are_keys(tuple(fields)):
        raise ValueError("mixed with other output")
    return fields


@lru_cache(maxsize=64)
def _are_keys(words: tuple[bytes, ...]) -> bool:
    return all(_KEY.fullmatch(word) for word in words)


def _numbers(fields: Mapping[bytes, bytes]) -> dict[str, float]:
    """Return the quantities that the fields tell, by our names; raise ValueError if one is no number."""
    numbers: dict[str, float] = {}
    for key, name, factor in _QUANTITIES:
        if key in fields and name not in numbers:
            numbers[name] = float(fields[key]) * factor
    return numbers


_SETTING = marker(
    MarkerKind.SETTING,
    rb"(?<![\w.])(?P<name>(?:log|eval|save)_interval|train_iters) \.{3,} (?P<value>[^\s|]{1,40})\s*$",
)

DIALECT = Dialect(
    "megatron",
    (
        Rule(_ELAPSED, _progress),
        Rule(
            b"saving checkpoint at iteration",
            marker(MarkerKind.CHECKPOINT_START, rb"saving checkpoint at iteration +(?P<iteration>\d{1,15})\b"),
        ),
        Rule(
            b"successfully saved checkpoint",
            marker(
                MarkerKind.CHECKPOINT_END,
                rb"successfully saved checkpoint (?:from|at) iteration +(?P<iteration>\d{1,15})\b",
            ),
        ),
        Rule(
            b"validation loss at ",
            marker(
                MarkerKind.EVALUATION_END,
                rb"validation loss at (?:iteration +(?P<iteration>\d{1,15})\b|the end of training)",
            ),
        ),
        Rule(b"Evaluating iter", marker(MarkerKind.EVALUATION, rb"(?P<text>Evaluating iter +\d{1,15}/ *\d{1,15})\b")),
        Rule(
            b"[before the start of training step]",
            marker(MarkerKind.START, rb"\[before the start of training step\]"),
        ),
        Rule(b"[after training is done]", marker(MarkerKind.TRAINING_DONE, rb"\[after training is done\]")),
        Rule(
            b"[exiting program ",
            marker(
                MarkerKind.EXITING,
                rb"\[(?P<text>exiting program (?:at iteration +(?P<iteration>\d{1,15})|[^\]\[]{1,80}))\]",
            ),
        ),
        Rule(b"_interval", _SETTING),
        Rule(b"train_iters", _SETTING),
    ),
)
