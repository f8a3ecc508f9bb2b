"""Hugging Face Trainer and what prints through it: accelerate, TRL, LLaMA-Factory, ms-swift, axolotl.

Layouts are those of `Trainer`, `ProgressCallback` and `PrinterCallback` in transformers
(https://github.com/huggingface/transformers). The bar tells the iteration; values come in dicts of their own, which
version 5 writes as text. A bar may be on stderr and the dicts on stdout. Without a bar the iteration is that of the
epoch's fraction, where the samples of an epoch and of an iteration are told, else the number of the dict. A crashed
run may have told nothing but bars; then its traceback proves whose they were.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.bars import bar
from monitor_core.parse.dialect import Dialect, context, detail, marker

_KEYS = {
    "loss": "loss",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "epoch": "epochs_done",
}

DIALECT = Dialect(
    "hf-trainer",
    title="Hugging Face Trainer; accelerate, TRL, LLaMA-Factory, ms-swift, axolotl",
    example="""\
 46%|████▋     | 139/300 [02:34<02:59,  1.11s/it]
{'loss': 2.3142, 'grad_norm': 1.0312, 'learning_rate': 5e-05, 'epoch': 0.46}
 47%|████▋     | 140/300 [02:35<02:57,  1.11s/it]""",
    needs_proof=True,
    ends_at_total=True,
    announces_end=True,
    rules=(
        detail("'loss': ", "{{", keys=_KEYS, counts=True),
        bar(keys={"loss": "loss", "step_loss": "loss", "train_loss": "loss", "lr": "learning_rate"}, epochs=False),
        context("  Num examples = ", "  Num examples = {examples}"),
        context("  Num Epochs = ", "  Num Epochs = {epochs}"),
        context("  Total train batch size (w. ", "  Total train batch size (w. {any}) = {samples}"),
        context("  Total optimization steps = ", "  Total optimization steps = {total}"),
        context("/transformers/trainer.py", "/transformers/trainer.py"),
        marker(MarkerKind.START, "***** Running training *****", proves=True),
        marker(MarkerKind.EVALUATION, "***** Running Evaluation *****"),
        marker(MarkerKind.EVALUATION_END, "{'eval_", rb"\{'eval_\w{1,80}': "),
        marker(MarkerKind.CHECKPOINT_START, "Saving model checkpoint to "),
        marker(MarkerKind.TRAINING_DONE, "'train_runtime': ", proves=True),
        marker(MarkerKind.TRAINING_DONE, "Training completed. Do not forget to share your model"),
    ),
)
