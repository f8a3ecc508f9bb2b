"""The trainer of PaddleNLP and PaddleFormers.

The layout is that of `Trainer` and `PrinterCallback` in PaddleNLP (https://github.com/PaddlePaddle/PaddleNLP). It took
its words from the Hugging Face Trainer, but its values come without quotes, and with the iteration. An interval in
which was evaluated or saved holds that time, too.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress
from monitor_core.parse.dialects.paddle import LAUNCHER

_KEYS = {
    "loss": "loss",
    "learning_rate": "learning_rate",
    "global_norm": "grad_norm",
    "grad_norm": "grad_norm",
    "interval_runtime": "interval_s",
    "interval_samples_per_second": "throughput",
}

DIALECT = Dialect(
    "paddlenlp",
    title="PaddleNLP, PaddleFormers, ERNIEKit",
    example="""\
[2026-11-02 08:15:42,008] [    INFO] - loss: 3.25806541, learning_rate: 2.999e-05, global_step: 10,\
 interval_runtime: 2.2591, interval_samples_per_second: 35.41, interval_steps_per_second: 4.427, epoch: 0.02
[2026-11-02 08:15:44,271] [    INFO] - loss: 2.78513584, learning_rate: 2.998e-05, global_step: 20,\
 interval_runtime: 2.2474, interval_samples_per_second: 35.60, interval_steps_per_second: 4.450, epoch: 0.05""",
    announces_end=True,
    rules=(
        progress(
            ", global_step: ",
            r"(?= loss: )(?=.{0,200}?, global_step: (?P<iteration>\d{1,15}),)",
            keys=_KEYS,
            expression=True,
        ),
        context("  Total optimization steps = ", "  Total optimization steps = {total}"),
        marker(MarkerKind.START, "***** Running training *****"),
        marker(MarkerKind.EVALUATION, "***** Running Evaluation *****"),
        marker(MarkerKind.EVALUATION_END, " - eval_", rb" - eval_\w{1,80}: "),
        marker(MarkerKind.CHECKPOINT_START, "Saving model checkpoint to "),
        marker(MarkerKind.TRAINING_DONE, " train_runtime: "),
        *LAUNCHER,
    ),
)
