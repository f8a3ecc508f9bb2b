"""LLaMA-Factory's trainer_log.jsonl; its console prints as the Hugging Face Trainer does.

The layout is that of `LogCallback` in train/callbacks.py (https://github.com/hiyouga/LLaMA-Factory). A row tells the
time since the start in whole seconds; the row that closes a training has no loss.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress

_LITERAL = '"current_steps": '

DIALECT = Dialect(
    "llama-factory",
    title="LLaMA-Factory (trainer_log.jsonl)",
    example="""\
{"current_steps": 200, "total_steps": 5000, "loss": 1.2031, "lr": 3e-05, "epoch": 0.12, "percentage": 4.0,\
 "elapsed_time": "0:03:12", "remaining_time": "1:16:48"}""",
    rules=(
        marker(
            MarkerKind.EVALUATION_END,
            '"eval_loss": ',
            rb'"current_steps": (?P<iteration>\d{1,15}),.{0,80}"eval_loss": \d',
        ),
        progress(
            _LITERAL,
            '"current_steps": {iteration}, "total_steps": {total}, "loss": {loss},',
            keys={
                "lr": "learning_rate",
                "learning_rate": "learning_rate",
                "elapsed_time": "elapsed_s",
                "throughput": "throughput",
            },
        ),
        marker(MarkerKind.TRAINING_DONE, _LITERAL, rb'"percentage": 100(?:\.0{1,3})?[,}]'),
    ),
)
