"""HugeCTR.

The layout is that of `Model::fit` (https://github.com/NVIDIA-Merlin/HugeCTR), the same in all versions behind its
prefix. The time in a line covers as many iterations as the line says.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress
from monitor_core.parse.dialects.mllog import MARKERS

DIALECT = Dialect(
    "hugectr",
    title="HugeCTR",
    example="""\
[HCTR][08:15:42.201][INFO][RK0][main]: Iter: 1000 Time(1000 iters): 3.530000s Loss: 0.138000 lr:0.001
[HCTR][08:15:47.201][INFO][RK0][main]: Iter: 2000 Time(1000 iters): 3.480000s Loss: 0.136000 lr:0.001""",
    rules=(
        progress(
            " iters): ",
            "Iter: {iteration} Time({interval} iters): {interval_s}s Loss: {loss} lr:{learning_rate}",
        ),
        context("number of iterations: ", "Use non-epoch mode with number of iterations: {total}"),
        marker(MarkerKind.EVALUATION_END, "Evaluation, "),
        marker(
            MarkerKind.TRAINING_DONE, " iterations with batchsize: ", rb"Finish \d{1,15} iterations with batchsize: "
        ),
        *MARKERS,
    ),
)
