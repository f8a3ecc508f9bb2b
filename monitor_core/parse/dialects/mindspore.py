"""MindSpore and MindFormers.

Layouts are those of `LossMonitor` and `TimeMonitor` in MindSpore (https://gitee.com/mindspore/mindspore), and of
`MFLossMonitor` in MindFormers. MindSpore tells neither how long an epoch is nor how many there are, and the time per
iteration only after each.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress

_KEYS = {
    "loss": "loss",
    "per_step_time": "ms",
    "lr": "learning_rate",
    "global_norm": "grad_norm",
    "loss_scale": "loss_scale",
    "train_throughput_per_npu": "throughput",
}

DIALECT = Dialect(
    "mindspore",
    title="MindSpore, MindFormers",
    example="""\
2026-11-02 08:15:42,122 - mindformers[mindformers/core/callback/callback.py:563] - INFO - { Epoch:[  1/  2],\
 step:[   20/ 6500], loss: 8.900, per_step_time: 810ms, lr: 1.2e-05, overflow cond: False, loss_scale: 1.0,\
 global_norm: [2.101], train_throughput_per_npu: 171.21T
epoch: 1 step: 40, loss is 2.2013
Train epoch time: 61231.310 ms, per step time: 122.462 ms""",
    rules=(
        progress("{ Epoch:[", "Epoch:[{epoch}/{epochs}], step:[{batch}/{batches}]", keys=_KEYS, first_epoch=1),
        progress(", loss is ", "epoch: {epoch} step: {batch}, loss is {loss}", first_epoch=1),
        context("per step time: ", "per step time: {ms}"),
        marker(MarkerKind.START, ".Starting Training Model."),
        marker(MarkerKind.CHECKPOINT_START, ".Saving ckpt."),
        marker(MarkerKind.TRAINING_DONE, ".Training Over!."),
    ),
)
