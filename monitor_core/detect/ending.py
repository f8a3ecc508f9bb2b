"""Ending: finished, stopped as planned, or failed with its cause. Success is never inferred from silence."""

from __future__ import annotations

from monitor_core.model.incidents import Finding, Kind, Phase, Severity
from monitor_core.model.records import Failure, Role
from monitor_core.parse.signatures import CAUGHT, EXIT_CODE, PLANNED, PROCESS_GONE
from monitor_core.thresholds import CATALOGUE, Values, seconds
from monitor_core.track.failure import FailureSeen
from monitor_core.track.state import RunState

_SEVERITY = {Kind.FINISHED: Severity.INFO, Kind.STOPPED: Severity.WARNING, Kind.FAILED: Severity.CRITICAL}
# In stuck_floors. Lines that a launcher prints late and what follows an end marker (a failing last save) come within a
# quarter of a floor; an exception that nobody has called fatal yet gets the time in which a line would have come, and
# more where none is due: while a run starts or saves, tools and retries throw what is caught.
_SETTLE_FLOORS = 0.25
_UNSURE_FLOORS = 2.5
_GAPS = 2.0


def verdict(state: RunState) -> Kind | None:
    """Return how the run ended, if it has.

    A planned stop explains whatever error follows it, and takes nothing from a training that was done. An exit code
    other than 0, or an error with no progress after it, beats an end marker. Without a marker an exit with 0 is success
    only after the last line that was due, and of a run that has shown no line it says nothing.
    """
    failure = None if state.failure is None or state.failure.resumed else state.failure.failure
    if state.ending is Kind.STOPPED:
        return Kind.STOPPED
    if state.ending is not None and state.failure is not None and state.failure.survived and not state.exit_code:
        return state.ending
    if failure is not None and failure.signature in PLANNED:
        return state.ending or Kind.STOPPED
    if state.exit_code or failure is not None:
        return Kind.FAILED
    if state.ending is not None or state.exit_code is None or state.iteration is None:
        return state.ending
    done = state.total is None or state.total - state.iteration < state.step
    return Kind.FINISHED if done else Kind.STOPPED


def learns(state: RunState) -> bool:
    """Say whether a run trains, but has not printed enough yet to be judged by."""
    return state.learning and state.phase is Phase.TRAINING and verdict(state) is None


def observe(state: RunState, values: Values, now: float) -> Finding | None:
    """Return a finding from the end of the run until its next launch."""
    kind = verdict(state)
    if kind is None:
        return None
    floor = (values["stuck_floor"] or CATALOGUE["stuck_floor"].read("2m")).amount
    facts = {
        "iteration": state.iteration,
        "total": state.total,
        "loss": state.loss,
        "started_at": state.started_at,
        "checkpoint": state.checkpoint,
        "text": state.ending_text,
    }
    failure = state.failure
    if state.ending is not kind and failure is not None and not failure.resumed:
        facts |= _cause(failure.failure)
        since_sign = max(0.0, (state.alive_at or failure.at) - failure.at) if failure.survived else 0.0
        patience = since_sign + _patience(state, failure, floor)
        return Finding(kind, _SEVERITY[kind], failure.at, facts, grace=patience)
    ended_at = state.ended_at if state.ended_at is not None else now
    if state.ending is not kind:
        facts |= {"cause": EXIT_CODE, "text": f"exit code {state.exit_code}", "exit_code": state.exit_code}
    settle = _SETTLE_FLOORS * floor
    # A process that is still there may yet end with an error.
    stays = seconds(values["not_exiting"]) if state.process.there else 0.0
    return Finding(kind, _SEVERITY[kind], ended_at, facts, grace=max(settle, stays))


def _cause(failure: Failure) -> dict[str, str | int | None]:
    facts = {"cause": failure.signature, "text": failure.text, "rank": failure.rank}
    return facts | {"failed_on": failure.host, "frame": failure.frame, "exit_code": failure.exit_code}


def _patience(state: RunState, failure: FailureSeen, floor: float) -> float:
    """Return for how many seconds a failure must stand before it is called one."""
    settle = _SETTLE_FLOORS * floor
    proven = state.process.gone and failure.failure.signature != PROCESS_GONE
    if failure.final or state.ending is not None or proven:
        return settle
    plain = failure.failure.role is not Role.ROOT or failure.failure.signature in CAUGHT
    if plain and (not state.started or state.phase in {Phase.CHECKPOINTING, Phase.EVALUATING}):
        return _UNSURE_FLOORS * floor
    return max(settle, _GAPS * (state.gap or 0.0))
