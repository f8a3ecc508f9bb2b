"""YOLOX (https://github.com/Megvii-BaseDetection/YOLOX): the lines of its `Trainer`; epochs and places begin at one."""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress

DIALECT = Dialect(
    "yolox",
    title="YOLOX",
    example="""\
2026-04-02 14:10:45 | INFO     | yolox.core.trainer:270 - epoch: 1/300, iter: 10/925, gpu mem: 5210Mb, \
iter_time: 0.416s, data_time: 0.002s, total_loss: 13.7, iou_loss: 4.1, lr: 1.250e-04, size: 640, ETA: 1 day, 7:40:12""",
    rules=(
        progress(
            ", iter_time: ",
            "epoch: {epoch}/{epochs}, iter: {batch}/{batches}, ",
            keys={"iter_time": "s", "total_loss": "loss", "lr": "learning_rate"},
            first_epoch=1,
        ),
        marker(MarkerKind.START, "Training start..."),
        marker(MarkerKind.CHECKPOINT_START, " - Save weights to "),
        marker(MarkerKind.TRAINING_DONE, "Training of experiment is done and the best AP is "),
    ),
)
