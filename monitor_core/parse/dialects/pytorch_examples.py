"""The loops of PyTorch's tutorials and examples, which many scripts began as (https://github.com/pytorch/examples).

The MNIST example counts samples in its epoch, and does not say how many epochs there will be. Neither prints an end.
"""

from __future__ import annotations

from monitor_core.parse.dialect import Dialect, progress

_KEYS = {"Loss": "loss", "loss": "loss"}

DIALECT = Dialect(
    "pytorch-examples",
    title="Loops of PyTorch's tutorials and examples",
    example="""\
Epoch [1/5], Step [100/600], Loss: 0.4512
Epoch [1/5], Step [200/600], Loss: 0.2817
Train Epoch: 1 [640/60000 (1%)]\tLoss: 1.803500""",
    ends_at_total=True,
    rules=(
        progress("], Step [", "Epoch [{epoch}/{epochs}], Step [{batch}/{batches}]", keys=_KEYS, first_epoch=1),
        progress("Train Epoch: ", "Train Epoch: {epoch} [{batch}/{batches} (", keys=_KEYS, first_epoch=1),
    ),
)
