"""The `MetricLogger` of torchvision's references, with which DETR, DINO, MAE, LAVIS and many others train.

Layouts are those of https://github.com/pytorch/vision/tree/main/references and https://github.com/facebookresearch/detr.
Epochs and places begin at zero. Each value is a median of the last ones, with the mean of all in brackets. An
evaluation is printed in the same layout under another name.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress

_EVALUATION = rb"\b(?:[Tt]est|[Ee]val(?:uation)?|[Vv]al(?:id|idation)?)\b:?[^\[\]]{0,40}(?:\[[\d/]{1,20}\])?\s{0,4}"

DIALECT = Dialect(
    "metric-logger",
    title="MetricLogger of torchvision's references; DETR, DINO, MAE, LAVIS",
    example="""\
Epoch: [0]  [  10/118]  eta: 0:00:21  lr: 0.000100  loss: 5.1000 (5.2004)  time: 0.2051  data: 0.0031  max mem: 3012
Test:  [ 0/10]  eta: 0:00:04  loss: 4.9000 (4.9000)  time: 0.4000  data: 0.2000  max mem: 3012""",
    announces_end=True,
    rules=(
        marker(MarkerKind.EVALUATION, "eta: ", _EVALUATION + rb"\[ {0,20}\d{1,15}/\d{1,15}\]\s{1,4}eta: "),
        progress(
            "poch: [",
            r"\b[Ee]poch: \[(?P<epoch>\d{1,9})(?:/(?P<epochs>\d{1,9}))?\]\s{1,4}"
            r"\[ {0,20}(?P<batch>\d{1,15})/(?P<batches>\d{1,15})\]\s{1,4}eta: ",
            keys={"loss": "loss", "time": "s", "lr": "learning_rate"},
            expression=True,
        ),
        context("epochs=", r"\bNamespace\((?:.{0,8000}?, )?epochs=(?P<epochs>[1-9]\d{0,8})\b", expression=True),
        context("epochs: ", r"^epochs: (?P<epochs>[1-9]\d{0,8})\s{0,9}$", expression=True),
        marker(MarkerKind.START, "Start training", rb"(?:^|\s)Start training\s{0,9}$"),
        marker(MarkerKind.EVALUATION_END, " Total time: ", _EVALUATION + rb" Total time: "),
        marker(
            MarkerKind.TRAINING_DONE,
            "Training time ",
            rb"(?:^|\s)Training time (?:\d{1,9} days?, )?\d{1,9}:\d\d:\d\d\s{0,9}$",
        ),
    ),
)
