"""Detectron2 (https://github.com/facebookresearch/detectron2): the lines of `CommonMetricPrinter`, from zero on.

`time` is a mean over the last lines. What a training took is printed also when it was broken off; only the last
checkpoint has a name of its own. Of several configurations that are printed, the last is the one that counts.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress

DIALECT = Dialect(
    "detectron2",
    title="Detectron2",
    example="""\
[04/02 10:00:39 d2.utils.events]:  eta: 17:59:33  iter: 16019  total_loss: 0.1668  loss_cls: 0.05885  \
loss_box_reg: 0.07775  time: 0.6832  last_time: 0.6702  data_time: 0.0734  lr: 0.02  max_mem: 11811M""",
    rules=(
        progress(
            " total_loss: ",
            r"\biter: (?P<iteration>\d{1,15})  ",
            keys={"total_loss": "loss", "time": "s", "lr": "learning_rate"},
            expression=True,
        ),
        context("MAX_ITER: ", r"^ {0,8}MAX_ITER: (?P<total>\d{1,15})\s{0,9}$", expression=True),
        marker(MarkerKind.START, "Starting training from iteration "),
        marker(MarkerKind.EVALUATION, "Start inference on "),
        marker(MarkerKind.EVALUATION_END, "Total inference time: "),
        marker(MarkerKind.TRAINING_DONE, "Saving checkpoint to ", rb"Saving checkpoint to \S{0,400}model_final\.pth"),
        marker(
            MarkerKind.CHECKPOINT_START,
            "Saving checkpoint to ",
            rb"checkpoint(?:\]| INFO): {1,20}Saving checkpoint to ",
        ),
        marker(
            MarkerKind.EXITING, "Overall training speed: ", rb"(?P<text>Overall training speed: \d{1,15} iterations)"
        ),
    ),
)
