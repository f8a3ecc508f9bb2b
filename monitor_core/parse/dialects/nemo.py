"""The log lines of NeMo: the lines of version 2, and the bars of Lightning that version 1 gives its own values.

Layouts are those of lightning/pytorch/callbacks/progress_printer.py and model_checkpoint.py
(https://github.com/NVIDIA-NeMo/NeMo). Counts from zero, and the total that is printed is the last iteration. The
iteration of a line falls with a new epoch and when a run is resumed, `global_step` goes on.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress
from monitor_core.parse.dialects import lightning

_KEYS = {
    "reduced_train_loss": "loss",
    "grad_norm": "grad_norm",
    "lr": "learning_rate",
    "train_step_timing in s": "s",
    "global_batch_size": "batch_size",
}

DIALECT = Dialect(
    "nemo",
    title="NeMo",
    example="""\
Training epoch 0, iteration 200/4999 | lr: 3e-05 | global_batch_size: 512 | global_step: 200 |\
 reduced_train_loss: 5.12 | train_step_timing in s: 4.512 | consumed_samples: 102912
Epoch 0:   4%|▍         | 200/5000 [15:02<6:01:04, reduced_train_loss=5.120, train_step_timing in s=4.510]""",
    announces_end=True,
    rules=(
        progress(
            " | global_step: ",
            r"Training epoch \d{1,9}, iteration \d{1,15}/(?P<total>\d{1,15}) \|",
            keys={"global_step": "iteration", **_KEYS},
            expression=True,
        ),
        progress("Training epoch ", "Training epoch {epoch}, iteration {iteration}/{total} |", keys=_KEYS),
        progress("train_step_timing in s=", "%|{any}| {iteration}/{total} [", keys=_KEYS),
        marker(MarkerKind.EVALUATION, "Validation: iteration ", rb"Validation: iteration \d{1,15}/"),
        marker(MarkerKind.CHECKPOINT_START, "Scheduled async checkpoint save for "),
        marker(
            MarkerKind.CHECKPOINT_END,
            "sync checkpoint save for step ",
            rb"sync checkpoint save for step (?P<iteration>\d{1,15})\b.{0,600}? finalized successfully",
        ),
        marker(
            MarkerKind.CHECKPOINT_END,
            "Global Checkpoint Save ",
            rb"Global Checkpoint Save .{0,80}?Iteration: (?P<iteration>\d{1,15})\b",
        ),
        marker(MarkerKind.TRAINING_DONE, "`Trainer.fit` stopped: `max_", rb"`max_(?:steps|epochs)=\S{1,40}` reached"),
        marker(
            MarkerKind.EXITING, "Preemption detected", rb"(?P<text>Preemption detected), saving checkpoint and exiting"
        ),
        *lightning.ENDS,
    ),
)
