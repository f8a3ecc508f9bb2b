"""Ending: finished, stopped as planned, or failed with its cause. Success is never inferred from silence."""

from __future__ import annotations

from monitor_core.model.incidents import Finding, Kind, Phase, Severity
from monitor_core.model.records import Failure, Role
from monitor_core.parse.signatures import CAUGHT, EXIT_CODE, PLANNED, PROCESS_GONE
from monitor_core.parse.stops import CODES, reason, told_to
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
# An exception may be printed at once, and the lines after it in the next block: one that is half as long again.
_BLOCKS = 1.5


def verdict(state: RunState) -> Kind | None:
    """Return how the run ended, if it has.

    A planned stop explains whatever error follows it, and takes nothing from a training that was done; it does not
    explain one that came first. An exit code other than 0, or an error with no progress after it, beats an end marker.
    Without a marker an exit with 0 is success only after the last line that was due, and of a run that has shown no
    line it says nothing.
    """
    end, seen = state.end, state.failure if state.failure is not None and not state.failure.resumed else None
    planned = seen is not None and _is_planned(seen)
    if end.kind is Kind.STOPPED and (seen is None or planned or not seen.first):
        return Kind.STOPPED
    if seen is not None and seen.survived and not end.exit_code and _says_its_end(state):
        return _without_error(state)
    if planned or (seen is None and end.exit_code in CODES):
        return end.kind or Kind.STOPPED
    if end.exit_code or seen is not None:
        return Kind.FAILED
    return _without_error(state)


def _without_error(state: RunState) -> Kind | None:
    if state.end.kind is not None or state.end.exit_code is None or state.iteration is None:
        return state.end.kind
    return Kind.FINISHED if _is_done(state) else Kind.STOPPED


def _says_its_end(state: RunState) -> bool:
    """Whether a marker or the last iteration says that it is done; `| tee` says exit code 0 of what failed, too."""
    return state.end.kind is not None or (state.end.exit_code == 0 and state.total is not None and _is_done(state))


def _is_planned(seen: FailureSeen) -> bool:
    return seen.failure.signature in PLANNED or told_to(seen.failure.text)


def _is_done(state: RunState) -> bool:
    """Whether the last line that was due has come; where no total is known, a format that has a word says it."""
    if state.total is None or state.iteration is None:
        return not state.announces_end
    return state.total - state.iteration < state.step


def learns(state: RunState) -> bool:
    """Say whether a run trains, but has not printed enough yet to be judged by."""
    return state.learning and state.phase is Phase.TRAINING and verdict(state) is None


def observe(state: RunState, values: Values, now: float) -> Finding | None:
    """Return a finding from the end of the run until its next launch."""
    kind = verdict(state)
    if kind is None:
        return None
    end, failure = state.end, state.failure
    floor = (values["stuck_floor"] or CATALOGUE["stuck_floor"].read("2m")).amount
    facts = {
        "iteration": state.iteration,
        "total": state.total,
        "loss": state.loss,
        "started_at": state.started_at,
        "checkpoint": state.checkpoint,
        "text": end.text,
    }
    if end.kind is not kind and failure is not None and not failure.resumed:
        facts |= _cause(failure.failure)
        since_sign = max(0.0, (state.alive_at or failure.at) - failure.at) if failure.survived else 0.0
        patience = since_sign + _patience(state, failure, floor)
        return Finding(kind, _SEVERITY[kind], failure.at, facts, grace=patience)
    ended_at = end.at if end.at is not None else now
    if end.kind is not kind:
        facts |= {"cause": EXIT_CODE, "text": f"exit code {end.exit_code}", "exit_code": end.exit_code}
    if kind is Kind.STOPPED:
        facts["reason"] = reason(end.text) if end.kind is kind else CODES.get(end.exit_code or 0, "")
    # A process that is still there may yet end with an error.
    stays = seconds(values["not_exiting"]) if state.process.there else 0.0
    return Finding(kind, _SEVERITY[kind], ended_at, facts, grace=max(stays, _rest(state, ended_at, floor)))


def _rest(state: RunState, ended_at: float, floor: float) -> float:
    """Return for how many seconds an end must stand: what began after it may still fail.

    What may come after a last iteration in a format without a word for the end lasts no longer than what has come
    between two lines before.
    """
    settle = _SETTLE_FLOORS * floor
    if state.end.exit_code is not None or state.process.gone or state.end.sign_at is None:
        return settle
    since_sign = max(0.0, state.end.sign_at - ended_at)
    return since_sign + settle + _still_to_come(state, floor)


def _still_to_come(state: RunState, floor: float) -> float:
    """Return for how many seconds a run may yet be silent after its end, as far as that can be known."""
    if state.end.pause is not None:
        return max(floor, state.silence.longest.get(state.end.pause, 0.0))
    if state.end.marked:
        return 0.0
    return state.silence.longest_pause


def _cause(failure: Failure) -> dict[str, str | int | None]:
    facts = {"cause": failure.signature, "text": failure.text, "rank": failure.rank}
    return facts | {"failed_on": failure.host, "frame": failure.frame, "exit_code": failure.exit_code}


def _patience(state: RunState, failure: FailureSeen, floor: float) -> float:
    """Return for how many seconds a failure must stand before it is called one."""
    settle = _SETTLE_FLOORS * floor
    proven = state.process.gone and failure.failure.signature != PROCESS_GONE
    if failure.final or state.end.kind is not None or proven:
        return settle
    plain = failure.failure.role is not Role.ROOT or failure.failure.signature in CAUGHT
    if plain and (not state.started or state.phase in {Phase.CHECKPOINTING, Phase.EVALUATING}):
        return _UNSURE_FLOORS * floor
    return max(settle, _GAPS * (state.gap or 0.0), _BLOCKS * state.silence.lag if plain else 0.0)
