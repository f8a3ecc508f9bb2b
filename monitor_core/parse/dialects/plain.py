"""What people print in loops of their own: `step 10 loss 2.31`, `iter 10/100: loss=2.31, lr=1e-4`.

Only lines that tell the loss right after the step: what tells more is better read by a pattern of one's own. Each
framework that is recognised is believed first.
"""

from __future__ import annotations

from monitor_core.parse.dialect import Dialect, Rank, progress

# An evaluation also has steps and a loss, and an epoch begins its steps anew.
_NEITHER = r"^(?![^\n]{0,200}?\b(?:[Vv]al|[Ee]val|[Vv]alid|[Vv]alidation|[Ee]valuation|[Tt]est|[Ee]poch)\b)"
_COUNT = (
    r"[^\n]{0,80}?\b(?:[Gg]lobal[_ ])?(?:[Ss]tep|[Ii]ter|[Ii]teration)[ :=#]{1,3}"
    r"(?P<iteration>\d{1,12})(?: ?(?:/|of) ?(?P<total>\d{1,12}))?\b(?![\d.])"
)
_LOSS = (
    r"[ \t,:;|)\]-]{1,8}(?:[Tt]rain(?:ing)?[_ ])?[Ll]oss[ :=]{1,3}"
    r"(?P<loss>[-+]?(?:\d{1,15}\.?\d{0,20}(?:[eE][-+]?\d{1,3})?|nan|NaN|inf))(?!\w)"
)
_KEYS = {"lr": "learning_rate", "grad_norm": "grad_norm"}
_PATTERN = _NEITHER + _COUNT + _LOSS

DIALECT = Dialect(
    "plain",
    title="Loops of people's own that print a step and a loss",
    rank=Rank.LIBRARY,
    example="""\
step 5 loss 2.8787
step 10 loss 1.4273
2026-11-24 09:15:20 INFO iter 15/200: loss=0.9644, lr=3e-4""",
    rules=tuple(progress(word, _PATTERN, keys=_KEYS, expression=True, proves=False) for word in ("tep", "ter")),
)
