"""XGBoost: its rounds are the iterations, the first one is 0.

The layout is that of `EvaluationMonitor` (https://github.com/dmlc/xgboost), which prints neither how many rounds there
will be nor an end. The loss is that of the training data, where it is evaluated.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, marker, progress
from monitor_core.parse.fields import FIELDS

# Of these more is better.
_NO_LOSS = "auc|aucpr|ndcg|map|pre"
_ROUND = (
    rf"(?:^|[ :]|\] )\[(?P<iteration>{FIELDS['iteration'].pattern})\]\t(?=[^\s:]{{1,80}}-[^\s:]{{1,40}}:[-\d.+niN])"
    rf"(?:.{{0,400}}?\btrain-(?!(?:{_NO_LOSS})\b)[^\s:]{{1,40}}:(?P<loss>{FIELDS['loss'].pattern}))?"
)

DIALECT = Dialect(
    "xgboost",
    title="XGBoost",
    example="""\
[10]\ttrain-logloss:0.15242\teval-logloss:0.53687
[20]\ttrain-logloss:0.08643\teval-logloss:0.59427""",
    rules=(
        progress("]\t", _ROUND, expression=True),
        marker(MarkerKind.TRAINING_DONE, "Stopping. Best iteration:", hides=1),
    ),
)
