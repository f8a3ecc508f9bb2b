"""The training script of timm (https://github.com/huggingface/pytorch-image-models). All counts begin at zero."""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress

DIALECT = Dialect(
    "timm",
    title="timm",
    example="""\
Train: 0 [  50/1251 (  4%)]  Loss: 6.40 (6.52)  Time: 0.186s,  688.17/s  (0.190s,  673.68/s)  LR: 1.000e-05  Data: 0.011
Test: [   0/48]  Time: 0.310 (0.310)  Loss:   6.700 ( 6.700)  Acc@1:   0.781 (  0.781)  Acc@5:   3.125 (  3.125)""",
    rules=(
        progress(
            "Train: ",
            r"\bTrain: (?P<epoch>\d{1,9}) \[ {0,20}(?P<batch>\d{1,15})/(?P<batches>\d{1,15})"
            r" {1,20}\( {0,20}\d{1,3}%\)\]",
            keys={"Loss": "loss", "Time": "s", "LR": "learning_rate"},
            expression=True,
        ),
        context("Scheduled epochs: ", "Scheduled epochs: {epochs}"),
        marker(MarkerKind.EVALUATION, "Test", rb"\bTest(?: \(EMA\))?: \[ {0,20}\d{1,15}/\d{1,15}\] {1,20}Time: "),
        marker(MarkerKind.CHECKPOINT_END, "Current checkpoints:"),
        marker(MarkerKind.TRAINING_DONE, "*** Best metric: "),
    ),
)
