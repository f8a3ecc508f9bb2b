"""fairseq, with its text lines and its JSON lines, old and new (https://github.com/facebookresearch/fairseq).

Updates are the iterations. How many a second is rounded to two digits, so the time of one comes from the words in it.
The line of an epoch repeats what the lines before have said.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress

_KEYS = {
    "num_updates": "iteration",
    "loss": "loss",
    "gnorm": "grad_norm",
    "loss_scale": "loss_scale",
    "lr": "learning_rate",
    "wps": "throughput",
    "wpb": "batch_tokens",
    "ups": "it_per_s",
}

DIALECT = Dialect(
    "fairseq",
    title="fairseq",
    example="""\
2026-03-08 12:32:33 | INFO | train_inner | {"epoch": 1, "update": 0.1, "loss": "11.446", "ppl": "2790.6", \
"wps": "5120.4", "ups": "0.31", "wpb": "16384", "bsz": "8", "num_updates": "200", "lr": "4e-05", "gnorm": "1.777"}
2026-03-08 12:32:33 | INFO | train_inner | epoch 001:    200 / 2000 loss=11.446, ppl=2790.6, wps=5120.4, ups=0.31, \
wpb=16384, bsz=8, num_updates=200, lr=4e-05, gnorm=1.777, train_wall=640, wall=655""",
    announces_end=True,
    rules=(
        progress("train_inner", r"train_inner(?: \||\]\[INFO\] -)", keys=_KEYS, expression=True),
        progress("num_updates=", r"\| epoch \d{1,9}: {1,20}\d{1,9} / \d{1,9} ", keys=_KEYS, expression=True),
        context("max_update", r"\bmax_update['\"]?(?:=|: )(?P<total>[1-9]\d{0,14})\b(?! updates)", expression=True),
        marker(MarkerKind.START, "num. ", rb"\bnum\. (?:shared )?model params: "),
        marker(MarkerKind.EVALUATION, 'begin validation on "'),
        marker(MarkerKind.EVALUATION_END, "| valid "),
        marker(MarkerKind.EVALUATION_END, "[valid]["),
        marker(
            MarkerKind.CHECKPOINT_START,
            "Preparing to save checkpoint for epoch ",
            rb"save checkpoint for epoch \d{1,9} @ (?P<iteration>\d{1,15}) updates",
        ),
        marker(
            MarkerKind.CHECKPOINT_END,
            "aved checkpoint ",
            rb"\b[Ss]aved checkpoint .{1,400}?\(epoch \d{1,9} @ (?P<iteration>\d{1,15}) updates",
        ),
        marker(
            MarkerKind.TRAINING_DONE,
            "Stopping training due to ",
            rb"Stopping training due to (?:num_updates: \d{1,15} >= max_update: (?P<total>\d{1,15})|\w)",
        ),
        marker(MarkerKind.TRAINING_DONE, "done training in "),
    ),
)
