"""Skipping: fp16 skips too many iterations, or its loss scale collapses."""

from __future__ import annotations

from itertools import pairwise

from monitor_core.model.incidents import Finding, Kind, Number, Severity
from monitor_core.thresholds import Values
from monitor_core.track.losses import Scaling
from monitor_core.track.state import RunState

# Of fewer lines and iterations a share says little.
_LEAST_LINES, _LEAST_ITERATIONS = 10, 50
# Halved four times, less what it was doubled, within so many iterations. Over thousands of them a healthy scale may
# fall as far, and settle below one: only a fast fall tells of gradients that overflow time and again.
_FALLEN, _FAST = 16, 500


def observe(state: RunState, values: Values, now: float) -> Finding | None:
    """Return a finding while the share of skipped iterations is too high, or the scale far below its highest."""
    limit, scaling = values["skipping"], state.losses.scaling
    facts = None if limit is None else _too_many(scaling, limit.amount) or _collapsed(scaling, state.iteration or 0)
    if facts is None:
        scaling.since_at = None
        return None
    if scaling.since_at is None:
        scaling.since_at = now if state.line_at is None else state.line_at
        scaling.since_iteration = state.iteration or 0
    where: dict[str, Number] = {
        "since_iteration": scaling.since_iteration,
        "iteration": state.iteration,
        "total": state.total,
    }
    return Finding(Kind.SKIPPING, Severity.WARNING, scaling.since_at, facts | where)


def _too_many(scaling: Scaling, limit: float) -> dict[str, Number] | None:
    """It holds until the share is half of the limit."""
    iterations, skipped = sum(scaling.iterations), sum(scaling.skipped)
    if len(scaling.iterations) < _LEAST_LINES or iterations < _LEAST_ITERATIONS:
        return None
    share = skipped / iterations
    if share <= (limit if scaling.since_at is None else limit / 2):
        return None
    return {"what": "skipped", "share": share, "limit": limit, "skipped": skipped, "of": iterations}


def _collapsed(scaling: Scaling, iteration: int) -> dict[str, Number] | None:
    held = [scale for (_, scale), (until, _) in pairwise(scaling.scales) if iteration - until <= _FAST]
    if not held or scaling.scales[-1][1] * _FALLEN > max(held):
        return None
    return {"what": "scale", "scale": scaling.scales[-1][1], "scale_before": max(held)}
