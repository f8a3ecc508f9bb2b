"""MMEngine and the older MMCV, on which mmdetection, mmsegmentation and their kin run, by epochs or by iterations.

Layouts are those of the logger hooks in https://github.com/open-mmlab/mmengine and https://github.com/open-mmlab/mmcv.
Neither prints that a training is done, but early stopping says that it is.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, Rule, context, marker, progress

_KEYS = {"time": "s", "loss": "loss", "lr": "learning_rate", "grad_norm": "grad_norm"}
_EPOCH = r"\[(?P<epoch>\d{1,9})\]\[ {0,20}(?P<batch>\d{1,15})/(?P<batches>\d{1,15})\]"
_ITERATION = r"\[ {0,20}(?P<iteration>\d{1,15})/(?P<total>\d{1,15})\]"


def _line(literal: str, pattern: str) -> Rule:
    return progress(literal, pattern, keys=_KEYS, first_epoch=1, expression=True)


DIALECT = Dialect(
    "mmengine",
    title="MMEngine, MMCV; MMDetection, MMSegmentation and their kin",
    example="""\
2026/04/02 14:10:05 - mmengine - INFO - Epoch(train)  [2][ 50/916]  lr: 2.0000e-02  eta: 3:10:20  time: 0.4121  \
data_time: 0.0102  memory: 5210  loss: 0.8342
2026/04/02 14:10:05 - mmengine - INFO - Iter(train) [ 10000/160000]  lr: 9.4e-03  eta: 16:20:01  time: 0.3921  loss: 0.4
2021-05-31 13:38:21,660 - mmseg - INFO - Iter [50/40000]\tlr: 9.989e-03, eta: 4:21:10, time: 0.392, data_time: 0.009, \
memory: 11440, decode.loss_seg: 1.7530, loss: 1.7530""",
    ends_at_total=True,
    rules=(
        _line("(train)", r"\bEpoch\(train\) {1,20}" + _EPOCH + r" "),
        _line("(train)", r"\bIter\(train\) {1,20}" + _ITERATION + r" "),
        _line("Epoch [", r" - Epoch " + _EPOCH + r"\t"),
        _line("Iter [", r" - Iter " + _ITERATION + r"\t"),
        context(
            "max_epochs",
            r"^ {0,20}(?:(?:train_cfg|runner) = dict\(.{0,200}?)?\bmax_epochs=(?P<epochs>\d{1,9})\b",
            expression=True,
        ),
        context("total_epochs = ", "total_epochs = {epochs}"),
        context(" epochs", r"workflow: .{1,200}, max: (?P<epochs>\d{1,9}) epochs", expression=True),
        marker(
            MarkerKind.TRAINING_DONE,
            "the monitored metric did not improve in the last ",
            rb"last \d{1,9} records\. best score",
        ),
        marker(MarkerKind.START, "Hooks will be executed in the following order:"),
        marker(MarkerKind.EVALUATION, "(val)", rb"\b(?:Iter|Epoch)\(val\) .{1,60}\beta: "),
        marker(MarkerKind.EVALUATION_END, "(val)", rb"\b(?:Iter|Epoch)\(val\) "),
        marker(
            MarkerKind.CHECKPOINT_START,
            "Saving checkpoint at ",
            rb"Saving checkpoint at (?:(?P<iteration>\d{1,15}) iterations|\d{1,9} epochs)",
        ),
    ),
)
