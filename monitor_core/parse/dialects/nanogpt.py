"""The log lines of nanoGPT and its forks.

Layouts are those of train.py and configurator.py (https://github.com/karpathy/nanoGPT). The total is known only where
it was given on the command line or in a file; the first MFU of -100 % is normal.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress

DIALECT = Dialect(
    "nanogpt",
    title="nanoGPT",
    example="""\
iter 200: loss 3.1204, time 214.55ms, mfu 31.20%
step 250: train loss 2.9711, val loss 3.0102""",
    ends_at_total=True,
    rules=(
        progress(
            ", time ",
            r"iter (?P<iteration>\d{1,15}): loss (?P<loss>[\w.+-]{1,30}), time (?P<ms>[\d.]{1,20})ms"
            r"(?:.{0,80}?, lr (?P<learning_rate>[\d.e+-]{1,20}))?",
            expression=True,
        ),
        context("Overriding: max_iters = ", "Overriding: max_iters = {total}"),
        marker(MarkerKind.START, "tokens per iteration will be: "),
        marker(
            MarkerKind.EVALUATION_END,
            ", val loss ",
            rb"step (?P<iteration>\d{1,15}): train loss \S{1,30}, val loss ",
        ),
        marker(MarkerKind.CHECKPOINT_START, "saving checkpoint to ", rb"(?<!\w)saving checkpoint to "),
    ),
)
