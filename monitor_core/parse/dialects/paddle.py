"""PaddlePaddle: PaddleSeg, PaddleDetection, PaddleClas, PaddleOCR and paddle.Model.fit.

Layouts are those of `train` in PaddleSeg, `LogPrinter` in PaddleDetection, `log_info` in PaddleClas old and new,
`train` in PaddleOCR (https://github.com/PaddlePaddle) and `ProgBarLogger` in paddle.hapi. The checkpoint lines of all
but hapi come when it is written. hapi prints its evaluation as it prints training.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress
from monitor_core.parse.fields import FIELDS

_KEYS = {
    "loss": "loss",
    "lr": "learning_rate",
    "learning_rate": "learning_rate",
    "batch_cost": "s",
    "avg_batch_cost": "s",
    "ips": "throughput",
}
_COUNT, _VALUE = FIELDS["iteration"].pattern, FIELDS["loss"].pattern
_HAPI = (
    rf"^step (?P<batch>{_COUNT})/(?P<batches>{_COUNT}) (?:\[[=>.]{{1,80}}\] )?- (?:loss: \[?(?P<loss>{_VALUE}))?"
    rf"(?:.{{0,400}} - (?:(?P<ms>{_VALUE})ms|(?P<s>{_VALUE})s)/step)?"
)
# What paddle.distributed.launch says of all that it has launched.
LAUNCHER = (marker(MarkerKind.TRAINING_DONE, "Pod completed"),)

DIALECT = Dialect(
    "paddle",
    title="PaddlePaddle: PaddleSeg, PaddleDetection, PaddleClas, PaddleOCR, Model.fit",
    example="""\
2026-11-02 08:15:42 [INFO]\t[TRAIN] epoch: 1, iter: 120/80000, loss: 1.0382, lr: 0.009963, batch_cost: 1.1021,\
 reader_cost: 0.00013, ips: 1.8148 samples/sec | ETA 24:23:22
[2026/11/02 08:15:42] ppcls INFO: [Train][Epoch 1/90][Iter: 130/5005]lr: 0.10000, CELoss: 6.90513, loss: 6.90513,\
 batch_cost: 0.31242s, reader_cost: 0.00211, ips: 819.40 samples/s, eta: 1 day, 15:05:11
[11/02 08:15:42] ppdet.engine INFO: Epoch: [0] [140/7329] learning_rate: 0.000467 loss: 2.114237 eta: 5:10:11\
 batch_cost: 0.2111 data_cost: 0.0012 ips: 37.8967 images/s
step 150/400 [=======>......................] - loss: 0.8483 - acc: 0.7000 - ETA: 6s - 25ms/step""",
    ends_at_total=True,
    rules=(
        progress("[TRAIN] epoch: ", "[TRAIN] epoch: {any:epoch}, iter: {iteration}/{total}", keys=_KEYS),
        progress(
            "[Train][Epoch ", "[Train][Epoch {epoch}/{epochs}][Iter: {batch}/{batches}]", keys=_KEYS, first_epoch=1
        ),
        progress("train step:", "epoch:{epoch} train step:{batch}", keys=_KEYS),
        progress("] learning_rate: ", "Epoch: [{epoch}] [{batch}/{batches}]", keys=_KEYS),
        progress("], global_step: ", "epoch: [{any:epoch}], global_step: {iteration},", keys=_KEYS),
        progress("s/step", _HAPI, expression=True, first_epoch=1),
        context("Epoch ", "Epoch {epoch}/{epochs}"),
        marker(MarkerKind.START, "The loss value printed in the log is the current step"),
        marker(MarkerKind.EVALUATION, "Eval begin...", hides=10**9),
        marker(MarkerKind.EVALUATION_END, "Eval samples: "),
        marker(MarkerKind.EVALUATION, "Start evaluating (total_samples: "),
        marker(MarkerKind.EVALUATION_END, "[EVAL] #Images: "),
        marker(MarkerKind.EVALUATION, "[Eval][Epoch ", rb"\[Eval\]\[Epoch \d{1,9}\]\[Iter: "),
        marker(MarkerKind.EVALUATION_END, "[Eval][Epoch ", rb"\[Eval\]\[Epoch \d{1,9}\]\[Avg\]"),
        marker(MarkerKind.CHECKPOINT_START, "save checkpoint at "),
        marker(MarkerKind.CHECKPOINT_END, "Already save model in "),
        marker(MarkerKind.CHECKPOINT_END, "Save checkpoint: "),
        *LAUNCHER,
    ),
)
