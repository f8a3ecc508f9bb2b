"""NaN: the loss is no number any more, in whichever way a log shows that."""

from __future__ import annotations

from monitor_core.detect.norms import norms
from monitor_core.model.incidents import Finding, Kind, Severity
from monitor_core.thresholds import Values
from monitor_core.track.state import RunState


def observe(state: RunState, _values: Values, _now: float) -> Finding | None:
    """Return a finding from the first line until the loss has been a number for ten."""
    seen = state.losses.no_number
    if not seen.firing:
        return None
    return Finding(
        Kind.LOSS_NAN,
        Severity.CRITICAL,
        seen.since_at,
        {
            "value": seen.value,
            "before": seen.before,
            **norms(state.losses),
            "save_interval": state.settings.get("save_interval"),
            "text": seen.text,
            "since_iteration": seen.since_iteration,
            "iteration": state.iteration,
            "total": state.total,
        },
    )
