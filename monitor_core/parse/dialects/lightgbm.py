"""LightGBM: its rounds are the iterations.

Layouts are those of `log_evaluation` and `early_stopping` in the Python package, and of the command line
(https://github.com/microsoft/LightGBM). How many rounds there will be is not told; after early stopping the best one
is told again. The loss is that of the training data, where it is evaluated.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress
from monitor_core.parse.fields import FIELDS

# Of these more is better.
_NO_LOSS = "auc|auc_mu|ndcg|map|average_precision|r2"
_ROUND = (
    rf"^\[(?P<iteration>{FIELDS['iteration'].pattern})\]\t(?=[^\t:]{{1,80}}'?s? [^\t:]{{1,80}}: )"
    rf"(?:.{{0,400}}?\btrain(?:ing)?(?:'s)? (?!(?:{_NO_LOSS})\b)[^\t:]{{1,40}}: (?P<loss>{FIELDS['loss'].pattern}))?"
)

DIALECT = Dialect(
    "lightgbm",
    title="LightGBM",
    example="""\
[10]\ttraining's binary_logloss: 0.508005\tvalid_1's binary_logloss: 0.527325
[20]\ttraining's binary_logloss: 0.403616\tvalid_1's binary_logloss: 0.436496""",
    rules=(
        progress("]\t", _ROUND, expression=True),
        context("[LightGBM] [Info] Iteration:", ", training {any:metric} : {loss}"),
        progress(
            " elapsed, finished iteration ",
            "[LightGBM] [Info] {elapsed_s} seconds elapsed, finished iteration {iteration}",
        ),
        marker(MarkerKind.START, "[LightGBM] [Info] Start training from score"),
        marker(MarkerKind.TRAINING_DONE, "est iteration is:", hides=1),
        marker(MarkerKind.TRAINING_DONE, "[LightGBM] [Info] Finished training"),
    ),
)
