"""The log lines of OLMo and OLMo-core: a head with the iteration, then a value a line.

Layouts are those of olmo/train.py (https://github.com/allenai/OLMo) and of train/callbacks/console_logger.py,
speed_monitor.py and checkpointer.py (https://github.com/allenai/OLMo-core). A block is told when its speed is, the
last value that matters; the first blocks have none and are told by the next head. OLMo-core prints the head of each
iteration, and values, with an `eta` in the head, only of some.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, detail, marker, progress

DIALECT = Dialect(
    "olmo",
    title="OLMo, OLMo-core",
    example="""\
2026-11-02 08:15:42.107	gpu-01:0	olmo.train:979	INFO	[step=200/10000,epoch=0]
    optim/total_grad_norm=0.5114
    train/CrossEntropyLoss=5.212
    throughput/device/batches_per_second=0.2593""",
    announces_end=True,
    rules=(
        context("[step=", "olmo.train:{any}[step={iteration}/{total}"),
        context("[step=", "[step={iteration}/{total},epoch={epoch},eta="),
        progress("[step=", "olmo_core{any}[step={iteration}/{total},epoch={epoch}]"),
        progress("[step=", "olmo_core{any}[step={iteration}/???,epoch={epoch}]"),
        detail("train/CrossEntropyLoss=", " train/CrossEntropyLoss={loss}"),
        detail("train/CE loss=", " train/CE loss={loss}"),
        detail("optim/total", " optim/total_grad_norm={grad_norm}"),
        detail("optim/total", " optim/total grad norm={grad_norm}"),
        detail("optim/LR (group 0)=", " optim/LR (group 0)={learning_rate}"),
        detail("throughput/device/tokens_per_second=", "tokens_per_second={throughput}"),
        progress("throughput/device/batches_per_second=", "batches_per_second={it_per_s}"),
        progress("throughput/device/BPS=", "BPS={it_per_s}"),
        marker(MarkerKind.EVALUATION, "Running evaluation for '"),
        marker(MarkerKind.EVALUATION, " evals...", rb"Running .{1,80} evals\.\.\."),
        marker(MarkerKind.EVALUATION_END, " evals in ", rb"Finished .{1,80} evals in "),
        marker(MarkerKind.CHECKPOINT_START, "checkpoint...", rb"Saving (?:\w{1,12} |pre-train )?checkpoint\.\.\."),
        marker(
            MarkerKind.CHECKPOINT_START,
            "Saving checkpoint for step ",
            rb"Saving checkpoint for step (?P<iteration>\d{1,15}) to ",
        ),
        marker(
            MarkerKind.CHECKPOINT_END,
            "heckpoint saved to ",
            rb"heckpoint saved to (?:\S{0,400}/step(?P<iteration>\d{1,15}))?",
        ),
        marker(
            MarkerKind.CHECKPOINT_END,
            " saved successfully",
            rb"Checkpoint for step (?P<iteration>\d{1,15}) saved successfully",
        ),
        marker(MarkerKind.TRAINING_DONE, "Training complete", rb"INFO\s{1,20}Training complete\s{0,9}$"),
    ),
)
