"""Not exiting: the training has said that it is done, and its processes stay."""

from __future__ import annotations

from monitor_core.model.incidents import Finding, Kind, Severity
from monitor_core.thresholds import Values
from monitor_core.track.state import RunState


def observe(state: RunState, values: Values, now: float) -> Finding | None:
    """Return a finding once a look after the limit has seen the processes, until they are gone.

    What cannot be seen neither opens nor ends it.
    """
    limit, seen = values["not_exiting"], state.process
    if limit is None or state.end.kind is None or state.end.at is None or seen.seen_at is None or seen.gone:
        return None
    if seen.seen_at - state.end.at < limit.amount:
        return None
    return Finding(
        Kind.NOT_EXITING,
        Severity.WARNING,
        state.end.at,
        {
            "processes": seen.processes,
            "pids": seen.pids,
            "limit": limit.amount,
            "iteration": state.iteration,
            "total": state.total,
        },
    )


def deadline(state: RunState, values: Values, now: float) -> float | None:
    """Return the next moment at which a look decides something: whether processes are gone, or have stayed too long."""
    limit, seen = values["not_exiting"], state.process
    stays = None if limit is None or state.end.at is None or not seen.there else state.end.at + limit.amount + 0.001
    return min((moment for moment in (seen.again_at, stays) if moment is not None and moment > now), default=None)
