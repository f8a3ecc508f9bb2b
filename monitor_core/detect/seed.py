"""The rules of the original tool's README to the letter, for those who want them (preset `seed`)."""

from __future__ import annotations

from monitor_core.detect.limits import Limits
from monitor_core.detect.stuck import next_after
from monitor_core.model.incidents import Finding, Kind, Severity
from monitor_core.thresholds import Values
from monitor_core.track.state import RunState


def follow(state: RunState, values: Values, at: float) -> None:
    """Take the last progress line into the mean; the mean that it is compared with is that of all lines before it."""
    pace = state.pace
    if state.ms is None:
        return
    pace.usual = pace.mean_sum / pace.mean_count if pace.mean_count else None
    pace.mean_sum += state.ms
    pace.mean_count += 1


def learning(state: RunState, _values: Values) -> bool:
    """Whether there is no line yet with which the last one could be compared."""
    return state.ms is not None and state.pace.usual is None


def stuck(state: RunState, values: Values, now: float) -> Finding | None:
    """Stuck: the time since the last line exceeds so many times the elapsed time per iteration of that line."""
    limits = _limits(state, values)
    if limits is None or now - limits.since < limits.warning:
        return None
    return Finding(
        Kind.STUCK,
        Severity.WARNING,
        limits.since,
        {
            "phase": state.phase,
            "expected": limits.expected,
            "limit": limits.warning,
            "iteration": state.iteration,
            "total": state.total,
        },
    )


def stuck_deadline(state: RunState, values: Values, now: float) -> float | None:
    """Return the next moment at which the verdict can change without a new line."""
    limits = _limits(state, values)
    return None if limits is None else next_after(limits, now)


def patience(_values: Values) -> float:
    """Return how many seconds of silence are never too long: where iterations are short, hardly any."""
    return 0.0


def slow(state: RunState, values: Values, now: float) -> Finding | None:
    """Slow: the last elapsed time per iteration is more than so many times the mean of all before it."""
    limit, usual = values["slow"], state.pace.usual
    if limit is None or usual is None or state.ms is None or state.line_at is None or state.ms <= limit.amount * usual:
        return None
    return Finding(
        Kind.SLOW,
        Severity.WARNING,
        state.line_at,
        {
            "factor": state.ms / usual,
            "usual_ms": usual,
            "now_ms": state.ms,
            "lines": 1,
            "limit": limit.amount,
            "since_iteration": state.iteration,
            "iteration": state.iteration,
            "total": state.total,
        },
    )


def _limits(state: RunState, values: Values) -> Limits | None:
    ratio = values["stuck"]
    if ratio is None or state.line_at is None or state.ms is None or state.end.reached:
        return None
    expected = state.ms / 1000
    limit = ratio.amount if ratio.is_duration else ratio.amount * expected
    return Limits(since=state.line_at, warning=limit, critical=limit, expected=expected)
