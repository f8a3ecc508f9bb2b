"""Keras (https://github.com/keras-team/keras), alone or in TensorFlow: a bar (`verbose=1`) or a line for each epoch.

A bar is drawn again and again. Evaluations draw the same bars, but no `Epoch 1/3` stands before them. An end is not
printed.
"""

from __future__ import annotations

import re
from dataclasses import replace

from monitor_core.model.records import MarkerKind, Record
from monitor_core.parse.counter import Counter
from monitor_core.parse.dialect import Dialect, Rule, marker, progress

_KEYS = {"loss": "loss", "learning_rate": "learning_rate", "lr": "learning_rate"}
_PLACE = r"(?:^|:) {0,20}(?P<batch>[1-9]\d{0,14})/(?P<batches>\d{1,15}) "
_BAR = r"(?:(?:━){5,80}|\[[=>.]{5,80}\] -)(?: (?:ETA: )?[\d:]{1,12}s?)?"
_TIME = r"(?: (?:(?P<ms>\d{1,9})ms|(?P<s>\d{1,9})s|\d{1,9}us)/step)?"
_LINE = rf"{_PLACE}(?:{_BAR}|- \d{{1,9}}s -){_TIME} -? ?"
_EPOCH = re.compile(rb"(?:^|:) *Epoch (?P<epoch>\d{1,9})/(?P<epochs>\d{1,9})\s{0,9}$")


def _epoch(line: bytes, counter: Counter) -> None:
    match = _EPOCH.search(line)
    if match:
        counter.hold({name: int(word) for name, word in match.groupdict().items()})
        counter.release()


def _place(literal: str) -> Rule:
    """Return the rule of the bars and lines of a training: each goes on from the one before, after its epoch's name."""
    rule = progress(literal, _LINE, keys=_KEYS, first_epoch=1, expression=True)
    place = re.compile(_PLACE.encode()).search

    def read(line: bytes, counter: Counter) -> Record | None:
        match = place(line)
        if not match or counter.epoch is None:
            return None
        batch, length = int(match["batch"]), int(match["batches"])
        if not counter.free and (length != counter.bar or batch <= counter.done):
            return None
        record = rule.read(line, counter)
        if record:
            counter.bar, counter.free, counter.done = length, False, batch
        return record

    return replace(rule, read=read)


DIALECT = Dialect(
    "keras",
    title="Keras",
    example="""\
Epoch 1/3
 19/100 ━━━━━━━━━━━━━━━━━━━━ 4s 54ms/step - accuracy: 0.5461 - loss: 0.6800
100/100 - 5s - 54ms/step - accuracy: 0.5500 - loss: 0.6772 - val_accuracy: 0.5938 - val_loss: 0.6258""",
    ends_at_total=True,
    rules=(
        marker(
            MarkerKind.EXITING, ": Invalid loss, ", rb"(?P<text>Batch \d{1,15}: Invalid loss, terminating training)"
        ),
        _place("/step - "),
        _place(" - ETA: "),
        _place("s - loss: "),
        Rule(b"Epoch ", _epoch),
        marker(MarkerKind.CHECKPOINT_END, ": finished saving model to ", rb"Epoch \d{1,9}: finished saving model to "),
        marker(MarkerKind.CHECKPOINT_START, "saving model to ", rb"Epoch \d{1,9}: .{0,120}?saving model to "),
        marker(MarkerKind.TRAINING_DONE, ": early stopping", rb"Epoch \d{1,9}: early stopping"),
    ),
)
