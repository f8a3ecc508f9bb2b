"""Stuck: no progress line for longer than the run's phase and rhythm allow."""

from __future__ import annotations

from dataclasses import replace

from monitor_core.detect.limits import Limits, silence_limits
from monitor_core.model.incidents import Finding, Kind, Severity
from monitor_core.thresholds import Values
from monitor_core.track.state import RunState


def observe(state: RunState, values: Values, now: float) -> Finding | None:
    """Return a finding from when the silence is longer than the limit until the next progress line.

    `since` is when the run was last alive. Markers between, such as those of a new launch, do not end it.
    """
    if state.stuck_since is None and (state.alive_at is None or now <= state.alive_at):
        return None
    limits = _limits(state, values)
    if limits is None or now <= limits.since:
        return None
    if state.stuck_since is None and now - limits.since < limits.warning:
        return None
    # A pause that has ended began the wait anew, though it does not end the trouble.
    waited = now - max(limits.since, state.alive_at or limits.since)
    confirmed = state.process.gone or waited >= limits.critical
    severity = Severity.CRITICAL if confirmed else Severity.WARNING
    written = (
        state.written_at is not None
        and state.line_at is not None
        and state.written_at - state.line_at > (limits.expected or 0.0)
    )
    return Finding(
        Kind.STUCK,
        severity,
        limits.since,
        {
            "phase": state.phase,
            "expected": limits.expected,
            "limit": limits.warning,
            "limit_critical": limits.critical,
            "iteration": state.iteration,
            "total": state.total,
            "still_written": written,
            "usual_ms": state.pace.usual or state.ms,
        },
    )


def deadline(state: RunState, values: Values, now: float) -> float | None:
    """Return the next moment at which the verdict can change without a new line."""
    limits = _limits(state, values)
    return None if limits is None else next_after(limits, now)


def _limits(state: RunState, values: Values) -> Limits | None:
    limits = silence_limits(state, values)
    if limits is None or state.stuck_since is None:
        return limits
    return replace(limits, since=state.stuck_since)


def next_after(limits: Limits, now: float) -> float | None:
    """Return the first limit that lies ahead; a millisecond later it has been passed whatever the rounding."""
    moments = (limits.since + limit + 0.001 for limit in (limits.warning, limits.critical))
    return min((moment for moment in moments if moment > now), default=None)
