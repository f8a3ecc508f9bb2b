"""The log lines of modded-nanogpt's speed runs.

Layouts are those of train_gpt.py and train_gpt2.py over the years (https://github.com/KellerJordan/modded-nanogpt).
The time is a mean since the start, and `nan` for the first ten iterations of some versions. The oldest print neither
total nor time, and others no training loss. `val_loss` (`tel`) is that of an evaluation.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress

DIALECT = Dialect(
    "modded-nanogpt",
    title="modded-nanogpt",
    example="""\
step:200/1750 train_loss:5.0312 train_time:28210ms step_avg:141.05ms
step:250/1750 val_loss:4.6021 train_time:35260ms step_avg:141.04ms""",
    ends_at_total=True,
    rules=(
        marker(
            MarkerKind.EVALUATION_END,
            " val_loss:",
            rb"(?<!\w)step:(?P<iteration>\d{1,15})/\d{1,15} val_loss:",
        ),
        progress(
            " step_avg:",
            r"(?<!\w)step:(?P<iteration>\d{1,15})/(?P<total>\d{1,15}) (?:train_loss:(?P<loss>[\w.+-]{1,30}) )?"
            r"train_time:\S{1,30} step_avg:(?:nan|(?P<ms>[\d.]{1,20}))ms",
            expression=True,
        ),
        marker(MarkerKind.EVALUATION_END, " tel:", rb"^s:(?P<iteration>\d{1,15}) tel:"),
        progress(" trl:", "s:{iteration} trl:{loss}"),
        marker(MarkerKind.TRAINING_DONE, "stopping_early: "),
        marker(MarkerKind.TRAINING_DONE, "peak memory ", rb"^peak memory (?:consumption|allocated): \d"),
    ),
)
