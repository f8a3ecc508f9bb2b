"""MXNet: its Speedometer, GluonCV's training scripts and the SSD of MLPerf.

Layouts are those of `Speedometer` (https://github.com/apache/mxnet), of `train_*.py` in GluonCV, and of NVIDIA's SSD
for MLPerf. The SSD's command line tells how many epochs. What is called after a metric is what the script trains for.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress
from monitor_core.parse.dialects.mllog import MARKERS

_KEYS = {
    "loss": "loss",
    "cross-entropy": "loss",
    "CrossEntropy": "loss",
    "lr": "learning_rate",
    "Speed": "throughput",
    "speed": "throughput",
    "training time": "ms",
}

DIALECT = Dialect(
    "mxnet",
    title="MXNet Speedometer, GluonCV, MLPerf SSD",
    example="""\
INFO:root:Epoch[0] Batch [0-20]\tSpeed: 2510.11 samples/sec\taccuracy=0.120000\tcross-entropy=6.512300
INFO:root:[Training][Iteration 100][Epoch 1, Batch 100/115] lr: 0.10000, training time: 230.951 [ms],\
 speed: 4433.853 [imgs/sec], loss=9.127""",
    rules=(
        progress(
            "] Batch [",
            r"Epoch\[(?P<epoch>\d{1,9})\] Batch \[(?:\d{1,15}-)?(?P<batch>\d{1,15})\]",
            keys=_KEYS,
            expression=True,
        ),
        progress("][Batch ", "[Epoch {epoch}][Batch {batch}]", keys=_KEYS),
        progress(
            "[Training][Iteration ",
            "[Training][Iteration {iteration}][Epoch {epoch}, Batch {batch}/{batches}]",
            keys=_KEYS,
        ),
        context("--epochs ", "--epochs {epochs}"),
        marker(MarkerKind.CHECKPOINT_END, 'Saved checkpoint to "'),
        *MARKERS,
    ),
)
