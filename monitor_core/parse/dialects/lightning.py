"""PyTorch Lightning (https://github.com/Lightning-AI/pytorch-lightning): a bar for each epoch, as tqdm draws it.

Epochs begin at zero; their number is told only when the last is done. Without a bar a script prints lines of its own.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.bars import bar
from monitor_core.parse.dialect import Dialect, context, marker, progress

_REACHED = (
    rb"`Trainer\.fit` stopped: (?P<text>"
    rb"`max_(?:steps=(?P<total>\d{1,15})|epochs=(?P<epochs>\d{1,9}))` reached)"
)
# Lines of its trainer and callbacks, which are printed by what is built on it, too. The last is that of early stopping.
ENDS = (
    marker(MarkerKind.EXITING, "`Trainer.fit` stopped: ", rb"(?P<text>`max_time=[^`]{1,40}` reached)"),
    marker(MarkerKind.EXITING, "Received SIGTERM: 15", rb"(?P<text>Received SIGTERM: 15)"),
    marker(MarkerKind.EXITING, "Detected KeyboardInterrupt", rb"(?P<text>Detected KeyboardInterrupt)"),
    marker(MarkerKind.EXITING, " Signaling Trainer to stop.", rb"(?P<text>Time limit reached)\. Elapsed time is "),
    marker(
        MarkerKind.EXITING,
        " Signaling Trainer to stop.",
        rb"(?P<text>Monitored metric \S{1,200} = \S{1,9} is not finite)",
    ),
    marker(MarkerKind.TRAINING_DONE, " Signaling Trainer to stop."),
)

DIALECT = Dialect(
    "lightning",
    title="PyTorch Lightning",
    example="""\
Epoch 0:  12%|█▎        | 10/80 [00:01<00:07,  8.87it/s, v_num=0, train_loss=1.500]
`Trainer.fit` stopped: `max_epochs=3` reached.""",
    needs_proof=True,
    announces_end=True,
    rules=(
        marker(MarkerKind.TRAINING_DONE, "`Trainer.fit` stopped: ", _REACHED, proves=True),
        *ENDS,
        context("v_num=", "v_num="),
        bar(
            keys={
                "loss": "loss",
                "train_loss": "loss",
                "train_loss_step": "loss",
                "train/loss": "loss",
                "train/loss_step": "loss",
                "lr": "learning_rate",
                "grad_norm": "grad_norm",
            },
            smoothed=False,
        ),
        progress(
            " • ",
            r"^Epoch (?P<epoch>\d{1,9})/\d{1,9} [^\d]{1,400} (?P<batch>[1-9]\d{0,14})/(?P<batches>\d{1,15}) "
            r"[\d:]{1,12} • [-\d:]{1,12} (?P<it_per_s>[\d.]{1,12})it/s",
            keys={"train_loss": "loss", "loss": "loss"},
            expression=True,
        ),
        progress(" step ", "epoch {epoch} step {iteration} {any}loss {loss}", proves=False),
        context("GPU available: ", "GPU available: {any}, used: "),
        marker(MarkerKind.START, "| Name ", rb"\| Name {1,20}\| Type {1,20}\| Params"),
        marker(MarkerKind.EVALUATION, "Validation", rb"^Validation(?: DataLoader \d{1,9})?: {1,20}\d{1,3}%\|"),
    ),
)
