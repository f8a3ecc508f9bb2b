"""MLPerf training: the lines of mlperf_logging, as all of its reference models print them.

The layout is that of `mllog` (https://github.com/mlcommons/logging). It counts samples where it counts at all, and
tells no time per iteration; where it tells no loss, only its evaluations can be counted. Most of it tells the phases of
a training whose own lines tell the rest.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, Rank, Rule, detail, marker, progress


def _marker(kind: MarkerKind, key: str, more: bytes = b"") -> Rule:
    return marker(kind, f'"key": "{key}"', f'"key": "{key}"'.encode() + more)


# For dialects of frameworks that MLPerf is run with; some print all of these lines when the training is over.
MARKERS = (
    _marker(MarkerKind.EVALUATION, "eval_start"),
    _marker(MarkerKind.EVALUATION_END, "eval_stop"),
    _marker(MarkerKind.TRAINING_DONE, "run_stop", rb'.{0,400}"status": "success"'),
    _marker(MarkerKind.EXITING, "run_stop", rb'.{0,400}"status": "(?P<text>aborted)"'),
)
_LOSS = r'"key": "train_loss", "value": {loss}, "metadata": {{{any:where}"samples_count": {iteration}'

DIALECT = Dialect(
    "mllog",
    title="MLPerf :::MLLOG lines",
    example="""\
:::MLLOG {"time_ms": 1793607342000, "event_type": "POINT_IN_TIME", "key": "train_loss", "value": 5.588,\
 "metadata": {"lineno": 10, "samples_count": 512}}
:::MLLOG {"time_ms": 1793607393000, "event_type": "POINT_IN_TIME", "key": "train_loss", "value": 5.076,\
 "metadata": {"lineno": 10, "samples_count": 1024}}""",
    rank=Rank.LIBRARY,
    rules=(
        progress('"key": "train_loss"', _LOSS),
        detail('"key": "eval_accuracy"', '"key": "eval_accuracy"', counts=True),
        _marker(MarkerKind.START, "run_start"),
        *MARKERS,
    ),
)
