"""The log lines of LitGPT, and of Lit-GPT before it.

Layouts are those of litgpt/pretrain.py and litgpt/finetune (https://github.com/Lightning-AI/litgpt). The iteration is
that of a batch, and the time that of one too; several may make a step of the optimizer. No total is printed.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress

DIALECT = Dialect(
    "litgpt",
    title="LitGPT",
    example="""\
Epoch 1 | iter 200 step 50 | loss train: 5.120, val: n/a | iter time: 214.55 ms (step) remaining time: 0:41:12""",
    announces_end=True,
    rules=(
        progress(
            " | iter time: ",
            r"\| iter (?P<iteration>\d{1,15}) step \d{1,15} \| loss train: (?P<loss>[\w.+-]{1,30}),"
            r" val: \S{1,30} \| iter time: (?P<ms>[\d.]{1,20}) ms",
            expression=True,
        ),
        progress(", iter time: ", "iter {iteration} step {any}: loss {loss}, iter time: {ms}ms"),
        marker(MarkerKind.EVALUATION, "Validating ...", rb"^Validating \.\.\."),
        marker(
            MarkerKind.EVALUATION_END,
            ": val loss ",
            rb"iter (?P<iteration>\d{1,15}): val loss \S{1,30}, val time: ",
        ),
        marker(MarkerKind.CHECKPOINT_START, "Saving checkpoint to ", rb"^Saving checkpoint to "),
        marker(MarkerKind.TRAINING_DONE, "Training time: ", rb"^Training time: [\d.]{1,20}s"),
        marker(MarkerKind.TRAINING_DONE, "| - Training Time : "),
    ),
)
