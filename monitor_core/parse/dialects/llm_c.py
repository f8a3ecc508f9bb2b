"""The log lines of llm.c: CUDA, Python and plain C.

Layouts are those of train_gpt2.cu, train_gpt2.py and train_gpt2.c (https://github.com/karpathy/llm.c). The figures in
brackets are z-scores, `nan` for the first iterations of a healthy run. Plain C counts from zero and prints no total.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress

_SCORE = r"(?: \(\S{1,20}z\))?[ |]{1,9}"

DIALECT = Dialect(
    "llm.c",
    title="llm.c",
    example="""\
step  200/19560 | loss 5.120311 (-1.02z)| norm 1.2042 (+0.41z)| lr 1.71e-04 | 244.31 ms | 52.1% bf16 MFU | 2145995 tok/s
step 20: train loss 4.531004 (took 1994.120000 ms)""",
    ends_at_total=True,
    rules=(
        progress(
            " tok/s",
            r"step {1,20}(?P<iteration>\d{1,15})/(?P<total>\d{1,15}) \| (?:train )?loss (?P<loss>\S{1,30})"
            + _SCORE
            + r"norm (?P<grad_norm>\S{1,30})"
            + _SCORE
            + r"lr (?P<learning_rate>\S{1,30}) \| \(?(?P<ms>[\d.]{1,20}) ms \| (?:[^|]{1,40}\| )?"
            r"(?P<throughput>[\d.]{1,20}) tok/s",
            expression=True,
        ),
        progress(" (took ", "step {iteration}: train loss {loss} (took {ms} ms)"),
        marker(MarkerKind.EVALUATION_END, "val loss ", rb"^val loss [\d.]{1,30}\s{0,9}$"),
        marker(MarkerKind.CHECKPOINT_START, "Writing model to ", rb"^Writing model to "),
        marker(MarkerKind.TRAINING_DONE, "total average iteration time: "),
    ),
)
