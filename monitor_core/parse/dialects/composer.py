"""The log lines of MosaicML Composer's console logger: a head with the batch, then a value a line.

The layout is that of loggers/console_logger.py (https://github.com/mosaicml/composer). Only a speed monitor tells how
fast it is, as a mean over many batches behind the loss, and is believed of the batch after it.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, detail, marker, progress

DIALECT = Dialect(
    "composer",
    title="MosaicML Composer, LLM Foundry",
    example="""\
[batch=200/4800]:
     Train loss/train/total: 5.1204
     Train throughput/batches_per_sec: 0.5102
     Train lr-DecoupledAdamW/group0: 0.0003""",
    ends_at_total=True,
    rules=(
        progress("[batch=", "[epoch={epoch}][batch={batch}/{batches}]", first_epoch=1),
        progress("[batch=", "[batch={iteration}/{total}]"),
        detail("Train loss/train/total: ", "Train loss/train/total: {loss}"),
        context("Train throughput/batches_per_sec: ", "Train throughput/batches_per_sec: {it_per_s}"),
        detail("Train lr-", "Train lr-{any}/group0: {learning_rate}"),
        marker(MarkerKind.EVALUATION, "[Eval batch=", rb"\[Eval batch=\d{1,15}/"),
        marker(MarkerKind.EVALUATION_END, " Eval metrics/"),
    ),
)
