"""maskrcnn-benchmark and what grew out of it (https://github.com/facebookresearch/maskrcnn-benchmark).

Each value is a median of the last ones, with the mean of all in brackets. The total is not printed.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress

DIALECT = Dialect(
    "maskrcnn-benchmark",
    title="maskrcnn-benchmark",
    example="""\
2026-01-05 12:01:20,233 maskrcnn_benchmark.trainer INFO: eta: 8:58:12  iter: 20  loss: 1.8200 (1.9131)  \
loss_mask: 0.6812 (0.6904)  time: 0.3512 (0.3604)  data: 0.0041 (0.0102)  lr: 0.007173  max mem: 3012""",
    rules=(
        progress(
            "  max mem: ",
            r"\beta: [^:]{1,20}[\d:]{1,9}  iter: (?P<iteration>\d{1,15})  ",
            keys={"loss": "loss", "time": "s", "lr": "learning_rate"},
            expression=True,
        ),
        marker(MarkerKind.START, "trainer INFO: Start training"),
        marker(MarkerKind.EVALUATION, "inference INFO: Start evaluation on "),
        marker(MarkerKind.EVALUATION_END, "inference INFO: Total run time: "),
        marker(MarkerKind.CHECKPOINT_START, "checkpoint INFO: Saving checkpoint to "),
        marker(MarkerKind.TRAINING_DONE, "trainer INFO: Total training time: "),
    ),
)
