"""The log lines of torchtitan, early and recent.

Layouts are those of components/metrics.py, components/checkpoint.py and train.py
(https://github.com/pytorch/torchtitan). The total stands only in the trainer's own line, and no line tells a time:
each has the date. Early versions say `wps` for `tps`.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress

DIALECT = Dialect(
    "torchtitan",
    title="torchtitan",
    example="""\
[rank0]:[titan] 2026-11-02 08:15:42,107 - root - INFO - step: 200  loss:  5.1234  grad_norm:  0.8123 \
 memory: 41.52GiB(52.10%)  tps: 6,912  tflops: 340.10  mfu: 34.39%
[rank0]:[titan] 2026-11-02 08:15:42,155 - root - INFO - Saving the checkpoint (or staging if async is enabled).""",
    announces_end=True,
    rules=(
        marker(
            MarkerKind.EVALUATION_END,
            "validate step: ",
            rb"validate step: {1,6}(?P<iteration>\d{1,15}) ",
        ),
        progress(
            "  memory: ",
            "step: {iteration}  loss: {loss}  ",
            keys={"grad_norm": "grad_norm", "tps": "throughput", "wps": "throughput"},
        ),
        context(", total steps ", ", total steps {total} (warmup"),
        marker(MarkerKind.START, " - Training starts at step "),
        marker(MarkerKind.CHECKPOINT_START, " - Saving ", rb" - Saving (?:the|a|a full) checkpoint\b"),
        marker(MarkerKind.CHECKPOINT_END, " - Finished saving the checkpoint"),
        marker(MarkerKind.TRAINING_DONE, " - Training completed", rb" - Training completed\s{0,9}$"),
    ),
)
