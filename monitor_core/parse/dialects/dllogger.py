"""DLLogger, which NVIDIA's examples print their values with, as text and as JSON.

The layout is that of `StdOutBackend` and `JSONStreamBackend` (https://github.com/NVIDIA/dllogger), and of the RNN-T of
MLPerf, which writes its own text. An iteration is told as one of its epoch or of all; its fall tells which. A line of
no step sums the training up.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, Rank, context, marker, progress
from monitor_core.parse.dialects.mllog import MARKERS

_KEYS = {
    "train.loss": "loss",
    "train_loss": "loss",
    "total_loss": "loss",
    "step_loss": "loss",
    "loss": "loss",
    "train.lr": "learning_rate",
    "learning_rate": "learning_rate",
    "lr": "learning_rate",
    "train.ips": "throughput",
    "throughput_train": "throughput",
    "throughput": "throughput",
    "grad_norm": "grad_norm",
    "loss_scaler": "loss_scale",
}
_TEXT = (
    r"DLL \d{4}-\S{1,20} \S{1,20} - (?:(?:Training )?Epoch: (?P<epoch>\d{1,9}) )?(?:Training )?"
    r"Iteration: (?P<batch>\d{1,15}) {1,9}(?!val|eval|test|final|Valid|\w{0,20}_eval)"
)
_RNNT = (
    r"DLL .{0,60} - epoch {1,9}(?P<epoch>\d{1,9}) \| "
    r"iter {1,9}(?=(?P<interval>\d{1,9}))(?P<batch>\d{1,9})/(?P<batches>\d{1,9})"
    r" \| loss {1,9}(?P<loss>[\d.]{1,20}|nan|inf) \|.{0,40}\| took {1,9}(?P<interval_s>[\d.]{1,12}) s"
    r"(?: \| lrate {1,9}(?P<learning_rate>[\d.e-]{1,20}))?"
)
_JSON = r'"type": "LOG", "step": \[(?P<epoch>\d{1,9}), (?P<batch>\d{1,15})\], "data"'

DIALECT = Dialect(
    "dllogger",
    title="NVIDIA DLLogger (DeepLearningExamples)",
    example="""\
DLL 2026-11-02 08:15:42.226566 - Epoch: 0 Iteration: 19  train.loss : 6.952979  train.ips : 1040.91 images/s
DLL 2026-11-02 08:15:43.935614 - Epoch: 0 Iteration: 39  train.loss : 6.680744  train.ips : 23970.57 images/s""",
    rank=Rank.LIBRARY,
    rules=(
        progress("DLL ", _TEXT, keys=_KEYS, expression=True),
        progress(" | took ", _RNNT, expression=True, first_epoch=1),
        progress('"type": "LOG", "step": [', _JSON, keys=_KEYS, expression=True, first_epoch=1),
        context("PARAMETER | epochs : ", "PARAMETER | epochs : {epochs}"),
        context("num_train_steps: ", "num_train_steps: {total}"),
        marker(MarkerKind.TRAINING_DONE, "DLL ", rb"DLL \d{4}-\S{1,20} \S{1,20} - (?:Summary:| [\w|])"),
        *MARKERS,
    ),
)
