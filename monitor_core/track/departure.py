"""What the life of its process says about a run: that it is gone, and how it ended; or that it starts again."""

from __future__ import annotations

from monitor_core.model.records import Failure, Marker, MarkerKind, Presence, Record, Role, Sign
from monitor_core.parse.signatures import PROCESS_GONE, SLURM_FAILED
from monitor_core.track.course import apply
from monitor_core.track.failure import FailureSeen
from monitor_core.track.marks import What
from monitor_core.track.process import ProcessSeen
from monitor_core.track.state import RunState

GONE_AFTER_LAST = "its process is gone after the last iteration"
# What a scheduler's word for an end says more than any line; the others have an exit code.
_WORDS = {
    "OUT_OF_MEMORY": "host_oom",
    "NODE_FAIL": "slurm_node_failed",
    "BOOT_FAIL": "slurm_node_failed",
    "TIMEOUT": "slurm_time_limit",
    "DEADLINE": "slurm_time_limit",
    "PREEMPTED": "slurm_preempted",
    "CANCELLED": "slurm_cancelled",
    "REVOKED": "slurm_cancelled",
}
_COMPLETED = "COMPLETED"
# The clocks of a log and of a look differ by less than this, in seconds.
_TOLERANCE = 3.0


def attend(state: RunState, sign: Sign, now: float) -> None:
    """Take into account what a look at `now` said of the process of a run; the time in it is on our clock."""
    if state.process.of != sign.of:
        state.process = ProcessSeen(sign.of)
    seen = state.process
    seen.note(sign)
    if sign.presence is Presence.ABSENT:
        gone_at = sign.ended_at if sign.ended_at is not None else seen.missed_at
        if gone_at is not None and _lived_at(state) > gone_at + _TOLERANCE:
            _doubt(state)
        elif seen.miss(sign, now):
            state.marks.add(now, What.LOOKED, str(state.clock.at))
            _leave(state, sign, gone_at if gone_at is not None else now)
    elif sign.presence is not Presence.UNKNOWN:
        waits, back = sign.presence is Presence.WAITING, seen.meet(sign, now)
        # After an end marker only the log, or a queue, tells of another launch.
        if waits or (back and state.end.kind is None):
            apply(state, Marker(MarkerKind.START), now)
        if waits:
            # A queue is no silence.
            state.alive_at = now
            state.marks.add(now, What.QUEUED)


def _lived_at(state: RunState) -> float:
    """Return when the log last told of a training."""
    return max(state.line_at or 0.0, state.started_at or 0.0)


def _doubt(state: RunState) -> None:
    """What was missed cannot have been the training: the log goes on without it."""
    state.process.doubt()
    if state.failure is not None and state.failure.failure.signature == PROCESS_GONE:
        state.failure = None


def _leave(state: RunState, sign: Sign, at: float) -> None:
    """Note that the process is gone, with what is known of how it ended."""
    if sign.word in _WORDS:
        failure = Failure(_WORDS[sign.word], Role.ROOT, sign.who)
        state.failure = FailureSeen(failure, at, state.iteration)
        state.marks.note(failure, at)
    elif sign.exit_code or sign.word == _COMPLETED:
        state.exit(sign.exit_code or 0, at)
    elif sign.word:
        apply(state, Failure(SLURM_FAILED, Role.ROOT, sign.who), at)
    elif state.end.kind is None and (state.failure is None or state.failure.resumed):
        apply(state, _unsaid_end(state, sign), at)


def _unsaid_end(state: RunState, sign: Sign) -> Record:
    """Return what the end of a process means that nobody said a word about."""
    if state.total is not None and state.iteration is not None and state.total - state.iteration < state.step:
        return Marker(MarkerKind.TRAINING_DONE, text=GONE_AFTER_LAST)
    return Failure(PROCESS_GONE, Role.ROOT, sign.who)
