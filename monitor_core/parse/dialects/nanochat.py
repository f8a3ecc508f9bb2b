"""The log lines of nanochat: pretraining, midtraining and fine-tuning.

Layouts are those of scripts/base_train.py, mid_train.py and chat_sft.py (https://github.com/karpathy/nanochat). Counts
from zero, so that the last iteration is one less than the total; fine-tuning prints a percentage and no total.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress

_KEYS = {"loss": "loss", "grad norm": "grad_norm", "dt": "ms", "tok/sec": "throughput"}

DIALECT = Dialect(
    "nanochat",
    title="nanochat",
    example="""\
step 00200/21400 (0.93%) | loss: 5.120311 | lrm: 1.00 | dt: 1012.20ms | tok/sec: 517,911 | mfu: 47.92 |\
 total time: 3.22m
Step 00250 | Validation bpb: 1.4102""",
    rules=(
        progress(" | dt: ", "step {iteration}/{total} ({any}%) | ", keys=_KEYS),
        progress(" | dt: ", "step {iteration} ({any}%) | ", keys=_KEYS),
        marker(MarkerKind.EVALUATION_END, " | Validation bpb: ", rb"Step (?P<iteration>\d{5,15}) \| Validation bpb: "),
        marker(MarkerKind.EVALUATION_END, " | CORE metric: ", rb"Step (?P<iteration>\d{5,15}) \| CORE metric: "),
        marker(
            MarkerKind.CHECKPOINT_END,
            " - Saved model ",
            rb" - Saved model (?:parameters|file) to: (?:\S{0,400}/model_(?P<iteration>\d{1,15})\.pt)?",
        ),
        marker(MarkerKind.TRAINING_DONE, "Minimum validation bpb: "),
    ),
)
