"""The log lines of GPT-NeoX: Megatron's, with other keys, and DeepSpeed's around them.

Layouts are those of `training_log` in megatron/logging.py and of megatron/training.py
(https://github.com/EleutherAI/gpt-neox). A loss and a time are means since the line before. What the pipeline engine
prints of the same iteration (`steps: 10 loss: ...`) is no second report.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress
from monitor_core.parse.dialects import deepspeed

_KEYS = {
    "loss scale": "loss_scale",
    "number of skipped iterations": "skipped",
    "number of nan iterations": "nan_iterations",
}

DIALECT = Dialect(
    "gpt-neox",
    title="GPT-NeoX",
    example="""\
 samples/sec: 412.118 | iteration      200/    5000 | elapsed time per iteration (ms): 621.2 |\
 learning rate: 2.400E-04 | approx flops per GPU: 121.4TFLOPS | lm_loss: 6.402183E+00 | loss scale: 32768.0 |\
 number of skipped iterations:   0 | number of nan iterations:   0 |""",
    rules=(
        progress(
            "samples/sec: ",
            "samples/sec: {throughput} | iteration {iteration}/{total} | elapsed time per iteration (ms): {ms} |"
            " learning rate: {learning_rate} |{any}lm_loss: {loss} |",
            keys=_KEYS,
        ),
        marker(MarkerKind.EVALUATION, "Evaluating iter ", rb"Evaluating iter \d{1,15}/"),
        marker(
            MarkerKind.EVALUATION_END,
            " results at ",
            rb"(?:validation|test) results at (?:iteration (?P<iteration>\d{1,15}) |the end of training)",
        ),
        marker(MarkerKind.START, "[before the start of training step]"),
        marker(MarkerKind.TRAINING_DONE, "[after training is done]"),
        marker(
            MarkerKind.EXITING,
            "exiting the program at iteration ",
            rb"(?P<text>exiting the program at iteration (?P<iteration>\d{1,15}))\b",
        ),
        *deepspeed.SAVING,
    ),
)
