"""The log lines of MaxText and of JAX scripts that took them over.

Layouts are those of train.py and metric_logger.py over the years (https://github.com/AI-Hypercomputer/maxtext). Counts
from zero, so that the last iteration is one less than the total, which stands in the dump of the configuration.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress

DIALECT = Dialect(
    "maxtext",
    title="MaxText",
    example="""\
completed step: 200, seconds: 11.913, TFLOP/s/device: 311.784, Tokens/s/device: 8251.826, total_weights: 8388608,\
 loss: 5.120""",
    ends_at_total=True,
    first_iteration=0,
    rules=(
        progress(
            "completed step: ",
            "completed step: {iteration}, seconds: {s}, ",
            keys={"loss": "loss", "TFLOP/s/device": "throughput", "Tokens/s/device": "throughput"},
        ),
        context("Config param steps: ", "Config param steps: {total}"),
        marker(MarkerKind.EVALUATION, "Completed eval step "),
        marker(
            MarkerKind.EVALUATION_END,
            "eval metrics after step: ",
            rb"eval metrics after step: (?P<iteration>\d{1,15})\b",
        ),
        marker(
            MarkerKind.EVALUATION_END,
            "Completed eval after train step ",
            rb"Completed eval after train step (?P<iteration>\d{1,15})\b",
        ),
        marker(
            MarkerKind.CHECKPOINT_END,
            "saved a checkpoint at step ",
            rb"saved a checkpoint at step (?P<iteration>\d{1,15})\b",
        ),
    ),
)
