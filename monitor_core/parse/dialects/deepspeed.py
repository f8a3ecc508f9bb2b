"""DeepSpeed's own lines, which are printed inside of other frameworks and of training loops of one's own.

Layouts are those of runtime/engine.py, utils/timer.py, runtime/checkpoint_engine and launcher/launch.py
(https://github.com/deepspeedai/DeepSpeed). The step line and the timer's line are one report; neither tells a total,
a loss or a time per iteration.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, Rank, detail, marker, progress

SAVING = (
    marker(
        MarkerKind.CHECKPOINT_START,
        " is about to be saved!",
        rb"Checkpoint (?:global_step(?P<iteration>\d{1,15})|\S{1,200}) is about to be saved!",
    ),
    marker(MarkerKind.CHECKPOINT_START, "Saving model checkpoint: "),
    marker(
        MarkerKind.CHECKPOINT_END,
        " is ready now!",
        rb"Checkpoint (?:global_step(?P<iteration>\d{1,15})|\S{1,200}) is ready now!",
    ),
)

DIALECT = Dialect(
    "deepspeed",
    title="DeepSpeed in a training loop of one's own",
    example="""\
[2026-11-02 08:15:42,107] [INFO] [logging.py:128:log_dist] [Rank 0] step=200, skipped=1, lr=[3e-05], mom=[(0.9, 0.95)]
[2026-11-02 08:15:42,109] [INFO] [timer.py:264:stop] epoch=0/micro_step=800/global_step=200,\
 RunningAvgSamplesPerSec=51.1, CurrSamplesPerSec=52.4, MemAllocated=4.3GB, MaxMemAllocated=38.5GB""",
    rank=Rank.LIBRARY,
    rules=(
        progress(", skipped=", "step={iteration}, skipped={skipped_so_far}", keys={"lr": "learning_rate"}),
        detail("CurrSamplesPerSec=", "RunningAvgSamplesPerSec=", keys={"CurrSamplesPerSec": "throughput"}),
        *SAVING,
        marker(MarkerKind.TRAINING_DONE, " exits successfully.", rb"Process \d{1,10} exits successfully\."),
    ),
)
