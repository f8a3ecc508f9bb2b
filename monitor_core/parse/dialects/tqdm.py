"""A tqdm bar with nothing that tells the framework: a training loop of one's own."""

from __future__ import annotations

from monitor_core.parse.bars import bar
from monitor_core.parse.dialect import Dialect, Rank

DIALECT = Dialect(
    "tqdm",
    title="tqdm bars of any training loop",
    example="Epoch 1/3:  46%|████▋     | 139/300 [00:15<00:18,  9.02it/s, loss=2.31]",
    rank=Rank.BAR,
    rules=(
        bar(
            keys={
                "loss": "loss",
                "train_loss": "loss",
                "step_loss": "loss",
                "lr": "learning_rate",
                "grad_norm": "grad_norm",
            }
        ),
    ),
)
